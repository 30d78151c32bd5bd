//! What became of the files that were inquired about.

use std::time::Duration;

use cavatica_exports::model::ExportMode;
use tokio::time::Instant;

use crate::evidence::{Whereabouts, moved_away};
use crate::journal::{Change, IntentId};
use crate::state::{ItemId, Observation, Step};

/// What became of one file.
pub(super) enum Resolution {
    /// Still open: to be looked at again at this moment, or when there is nothing else to do.
    Open(Option<Instant>),
    Found(Vec<Change>),
    Absent(Vec<Change>),
    Unknown(Vec<Change>),
    /// It may be sent now.
    Free,
}

/// What an inquiry brought.
#[derive(Debug, Default)]
pub(in crate::run) struct Resolved {
    pub(in crate::run) changes: Vec<Change>,
    pub(in crate::run) found: usize,
    pub(in crate::run) absent: usize,
    pub(in crate::run) unknown: usize,
    /// Held files that may be sent.
    pub(in crate::run) free: Vec<ItemId>,
    /// Calls of which at least one file was found.
    pub(in crate::run) calls_found: Vec<IntentId>,
    /// Calls that were asked about.
    pub(in crate::run) calls_asked: Vec<IntentId>,
    /// Of the jobs that a whole list had not shown before, the one that took longest to be shown.
    pub(in crate::run) late: Option<Late>,
}

/// How late a job was listed, from when no byte of its call could move any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::run) struct Late {
    /// When it was not listed yet.
    pub(in crate::run) at_least: Duration,
    /// When it was.
    pub(in crate::run) at_most: Duration,
}

/// Somebody else's job of a file that we plan has ended.
pub(super) fn after_another(
    id: ItemId,
    place: Option<&Whereabouts>,
    mode: ExportMode,
) -> Resolution {
    match (mode, place.and_then(moved_away)) {
        (ExportMode::Move, Some(failure)) => {
            let observation = Observation::MovedAway(failure);
            Resolution::Absent(vec![Change::new(id, Step::Observation(observation))])
        }
        (ExportMode::Move | ExportMode::Copy, _) => Resolution::Free,
    }
}
