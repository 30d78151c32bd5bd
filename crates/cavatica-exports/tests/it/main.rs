//! The calls against a sandbox on a socket.

mod exports;
mod lists;
mod once;
mod watch;
mod world;
