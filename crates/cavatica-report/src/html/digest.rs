//! What the page says about single files and their times, counted in one walk and in bounded memory.
//!
//! The walk locks the transfer for a page of rows at a time, so that a run which goes on isn't held up.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use cavatica_model::ExportMode;
use jiff::Timestamp;

use super::durations::BySize;
use super::timeline::Timeline;
use crate::Trouble;
use crate::rows::each_item;
use cavatica_transfer::journal::{
    ItemRow, JournalError, Pulse, RunRow, SkippedKind, SkippedRow, TransferFile,
};
use cavatica_transfer::state::State;

/// The most rows that the page's table has.
pub(super) const ROWS: usize = 1_000;

/// The most projects that are told apart.
const PROJECTS: usize = 100;

/// A transfer, each file as it stood when the walk came by.
#[derive(Debug)]
pub(super) struct Digest {
    /// Files that were sent more than once.
    pub(super) repeated: u64,
    /// The projects that the files come from, most files first.
    pub(super) projects: Vec<(String, u64)>,
    pub(super) timeline: Timeline,
    pub(super) durations: BySize,
    pub(super) skipped: Vec<SkippedKind>,
    pub(super) runs: Vec<RunRow>,
    pub(super) pulses: Vec<Pulse>,
    /// How many accounts have a limit of their own.
    pub(super) accounts: u64,
    /// Rows for the table, each with the place of its transfer: those that need somebody's attention first.
    pub(super) items: Vec<(usize, ItemRow)>,
    pub(super) skipped_rows: Vec<SkippedRow>,
}

impl Digest {
    /// Of several transfers as of one. They all move or all copy.
    pub(super) fn read(transfers: &[TransferFile]) -> Result<Self, JournalError> {
        let course = Course::read(transfers)?;
        let planned = transfers.iter().map(TransferFile::created).min();
        let begun = course.runs.iter().map(|run| run.started).min();
        let mode = transfers
            .first()
            .map_or(ExportMode::Copy, |one| one.terms().mode);
        let mut counter = Counter::new(mode, begun.or(planned).unwrap_or_default());
        for (of, transfer) in transfers.iter().enumerate() {
            each_item(transfer, |item| {
                counter.count(of, item);
                Ok::<_, JournalError>(())
            })?;
        }
        for run in &course.runs {
            counter.timeline.at(run.seen);
        }
        let mut skipped_rows = Vec::new();
        for transfer in transfers {
            let taken = counter.troubled.len() + counter.others.len() + skipped_rows.len();
            skipped_rows.extend(first_skipped(transfer, ROWS.saturating_sub(taken))?);
        }
        let accounts: HashSet<&str> = transfers
            .iter()
            .map(|transfer| transfer.terms().account.as_str())
            .collect();
        Ok(counter.digest(course, accounts.len() as u64, skipped_rows))
    }
}

/// What was left out, and who ran it when.
struct Course {
    skipped: Vec<SkippedKind>,
    runs: Vec<RunRow>,
    pulses: Vec<Pulse>,
}

impl Course {
    fn read(transfers: &[TransferFile]) -> Result<Self, JournalError> {
        let mut course = Course {
            skipped: Vec::new(),
            runs: Vec::new(),
            pulses: Vec::new(),
        };
        for transfer in transfers {
            let before = course.runs.len();
            let pulses = transfer.pulses()?.into_iter();
            course.pulses.extend(pulses.map(|mut pulse| {
                pulse.run += before;
                pulse
            }));
            course.runs.extend(transfer.runs()?);
            for kind in transfer.skipped_kinds()? {
                let known = course
                    .skipped
                    .iter_mut()
                    .find(|known| known.kind == kind.kind);
                match known {
                    Some(known) => known.skipped = known.skipped.plus(kind.skipped),
                    None => course.skipped.push(kind),
                }
            }
        }
        Ok(course)
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
    mode: ExportMode,
    repeated: u64,
    projects: HashMap<String, u64>,
    timeline: Timeline,
    durations: BySize,
    troubled: Vec<(usize, ItemRow)>,
    others: Vec<(usize, ItemRow)>,
}

impl Counter {
    fn new(mode: ExportMode, begin: Timestamp) -> Self {
        Counter {
            mode,
            repeated: 0,
            projects: HashMap::new(),
            timeline: Timeline::new(begin),
            durations: BySize::default(),
            troubled: Vec::new(),
            others: Vec::new(),
        }
    }

    fn count(&mut self, of: usize, item: ItemRow) {
        self.repeated += u64::from(item.attempts > 1);
        self.count_project(&item);
        self.count_times(&item);
        let rows = match Trouble::of_item(self.mode, &item) {
            Some(_) => &mut self.troubled,
            None => &mut self.others,
        };
        if rows.len() < ROWS {
            rows.push((of, item));
        }
    }

    fn count_project(&mut self, item: &ItemRow) {
        let Some(project) = &item.project else { return };
        if let Some(count) = self.projects.get_mut(project) {
            *count += 1;
        } else if self.projects.len() < PROJECTS {
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

    fn digest(self, course: Course, accounts: u64, skipped_rows: Vec<SkippedRow>) -> Digest {
        let mut items = self.troubled;
        items
            .sort_by_key(|(_, item)| Trouble::of_item(self.mode, item).map(|trouble| trouble.kind));
        items.extend(self.others);
        items.truncate(ROWS);
        Digest {
            repeated: self.repeated,
            projects: sorted(self.projects, |count| *count),
            timeline: self.timeline,
            durations: self.durations,
            skipped: course.skipped,
            runs: course.runs,
            pulses: course.pulses,
            accounts,
            items,
            skipped_rows,
        }
    }
}
