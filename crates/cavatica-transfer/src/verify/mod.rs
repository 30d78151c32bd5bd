//! Reads the destination again and compares it with the journal. Nothing is decided here about where a file stands: what
//! was seen is recorded beside the outcome, and never becomes one.

mod compare;

pub use compare::{Against, Finding, Object, Reason};
pub(crate) use compare::{Known, compare};

/// One key that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The key relative to the volume.
    pub location: String,
    /// What the look came to.
    pub finding: Finding,
    /// Why, where that doesn't say it all.
    pub reasons: Vec<Reason>,
}
