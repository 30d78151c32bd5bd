//! The sandbox as its clients see it: over a socket.

mod admin;
mod client;
mod exports;
mod faults;
mod files;
mod limits;
mod quirks;
mod restart;
mod scenario;
mod serving;
mod volumes;
