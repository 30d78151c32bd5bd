//! The calls against a sandbox on a socket.

mod exports;
mod lists;
mod watch;
mod world;
