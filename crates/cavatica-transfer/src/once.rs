//! One export without a journal: the same care about a lost answer, for a program that waits for it.

use std::time::Duration;

use cavatica_exports::ExportFilter;
use cavatica_exports::model::{CheckedExport, ExportJob, ExportMode, ExportState, Tri};
use cavatica_exports::transport::{Client, Error, Outcome};
use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use crate::item::{Doubt, ItemId, Observation};
use crate::journal::{Item, Overwrite};
use crate::platform::Platform;
use crate::reconcile::{Question, judge};
use crate::run::{Reach, Timing, look_up};

/// How an export that was started once came about.
#[derive(Clone, Debug, PartialEq)]
pub enum Started {
    /// The platform answered.
    Answered(Box<ExportJob>),
    /// The answer was lost; the job was found in the list of the account's own jobs.
    Found(Box<ExportJob>),
    /// The answer was lost, and no job is listed; but the file is an alias of exactly the object that was to be made, so the
    /// export has completed.
    Completed,
}

/// Why an export was not started, or isn't known to be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnceError {
    /// It was not started; the transport's error says why.
    #[error("the export was not started")]
    NotStarted(#[source] Error),
    /// The answer was lost, and no job was found although the platform was given time: it was not started. Nothing was sent
    /// again.
    #[error(
        "the answer was lost, and the platform has no such job: the export was not started, and was not sent again"
    )]
    Absent(#[source] Error),
    /// The answer was lost, and what became of the request can't be known from here. Nothing was sent again.
    #[error("it isn't known whether the export was started: {doubt}")]
    Unknown {
        /// Why it can't be known.
        doubt: Doubt,
        /// How the answer was lost.
        source: Error,
    },
}

/// When the platform is asked after a lost answer, in parts of the settling time: a success is mostly seen at once, and
/// only the last look can prove absence.
const LOOKS: [f64; 4] = [0.02, 0.08, 0.3, 0.6];

/// Starts one export, and finds out what became of it if the answer is lost. It is sent once, whatever happens.
///
/// `settle` is how long the platform gets to carry out a request and to list its job before the absence of a job means
/// anything; a minute is ample.
///
/// # Errors
///
/// [`OnceError`] by what is known: not started, proven absent, or unknown.
pub async fn export_once(
    client: &Client,
    export: &CheckedExport,
    mode: ExportMode,
    settle: Duration,
) -> Result<Started, OnceError> {
    let platform = Platform::new(client);
    let intended = Timestamp::now();
    let error = match platform.exports.start(export, mode).await {
        Ok(answer) => return Ok(Started::Answered(Box::new(answer.value))),
        Err(error) => error,
    };
    match error.outcome() {
        Outcome::NotSent | Outcome::Refused | Outcome::Throttled | Outcome::Maintenance => {
            return Err(OnceError::NotStarted(error));
        }
        Outcome::Unknown => {}
    }
    let request = export.request();
    let volume = &request.destination.volume;
    let question = Question {
        item: Item {
            id: ItemId(0),
            file: request.source.file.clone(),
            location: request.destination.location.clone(),
            size: None,
            overwrite: Overwrite::Forbidden,
            properties: Tri::Absent,
            attempt: 1,
        },
        intended,
        export: None,
        earlier: Vec::new(),
    };
    let skew = SignedDuration::try_from(Timing::default().clock_skew).unwrap_or_default();
    let questions = std::slice::from_ref(&question);
    for (look, part) in LOOKS.into_iter().enumerate() {
        sleep(settle.mul_f64(part)).await;
        let last = look + 1 == LOOKS.len();
        let reach = if last { Reach::Whole } else { Reach::Cheap };
        let seen = match look_up(&platform, mode, volume, skew, questions, reach).await {
            Ok(seen) => seen,
            Err(_) if !last => continue,
            Err(_) => break,
        };
        match judge(&question, &seen.look()) {
            Some((Observation::Job(_), Some(job))) => {
                return Ok(Started::Found(Box::new(job.clone())));
            }
            Some((Observation::AliasAtDestination, _)) => {
                let job = completed_job(&platform, export).await;
                return Ok(job.map_or(Started::Completed, |job| Started::Found(Box::new(job))));
            }
            Some((Observation::Absent, _)) if last => return Err(OnceError::Absent(error)),
            Some((Observation::Unclear(doubt), _)) if last => {
                return Err(OnceError::Unknown {
                    doubt,
                    source: error,
                });
            }
            Some((Observation::Job(_) | Observation::Absent | Observation::Unclear(_), _))
            | None => {}
        }
    }
    Err(OnceError::Unknown {
        doubt: Doubt::ListIncomplete,
        source: error,
    })
}

/// The job behind a success that the file's storage showed. It is good to have, not needed.
async fn completed_job(platform: &Platform, export: &CheckedExport) -> Option<ExportJob> {
    let filter = ExportFilter {
        volume: Some(export.request().destination.volume.clone()),
        states: vec![ExportState::Completed],
    };
    let mut pager = platform.exports.list(&filter);
    while let Ok(Some(page)) = pager.next_page().await {
        let ours = |job: &ExportJob| job.answers(export.request()) == Some(true);
        if let Some(job) = page.items.into_iter().find(ours) {
            return Some(job);
        }
    }
    None
}
