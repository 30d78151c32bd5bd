//! The last word on a transfer, as `run`, `status` and `retry` print it.

use std::path::Path;

use serde::Serialize;

use crate::trouble::Trouble;
use cavatica_transfer::RunReport;
use cavatica_transfer::journal::{FailedItem, JournalError, Tally, TransferFile};

/// How a transfer stands, in the shape that the program prints as JSON.
///
/// `completed + failed + unknown + left` are all files of the plan; those in flight are among the left.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The transfer's file.
    pub transfer: String,
    /// The name that its user gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Files that the platform confirmed.
    pub completed: u64,
    /// Files that the platform refused or failed.
    pub failed: u64,
    /// Files of which the outcome can't be known.
    pub unknown: u64,
    /// Files of which somebody said what became of them, because the platform didn't: they are counted above, too.
    pub by_word: u64,
    /// Files that the plan left out.
    pub skipped: u64,
    /// Files that are neither completed, nor failed, nor unknown.
    pub left: u64,
    /// Of those left, files that were sent, or may have been.
    pub in_flight: u64,
    /// Files whose answers were lost in this run and that were settled by asking the platform.
    pub reconciled: u64,
    /// Requests, of this run or, where nothing runs, of all runs.
    pub requests: u64,
    /// Seconds, of this run or, where nothing runs, of all runs.
    pub elapsed_s: f64,
    /// Files that failed or whose outcome isn't known; the first ones if there are very many.
    pub failures: Vec<FailureLine>,
}

/// A file that failed or whose outcome isn't known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailureLine {
    /// The file.
    pub file_id: String,
    /// Where it was to go.
    pub location: String,
    /// `failed` or `unknown`.
    pub state: &'static str,
    /// The platform's number, if it gave one.
    pub code: Option<i64>,
    /// What the platform said, or why the outcome isn't known.
    pub message: String,
    /// What to do about it.
    pub advice: &'static str,
    /// The request that brought the news, for the platform's support.
    pub request_id: Option<String>,
}

/// The most failures that a summary lists; `report` has them all.
pub const FAILURES_LISTED: usize = 10_000;

impl Summary {
    /// How a transfer stands, also while it is being run.
    ///
    /// # Errors
    ///
    /// If the transfer can't be read.
    pub fn read(path: &Path) -> Result<Self, JournalError> {
        let file = TransferFile::open(path)?;
        let runs = file.runs()?;
        let requests = runs.iter().map(|run| run.requests).sum();
        // A sum that begins with nothing is -0.
        let elapsed = runs.iter().fold(0.0, |sum, run| {
            sum + run.seen.duration_since(run.started).as_secs_f64()
        });
        let tally = file.tally()?;
        Summary::of(&file, tally, 0, requests, elapsed)
    }

    /// How a transfer stands after a run, and what that run took.
    ///
    /// # Errors
    ///
    /// If the transfer can't be read.
    pub fn after(path: &Path, run: &RunReport) -> Result<Self, JournalError> {
        let file = TransferFile::open(path)?;
        let elapsed = run.elapsed.as_secs_f64();
        Summary::of(&file, run.tally, run.reconciled, run.requests, elapsed)
    }

    fn of(
        file: &TransferFile,
        tally: Tally,
        reconciled: u64,
        requests: u64,
        elapsed_s: f64,
    ) -> Result<Self, JournalError> {
        let failures = if tally.failed.files + tally.unknown.files == 0 {
            Vec::new()
        } else {
            file.failures(FAILURES_LISTED)?
        };
        Ok(Summary {
            transfer: file.path().display().to_string(),
            label: file.label().map(str::to_owned),
            completed: tally.completed.files,
            failed: tally.failed.files,
            unknown: tally.unknown.files,
            by_word: file.said_by_word()?,
            skipped: tally.skipped,
            left: tally.left(),
            in_flight: tally.intended.files + tally.accepted.files,
            reconciled,
            requests,
            elapsed_s,
            failures: failures.iter().filter_map(FailureLine::of).collect(),
        })
    }
}

impl FailureLine {
    fn of(item: &FailedItem) -> Option<Self> {
        let trouble = Trouble::of(&item.state)?;
        Some(FailureLine {
            file_id: item.file.to_string(),
            state: item.state.name(),
            code: trouble.code,
            message: trouble.message.into_owned(),
            advice: trouble.advice,
            request_id: trouble.request_id.map(str::to_owned),
            location: item.location.clone(),
        })
    }
}
