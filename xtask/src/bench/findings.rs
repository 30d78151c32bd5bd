//! Everything that a bench measures.

use super::alone::Alone;
use super::contest::Measured;
use super::limit::Limited;
use super::scale::{Resume, Scale};

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) contest: Vec<Measured>,
    pub(super) limit: Vec<Limited>,
    pub(super) scale: Vec<Scale>,
    pub(super) resume: Option<Resume>,
    pub(super) alone: Option<Alone>,
    /// The most memory of plans of a million files.
    pub(super) plans_mb: Vec<f64>,
    /// The time of two accounts beside that of one.
    pub(super) accounts: Option<f64>,
    /// Reading a bulk answer beside reading it as untyped JSON, in times.
    pub(super) decode: Option<f64>,
}
