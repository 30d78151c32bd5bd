//! When to look after jobs, and how many to look at. Pure: the moment is an argument.
//!
//! A job can't be waited for, only asked about, and every question counts against the account's limit. One question is
//! cheap for any number of jobs: how many are unfinished. So:
//!
//! * Questions are spaced by a quarter of the time that was waited already, so that their number grows with the logarithm
//!   of the jobs' duration, not with the duration; up to a longest wait that people can bear.
//! * Once jobs are seen to end, the time that the rest will take is estimated, and the next question comes no later.
//! * Jobs are read a hundred at a time, and only when about a hundred are known to have ended: oldest first while that
//!   proves right, else not before nearly all have ended. Reading thus costs little more than one request per hundred.

use std::time::Duration;

use tokio::time::Instant;

/// How many jobs one request reads.
const PAGE: usize = 100;

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
    /// Read so many of the jobs in flight, those that were looked at least recently first.
    Read(usize),
}

/// What is known about jobs in flight, and when to ask again.
#[derive(Debug)]
pub(super) struct PollSchedule {
    spacing: Spacing,
    /// Since when we wait without sending.
    waiting_since: Instant,
    /// When it was last learned what the jobs do. Readings that bring what was expected teach nothing, and may take
    /// minutes where the limit holds them up.
    learned: Instant,
    next_count: Instant,
    /// How many of those in flight have ended, as far as the last count tells and nobody has read them yet.
    ended: usize,
    /// Whether the last count said that nothing is unfinished.
    all_ended: bool,
    /// Readings of the oldest that brought too little; each makes us wait for twice as many counts before another try.
    disappointments: u32,
    counts_to_skip: u32,
    /// Counts in a row that led to no reading.
    fruitless: u32,
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
            learned: now,
            next_count: now + spacing.first,
            ended: 0,
            all_ended: false,
            disappointments: 0,
            counts_to_skip: 0,
            fruitless: 0,
            progress: None,
            finished: 0,
            rate: None,
        }
    }

    /// Jobs were accepted just now.
    pub(super) fn sent(&mut self, now: Instant) {
        self.waiting_since = now;
        self.all_ended = false;
    }

    /// What to do, with this many jobs in flight.
    pub(super) fn action(&self, in_flight: usize, now: Instant) -> Action {
        debug_assert!(in_flight > 0);
        if self.all_ended || (in_flight <= PAGE && now >= self.next_count) {
            return Action::Read(in_flight.min(PAGE));
        }
        if self.worth_reading(in_flight) {
            return Action::Read(PAGE.min(in_flight));
        }
        if now >= self.next_count {
            // Jobs of the account's other programs may hide that ours have ended; so look now and then.
            if self.fruitless >= 4 {
                return Action::Read(PAGE.min(in_flight));
            }
            return Action::Count;
        }
        Action::Wait(self.next_count)
    }

    fn worth_reading(&self, in_flight: usize) -> bool {
        let nearly_all = self.ended * 20 >= in_flight * 19;
        let enough = self.ended >= PAGE;
        (nearly_all && self.ended > 0) || (enough && self.counts_to_skip == 0)
    }

    /// The platform said how many jobs are unfinished.
    pub(super) fn counted(&mut self, unfinished: u64, in_flight: usize, now: Instant) {
        let unfinished = usize::try_from(unfinished).unwrap_or(usize::MAX);
        self.ended = in_flight.saturating_sub(unfinished);
        self.all_ended = unfinished == 0;
        self.counts_to_skip = self.counts_to_skip.saturating_sub(1);
        self.fruitless = if self.worth_reading(in_flight) {
            0
        } else {
            self.fruitless + 1
        };
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
        if disappointing && asked == PAGE {
            self.disappointments = (self.disappointments + 1).min(16);
            self.counts_to_skip = 1 << self.disappointments.min(8);
        }
        if disappointing {
            // What the count told was not true, or not of the oldest: ask again before reading on.
            self.all_ended = false;
            self.ended = 0;
            self.learned = now;
        }
        self.note_progress(self.finished + self.ended as u64, now);
        self.plan_next(left.saturating_sub(self.ended), now);
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
        if let Some(rate) = self.rate
            && unfinished < usize::MAX
        {
            let estimate = Duration::try_from_secs_f64(unfinished as f64 / rate);
            gap = gap.min(estimate.unwrap_or(longest)).max(first);
        }
        self.next_count = self.learned + gap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows jobs that end as `ends` says (seconds after they were sent), reading the oldest first. Answers the number of
    /// counts and readings, and how late the end was noticed.
    fn follow(mut ends: Vec<f64>) -> (usize, usize, f64) {
        let start = Instant::now();
        let last = ends.iter().copied().fold(0.0, f64::max);
        let spacing = Spacing {
            first: Duration::from_secs(5),
            longest: Duration::from_secs(300),
        };
        let mut schedule = PollSchedule::new(spacing, start);
        let (mut now, mut counts, mut readings) = (start, 0, 0);
        while !ends.is_empty() {
            let elapsed = (now - start).as_secs_f64();
            match schedule.action(ends.len(), now) {
                Action::Wait(until) => now = until,
                Action::Count => {
                    counts += 1;
                    let unfinished = ends.iter().filter(|end| **end > elapsed).count();
                    schedule.counted(unfinished as u64, ends.len(), now);
                }
                Action::Read(asked) => {
                    readings += 1;
                    schedule.reading(asked);
                    let (done, mut back): (Vec<f64>, Vec<f64>) =
                        ends.drain(..asked).partition(|end| *end <= elapsed);
                    ends.append(&mut back);
                    schedule.read(asked, done.len(), ends.len(), now);
                    now += Duration::from_millis(300);
                }
            }
            assert!(counts + readings < 10_000, "it never ends");
        }
        (counts, readings, (now - start).as_secs_f64() - last)
    }

    /// Numbers between 0 and 1, always the same.
    fn scattered(count: usize) -> impl Iterator<Item = f64> {
        (0..count).map(|index| (index as f64 * 0.618_033_988_75).fract())
    }

    #[test]
    fn requests_do_not_grow_with_the_jobs_duration() {
        let files = 10_000;
        for seconds in [1.0, 60.0, 600.0, 3600.0, 36_000.0] {
            let shapes: [(&str, Vec<f64>); 4] = [
                ("all at once", vec![seconds; files]),
                (
                    "in order",
                    (0..files)
                        .map(|index| seconds * (1.0 + index as f64 / files as f64) / 2.0)
                        .collect(),
                ),
                (
                    "in any order",
                    scattered(files).map(|part| seconds * part).collect(),
                ),
                (
                    "with a long tail",
                    scattered(files)
                        .map(|part| seconds * 0.1 * -(1.0 - part).ln())
                        .collect(),
                ),
            ];
            for (shape, ends) in shapes {
                let (counts, readings, late) = follow(ends);
                let surplus = counts + readings - files / 100;
                // Past an hour, one question in five minutes is added: nobody wants to wait longer than that.
                let long = ((seconds - 3600.0) / 300.0).max(0.0) as usize;
                assert!(
                    surplus <= 52 + long,
                    "{shape}, {seconds} s: {counts} counts, {readings} readings"
                );
                assert!(
                    late <= 320.0 + 0.3 * files as f64 / 100.0,
                    "{shape}, {seconds} s: {late} s late"
                );
            }
        }
    }

    #[test]
    fn time_that_the_limit_took_from_readings_is_not_waited_again() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let spacing = Spacing {
            first: Duration::from_secs(5),
            longest: Duration::from_secs(300),
        };
        let mut schedule = PollSchedule::new(spacing, start);
        schedule.sent(start);
        schedule.counted(500, 1000, after(5));
        for left in (500..1000).step_by(100).rev() {
            assert_eq!(schedule.action(left + 100, after(6)), Action::Read(100));
            schedule.reading(100);
            schedule.read(100, 100, left, after(305));
        }
        assert_eq!(schedule.action(500, after(305)), Action::Count);
    }

    #[test]
    fn jobs_of_other_programs_hide_nothing_for_long() {
        let start = Instant::now();
        let spacing = Spacing {
            first: Duration::from_secs(5),
            longest: Duration::from_secs(300),
        };
        let mut schedule = PollSchedule::new(spacing, start);
        let mut now = start;
        let mut counts = 0;
        // Ten thousand strange jobs never end; all of ours have.
        loop {
            match schedule.action(500, now) {
                Action::Wait(until) => now = until,
                Action::Count => {
                    counts += 1;
                    schedule.counted(10_000, 500, now);
                }
                Action::Read(asked) => {
                    assert_eq!(asked, 100);
                    break;
                }
            }
        }
        assert!(counts <= 5, "{counts}");
    }
}
