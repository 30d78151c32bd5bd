//! When the platform can't be reached.

use std::time::Duration;

use tokio::time::Instant;

use super::Timing;

/// Since when the platform can't be reached, and until when nothing is asked of it.
#[derive(Debug, Default)]
pub(super) struct Outage {
    until: Option<Instant>,
    since: Option<Instant>,
    failures: u32,
}

impl Outage {
    /// The platform answered.
    pub(super) fn is_over(&mut self) {
        *self = Outage::default();
    }

    /// It didn't. Answers for how long to hold everything; `None` once that has gone on for too long.
    pub(super) fn failed(&mut self, now: Instant, timing: &Timing) -> Option<Duration> {
        let since = *self.since.get_or_insert(now);
        if now - since >= timing.patience {
            return None;
        }
        let pause = (timing.pause * (1 << self.failures.min(10))).min(timing.longest_poll);
        self.failures += 1;
        self.until = Some(now + pause);
        Some(pause)
    }

    /// Holds everything for a moment, without there being an outage.
    pub(super) fn pause(&mut self, until: Instant) {
        self.until = Some(until);
    }

    pub(super) fn is_on(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until > now)
    }

    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.until
    }
}
