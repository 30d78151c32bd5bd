//! How far a run is, and what it has seen.

use tokio::time::Instant;

use crate::event::StopReason;
use crate::observe::{Habit, Habits};

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
}

impl Observed {
    pub(super) fn new(seen: Habits) -> Self {
        Observed {
            seen,
            is_written: true,
            noted_clocks: false,
        }
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
