//! How far a run is, and what it has seen.

use std::collections::HashSet;

use tokio::time::Instant;

use crate::event::StopReason;
use crate::observe::{Habit, Habits};
use crate::state::ItemId;

/// So many failed moves are enough to see what became of their files.
const FAILED_MOVES: usize = 1_000;

/// Whether files are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    On,
    Off(StopReason, Instant),
}

/// How far the look at the platform is that precedes everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    Wanted,
    UnderWay,
    Done,
}

/// What was seen, by this run and those before.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) seen: Habits,
    pub(super) is_written: bool,
    /// What this run saw already of what is seen once a run.
    pub(super) noted_clocks: bool,
    /// Moves whose jobs failed, and of which the next answer will tell whether their files are there.
    failed_moves: HashSet<ItemId>,
}

impl Observed {
    pub(super) fn new(seen: Habits) -> Self {
        Observed {
            seen,
            is_written: true,
            noted_clocks: false,
            failed_moves: HashSet::new(),
        }
    }

    pub(super) fn failed_move(&mut self, item: ItemId) {
        if self.failed_moves.len() < FAILED_MOVES {
            self.failed_moves.insert(item);
        }
    }

    /// A file was sent again, or shown: whether its move had failed.
    pub(super) fn had_failed(&mut self, item: ItemId) -> bool {
        self.failed_moves.remove(&item)
    }

    pub(super) fn seen(&mut self) -> &mut Habits {
        self.is_written = false;
        &mut self.seen
    }

    pub(super) fn saw(&mut self, answer: Option<Habit>) {
        if let Some(answer) = answer {
            self.seen().saw(answer);
        }
    }
}
