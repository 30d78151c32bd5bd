//! The sandbox as its clients see it: over a socket.

mod client;
mod exports;
mod files;
mod limits;
mod volumes;
