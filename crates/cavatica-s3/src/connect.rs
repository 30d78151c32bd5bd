//! The way to the store: TLS that trusts what the system trusts, through a proxy's tunnel where the environment names one.
//!
//! `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are read as curl reads them; traffic to this machine never takes a proxy.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::combinators::UnsyncBoxBody;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::config::{BuildError, Target};
use crate::error::BoxError;

/// No TCP connection within this: try another time. Names, TLS and tunnels have the request's own limit.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

pub(crate) type HttpClient = Client<HttpsConnector<Route>, UnsyncBoxBody<Bytes, BoxError>>;

#[derive(Clone)]
pub(crate) enum Route {
    Straight(HttpConnector),
    Tunnel(Box<Tunnel<HttpsConnector<HttpConnector>>>),
}

type Socket = MaybeHttpsStream<TokioIo<TcpStream>>;

pub(crate) fn client(target: &Target, pem: Option<&[u8]>) -> Result<HttpClient, BuildError> {
    let tls = tls(target, pem)?;
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_LIMIT));
    tcp.set_keepalive(Some(Duration::from_secs(30)));
    let route = match proxy(target)? {
        None => Route::Straight(tcp),
        Some(proxy) => {
            let to_proxy = HttpsConnector::from((tcp, tls.clone()));
            let tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
            Route::Tunnel(Box::new(match proxy.basic_auth() {
                Some(auth) => tunnel.with_auth(auth.clone()),
                None => tunnel,
            }))
        }
    };
    Ok(Client::builder(TokioExecutor::new()).build(HttpsConnector::from((route, tls))))
}

fn tls(target: &Target, pem: Option<&[u8]>) -> Result<ClientConfig, BuildError> {
    let trust = |error: BoxError| BuildError::Trust(error);
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| trust(error.into()))?;
    if target.uri.scheme_str() == Some("http") {
        // Plain text to this machine: the trust store isn't even read.
        let nobody = rustls::RootCertStore::empty();
        return Ok(builder.with_root_certificates(nobody).with_no_client_auth());
    }
    let extra = CertificateDer::pem_slice_iter(pem.unwrap_or_default())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| trust(error.into()))?;
    if pem.is_some() && extra.is_empty() {
        return Err(trust("the PEM text holds no certificate".into()));
    }
    let verifier = Verifier::new_with_extra_roots(extra, provider);
    let verifier = verifier.map_err(|error| trust(error.into()))?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

fn proxy(target: &Target) -> Result<Option<Intercept>, BuildError> {
    let url = variable(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]);
    if target.is_loopback || url.is_empty() {
        return Ok(None);
    }
    let matching = |except: String| {
        let rules = Matcher::builder().https(url.as_str()).no(except);
        rules.build().intercept(&target.uri)
    };
    // The matcher passes over a proxy that it can't read; to go round one unasked is not what its owner wants.
    let usable = matching(String::new()).is_some_and(|proxy| {
        matches!(proxy.uri().scheme_str(), Some("http" | "https"))
            && proxy.uri().host().is_some_and(|host| !host.is_empty())
    });
    if !usable {
        return Err(BuildError::Proxy);
    }
    Ok(matching(exceptions(&variable(["no_proxy", "NO_PROXY"]))))
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
    type Future = Pin<Box<dyn Future<Output = Result<Socket, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Route::Straight(tcp) => tcp.poll_ready(context).map_err(Into::into),
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
