//! The transport over real sockets.

mod calls;
mod faults;
mod http2;
mod proxy;
mod secret;
mod server;
mod stress;
mod support;
mod tls;
mod waits;
