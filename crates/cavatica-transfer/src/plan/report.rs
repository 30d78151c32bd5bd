//! What a plan came to.

use std::collections::BTreeMap;

use cavatica_exports::model::volume::expected_beginning;
use serde::Serialize;

use super::unplanned::Unplanned;
use crate::journal::{JournalError, Terms, TransferFile};

/// How many files the sample shows.
const SAMPLE: usize = 5;

/// What a plan came to, in the shape that the program prints as JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlanReport {
    /// The transfer's file.
    pub transfer: String,
    /// What a second person approves.
    pub fingerprint: String,
    /// `move` or `copy`.
    pub mode: &'static str,
    /// The volume.
    pub volume: String,
    /// The bucket behind it, if the platform tells.
    pub bucket: Option<String>,
    /// What the platform puts before every location.
    pub volume_prefix: String,
    /// What every location begins with.
    pub prefix: String,
    /// Files to be sent.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were left out, by the name of the reason.
    pub skipped: BTreeMap<String, u64>,
    /// The first few of them, of each kind.
    pub left_out: Vec<Unplanned>,
    /// What one should know.
    pub warnings: Vec<PlanWarning>,
    /// Locations that differ only in letter case, Unicode form or what nobody sees, and those that are folders of others.
    pub collisions: Vec<PlanCollision>,
    /// The first few files with their keys in the bucket.
    pub sample: Vec<PlanSample>,
    /// Requests made.
    pub requests: u64,
}

/// What one should know about a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanWarning {
    /// A name for programs.
    pub name: &'static str,
    /// A sentence, about the first file where it concerns files.
    pub message: String,
    /// What to do about it.
    pub remedy: &'static str,
    /// How many files it concerns; 0 if it is about the volume or the whole.
    pub files: u64,
}

/// Locations that meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanCollision {
    /// `same`, `twins`, or `nested`: the first location is the folder of the second.
    pub kind: &'static str,
    /// The locations.
    pub locations: Vec<String>,
    /// The first files that go there.
    pub file_ids: Vec<String>,
    /// How many files there are.
    pub files: u64,
}

/// A file and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanSample {
    /// The file.
    pub file_id: String,
    /// Its path on the platform.
    pub path: Option<String>,
    /// Its key in the bucket.
    pub key: String,
}

/// Where a plan stands, for progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanProgress {
    /// Files to be sent so far.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files left out so far.
    pub skipped: u64,
}

impl PlanSample {
    /// The first files that would be sent.
    pub(super) fn first(written: &TransferFile, terms: &Terms) -> Result<Vec<Self>, JournalError> {
        let first = written.items(None)?.into_iter().take(SAMPLE);
        let sample = first.map(|item| PlanSample {
            file_id: item.file.to_string(),
            key: expected_beginning(&terms.volume_prefix) + &item.location,
            path: item.path,
        });
        Ok(sample.collect())
    }
}
