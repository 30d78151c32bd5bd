//! The last word on a transfer, as `run`, `status` and `retry` print it.

use std::borrow::Cow;
use std::path::Path;

use cavatica_model::ExportMode;
use cavatica_transfer::RunReport;
use cavatica_transfer::journal::{JournalError, TransferFile, TroubledItem};
use serde::Serialize;

use crate::standing::Overview;
use crate::trouble::{Trouble, TroubleGroup, TroubleKind, counted_failures};
use crate::whole::Whole;

/// How a transfer stands, what needs attention, and what it took; in the shape that the program prints as JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How it stands.
    #[serde(flatten)]
    pub overview: Overview,
    /// Files whose answers were lost in this run and that were settled by asking the platform.
    pub reconciled: u64,
    /// Requests, of this run or, where nothing runs, of all runs.
    pub requests: u64,
    /// Seconds, of this run or, where nothing runs, of all runs.
    pub elapsed_s: f64,
    /// What needs attention, with the true number of each, the gravest first.
    pub troubles: Vec<TroubleGroup>,
    /// Files that failed or whose outcome isn't known; the first ones if there are very many.
    pub failures: Vec<FailureLine>,
    /// How each stands, where several transfers are told as one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Overview>,
}

/// A file that failed or whose outcome isn't known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailureLine {
    /// The file.
    pub file_id: String,
    /// Where it was to go.
    pub location: String,
    /// `failed` or `unknown`.
    pub state: TroubleKind,
    /// The platform's number, if it gave one.
    pub code: Option<i64>,
    /// What the platform said, or why the outcome isn't known.
    pub message: String,
    /// What to do about it.
    pub advice: Cow<'static, str>,
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
        Summary::of(&Whole::of(TransferFile::open(path)?))
    }

    /// How several stand that are told as one, also while they are being run.
    ///
    /// # Errors
    ///
    /// If one can't be read.
    pub fn of(whole: &Whole) -> Result<Self, JournalError> {
        let (mut requests, mut elapsed) = (0, 0.0);
        for run in whole.transfers().iter().map(TransferFile::runs) {
            for run in run? {
                requests += run.requests;
                elapsed += run.seen.duration_since(run.started).as_secs_f64();
            }
        }
        Summary::with(whole, 0, requests, elapsed)
    }

    /// How a transfer stands after a run, and what that run took.
    ///
    /// # Errors
    ///
    /// If the transfer can't be read.
    pub fn after(path: &Path, run: &RunReport) -> Result<Self, JournalError> {
        let whole = Whole::of(TransferFile::open(path)?);
        let elapsed = run.elapsed.as_secs_f64();
        Summary::with(&whole, run.reconciled, run.requests, elapsed)
    }

    fn with(
        whole: &Whole,
        reconciled: u64,
        requests: u64,
        elapsed_s: f64,
    ) -> Result<Self, JournalError> {
        let mut failures = Vec::new();
        for file in whole.transfers() {
            let mode = file.terms().mode;
            let listed = file.failures(None, FAILURES_LISTED - failures.len())?;
            let counts = counted_failures(file);
            let counted = listed.iter().filter(|item| counts(item));
            failures.extend(counted.filter_map(|item| FailureLine::of(mode, item)));
        }
        Ok(Summary {
            overview: Overview::of_whole(whole)?,
            reconciled,
            requests,
            elapsed_s,
            troubles: TroubleGroup::read_all(whole.transfers())?,
            failures,
            parts: whole
                .parts()
                .iter()
                .map(Overview::of)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl FailureLine {
    fn of(mode: ExportMode, item: &TroubledItem) -> Option<Self> {
        let trouble = Trouble::of_troubled(mode, item)?;
        Some(FailureLine {
            file_id: item.file.to_string(),
            state: trouble.kind,
            code: trouble.code,
            message: trouble.message.into_owned(),
            advice: trouble.advice,
            request_id: trouble.request_id.map(str::to_owned),
            location: item.location.clone(),
        })
    }
}
