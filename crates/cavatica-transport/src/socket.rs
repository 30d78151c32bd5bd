//! Sockets whose bytes die with their sender.
//!
//! What a program has written, the system goes on sending: for a quarter of an hour while the other side is silent, and
//! for minutes after the program's death. A start that arrives so late arrives after somebody has looked whether it was
//! carried out. Two options end that: closing a connection, which a death does too, throws away what it hasn't sent; and
//! bytes that nobody acknowledges end their connection in time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::Client;
use crate::error::BoxError;

/// Opens plain connections.
#[derive(Clone)]
pub(crate) struct Tcp(HttpConnector);

impl Tcp {
    /// Connections that are opened within `connect_limit`, and whose bytes live for `byte_life` at most where
    /// [`KNOWS_BYTE_LIFE`].
    pub(crate) fn new(connect_limit: Duration, byte_life: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        // Shared out among the addresses of a name, so that a dead one doesn't use up the time of all.
        tcp.set_connect_timeout(Some(connect_limit));
        limit_bytes(&mut tcp, byte_life);
        Tcp(tcp)
    }
}

/// Whether the system can limit how long bytes live.
pub(crate) const KNOWS_BYTE_LIFE: bool = cfg!(any(target_os = "linux", target_os = "android"));

#[cfg(any(target_os = "linux", target_os = "android"))]
fn limit_bytes(tcp: &mut HttpConnector, byte_life: Duration) {
    tcp.set_tcp_user_timeout(Some(byte_life));
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn limit_bytes(_: &mut HttpConnector, _: Duration) {}

impl Client {
    /// How long bytes live at most once they were sent: what hasn't arrived by then never does, whatever becomes of this
    /// program. `None` where nobody can say: on systems without such a limit (only Linux has it), and behind a proxy, which
    /// the limit reaches alone. Whoever looks whether a lost start was carried out waits longer than this first.
    pub fn longest_byte_life(&self) -> Option<Duration> {
        self.0.settings.byte_life
    }

    /// Whether the connections end at a proxy, which may keep what it was sent for as long as it likes.
    pub fn is_behind_proxy(&self) -> bool {
        self.0.settings.behind_proxy
    }
}

impl Service<Uri> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let dialing = self.0.call(destination);
        Box::pin(async move {
            let stream = dialing.await?;
            // An answer has been read when its connection is closed, so that nothing is lost but what is too late.
            stream.inner().set_zero_linger()?;
            Ok(stream)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_are_thrown_away_on_closing_and_live_no_longer_than_was_said() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut tcp = Tcp::new(Duration::from_secs(5), Duration::from_secs(7));
        let destination = format!("http://{address}/").parse().expect("a URL");
        let stream = tcp.call(destination).await.expect("a connection");
        let socket = socket2::SockRef::from(stream.inner());
        assert_eq!(socket.linger().expect("an option"), Some(Duration::ZERO));
        #[cfg(any(target_os = "linux", target_os = "android"))]
        assert_eq!(
            socket.tcp_user_timeout().expect("an option"),
            Some(Duration::from_secs(7))
        );
    }
}
