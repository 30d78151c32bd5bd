//! Waits, announced so that a program can say why it seems to do nothing.

use std::time::Duration;

use jiff::Timestamp;

/// Why a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitReason {
    /// The request budget is used up until its window ends.
    Budget,
    /// The platform is under maintenance.
    Maintenance,
    /// An attempt failed and will be repeated.
    Retry,
}

impl std::fmt::Display for WaitReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            WaitReason::Budget => "the limit on requests",
            WaitReason::Maintenance => "the end of the platform's maintenance",
            WaitReason::Retry => "another attempt",
        })
    }
}

/// A wait that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// What is waited for.
    pub reason: WaitReason,
    /// How long.
    pub how_long: Duration,
    /// Until when.
    pub until: Timestamp,
}
