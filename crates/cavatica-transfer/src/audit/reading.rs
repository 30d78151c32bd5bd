//! Reading the account's whole list of jobs.

use cavatica_exports::model::wire::{DateTime, Entry, Page};
use cavatica_exports::model::{ExportJob, ExportState, Tri};
use cavatica_exports::{Cavatica, ExportFilter};

use super::compare::{JobPlace, Stage};
use super::error::AuditError;
use super::summary::AuditEvent;
use crate::evidence::Whereabouts;
use crate::journal::{JobList, Listed, PlannedPlaces, TransferFile};
use crate::run::Stop;

/// Jobs on a page.
pub(super) const PAGE: u64 = 100;

/// How often a list is read, the first time included, before it counts as one that can't be had whole.
const PASSES: u32 = 4;

/// Where reading goes on: a page before where it was broken off.
pub(super) fn first(list: &JobList) -> u64 {
    list.progress.offset.saturating_sub(PAGE)
}

/// Reads the list until it is whole, or it was read often enough.
///
/// Jobs that are added shift the pages, so what is missing is looked for from the front again. A reading that was broken off
/// goes on a page before; the different jobs that came decide whether all did. Requests are counted from those
/// that the client had `sent_before`.
pub(super) async fn read(
    platform: &Cavatica,
    transfer: &TransferFile,
    filter: &ExportFilter,
    list: &mut JobList,
    sent_before: u64,
    stop: &Stop,
    tell: &mut (dyn FnMut(AuditEvent) + Send),
) -> Result<(), AuditError> {
    let places = transfer.planned_places()?;
    let earlier = list.progress.requests;
    while list.progress.passes < PASSES {
        let first = first(list);
        list.progress.offset = first;
        let pages = platform.exports.list_from(filter, first);
        let mut pages = pages.leniently();
        loop {
            let page = tokio::select! {
                page = pages.next_page() => page?,
                () = stop.asked() => {
                    return Err(AuditError::Interrupted {
                        jobs: list.distinct(),
                        total: list.progress.total,
                    });
                }
            };
            let Some(page) = page else { break };
            list.progress.requests = earlier + platform.client.budget().sent - sent_before;
            take(page, pages.total(), &places, filter, list)?;
            let (jobs, total) = (list.distinct(), list.progress.total);
            tell(AuditEvent::PageRead { jobs, total });
            if list.is_whole() {
                return Ok(());
            }
        }
        list.progress.passes += 1;
        list.progress.offset = 0;
        if list.progress.passes < PASSES {
            let (jobs, total) = (list.distinct(), list.progress.total);
            tell(AuditEvent::ReadingAgain { jobs, total });
        }
    }
    // Should the audit end before it has compared, the next one reads again.
    list.progress.passes = 0;
    Ok(())
}

/// Adds a page to what is known.
fn take(
    page: Page<Entry<ExportJob>>,
    total: Option<u64>,
    places: &PlannedPlaces<'_>,
    filter: &ExportFilter,
    list: &mut JobList,
) -> Result<(), AuditError> {
    if total < list.progress.total {
        list.count_anew();
    }
    list.progress.total = total;
    list.progress.offset += page.items.len() as u64;
    let mut jobs = Vec::with_capacity(page.items.len());
    for entry in page.items {
        // One that can't be read hasn't come.
        if let Entry::Read(job) = entry
            && let Some(job) = listed(job, places, filter)?
        {
            jobs.push(job);
        }
    }
    list.add(&jobs)?;
    Ok(())
}

/// A job with the planned files that it is of. `None` if it doesn't say what it is about.
fn listed(
    job: ExportJob,
    places: &PlannedPlaces<'_>,
    filter: &ExportFilter,
) -> Result<Option<Listed>, AuditError> {
    let (Some(source), Some(destination)) = (job.source.value(), job.destination.value()) else {
        return Ok(None);
    };
    let planned = places.of(&source.file)?;
    let volume = filter.volume.as_ref();
    let is_volume = volume.is_some_and(|volume| destination.volume == *volume.as_str());
    let to_its_place: Vec<_> = planned
        .iter()
        .filter(|(_, location)| is_volume && location.is_echoed_as(&destination.location))
        .map(|(item, _)| (*item, JobPlace::Planned))
        .collect();
    let items = if to_its_place.is_empty() {
        let place = JobPlace::Elsewhere {
            place: format!("{} on volume {}", destination.location, destination.volume),
            moved: lies_there(&job),
        };
        let elsewhere = planned.into_iter();
        elsewhere.map(|(item, _)| (item, place.clone())).collect()
    } else {
        to_its_place
    };
    let moment = |time: &Tri<DateTime>| time.value().and_then(DateTime::timestamp);
    Ok(Some(Listed {
        items,
        stage: match job.state.known() {
            Some(ExportState::Completed) => Stage::Completed,
            Some(ExportState::Failed) => Stage::Failed,
            Some(ExportState::Pending | ExportState::Running) | None => Stage::Live,
        },
        started: moment(&job.started_on),
        finished: moment(&job.finished_on),
        export: job.id,
    }))
}

/// Whether the exported file, as its job shows it, is an alias of the job's object.
fn lies_there(job: &ExportJob) -> bool {
    let (Some(file), Some(destination)) = (job.result.value(), job.destination.value()) else {
        return false;
    };
    let here = Whereabouts::Volume {
        volume: destination.volume.parse().ok(),
        location: Some(destination.location.clone()),
    };
    Whereabouts::of(&file.storage) == here
}
