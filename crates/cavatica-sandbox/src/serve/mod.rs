//! From a connection to the answer that goes out on it.

mod conduct;
pub(crate) mod guard;
pub(crate) mod listen;
mod reply;
mod tamper;
pub(crate) mod tls;
