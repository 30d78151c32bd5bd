//! Where connections come from: the network, or somebody who hands them in.
//!
//! A program that simulates the platform in its own process hands in pipes.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use cavatica_connect::{BoxError, Dialed, Dialer, Dialing};
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

/// Both ways of a connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that is being opened.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// Opens connections to the platform, in place of the network.
///
/// No TLS is spoken on them. The endpoint's address is the one that the client was built with.
pub trait Connect: fmt::Debug + Send + Sync + 'static {
    /// Opens one.
    fn connect(&self) -> Connecting;

    /// How long bytes live there at most once they were sent, where that is known. See
    /// [`Client::longest_byte_life`](crate::Client::longest_byte_life).
    fn longest_byte_life(&self) -> Option<Duration> {
        None
    }
}

/// Where connections come from.
#[derive(Clone)]
pub(crate) enum ConnectionSource {
    Network(Box<Dialer>),
    Given(Arc<dyn Connect>),
}

impl Service<Uri> for ConnectionSource {
    type Response = Wire;
    type Error = BoxError;
    type Future = Dialing<Wire>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            ConnectionSource::Network(dialer) => dialer.poll_ready(context),
            ConnectionSource::Given(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        match self {
            ConnectionSource::Network(dialer) => {
                let dialing = dialer.call(destination);
                Box::pin(async move { Ok(Wire::Network(Box::new(dialing.await?))) })
            }
            ConnectionSource::Given(connect) => {
                let opening = connect.connect();
                Box::pin(async move { Ok(Wire::Given(TokioIo::new(opening.await?))) })
            }
        }
    }
}

/// A connection.
pub(crate) enum Wire {
    Network(Box<Dialed>),
    Given(TokioIo<Box<dyn Stream>>),
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        match self {
            Wire::Network(stream) => stream.connected(),
            Wire::Given(_) => Connected::new(),
        }
    }
}

impl Read for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Network(stream) => Pin::new(stream).poll_read(context, buffer),
            Wire::Given(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl Write for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Network(stream) => Pin::new(stream).poll_write(context, bytes),
            Wire::Given(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Network(stream) => Pin::new(stream).poll_flush(context),
            Wire::Given(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Network(stream) => Pin::new(stream).poll_shutdown(context),
            Wire::Given(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Wire::Network(stream) => stream.is_write_vectored(),
            Wire::Given(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Wire::Network(stream) => Pin::new(stream).poll_write_vectored(context, bytes),
            Wire::Given(stream) => Pin::new(stream).poll_write_vectored(context, bytes),
        }
    }
}
