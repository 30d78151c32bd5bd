//! The transport over real sockets.

mod bytes;
mod calls;
mod faults;
mod http2;
mod outage;
mod proxy;
mod secret;
mod server;
mod stress;
mod support;
mod tls;
mod waits;
