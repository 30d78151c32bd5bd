//! One export without a journal: the same care about a lost answer, for a program that waits for it.

use std::time::Duration;

use cavatica_exports::model::{CheckedExport, ExportJob, ExportMode, ExportState, Tri};
use cavatica_exports::transport::{Client, Error, Outcome};
use cavatica_exports::{Cavatica, ExportFilter};
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use crate::evidence::{
    AskError, Asked, Clocks, Completed, Coverage, Effort, JobClock, LATEST, Question, SentBy,
    Settled, Settling, Trace, gather, judge,
};
use crate::journal::{IntentId, Item, Overwrite};
use crate::state::{Doubt, ItemId};

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

/// When the platform is asked early after a lost answer, in parts of the settling time: a success is mostly seen at once.
const EARLY: [f64; 3] = [0.02, 0.1, 0.4];

/// Starts one export, and finds out what became of it if the answer is lost, or says no in a way that may come after a yes.
/// It is sent once, whatever happens.
///
/// `settle` is how long the platform gets to carry out a request and to list its job before the absence of a job means
/// anything; a minute is ample. Absence is proven by three looks, the last after four settling times.
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
    let platform = Cavatica::new(client.clone());
    let sent = client.now();
    let error = match platform.exports.start(export, mode).await {
        Ok(answer) => return Ok(Started::Answered(Box::new(answer.value))),
        Err(error) => error,
    };
    let now = Instant::now();
    let mut inquiry = SingleInquiry::new(&platform, export, mode, sent);
    match error.outcome() {
        Outcome::NotSent => Err(OnceError::NotStarted(error)),
        Outcome::Refused => match inquiry.inquire(Effort::Cheap).await {
            Ok(Some(started)) => Ok(started),
            Ok(None) | Err(_) => Err(OnceError::NotStarted(error)),
        },
        Outcome::Throttled | Outcome::Maintenance => {
            inquiry
                .settle(Settling::since(now, settle), settle, error)
                .await
        }
        Outcome::Unknown => {
            let dead = now + client.longest_byte_life().unwrap_or(settle);
            inquiry
                .settle(Settling::since(dead, settle), settle, error)
                .await
        }
    }
}

/// What is asked about one export.
struct SingleInquiry<'a> {
    platform: &'a Cavatica,
    export: &'a CheckedExport,
    asked: Asked,
    /// The last look without a trace, and whether a completed job may be ours.
    last: Option<(Coverage, bool)>,
    completed: Completed,
}

impl<'a> SingleInquiry<'a> {
    fn new(
        platform: &'a Cavatica,
        export: &'a CheckedExport,
        mode: ExportMode,
        sent: Timestamp,
    ) -> Self {
        let request = export.request();
        let ahead = platform.client.clock_ahead().unwrap_or_default();
        let sent = sent.saturating_add(ahead).unwrap_or(sent);
        let question = Question {
            item: Item {
                id: ItemId(0),
                file: request.source.file.clone(),
                location: request.destination.location.clone(),
                size: None,
                overwrite: Overwrite::Forbidden,
                properties: Tri::Absent,
                attempt: 1,
                folder: None,
            },
            call: IntentId(0),
            sent,
            run: SentBy::ThisRun,
            // Nobody looked whether the place was free.
            planned_free: false,
            earlier: Vec::new(),
        };
        SingleInquiry {
            platform,
            export,
            asked: Asked {
                mode,
                volume: request.destination.volume.clone(),
                questions: vec![question],
                effort: Effort::Cheap,
                in_flight: Vec::new(),
                clocks: Clocks {
                    this_run: JobClock::default(),
                    earlier_runs: JobClock::default(),
                    now: sent,
                },
            },
            last: None,
            completed: Completed::none(),
        }
    }

    /// Looks until it is known what became of the export, or can't be.
    async fn settle(
        &mut self,
        mut settling: Settling,
        settle: Duration,
        error: Error,
    ) -> Result<Started, OnceError> {
        let began = Instant::now();
        let mut early = EARLY.into_iter();
        let mut failures = 0;
        loop {
            let (due, effort) = match early.next() {
                Some(part) => (began + settle.mul_f64(part), Effort::Cheap),
                None => (settling.due() + settle * failures, Effort::Whole),
            };
            sleep_until(due).await;
            match self.inquire(effort).await {
                Ok(Some(started)) => return Ok(started),
                Ok(None) => {}
                Err(_) if effort == Effort::Cheap => continue,
                Err(_) if failures < LATEST => {
                    failures += 1;
                    continue;
                }
                Err(_) => return Err(unknown(Doubt::ListIncomplete, error)),
            }
            let Some((coverage, whose)) = self.last.take() else {
                continue;
            };
            let is_copy = self.asked.mode == ExportMode::Copy;
            let may_show = whose && !self.completed.must_show(coverage.began, settle);
            match settling.saw_nothing(coverage) {
                Settled::Open => {}
                Settled::Absent { .. } if may_show && !is_copy => {}
                Settled::Absent { .. } if whose && is_copy => {
                    return Err(unknown(Doubt::WhoseJob, error));
                }
                Settled::Absent { .. } => return Err(OnceError::Absent(error)),
                Settled::Unknowable => return Err(unknown(Doubt::ListIncomplete, error)),
            }
        }
    }

    /// Looks once. `None` if there is no trace of the export.
    async fn inquire(&mut self, effort: Effort) -> Result<Option<Started>, AskError> {
        let began = Instant::now();
        self.asked.effort = effort;
        let ahead = self.platform.client.clock_ahead().unwrap_or_default();
        let now = self.platform.client.now();
        self.asked.clocks.now = now.saturating_add(ahead).unwrap_or(now);
        let evidence = gather(self.platform, &self.asked).await?;
        let Asked {
            mode,
            volume,
            clocks,
            ..
        } = &self.asked;
        let question = &self.asked.questions[0];
        self.completed.saw(question, volume, &evidence, began);
        let trace = judge(question, *mode, volume, &evidence, clocks);
        let whose = match trace {
            Trace::Job(job) | Trace::Alias(Some(job)) => {
                return Ok(Some(Started::Found(Box::new(job.clone()))));
            }
            Trace::Alias(None) => {
                let job = completed_job(self.platform, self.export).await;
                let found = job.map(|job| Started::Found(Box::new(job)));
                return Ok(Some(found.unwrap_or(Started::Completed)));
            }
            Trace::Whose(_) => true,
            Trace::Elsewhere(_) | Trace::Nothing => false,
        };
        let coverage = Coverage {
            began,
            extent: evidence.extent,
            clean: evidence.clean,
            witness: None,
        };
        self.last = Some((coverage, whose));
        Ok(None)
    }
}

fn unknown(doubt: Doubt, source: Error) -> OnceError {
    OnceError::Unknown { doubt, source }
}

/// The job behind a success that the file's storage showed. It is good to have, not needed.
async fn completed_job(platform: &Cavatica, export: &CheckedExport) -> Option<ExportJob> {
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
