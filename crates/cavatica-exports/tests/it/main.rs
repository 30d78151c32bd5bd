//! The calls against a sandbox on a socket.

mod evidence;
mod exports;
mod lists;
mod missing;
mod once;
mod watch;
mod world;
