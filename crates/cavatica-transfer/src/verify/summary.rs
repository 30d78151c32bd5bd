//! What a look at the destination came to.

use std::path::Path;

use serde::Serialize;

use super::compare::{Against, Finding, Reason, Untold};
use super::listing::ListingError;
use crate::journal::Tally;

/// One key that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The key relative to the volume.
    pub location: String,
    /// What the look came to.
    pub finding: Finding,
    /// Why, where that doesn't say it all.
    pub reasons: Vec<Reason>,
}

/// What a look at the destination came to, in the shape that the program prints as JSON.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct VerifySummary {
    /// The transfer's file.
    pub transfer: String,
    /// `volume` or `bucket`.
    pub against: &'static str,
    /// Completed files whose objects are there, as far as they can be compared.
    pub same: u64,
    /// Of those the same, files whose sizes could not be compared: their keys are there, and their ETags are as they were
    /// where they are told.
    pub same_without_size: u64,
    /// Completed files whose objects aren't there.
    pub missing: u64,
    /// Objects that the transfer doesn't know as completed.
    pub extra: u64,
    /// Completed files whose objects aren't what they were to be.
    pub differ: u64,
    /// Completed files that could not be looked at.
    pub errors: u64,
    /// Of those the same without a size, objects whose sizes the listing didn't tell.
    #[serde(skip)]
    pub sizes_not_listed: u64,
    /// Files of the plan that aren't completed.
    #[serde(skip)]
    pub not_completed: u64,
    /// Where extra objects were looked for: everything in this folder; where it is empty, the volume's top level and the
    /// folders on it that the transfer writes to.
    #[serde(skip)]
    pub folder: String,
    /// Why the listing was given up, if it was.
    #[serde(skip)]
    pub given_up: Option<ListingError>,
    /// Whether there was something to look for: a file that completed, or may have.
    #[serde(skip)]
    pub looked: bool,
    /// What it came to for each transfer, where several were looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<VerifyPart>,
}

/// What a look at several transfers came to for one of them. Objects that none of them knows are counted for all together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct VerifyPart {
    /// The transfer's file.
    pub transfer: String,
    /// Completed files whose objects are there, as far as they can be compared.
    pub same: u64,
    /// Completed files whose objects aren't there.
    pub missing: u64,
    /// Objects that lie where files that aren't completed are to go.
    pub extra: u64,
    /// Completed files whose objects aren't what they were to be.
    pub differ: u64,
    /// Completed files that could not be looked at.
    pub errors: u64,
}

impl VerifyPart {
    pub(super) fn new(path: &Path) -> Self {
        VerifyPart {
            transfer: path.display().to_string(),
            same: 0,
            missing: 0,
            extra: 0,
            differ: 0,
            errors: 0,
        }
    }

    pub(super) fn count(&mut self, found: &Found) {
        *match found.finding {
            Finding::Same => &mut self.same,
            Finding::Missing => &mut self.missing,
            Finding::Extra => &mut self.extra,
            Finding::Differs => &mut self.differ,
            Finding::Unread => &mut self.errors,
        } += 1;
    }
}

impl VerifySummary {
    pub(super) fn new(paths: &[&Path], against: Against, tally: &Tally) -> Self {
        let names = paths.iter().map(|path| path.display().to_string());
        VerifySummary {
            transfer: names.collect::<Vec<_>>().join(" "),
            against: against.name(),
            same: 0,
            same_without_size: 0,
            sizes_not_listed: 0,
            missing: 0,
            extra: 0,
            differ: 0,
            errors: 0,
            folder: String::new(),
            given_up: None,
            looked: may_be_there(tally),
            not_completed: tally.total().files - tally.completed.files,
            parts: Vec::new(),
        }
    }

    pub(super) fn count(&mut self, found: &Found) {
        for reason in &found.reasons {
            if let (Finding::Same, Reason::SizeUntold(untold)) = (found.finding, reason) {
                self.same_without_size += 1;
                self.sizes_not_listed += u64::from(*untold == Untold::Object);
            }
        }
        *match found.finding {
            Finding::Same => &mut self.same,
            Finding::Missing => &mut self.missing,
            Finding::Extra => &mut self.extra,
            Finding::Differs => &mut self.differ,
            Finding::Unread => &mut self.errors,
        } += 1;
    }

    /// Whether every completed file is there as it was to be, and nothing else is.
    pub fn is_all_the_same(&self) -> bool {
        self.given_up.is_none() && self.missing + self.extra + self.differ + self.errors == 0
    }
}

/// Whether a file completed, or may have.
fn may_be_there(tally: &Tally) -> bool {
    let counts = [
        tally.completed,
        tally.intended,
        tally.accepted,
        tally.unknown,
    ];
    counts.iter().any(|count| count.files > 0)
}
