//! The way to the server: straight, or through a proxy's tunnel.
//!
//! `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are read as curl reads them. Traffic to this machine never takes a proxy,
//! and plain text goes to this machine alone, so the token passes a proxy only inside TLS.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::BuildError;
use crate::endpoint::Origin;
use crate::error::BoxError;
use crate::socket::Tcp;

/// Which proxy to take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyChoice {
    /// What the environment says.
    #[default]
    Environment,
    /// None, whatever the environment says.
    Direct,
    /// This one.
    Through {
        /// An `http` or `https` URL, perhaps with user name and password.
        url: String,
        /// The hosts to reach directly, written as in `NO_PROXY`.
        except: String,
    },
}

/// Opens connections: a tunnel if need be, TLS if the endpoint has it, all within one time limit.
#[derive(Clone)]
pub(crate) struct Dialer {
    https: HttpsConnector<Route>,
    limit: Duration,
    behind_proxy: bool,
}

#[derive(Clone)]
pub(crate) enum Route {
    Straight(Tcp),
    Tunnel(Box<Tunnel<HttpsConnector<Tcp>>>),
}

pub(crate) type Socket = MaybeHttpsStream<TokioIo<TcpStream>>;
pub(crate) type Dialing<S> = Pin<Box<dyn Future<Output = Result<S, BoxError>> + Send>>;

/// No connection in time: not a name, not an address, no tunnel, no TLS.
#[derive(Debug, thiserror::Error)]
#[error("not connected within {0:?}")]
struct NotConnected(Duration);

impl Dialer {
    pub(crate) fn new(
        origin: &Origin,
        tls: ClientConfig,
        proxy: &ProxyChoice,
        limit: Duration,
        byte_life: Duration,
    ) -> Result<Self, BuildError> {
        let tcp = Tcp::new(limit, byte_life);
        let route = match intercept(origin, proxy)? {
            None => Route::Straight(tcp),
            Some(intercept) => {
                // A proxy's tunnel is HTTP/1.1, so nothing is offered in its own TLS.
                let to_proxy = HttpsConnector::from((tcp, tls.clone()));
                let tunnel = Tunnel::new(intercept.uri().clone(), to_proxy);
                Route::Tunnel(Box::new(match intercept.basic_auth() {
                    Some(auth) => tunnel.with_auth(auth.clone()),
                    None => tunnel,
                }))
            }
        };
        let behind_proxy = matches!(route, Route::Tunnel(_));
        let mut tls = tls;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Dialer {
            https: HttpsConnector::from((route, tls)),
            limit,
            behind_proxy,
        })
    }

    /// Whether the connections end at a proxy.
    pub(crate) fn is_behind_proxy(&self) -> bool {
        self.behind_proxy
    }
}

fn intercept(origin: &Origin, proxy: &ProxyChoice) -> Result<Option<Intercept>, BuildError> {
    let (url, except) = match proxy {
        ProxyChoice::Direct => return Ok(None),
        _ if origin.is_loopback() => return Ok(None),
        ProxyChoice::Environment => (
            variable(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            variable(["no_proxy", "NO_PROXY"]),
        ),
        ProxyChoice::Through { url, except } => (url.clone(), except.clone()),
    };
    if url.is_empty() {
        return Ok(None);
    }
    let destination = origin.url("/").map_err(|_| BuildError::Proxy)?;
    let matching = |except: &str| {
        let rules = Matcher::builder().https(url.as_str()).no(except);
        rules.build().intercept(&destination)
    };
    // The matcher passes over a proxy that it can't read. To go round a proxy unasked is not what its owner wants.
    let found = matching("").ok_or(BuildError::Proxy)?;
    let has_host = found.uri().host().is_some_and(|host| !host.is_empty());
    if !has_host || !matches!(found.uri().scheme_str(), Some("http" | "https")) {
        return Err(BuildError::Proxy);
    }
    Ok(matching(&exceptions(&except)))
}

/// Hosts to reach directly, as curl reads them: separated by commas or blanks, with or without a final dot.
fn exceptions(text: &str) -> String {
    let hosts = text.split([',', ' ', '\t']);
    let hosts: Vec<_> = hosts.map(|host| host.trim_end_matches('.')).collect();
    hosts.join(",")
}

/// The first of these variables that says something.
fn variable<const N: usize>(names: [&str; N]) -> String {
    let mut values = names.iter().filter_map(|name| std::env::var(name).ok());
    values.find(|value| !value.is_empty()).unwrap_or_default()
}

impl Service<Uri> for Route {
    type Response = Socket;
    type Error = BoxError;
    type Future = Dialing<Socket>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Route::Straight(tcp) => tcp.poll_ready(context),
            Route::Tunnel(tunnel) => tunnel.poll_ready(context).map_err(Into::into),
        }
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        match self {
            Route::Straight(tcp) => {
                let dialing = tcp.call(destination);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(dialing.await?)) })
            }
            Route::Tunnel(tunnel) => {
                let dialing = tunnel.call(destination);
                Box::pin(async move { Ok(dialing.await?) })
            }
        }
    }
}

impl Service<Uri> for Dialer {
    type Response = MaybeHttpsStream<Socket>;
    type Error = BoxError;
    type Future = Dialing<MaybeHttpsStream<Socket>>;

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

#[cfg(test)]
mod tests {
    use super::{Matcher, exceptions};

    #[test]
    fn exceptions_are_read_as_curl_reads_them() {
        let matcher = Matcher::builder().https("http://proxy.example:3128");
        let matcher = matcher
            .no(exceptions("a.example. b.example,\t.c.example."))
            .build();
        for (host, direct) in [
            ("a.example", true),
            ("b.example", true),
            ("x.c.example", true),
            ("d.example", false),
        ] {
            let uri = format!("https://{host}/").parse().expect("an address");
            assert_eq!(matcher.intercept(&uri).is_none(), direct, "{host}");
        }
    }
}
