//! What answers show of the contract. Pure.

use cavatica_exports::model::bulk::{BulkItem, ExportKey};
use cavatica_exports::model::error::StatusCode;
use cavatica_exports::model::job::{JobStanding, StartedJob};
use cavatica_exports::model::volume::VolumeObject;
use cavatica_exports::model::wire::DateTime;
use cavatica_exports::model::{ExportId, ExportJob, Location, Tri};
use cavatica_exports::transport::LimitsTold;

use super::{Habit, Habits, Measure};
use crate::evidence::{ListOrder, Whereabouts};
use crate::run::LARGEST_PAGE;
use crate::state::Failure;

/// The code of a file that isn't there.
const NO_FILE: i64 = 9009;

/// The codes of a file that lies elsewhere than the volume. Another cloud is seen when it is planned.
const OTHER_PLACE: i64 = 9027;
const OTHER_REGION: i64 = 9209;

/// Where a refusal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    AtOnce,
    InJob,
}

/// A bulk start was answered under this status.
pub(crate) fn bulk<'a>(
    seen: &mut Habits,
    status: u16,
    items: &[BulkItem<StartedJob>],
    asked: impl ExactSizeIterator<Item = ExportKey<'a>>,
) {
    seen.saw(match status {
        200 => Habit::Status200,
        201 => Habit::Status201,
        _ => Habit::StatusOther,
    });
    let jobs = items.iter().filter_map(BulkItem::resource);
    if let Some(job) = jobs.clone().next() {
        dated(seen, &job.started_on);
    }
    let named = jobs.clone().filter(|job| job.source.value().is_some());
    let (named, jobs) = (named.count(), jobs.count());
    seen.saw_often(Habit::JobsNamed, named as u64);
    seen.saw_often(Habit::JobsNameless, (jobs - named) as u64);
    if asked.len() > items.len() {
        seen.saw(Habit::ItemsMissing);
    } else if named > 1 {
        let stands = |(item, asked): (&BulkItem<StartedJob>, ExportKey<'_>)| {
            let source = item.resource().and_then(|job| job.source.value());
            source.is_none_or(|source| source.file == *asked.file)
        };
        let in_order = items.iter().zip(asked).all(stands);
        seen.saw(if in_order {
            Habit::AsAsked
        } else {
            Habit::InAnotherOrder
        });
    }
}

/// How jobs stand.
pub(crate) fn states(seen: &mut Habits, jobs: &[JobStanding]) {
    let known = jobs
        .iter()
        .filter(|job| job.state.known().is_some())
        .count() as u64;
    seen.saw_often(Habit::KnownState, known);
    seen.saw_often(Habit::UnknownState, jobs.len() as u64 - known);
}

/// How jobs are dated.
pub(crate) fn dated(seen: &mut Habits, time: &Tri<DateTime>) {
    let Some(time) = time.value() else {
        seen.saw(Habit::NoTimes);
        return;
    };
    seen.saw(if time.as_str().parse::<jiff::Timestamp>().is_ok() {
        Habit::ZonedTimes
    } else {
        Habit::ZonelessTimes
    });
}

/// A file was refused, or its job failed.
pub(crate) fn failed(seen: &mut Habits, failure: &Failure, came: Came) {
    let answer = match (failure.code, came) {
        (Some(StatusCode::NOT_EXPORTABLE), Came::AtOnce) => Habit::NotExportableAtOnce,
        (Some(StatusCode::NOT_EXPORTABLE), Came::InJob) => Habit::NotExportableInJob,
        (Some(StatusCode::OCCUPIED), Came::AtOnce) => Habit::OccupiedAtOnce,
        (Some(StatusCode::OCCUPIED), Came::InJob) => Habit::OccupiedInJob,
        (Some(OTHER_PLACE | OTHER_REGION), _) => Habit::OtherRegionRefused,
        (Some(_) | None, _) => return,
    };
    seen.saw(answer);
}

/// A file was sent again whose move had failed: whether it is still there.
pub(crate) fn sent_again(refusal: Option<&Failure>) -> Option<Habit> {
    match refusal.map(|failure| failure.code) {
        None => Some(Habit::FailedMoveKeepsFile),
        Some(Some(NO_FILE | StatusCode::NOT_EXPORTABLE)) => Some(Habit::FailedMoveLosesFile),
        Some(Some(_) | None) => None,
    }
}

impl From<ListOrder> for Habit {
    fn from(order: ListOrder) -> Self {
        match order {
            ListOrder::NewestFirst => Habit::NewestFirst,
            ListOrder::OldestFirst => Habit::OldestFirst,
            ListOrder::Mixed => Habit::NoOrder,
        }
    }
}

/// The order of a list by two jobs of which one was sent when the other had ended.
pub(crate) fn order_of(jobs: &[ExportJob], older: &ExportId, newer: &ExportId) -> Option<Habit> {
    let place = |id: &ExportId| jobs.iter().position(|job| job.id == *id);
    Some(if place(newer)? < place(older)? {
        Habit::NewestFirst
    } else {
        Habit::OldestFirst
    })
}

/// A page of a folder came with so many entries, and another one follows.
pub(crate) fn page(seen: &mut Habits, entries: usize) {
    seen.saw(if entries as u64 >= LARGEST_PAGE {
        Habit::FullPage
    } else {
        Habit::SmallerPage
    });
    let entries = i64::try_from(entries).unwrap_or(i64::MAX);
    seen.measured(Measure::ScrollEntries, entries);
}

/// What headers told of the limit on requests.
pub(crate) fn limits(seen: &mut Habits, told: &LimitsTold) {
    for (answer, times) in [
        (Habit::ResetSeconds, told.reset_in_seconds),
        (Habit::ResetMilliseconds, told.reset_in_milliseconds),
        (Habit::ResetUntold, told.reset_untold),
        (Habit::ThrottledWithReset, told.refused_with_reset),
        (
            Habit::ThrottledWithRetryAfter,
            told.refused_with_retry_after,
        ),
        (Habit::ThrottledBare, told.refused_without_word),
        (Habit::OthersCounted, told.by_others),
    ] {
        seen.saw_often(answer, times);
    }
}

/// Where a moved file lies.
pub(crate) fn alias(seen: &mut Habits, place: &Whereabouts, planned: &Location) {
    if let Whereabouts::Volume {
        location: Some(location),
        ..
    } = place
    {
        seen.saw(if location == planned.as_str() {
            Habit::AliasAsPlanned
        } else if planned.is_echoed_as(location) {
            Habit::AliasRespelled
        } else {
            Habit::AliasElsewhere
        });
    }
}

/// What the platform tells of an object.
pub(crate) fn metadata(seen: &mut Habits, object: &VolumeObject) {
    let keys = object
        .metadata
        .value()
        .into_iter()
        .flat_map(|all| all.keys());
    let mut any = false;
    for key in keys {
        any = true;
        let key = key.replace(['-', '_'], "").to_ascii_lowercase();
        seen.saw(match key.as_str() {
            "contentlength" => Habit::ContentLength,
            "size" => Habit::SizeKey,
            "etag" => Habit::EtagKey,
            "lastmodified" => Habit::LastModified,
            _ => Habit::OtherKey,
        });
    }
    if !any {
        seen.saw(Habit::NoMetadata);
    }
}
