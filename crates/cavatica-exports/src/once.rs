//! One export, with the engine's care about a lost answer, for a program that waits for it.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use crate::evidence::{
    AskError, Asked, Clocks, Completed, Coverage, Effort, JobClock, LATEST, Question, SentBy,
    Settled, Settling, Trace, gather, judge,
};
use crate::model::{CheckedExport, ExportJob, ExportMode, ExportState};
use crate::transport::{Error, Outcome};
use crate::{Cavatica, ExportFilter, Exports};

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
    #[error("it isn't known whether the export was started: {why}")]
    Unknown {
        /// Why it can't be known.
        why: Unclear,
        /// How the answer was lost.
        source: Error,
    },
}

impl OnceError {
    /// The transport's error: why it was not started, or how the answer was lost.
    pub fn call(&self) -> &Error {
        match self {
            OnceError::NotStarted(error) | OnceError::Absent(error) => error,
            OnceError::Unknown { source, .. } => source,
        }
    }

    /// What became of the request. Unlike [`Error::outcome`] it knows what was found out since: `Unknown` only where nobody can
    /// know.
    pub fn outcome(&self) -> &Outcome {
        match self {
            OnceError::NotStarted(error) => error.outcome(),
            OnceError::Absent(error) => match error.outcome() {
                // Proven absent, it is as good as never sent.
                Outcome::Unknown => &Outcome::NotSent,
                known => known,
            },
            OnceError::Unknown { .. } => &Outcome::Unknown,
        }
    }
}

/// Why it can't be known whether an export was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unclear {
    /// The list of the account's own jobs doesn't show all that it must, or can't be read: it proves no absence.
    ListIncomplete,
    /// A completed job of the same file to the same place is listed, and it can't be told whether it is this one's.
    WhoseJob,
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unclear::ListIncomplete => {
                "the answer was lost, and the list of your own export jobs doesn't show all that it must"
            }
            Unclear::WhoseJob => {
                "the answer was lost, and a completed job of the same file to the same place may be this one or an earlier one"
            }
        })
    }
}

/// When the platform is asked early after a lost answer, in parts of the settling time: a success is mostly seen at once.
const EARLY: [f64; 3] = [0.02, 0.1, 0.4];

impl Exports {
    /// Starts one export, and finds out what became of it if the answer is lost, or says no in a way that may come after a
    /// yes. It is sent once, whatever happens.
    ///
    /// `settle` is how long the platform gets to carry out a request and to list its job before the absence of a job means
    /// anything; a minute is ample. Absence is proven by three looks, the last after five settling times.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use cavatica_exports::Started;
    /// # use cavatica_exports::model::{CheckedExport, ExportMode};
    /// # async fn demo(exports: cavatica_exports::Exports, checked: CheckedExport) -> Result<(), cavatica_exports::OnceError> {
    /// match exports.start_once(&checked, ExportMode::Move, Duration::from_secs(60)).await? {
    ///     Started::Answered(job) | Started::Found(job) => println!("job {}", job.id),
    ///     Started::Completed => println!("the file is there already, by this start"),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// What becomes of it when the future is dropped says [`start`](Self::start): then nobody looks.
    ///
    /// # Errors
    ///
    /// [`OnceError`] by what is known: not started, proven absent, or unknown.
    pub async fn start_once(
        &self,
        export: &CheckedExport,
        mode: ExportMode,
        settle: Duration,
    ) -> Result<Started, OnceError> {
        let client = self.client();
        let sent = client.now();
        let error = match self.start(export, mode).await {
            Ok(answer) => return Ok(Started::Answered(Box::new(answer.value))),
            Err(error) => error,
        };
        let now = Instant::now();
        let platform = Cavatica::new(client.clone());
        let mut inquiry = SingleInquiry::new(&platform, export, mode, sent);
        let dead = match error.outcome() {
            Outcome::NotSent => return Err(OnceError::NotStarted(error)),
            Outcome::Refused => {
                return match inquiry.inquire(Effort::Cheap).await {
                    Ok(Some(started)) => Ok(started),
                    Ok(None) | Err(_) => Err(OnceError::NotStarted(error)),
                };
            }
            Outcome::Throttled | Outcome::Maintenance => now,
            Outcome::Unknown => now + client.longest_byte_life().unwrap_or(settle),
        };
        let settling = Settling::since(dead, settle);
        inquiry.settle(settling, settle, error).await
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
        let sent = on_its_clock(platform, sent);
        let question = Question {
            file: request.source.file.clone(),
            location: request.destination.location.clone(),
            sent,
            run: SentBy::ThisRun,
            // Nobody looked whether the place was free.
            planned_free: false,
            earlier: Vec::new(),
            others_count: false,
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
                Err(_) => return Err(unknown(Unclear::ListIncomplete, error)),
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
                    return Err(unknown(Unclear::WhoseJob, error));
                }
                Settled::Absent { .. } => return Err(OnceError::Absent(error)),
                Settled::Unknowable => return Err(unknown(Unclear::ListIncomplete, error)),
            }
        }
    }

    /// Looks once. `None` if there is no trace of the export.
    async fn inquire(&mut self, effort: Effort) -> Result<Option<Started>, AskError> {
        let began = Instant::now();
        self.asked.effort = effort;
        self.asked.clocks.now = on_its_clock(self.platform, self.platform.client.now());
        let evidence = gather(self.platform, &self.asked).await?;
        let clocks = &mut self.asked.clocks;
        clocks.now = on_its_clock(self.platform, self.platform.client.now());
        if let Some(told) = evidence.latest_date() {
            clocks.this_run.learn_listed(told, clocks.now);
        }
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

/// A moment of ours on the platform's clock.
fn on_its_clock(platform: &Cavatica, ours: Timestamp) -> Timestamp {
    let ahead = platform.client.clock_ahead().unwrap_or_default();
    ours.saturating_add(ahead).unwrap_or(ours)
}

fn unknown(why: Unclear, source: Error) -> OnceError {
    OnceError::Unknown { why, source }
}

/// The job behind a success that the file's storage showed. It is good to have, not needed.
async fn completed_job(platform: &Cavatica, export: &CheckedExport) -> Option<ExportJob> {
    let filter = ExportFilter::to(export.request().destination.volume.clone())
        .in_states([ExportState::Completed]);
    let mut pager = platform.exports.list(&filter);
    while let Ok(Some(page)) = pager.next_page().await {
        let ours = |job: &ExportJob| job.answers(export.request()) == Some(true);
        if let Some(job) = page.items.into_iter().find(ours) {
            return Some(job);
        }
    }
    None
}
