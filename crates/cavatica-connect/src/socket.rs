//! Sockets whose bytes die with their sender.
//!
//! What a program has written, the system goes on sending: for a quarter of an hour while the other side is silent, and
//! for minutes after the program's death. A request that can't be undone may so arrive after somebody has looked whether it
//! was carried out. Two options end that: closing a connection, which a death does too, throws away what it hasn't sent;
//! and bytes that nobody acknowledges end their connection in time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::error::BoxError;

/// A connection that is being opened.
pub type Dialing<S> = Pin<Box<dyn Future<Output = Result<S, BoxError>> + Send>>;

/// Whether the system can limit how long bytes live.
pub const KNOWS_BYTE_LIFE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Opens plain connections.
#[derive(Clone)]
pub(crate) struct Tcp {
    connector: HttpConnector,
    bytes_die: bool,
}

impl Tcp {
    /// Connections that are opened within `limit`, and whose bytes die with their sender if they have a `byte_life`; they
    /// live that long at most where [`KNOWS_BYTE_LIFE`].
    pub(crate) fn new(limit: Duration, byte_life: Option<Duration>) -> Self {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_keepalive(Some(Duration::from_secs(30)));
        // Shared out among the addresses of a name, so that a dead one doesn't use up the time of all.
        connector.set_connect_timeout(Some(limit));
        limit_bytes(&mut connector, byte_life);
        Tcp {
            connector,
            bytes_die: byte_life.is_some(),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn limit_bytes(connector: &mut HttpConnector, byte_life: Option<Duration>) {
    connector.set_tcp_user_timeout(byte_life);
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn limit_bytes(_: &mut HttpConnector, _: Option<Duration>) {}

impl Service<Uri> for Tcp {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Dialing<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let dialing = self.connector.call(destination);
        let bytes_die = self.bytes_die;
        Box::pin(async move {
            let stream = dialing.await?;
            if bytes_die {
                // An answer has been read when its connection is closed, so that nothing is lost but what is too late.
                stream.inner().set_zero_linger()?;
            }
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
        for life in [Some(Duration::from_secs(7)), None] {
            let mut tcp = Tcp::new(Duration::from_secs(5), life);
            let destination = format!("http://{address}/").parse().expect("a URL");
            let stream = tcp.call(destination).await.expect("a connection");
            let socket = socket2::SockRef::from(stream.inner());
            let linger = socket.linger().expect("an option");
            assert_eq!(linger, life.map(|_| Duration::ZERO));
            #[cfg(any(target_os = "linux", target_os = "android"))]
            assert_eq!(socket.tcp_user_timeout().expect("an option"), life);
        }
    }
}
