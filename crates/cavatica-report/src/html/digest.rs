//! Everything that the page says about a transfer, counted in one walk and in bounded memory.
//!
//! The walk locks the transfer for a page of rows at a time, so that a run which goes on isn't held up. Every file is counted
//! once, so the account adds up all the same.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::durations::BySize;
use super::timeline::Timeline;
use crate::each_item;
use cavatica_transfer::journal::{
    Count, ItemRow, JournalError, Pulse, RunRow, SkippedKind, SkippedRow, Tally, TransferFile,
};
use cavatica_transfer::state::{Doubt, State};
use cavatica_transfer::{Against, Finding};

/// The most rows that the page's table has.
pub(super) const ROWS: usize = 1_000;

/// The most groups of failures, and the most projects, that are told apart.
const GROUPS: usize = 100;

/// A transfer, each file as it stood when the walk came by.
#[derive(Debug)]
pub(super) struct Digest {
    pub(super) tally: Tally,
    pub(super) seen: Seen,
    /// Files that were sent more than once.
    pub(super) repeated: u64,
    /// The projects that the files come from, most files first.
    pub(super) projects: Vec<(String, u64)>,
    pub(super) timeline: Timeline,
    pub(super) durations: BySize,
    /// Most files first.
    pub(super) troubles: Vec<Trouble>,
    pub(super) skipped: Vec<SkippedKind>,
    pub(super) runs: Vec<RunRow>,
    pub(super) pulses: Vec<Pulse>,
    /// Rows for the table: those that need somebody's attention first.
    pub(super) items: Vec<ItemRow>,
    pub(super) skipped_rows: Vec<SkippedRow>,
}

/// What the newest looks at the destination saw of the files that arrived.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) same: u64,
    /// Of those the same, files of which one size wasn't told: only their keys were found right.
    pub(super) by_key_alone: u64,
    pub(super) missing: u64,
    pub(super) differs: u64,
    /// They couldn't be looked at.
    pub(super) unread: u64,
    /// The newest look, and what it looked at.
    pub(super) newest: Option<(Timestamp, Against)>,
}

impl Seen {
    /// Enters an item; answers whether somebody should know about it.
    fn count(&mut self, item: &ItemRow) -> bool {
        let (State::Completed { .. }, Some(seen)) = (&item.state, &item.verified) else {
            return false;
        };
        if self.newest.is_none_or(|(at, _)| at < seen.at) {
            self.newest = Some((seen.at, seen.against));
        }
        let count = match seen.finding {
            Finding::Same | Finding::Extra => &mut self.same,
            Finding::Missing => &mut self.missing,
            Finding::Differs => &mut self.differs,
            Finding::Unread => &mut self.unread,
        };
        *count += 1;
        if seen.finding == Finding::Same && seen.size_untold.is_some() {
            self.by_key_alone += 1;
        }
        matches!(seen.finding, Finding::Missing | Finding::Differs)
    }

    /// Objects that aren't there, or aren't what they were to be.
    pub(super) fn wrong(&self) -> u64 {
        self.missing + self.differs
    }

    /// Files that some look was about.
    pub(super) fn files(&self) -> u64 {
        self.same + self.wrong() + self.unread
    }
}

/// Files that ended in the same way.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) kind: Kind,
    /// `transient`, `permanent` and so on; empty where that is open.
    pub(super) class: &'static str,
    pub(super) count: Count,
    /// The message of the first one.
    pub(super) message: String,
    pub(super) advice: &'static str,
    /// Where the first one was to go.
    pub(super) example: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Failed {
        code: Option<i64>,
        status: Option<u16>,
    },
    Unknown(Doubt),
    /// So many kinds that they aren't told apart.
    Other,
}

impl Digest {
    pub(super) fn read(transfer: &TransferFile) -> Result<Self, JournalError> {
        let runs = transfer.runs()?;
        let begin = runs.first().map_or(transfer.created(), |run| run.started);
        let mut counter = Counter::new(begin);
        each_item(transfer, |item| {
            counter.count(item);
            Ok::<_, JournalError>(())
        })?;
        for run in &runs {
            counter.timeline.at(run.seen);
        }
        let room = ROWS.saturating_sub(counter.troubled.len() + counter.others.len());
        let skipped_rows = first_skipped(transfer, room)?;
        let skipped = transfer.skipped_kinds()?;
        let pulses = transfer.pulses()?;
        Ok(counter.digest(skipped, skipped_rows, runs, pulses))
    }
}

/// Highest count first, and where counts are equal always in the same order.
fn sorted<K, V>(groups: HashMap<K, V>, count: impl Fn(&V) -> u64) -> Vec<(K, V)>
where
    K: std::hash::Hash + Eq + std::fmt::Debug,
{
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_cached_key(|(key, value)| (u64::MAX - count(value), format!("{key:?}")));
    groups
}

fn first_skipped(transfer: &TransferFile, limit: usize) -> Result<Vec<SkippedRow>, JournalError> {
    let mut rows = Vec::new();
    if limit > 0 {
        rows = transfer.skipped(0)?;
        rows.truncate(limit);
    }
    Ok(rows)
}

struct Counter {
    tally: Tally,
    seen: Seen,
    repeated: u64,
    projects: HashMap<String, u64>,
    timeline: Timeline,
    durations: BySize,
    troubles: HashMap<Kind, Trouble>,
    troubled: Vec<ItemRow>,
    others: Vec<ItemRow>,
}

impl Counter {
    fn new(begin: Timestamp) -> Self {
        Counter {
            tally: Tally::default(),
            seen: Seen::default(),
            repeated: 0,
            projects: HashMap::new(),
            timeline: Timeline::new(begin),
            durations: BySize::default(),
            troubles: HashMap::new(),
            troubled: Vec::new(),
            others: Vec::new(),
        }
    }

    fn count(&mut self, item: ItemRow) {
        let bytes = item.size.unwrap_or(0);
        let count = self.tally.of_mut(&item.state);
        count.files += 1;
        count.bytes += bytes;
        self.repeated += u64::from(item.attempts > 1);
        self.count_project(&item);
        self.count_times(&item);
        let wrong = self.seen.count(&item);
        let trouble = trouble(&item);
        let rows = if wrong || trouble.is_some() {
            &mut self.troubled
        } else {
            &mut self.others
        };
        if let Some((kind, trouble)) = trouble {
            let known = self.troubles.len() < GROUPS || self.troubles.contains_key(&kind);
            let kind = if known { kind } else { Kind::Other };
            let group = self
                .troubles
                .entry(kind)
                .or_insert(Trouble { kind, ..trouble });
            group.count.files += 1;
            group.count.bytes += bytes;
        }
        if rows.len() < ROWS {
            rows.push(item);
        }
    }

    fn count_project(&mut self, item: &ItemRow) {
        let Some(project) = &item.project else { return };
        if let Some(count) = self.projects.get_mut(project) {
            *count += 1;
        } else if self.projects.len() < GROUPS {
            self.projects.insert(project.clone(), 1);
        }
    }

    /// Enters an item into the timeline. Where the platform told no time, or one before what must have come first, the
    /// moment before it counts.
    fn count_times(&mut self, item: &ItemRow) {
        let Some(sent) = item.intended else { return };
        if item.state == State::Planned {
            return;
        }
        self.timeline.at(sent).sent += 1;
        let ended = item.finished.or(item.started).unwrap_or(sent).max(sent);
        let step = self.timeline.at(ended);
        match &item.state {
            State::Planned | State::Intended | State::Accepted { .. } => {}
            State::Failed { .. } => step.failed += 1,
            State::Unknown { .. } => step.unknown += 1,
            State::Completed { .. } => {
                step.completed += 1;
                step.bytes += item.size.unwrap_or(0);
                if let (Some(size), Some(started), Some(finished)) =
                    (item.size, item.started, item.finished)
                {
                    let took = finished.duration_since(started);
                    self.durations
                        .add(size, Duration::try_from(took).unwrap_or_default());
                }
            }
        }
    }

    fn digest(
        self,
        skipped: Vec<SkippedKind>,
        skipped_rows: Vec<SkippedRow>,
        runs: Vec<RunRow>,
        pulses: Vec<Pulse>,
    ) -> Digest {
        let mut items = self.troubled;
        items.extend(self.others);
        items.truncate(ROWS);
        let troubles = sorted(self.troubles, |trouble| trouble.count.files);
        Digest {
            tally: Tally {
                skipped: skipped.iter().map(|kind| kind.skipped.files).sum(),
                ..self.tally
            },
            seen: self.seen,
            repeated: self.repeated,
            projects: sorted(self.projects, |count| *count),
            timeline: self.timeline,
            durations: self.durations,
            troubles: troubles.into_iter().map(|(_, trouble)| trouble).collect(),
            skipped,
            runs,
            pulses,
            items,
            skipped_rows,
        }
    }
}

/// What went wrong with a file, as the first of its group.
fn trouble(item: &ItemRow) -> Option<(Kind, Trouble)> {
    let why = crate::Trouble::of(&item.state)?;
    let kind = match &item.state {
        State::Unknown { doubt, .. } => Kind::Unknown(*doubt),
        _ => Kind::Failed {
            code: why.code,
            status: why.status,
        },
    };
    let trouble = Trouble {
        kind,
        class: why.class,
        count: Count::default(),
        message: why.message.into_owned(),
        advice: why.advice,
        example: item.location.clone(),
    };
    Some((kind, trouble))
}
