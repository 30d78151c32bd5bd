//! A connection through a proxy, by `CONNECT`.

use std::task::{Context, Poll};

use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::error::BoxError;
use crate::socket::{Dialing, Tcp};

/// A connection before the destination's own TLS.
pub(crate) type Socket = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Why a proxy opens no tunnel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TunnelError {
    #[error("the proxy wants a name and a password, or doesn't accept those that it got")]
    Login,
    #[error("the proxy opens no tunnel: {0}")]
    Refused(StatusCode),
    #[error("the proxy sent something before the server was spoken to")]
    Early,
}

/// Connects to a proxy, and has it connect to the destination.
#[derive(Clone)]
pub(crate) struct Tunnel {
    to_proxy: HttpsConnector<Tcp>,
    proxy: Intercept,
}

impl Tunnel {
    pub(crate) fn new(proxy: Intercept, to_proxy: HttpsConnector<Tcp>) -> Self {
        Tunnel { to_proxy, proxy }
    }
}

impl Service<Uri> for Tunnel {
    type Response = Socket;
    type Error = BoxError;
    type Future = Dialing<Socket>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.to_proxy.poll_ready(context)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let dialing = self.to_proxy.call(self.proxy.uri().clone());
        let login = self.proxy.basic_auth().cloned();
        Box::pin(async move { open(dialing.await?, &destination, login).await })
    }
}

async fn open(
    stream: Socket,
    destination: &Uri,
    login: Option<HeaderValue>,
) -> Result<Socket, BoxError> {
    let host = destination.host().unwrap_or_default();
    let authority = format!("{host}:{}", destination.port_u16().unwrap_or(443));
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = Uri::builder().authority(authority.as_str()).build()?;
    request.headers_mut().insert(HOST, authority.parse()?);
    if let Some(mut login) = login {
        login.set_sensitive(true);
        request.headers_mut().insert(PROXY_AUTHORIZATION, login);
    }
    let mut http = http1::Builder::new();
    // As proxies are used to it.
    http.title_case_headers(true);
    let (mut sender, connection) = http.handshake(stream).await?;
    // The connection ends with its sender, or hands its stream over once it is a tunnel.
    let asking = async move {
        sender
            .send_request(request)
            .await
            .map(|answer| answer.status())
    };
    let (status, parts) = tokio::join!(asking, connection.without_shutdown());
    match status? {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(TunnelError::Login.into()),
        status if !status.is_success() => Err(TunnelError::Refused(status).into()),
        _ => {
            let parts = parts?;
            if parts.read_buf.is_empty() {
                Ok(parts.io)
            } else {
                Err(TunnelError::Early.into())
            }
        }
    }
}
