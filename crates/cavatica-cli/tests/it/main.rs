//! The program from outside: real processes against a sandbox on a socket.

mod export;
mod harness;
mod reading;
mod refusals;
