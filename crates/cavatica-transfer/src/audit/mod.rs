//! Holds the account's jobs against the journal: one successful job for each completed file, and none for the others. Nothing
//! is decided here about where a file stands.
//!
//! The platform lists only the jobs that the asking account started, on a volume or on all, in no order that it promises and
//! without a filter by date. So the whole list of the volume is read, a hundred jobs a request. It is whole if as many
//! different jobs came as it says that it has, and it did not shrink meanwhile.

mod compare;
mod disagreement;
mod error;
mod reading;
mod summary;

use std::path::Path;

use cavatica_exports::transport::Client;
use cavatica_exports::{Cavatica, ExportFilter};
use tracing::{Instrument, info_span};

pub(crate) use compare::{AuditedJob, JobPlace, Stage};
pub use disagreement::Disagreement;
pub use error::AuditError;
pub use summary::{
    AuditEvent, AuditLine, AuditPart, AuditReading, AuditSummary, DISAGREEMENTS_LISTED,
};

use crate::evidence::JobClock;
use crate::journal::{ItemRow, JobList, JournalError, TransferFile};
use crate::run::Stop;
use crate::state::ItemId;
use compare::Books;

/// So many jobs tell by which clock jobs are dated: those that were sent first, nearest to the plan.
const CLOCK_SAMPLES: u32 = 500;

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
    let auditing = hold_against(path, client, reading, stop, tell);
    auditing.instrument(info_span!("audit")).await
}

async fn hold_against(
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
