//! Holds the account's jobs against the journal: one successful job for each completed file, and none for the others. Nothing
//! is decided here about where a file stands.
//!
//! The platform lists only the jobs that the asking account started, on a volume or on all, in no order that it promises and
//! without a filter by date. So the whole list of the volume is read, a hundred jobs a request. It is whole if as many
//! different jobs came as it says that it has, and it did not shrink meanwhile.

mod compare;
mod disagreement;
mod reading;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cavatica_exports::transport::{Client, Error};
use cavatica_exports::{Cavatica, ExportFilter, ListError};
use serde::Serialize;

pub(crate) use compare::{AuditedJob, JobPlace, Stage};
pub use disagreement::Disagreement;

use crate::evidence::JobClock;
use crate::journal::{ItemRow, JobList, JournalError, Owner, TransferFile};
use crate::run::Stop;
use crate::state::ItemId;
use compare::Books;

/// The most disagreements that a summary lists; each is told, and the totals count all.
pub const DISAGREEMENTS_LISTED: usize = 10_000;

/// So many jobs tell by which clock jobs are dated: those that were sent first, nearest to the plan.
const CLOCK_SAMPLES: u32 = 500;

/// What to do with what an interrupted audit had read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditReading {
    /// Go on from there.
    GoOn,
    /// Read all of it again.
    Anew,
}

/// What happens while an audit goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditEvent {
    /// Before the list is read.
    Began {
        /// How many jobs it has, as far as the platform tells.
        jobs: Option<u64>,
        /// How many of them an interrupted audit had read.
        kept: u64,
        /// How many requests reading the rest takes.
        requests: u64,
        /// How many requests five minutes allow.
        allowed: u64,
    },
    /// A page was read.
    PageRead {
        /// How many different jobs came so far.
        jobs: u64,
        /// How many the list has.
        total: Option<u64>,
    },
    /// The list was read to its end, isn't whole, and is read again.
    ReadingAgain {
        /// How many different jobs came.
        jobs: u64,
        /// How many the list has.
        total: Option<u64>,
    },
    /// The list and the journal disagree about a file. Files come in the order of the plan.
    Disagreed(Disagreement, AuditLine),
}

/// A file that the list and the journal disagree about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditLine {
    /// The stable name of the disagreement.
    pub name: &'static str,
    /// The file.
    pub file_id: String,
    /// Where it was to go.
    pub location: String,
    /// The job in question, if there is one.
    pub export_id: Option<String>,
    /// What was expected and what was found.
    pub message: String,
    /// What to do next.
    pub advice: &'static str,
}

/// What an audit came to, in the shape that the program prints as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditSummary {
    /// The transfer's file.
    pub transfer: String,
    /// The account whose jobs were read. Jobs of others don't show.
    pub account: String,
    /// All files of the plan.
    pub files: u64,
    /// Different jobs that were read.
    pub jobs: u64,
    /// Requests made, those of audits that this one went on with included.
    pub requests: u64,
    /// Whether the list was whole.
    pub complete: bool,
    /// Whether the list is whole, and says what the journal says.
    pub agrees: bool,
    /// How many files disagree in which way. All names are there.
    pub totals: BTreeMap<&'static str, u64>,
    /// The first files that disagree, in the order of the plan.
    pub findings: Vec<AuditLine>,
    /// Files that are under way: at their ends there may be more to say.
    #[serde(skip)]
    pub in_flight: u64,
    /// Whether there was something to compare: a file that was sent, or a job.
    #[serde(skip)]
    pub audited: bool,
    /// What became of each, where several transfers were audited.
    pub parts: Vec<AuditPart>,
}

/// What an audit of several transfers came to for one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditPart {
    /// The transfer's file.
    pub transfer: String,
    /// The account that it is of.
    pub account: String,
    /// Whether list and journal agree; `None` where they weren't compared, because the account is another.
    pub agrees: Option<bool>,
}

impl AuditSummary {
    fn new(transfer: &TransferFile, account: String) -> Result<Self, JournalError> {
        let tally = transfer.tally()?;
        Ok(AuditSummary {
            transfer: transfer.path().display().to_string(),
            account,
            files: tally.total().files,
            jobs: 0,
            requests: 0,
            complete: true,
            agrees: true,
            totals: Disagreement::ALL
                .into_iter()
                .map(|kind| (kind.name(), 0))
                .collect(),
            findings: Vec::new(),
            in_flight: tally.intended.files + tally.accepted.files,
            audited: tally.total() != tally.planned,
            parts: Vec::new(),
        })
    }

    /// Several as one. What wasn't compared is among the `others`, and keeps the whole from agreeing.
    pub fn sum(name: &str, each: Vec<AuditSummary>, others: Vec<AuditPart>) -> Option<Self> {
        let mut parts = others;
        let mut sum: Option<AuditSummary> = None;
        for one in each {
            parts.push(AuditPart {
                transfer: one.transfer.clone(),
                account: one.account.clone(),
                agrees: one.audited.then_some(one.agrees),
            });
            let Some(sum) = &mut sum else {
                sum = Some(one);
                continue;
            };
            sum.files += one.files;
            // Each read the same list.
            sum.jobs = sum.jobs.max(one.jobs);
            sum.requests += one.requests;
            sum.complete &= one.complete;
            sum.agrees &= one.agrees;
            for (name, count) in one.totals {
                *sum.totals.entry(name).or_default() += count;
            }
            sum.findings.extend(one.findings);
            sum.in_flight += one.in_flight;
            sum.audited |= one.audited;
        }
        let mut sum = sum?;
        sum.findings.truncate(DISAGREEMENTS_LISTED);
        name.clone_into(&mut sum.transfer);
        sum.parts = parts;
        Some(sum)
    }

    /// How many files disagree for certain.
    pub fn faults(&self) -> u64 {
        self.totals.values().sum::<u64>() - self.totals[Disagreement::Unclear.name()]
    }

    fn count(&mut self, kind: Disagreement, line: &AuditLine) {
        *self.totals.entry(kind.name()).or_default() += 1;
        if self.findings.len() < DISAGREEMENTS_LISTED {
            self.findings.push(line.clone());
        }
    }
}

/// Why nothing was audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The transfer's file can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The platform refuses, or can't be reached.
    #[error(transparent)]
    Call(#[from] Error),
    /// The list can't be read on.
    #[error(transparent)]
    List(#[from] ListError),
    /// A run holds the transfer.
    #[error("transfer `{}` is being run by {owner}: its journal changes while it would be compared", path.display())]
    Running {
        /// The transfer's file.
        path: PathBuf,
        /// Who runs it.
        owner: Owner,
    },
    /// A run began while the list was read.
    #[error("transfer `{}` was run while the list of jobs was read: what was read is out of date", path.display())]
    RunMeanwhile {
        /// The transfer's file.
        path: PathBuf,
    },
    /// Another audit of the same transfer is under way.
    #[error("transfer `{}` is being audited by another program", path.display())]
    Audited {
        /// The transfer's file.
        path: PathBuf,
    },
    /// Somebody asked to stop. What was read is kept.
    #[error("interrupted: {jobs} of {} export jobs were read", total.map_or_else(|| "the".to_owned(), |total| total.to_string()))]
    Interrupted {
        /// How many different jobs came.
        jobs: u64,
        /// How many the list has.
        total: Option<u64>,
    },
}

/// Reads the account's jobs on the transfer's volume and compares them with the journal, file by file.
///
/// Nothing is written into the transfer, and no lock of a run's is taken. So a run isn't kept waiting; but an audit beside a
/// run is refused, and so is the comparison after one, because the journal would be newer than the list.
///
/// What was read so far lies in `T.transfer.audit` until the audit ends. It grows by 20 bytes for each job of the account,
/// and by about 100 for each job of a planned file.
///
/// # Requests
///
/// One for a hundred jobs, and two. A list that isn't whole is read again up to three times, each time until it is.
///
/// # Errors
///
/// [`AuditError`] if the transfer can't be used, is run, or the list can't be read.
pub async fn audit(
    path: &Path,
    client: &Client,
    reading: AuditReading,
    stop: &Stop,
    tell: &mut (dyn FnMut(AuditEvent) + Send),
) -> Result<AuditSummary, AuditError> {
    let transfer = TransferFile::open(path)?;
    let terms = transfer.terms();
    terms.must_be_at(path, client.endpoint())?;
    must_rest(&transfer)?;
    let (whose, sent_before) = (transfer.whose()?, client.budget().sent);
    let platform = Cavatica::new(client.clone());
    let account = platform.account.user().await?.value;
    let account = account.username.into_value().unwrap_or_default();
    terms.must_be_of(path, &account)?;

    let mut summary = AuditSummary::new(&transfer, account)?;
    let filter = ExportFilter::to(terms.volume.clone());
    let jobs = platform.exports.count(&filter).await?;
    summary.requests = client.budget().sent - sent_before;
    summary.audited |= jobs != Some(0);
    if !summary.audited {
        return Ok(summary);
    }
    let list = JobList::open(&transfer, reading, client.now())?;
    let mut list = list.ok_or_else(|| AuditError::Audited {
        path: path.to_owned(),
    })?;
    let first = reading::first(&list);
    let requests = jobs.map_or(1, |jobs| jobs.saturating_sub(first));
    tell(AuditEvent::Began {
        jobs,
        kept: list.distinct(),
        requests: requests.div_ceil(reading::PAGE).max(1),
        allowed: client.budget().limit,
    });
    let read = reading::read(
        &platform,
        &transfer,
        &filter,
        &mut list,
        sent_before,
        stop,
        tell,
    );
    let read = read.await;
    // Whatever came of it: what was read is kept.
    list.save()?;
    read?;
    summary.jobs = list.distinct();
    summary.complete = list.is_whole();
    summary.requests = list.progress.requests;

    list.sort()?;
    // No transaction is held meanwhile: a run that begins is not kept waiting, and shows afterwards.
    let is_unchanged = || {
        must_rest(&transfer)?;
        if transfer.whose()? == whose {
            return Ok(());
        }
        Err(AuditError::RunMeanwhile {
            path: path.to_owned(),
        })
    };
    is_unchanged()?;
    compare_all(&transfer, &list, &mut summary, tell)?;
    is_unchanged()?;
    summary.agrees = summary.complete && summary.findings.is_empty();
    list.remove()?;
    Ok(summary)
}

fn must_rest(transfer: &TransferFile) -> Result<(), AuditError> {
    match transfer.owner() {
        None => Ok(()),
        Some(owner) => Err(AuditError::Running {
            path: transfer.path().to_owned(),
            owner,
        }),
    }
}

/// Compares every file of the plan with its jobs: once to learn by which clock jobs are dated, and once to tell.
fn compare_all(
    transfer: &TransferFile,
    list: &JobList,
    summary: &mut AuditSummary,
    tell: &mut (dyn FnMut(AuditEvent) + Send),
) -> Result<(), AuditError> {
    let mut clock = JobClock::default();
    let mut planned = transfer.created();
    let mut samples = 0;
    each_file(transfer, list, &mut |row, jobs| {
        let Some(sent) = row.intended else { return };
        // The clock of the machine that planned may have been fast.
        planned = planned.min(sent);
        let own = row.export().map(|own| own.as_str());
        let own = jobs.iter().find(|job| Some(&*job.export) == own);
        if let Some(started) = own.and_then(|job| job.started)
            && samples < CLOCK_SAMPLES
        {
            samples += 1;
            clock.learn_later(started, sent);
        }
    })?;
    let books = Books {
        mode: transfer.terms().mode,
        planned,
        clock,
        whole: list.is_whole(),
        shows: &|export| list.shows(export),
    };
    each_file(transfer, list, &mut |row, jobs| {
        if let Some((kind, message, export)) = books.compare(&row.state, jobs) {
            let line = AuditLine {
                name: kind.name(),
                file_id: row.file.to_string(),
                location: row.location.clone(),
                export_id: export
                    .or(row.export().map(|own| own.as_str()))
                    .map(str::to_owned),
                message,
                advice: kind.advice(),
            };
            summary.count(kind, &line);
            tell(AuditEvent::Disagreed(kind, line));
        }
    })?;
    Ok(())
}

/// Every file of the plan with its jobs, in the order of the plan.
fn each_file(
    transfer: &TransferFile,
    list: &JobList,
    each: &mut dyn FnMut(&ItemRow, &[AuditedJob]),
) -> Result<(), JournalError> {
    let mut after: Option<ItemId> = None;
    loop {
        let rows = transfer.items(after)?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(());
        };
        let mut jobs = list.jobs(first.id, last.id)?.into_iter().peekable();
        let mut of_row = Vec::new();
        for row in &rows {
            of_row.clear();
            while let Some((_, job)) = jobs.next_if(|(item, _)| *item == row.id) {
                of_row.push(job);
            }
            each(row, &of_row);
        }
        after = Some(last.id);
    }
}
