//! The way to a server: straight, or through a proxy's tunnel.

use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use tower_service::Service;

use crate::error::{BoxError, DialError};
use crate::proxy::ProxyChoice;
use crate::socket::{Dialing, Tcp};
use crate::trust::Trust;
use crate::tunnel::{Socket, Tunnel};

/// How connections are opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Whom to trust.
    pub trust: Trust,
    /// Which proxy to take.
    pub proxy: ProxyChoice,
    /// How long it may take to connect: name, addresses, proxy and TLS together. 10 seconds unless set.
    pub limit: Duration,
    /// How long bytes that were sent may stay unacknowledged before their connection is given up, where the system can
    /// limit that ([`KNOWS_BYTE_LIFE`](crate::KNOWS_BYTE_LIFE)). With one, closing a connection throws away what it hasn't
    /// sent, on every system.
    pub byte_life: Option<Duration>,
    /// Whether to offer HTTP/2.
    pub http2: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            trust: Trust::default(),
            proxy: ProxyChoice::default(),
            limit: Duration::from_secs(10),
            byte_life: None,
            http2: false,
        }
    }
}

/// Opens connections to one server: a tunnel if need be, TLS for `https`, all within one time limit.
#[derive(Clone)]
pub struct Dialer {
    https: HttpsConnector<Route>,
    limit: Duration,
    behind_proxy: bool,
}

#[derive(Clone)]
enum Route {
    Straight(Tcp),
    Tunnel(Box<Tunnel>),
}

/// A connection.
pub type Dialed = MaybeHttpsStream<Socket>;

/// No connection in time: not a name, not an address, no tunnel, no TLS.
#[derive(Debug, thiserror::Error)]
#[error("not connected within {0:?}")]
struct NotConnected(Duration);

impl Dialer {
    /// Makes ready to connect to the server of a URL; nothing is opened yet.
    ///
    /// # Errors
    ///
    /// [`DialError`] if the trust store or the proxy can't be used.
    pub fn new(destination: &Uri, options: Options) -> Result<Self, DialError> {
        let is_tls = destination.scheme() == Some(&Scheme::HTTPS);
        let mut tls = options.trust.config(is_tls)?;
        let tcp = Tcp::new(options.limit, options.byte_life);
        let route = match options.proxy.intercept(destination)? {
            None => Route::Straight(tcp),
            Some(proxy) => {
                // A proxy's tunnel is HTTP/1.1, so nothing is offered in its own TLS.
                let to_proxy = HttpsConnector::from((tcp, tls.clone()));
                Route::Tunnel(Box::new(Tunnel::new(proxy, to_proxy)))
            }
        };
        let behind_proxy = matches!(route, Route::Tunnel(_));
        if options.http2 {
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        Ok(Dialer {
            https: HttpsConnector::from((route, tls)),
            limit: options.limit,
            behind_proxy,
        })
    }

    /// Whether the connections end at a proxy, which may keep what it was sent for as long as it likes.
    pub fn is_behind_proxy(&self) -> bool {
        self.behind_proxy
    }
}

impl Service<Uri> for Route {
    type Response = Socket;
    type Error = BoxError;
    type Future = Dialing<Socket>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Route::Straight(tcp) => tcp.poll_ready(context),
            Route::Tunnel(tunnel) => tunnel.poll_ready(context),
        }
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        match self {
            Route::Straight(tcp) => {
                let dialing = tcp.call(destination);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(dialing.await?)) })
            }
            Route::Tunnel(tunnel) => tunnel.call(destination),
        }
    }
}

impl Service<Uri> for Dialer {
    type Response = Dialed;
    type Error = BoxError;
    type Future = Dialing<Dialed>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let dialing = self.https.call(destination);
        let limit = self.limit;
        Box::pin(async move {
            match tokio::time::timeout(limit, dialing).await {
                Ok(dialed) => dialed,
                Err(_) => Err(NotConnected(limit).into()),
            }
        })
    }
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}
