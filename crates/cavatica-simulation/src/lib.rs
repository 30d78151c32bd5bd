//! The proof of *exactly once*: the real engine, its journal and the sandbox in one deterministic process.

#![warn(missing_docs)]

mod belief;

pub use belief::Belief;
