//! Moves or copies any number of files to a volume, each exactly once, whatever dies on the way.

#![warn(missing_docs)]
#![warn(clippy::wildcard_enum_match_arm)]

mod event;
mod fingerprint;
pub mod item;
pub mod journal;
mod once;
pub mod plan;
mod platform;
mod reconcile;
mod run;
mod summary;

pub use event::{Again, Event, StopReason};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use once::{OnceError, Started, export_once};
pub use run::{Ending, RunError, RunOptions, RunReport, Stop, Timing, run};
pub use summary::{FAILURES_LISTED, FailureLine, Summary};
