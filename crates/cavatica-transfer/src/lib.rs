//! Moves or copies any number of files to a volume, each exactly once, whatever dies on the way.

#![warn(missing_docs)]
#![warn(clippy::wildcard_enum_match_arm)]

mod fingerprint;
pub mod item;
pub mod journal;
mod reconcile;

pub use fingerprint::{Fingerprint, FingerprintError};
