//! When to look after jobs, and how many to look at. Pure: the moment is an argument.
//!
//! A job can't be waited for, only asked about, and every question counts against the account's limit. One question is
//! cheap for any number of jobs: how many are unfinished. So:
//!
//! * Questions are spaced by a quarter of the time that was waited already, so that their number grows with the logarithm
//!   of the jobs' duration, not with the duration; up to a longest wait that people can bear.
//! * Once jobs are seen to end, the time that the rest will take is estimated, and the next question comes no later.
//! * While files are sent, the next question waits until twice as many were accepted as before, or some thousands more.
//! * Files are read a page at a time, and only when about as many are known to have ended: oldest first while that proves
//!   right, else not before nearly all have ended. Reading thus costs little more than one request for each page.

use std::time::Duration;

use tokio::time::Instant;

/// How many jobs one request reads.
const PAGE: usize = 100;

/// While files are sent, the jobs are counted at the latest when so many more were accepted. At the platform's limit that is
/// every twelve seconds, and one request in forty.
const ACCEPTED_PER_COUNT: u64 = 4_000;

/// After so many counts that led to no reading some are read all the same, where there are jobs of others: they may hide that
/// ours have ended.
const PATIENCE: u32 = 4;

/// The same where none was ever seen.
const LONG_PATIENCE: u32 = 4 * PATIENCE;

/// How long to wait, at least and at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spacing {
    pub(super) first: Duration,
    pub(super) longest: Duration,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing before this moment.
    Wait(Instant),
    /// Ask how many jobs are unfinished.
    Count,
    /// Read so many by their ids, those that were read least recently first.
    Read(usize),
}

/// How far it may be relied on that those which were sent first have ended first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// So many of the first have ended.
    InOrder(usize),
    /// So many have ended, which are nearly all.
    NearlyAll(usize),
    /// Too few have, or not in order.
    None,
}

/// What is known about jobs in flight, and when to ask again.
#[derive(Debug)]
pub(super) struct PollSchedule {
    spacing: Spacing,
    /// Since when we wait without sending.
    waiting_since: Instant,
    /// How many were accepted, and how many had been at the last count.
    accepted: u64,
    accepted_at_count: u64,
    /// When it was last learned what the jobs do. Readings that bring what was expected teach nothing, and may take
    /// minutes where the limit holds them up.
    learned: Instant,
    next_count: Instant,
    /// How many of those in flight have ended, as far as the last count tells and nobody has read them yet.
    ended: usize,
    /// Whether the last count said that nearly all have.
    nearly_all: bool,
    /// How many of those in flight hadn't, and weren't read since.
    running: usize,
    /// Whether the last count said that nothing is unfinished.
    all_ended: bool,
    /// Readings of the oldest that brought too little; each makes us wait for four times as many counts before another try.
    disappointments: u32,
    counts_to_skip: u32,
    /// Counts in a row that led to no reading, and after how many of them some are read all the same.
    fruitless: u32,
    patience: u32,
    /// How many have ended since the beginning, and when that was known.
    progress: Option<(Instant, u64)>,
    finished: u64,
    rate: Option<f64>,
}

impl PollSchedule {
    pub(super) fn new(spacing: Spacing, now: Instant) -> Self {
        PollSchedule {
            spacing,
            waiting_since: now,
            accepted: 0,
            accepted_at_count: 0,
            learned: now,
            next_count: now + spacing.first,
            ended: 0,
            nearly_all: false,
            running: 0,
            all_ended: false,
            disappointments: 0,
            counts_to_skip: 0,
            fruitless: 0,
            patience: LONG_PATIENCE,
            progress: None,
            finished: 0,
            rate: None,
        }
    }

    /// So many jobs were accepted just now.
    pub(super) fn sent(&mut self, jobs: usize, now: Instant) {
        self.waiting_since = now;
        self.accepted += jobs as u64;
        self.all_ended = false;
        self.nearly_all = false;
    }

    /// What to do with this many jobs in flight, of which `by_ids` are read by their ids.
    pub(super) fn action(&self, in_flight: usize, by_ids: usize, now: Instant) -> Action {
        debug_assert!(in_flight > 0);
        let next_count = self.next_count(now);
        let page = PAGE.min(by_ids);
        let few = in_flight <= PAGE && now >= self.next_count;
        let enough = self.ended >= PAGE && by_ids >= PAGE && self.counts_to_skip == 0;
        if page > 0 && (self.all_ended || few || enough || self.have_nearly_all(in_flight)) {
            return Action::Read(page);
        }
        if now >= next_count {
            // Jobs of the account's other programs may hide that ours have ended; so look now and then.
            if self.is_fruitless() && page > 0 {
                return Action::Read(page);
            }
            return Action::Count;
        }
        Action::Wait(next_count)
    }

    /// How many of this many jobs in flight have ended, and whether those that were sent first.
    pub(super) fn trust(&self, in_flight: usize) -> Trust {
        if self.all_ended {
            Trust::NearlyAll(in_flight)
        } else if self.ended > 0 && (self.nearly_all || self.have_nearly_all(in_flight)) {
            Trust::NearlyAll(self.ended)
        } else if self.counts_to_skip == 0 && self.ended > 0 {
            Trust::InOrder(self.ended)
        } else {
            Trust::None
        }
    }

    /// How many have ended and weren't read, and how many have since the beginning, as far as the last count tells.
    pub(super) fn ended(&self) -> (usize, u64) {
        (self.ended, self.finished + self.ended as u64)
    }

    /// Whether so many files that haven't arrived are presumably just those whose jobs go on.
    pub(super) fn are_running(&mut self, late: usize) -> bool {
        let left = self.running.checked_sub(late);
        self.running = left.unwrap_or(self.running);
        left.is_some()
    }

    /// Whether jobs of others may hide that ours have ended.
    pub(super) fn is_fruitless(&self) -> bool {
        self.fruitless >= self.patience
    }

    fn have_nearly_all(&self, in_flight: usize) -> bool {
        self.ended * 20 >= in_flight * 19
    }

    /// When to count next. As long as files are being accepted, not before enough are.
    fn next_count(&self, now: Instant) -> Instant {
        let since = self.accepted - self.accepted_at_count;
        let enough = since >= ACCEPTED_PER_COUNT.min(self.accepted / 2);
        let sending_until = self.waiting_since + self.spacing.first;
        if enough || now >= sending_until {
            self.next_count
        } else {
            self.next_count.max(sending_until)
        }
    }

    /// The platform said how many jobs are unfinished.
    pub(super) fn counted(&mut self, unfinished: u64, in_flight: usize, now: Instant) {
        let unfinished = usize::try_from(unfinished).unwrap_or(usize::MAX);
        self.ended = in_flight.saturating_sub(unfinished);
        self.nearly_all = self.have_nearly_all(in_flight);
        self.running = in_flight - self.ended;
        if unfinished > in_flight {
            self.patience = self.patience.min(PATIENCE);
        }
        self.all_ended = unfinished == 0;
        self.accepted_at_count = self.accepted;
        self.counts_to_skip = self.counts_to_skip.saturating_sub(1);
        let worth_reading =
            self.have_nearly_all(in_flight) || (self.ended >= PAGE && self.counts_to_skip == 0);
        self.fruitless = if worth_reading { 0 } else { self.fruitless + 1 };
        self.learned = now;
        self.note_progress(self.finished + self.ended as u64, now);
        self.plan_next(in_flight - self.ended, now);
    }

    /// So many jobs are being read.
    pub(super) fn reading(&mut self, asked: usize) {
        self.ended = self.ended.saturating_sub(asked);
        self.fruitless = 0;
    }

    /// So many jobs were read, and so many of them had ended.
    pub(super) fn read(&mut self, asked: usize, ended: usize, left: usize, now: Instant) {
        self.finished += ended as u64;
        let disappointing = ended * 10 < asked * 9;
        if disappointing && asked >= PAGE {
            self.disappointments = (self.disappointments + 1).min(16);
            self.counts_to_skip = 1 << (2 * self.disappointments).min(8);
            self.patience = (self.patience * 2).min(4 * LONG_PATIENCE);
        }
        if disappointing {
            // What the count told was not true, or not of the oldest: ask again before reading on.
            self.all_ended = false;
            self.nearly_all = false;
            self.ended = 0;
            self.learned = now;
        }
        self.note_progress(self.finished + self.ended as u64, now);
        self.plan_next(left.saturating_sub(self.ended), now);
    }

    /// What had not arrived had ended all the same: their order proved right.
    pub(super) fn vindicated(&mut self) {
        self.disappointments = self.disappointments.saturating_sub(1);
        self.counts_to_skip = 0;
        self.next_count = self.learned;
    }

    /// A question could not be answered; ask again later.
    pub(super) fn failed(&mut self, now: Instant) {
        self.ended = 0;
        self.all_ended = false;
        self.learned = now;
        self.plan_next(usize::MAX, now);
    }

    fn note_progress(&mut self, ended: u64, now: Instant) {
        match self.progress {
            None => self.progress = Some((now, ended)),
            Some((since, before)) if ended > before && now > since => {
                let per_second = (ended - before) as f64 / (now - since).as_secs_f64();
                self.rate = Some(per_second);
                self.progress = Some((now, ended));
            }
            Some(_) => {}
        }
    }

    fn plan_next(&mut self, unfinished: usize, now: Instant) {
        let Spacing { first, longest } = self.spacing;
        let waited = now.saturating_duration_since(self.waiting_since);
        let mut gap = (waited / 4).clamp(first, longest);
        if let (Some(rate), Some((since, _))) = (self.rate, self.progress) {
            // Nothing has ended since: it goes on more slowly than it went.
            let still = now.saturating_duration_since(since).as_secs_f64();
            let rate = rate.min(1.0 / still.max(f64::MIN_POSITIVE));
            let estimate = Duration::try_from_secs_f64(unfinished as f64 / rate);
            gap = gap.min(estimate.unwrap_or(longest)).max(first);
        }
        self.next_count = self.learned + gap;
    }
}

#[cfg(test)]
mod tests;
