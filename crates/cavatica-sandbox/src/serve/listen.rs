//! The server: connections, each a task of its own.
//!
//! # Performance
//!
//! No connection waits for another; headers and bodies have to arrive within a time limit and bodies within a size, so a
//! slow or greedy client harms only itself.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::control::hub::Hub;
use crate::serve::reply::{PATIENCE, reply};

/// How many connections are served at once; more wait to be accepted.
const CONNECTIONS: usize = 4096;

/// What a request may say before its body.
const LARGEST_HEAD: usize = 64 << 10;

/// How long a connection may last on which no request comes or ends.
const IDLE: Duration = Duration::from_secs(120);

/// Accepts connections until told to stop, then drops them all.
pub(crate) async fn serve(
    hub: Arc<Hub>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    mut stop: watch::Receiver<()>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stop.changed() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file handles, most likely; others may be closed soon.
                tracing::warn!(%error, "can't accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "can't send small answers at once");
        }
        let (hub, tls) = (Arc::clone(&hub), tls.clone());
        connections.spawn(async move {
            let _place = place;
            match tls {
                None => connection(hub, stream).await,
                Some(tls) => match timeout(PATIENCE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => connection(hub, stream).await,
                    Ok(Err(error)) => tracing::debug!(%error, "no TLS connection"),
                    Err(_) => tracing::debug!("a client took too long for its TLS handshake"),
                },
            }
        });
    }
}

/// Serves a connection until it ends or nothing happens on it any more: a client that keeps it open for no purpose, or
/// never reads its answers, would keep the place of another.
pub(crate) async fn connection(
    hub: Arc<Hub>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) {
    let (requests, mut changes) = watch::channel(0);
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (hub, pending) = (Arc::clone(&hub), Pending::of(&requests));
        async move {
            let answer = reply(&hub, request).await;
            drop(pending);
            answer
        }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .max_buf_size(LARGEST_HEAD)
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE);
    server
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PATIENCE);
    let mut served = pin!(server.serve_connection(TokioIo::new(stream), service));
    loop {
        tokio::select! {
            biased;
            served = &mut served => {
                if let Err(error) = served {
                    tracing::debug!(error, "a connection ended early");
                }
                return;
            }
            changed = timeout(IDLE, changes.changed()) => {
                if changed.is_err() && *changes.borrow() == 0 {
                    tracing::debug!("closed a connection on which nothing happens");
                    return;
                }
            }
        }
    }
}

/// A request that is being answered, and counted until it is or is given up.
struct Pending(watch::Sender<usize>);

impl Pending {
    fn of(requests: &watch::Sender<usize>) -> Self {
        requests.send_modify(|requests| *requests += 1);
        Pending(requests.clone())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.send_modify(|requests| *requests -= 1);
    }
}
