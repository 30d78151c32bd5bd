//! How far a run is, and how long it may still take. Time is an argument.

use std::collections::VecDeque;
use std::fmt::{self, Display};
use std::time::Duration;

use cavatica_transfer::journal::Tally;

/// An estimate needs so many files that were sent and ended in this run, ...
const LEAST_FILES: u64 = 20;

/// ... over so long a time.
const LEAST_TIME: Duration = Duration::from_secs(10);

/// The first files of a run and its last tell how long jobs take, and not how fast the run is: of this many parts one has to
/// have ended, and one to be left.
const PARTS: u64 = 20;

/// What is far apart says nothing: the longest time that is told is at most so many times the shortest.
const WIDEST: f64 = 3.0;

/// How many moments are remembered.
const MOMENTS: usize = 240;

/// A run so far.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// How files stood when this run began: what earlier runs did says nothing about how long this one takes.
    first: Option<Tally>,
    pub(super) tally: Tally,
    /// Of the failed files, those that the run tries again by itself: they haven't ended.
    pub(super) again: u64,
    moments: VecDeque<Mark>,
}

/// What had ended by a moment, of what this run sent itself.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Duration,
    files: u64,
    bytes: u64,
}

impl Progress {
    /// Enters how files stand so long after the beginning.
    pub(super) fn note(&mut self, at: Duration, tally: &Tally, again: u64) {
        let first = *self.first.get_or_insert(*tally);
        (self.tally, self.again) = (*tally, again);
        // What was in flight when the run began ends first: it is a backlog, and no speed.
        let backlog = first.intended.files + first.accepted.files;
        let files = self.ended().saturating_sub(ended(&first) + backlog);
        let backlog = first.intended.bytes + first.accepted.bytes;
        let bytes = tally
            .completed
            .bytes
            .saturating_sub(first.completed.bytes + backlog);
        if files > 0 {
            let grown = self.moments.back().is_none_or(|last| last.files != files);
            if grown {
                self.moments.push_back(Mark { at, files, bytes });
            }
            // Every second one is enough: what is far away needs no detail.
            if self.moments.len() > MOMENTS {
                let mut index = 0;
                self.moments.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
            }
        }
    }

    /// Files that have ended, well or badly.
    pub(super) fn ended(&self) -> u64 {
        ended(&self.tally).saturating_sub(self.again)
    }

    /// The whole percents of files that have ended: 100 only when all have.
    pub(super) fn percent(&self) -> u64 {
        let total = self.tally.total().files.max(1);
        self.ended().saturating_mul(100) / total
    }

    /// Bytes that arrive in a second, lately.
    pub(super) fn bytes_per_second(&self, now: Duration) -> Option<f64> {
        let (from, last) = self.span(now, Duration::from_secs(60))?;
        let seconds = now.saturating_sub(from.at).as_secs_f64();
        Some(last.bytes.saturating_sub(from.bytes) as f64 / seconds)
    }

    /// How long it may take until nothing is left; `None` as long as that means nothing.
    pub(super) fn estimate(&self, now: Duration) -> Option<Estimate> {
        let left = self.tally.left() + self.again;
        if left == 0 {
            return None;
        }
        let (first, last) = (self.moments.front()?, self.moments.back()?);
        let since = now.saturating_sub(first.at);
        if last.files.min(left).saturating_mul(PARTS) < last.files + left {
            return None;
        }
        if last.files.saturating_sub(first.files) < LEAST_FILES || since < LEAST_TIME {
            return None;
        }
        let rate = |from: &Mark| {
            last.files.saturating_sub(from.files) as f64 / now.saturating_sub(from.at).as_secs_f64()
        };
        let (from, _) = self.span(now, (since / 3).max(LEAST_TIME))?;
        let (whole, lately) = (rate(first), rate(from));
        let (slow, fast) = (whole.min(lately), whole.max(lately));
        if slow <= 0.0 || fast / slow > WIDEST {
            return None;
        }
        let span = |rate: f64| Duration::try_from_secs_f64(left as f64 / rate).ok();
        Some(Estimate {
            shortest: span(fast * 1.1)?,
            longest: span(slow * 0.9)?,
        })
    }

    /// The moment that lies so far back, or the first one, and the newest.
    fn span(&self, now: Duration, back: Duration) -> Option<(&Mark, &Mark)> {
        let begin = now.saturating_sub(back);
        let mut moments = self.moments.iter().rev();
        let from = moments
            .find(|moment| moment.at <= begin)
            .or(self.moments.front())?;
        (from.at < now).then_some((from, self.moments.back()?))
    }
}

fn ended(tally: &Tally) -> u64 {
    tally.completed.files + tally.failed.files + tally.unknown.files
}

/// How long it may still take, between the shortest and the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Estimate {
    shortest: Duration,
    longest: Duration,
}

impl Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = minutes(self.longest, u64::div_ceil);
        let shortest = minutes(self.shortest, |seconds, step| seconds / step);
        match (shortest, longest) {
            (_, ..=1) => f.write_str("less than a minute left"),
            (0, longest) => write!(f, "up to {} left", Minutes(longest)),
            (shortest, longest) if shortest == longest => {
                write!(f, "about {} left", Minutes(longest))
            }
            (shortest, longest) if longest < 60 => write!(f, "{shortest} to {longest} min left"),
            (shortest, longest) => {
                write!(f, "{} to {} left", Minutes(shortest), Minutes(longest))
            }
        }
    }
}

/// Whole minutes, coarser for longer spans.
fn minutes(span: Duration, divide: fn(u64, u64) -> u64) -> u64 {
    let step = match span.as_secs() / 60 {
        ..20 => 1,
        20..60 => 5,
        60..600 => 10,
        _ => 60,
    };
    divide(span.as_secs(), step * 60) * step
}

struct Minutes(u64);

impl Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 60, self.0 % 60) {
            (0, minutes) => write!(f, "{minutes} min"),
            (hours, 0) => write!(f, "{hours} h"),
            (hours, minutes) => write!(f, "{hours} h {minutes} min"),
        }
    }
}

#[cfg(test)]
mod tests {
    use cavatica_transfer::journal::Count;

    use super::*;

    fn files(files: u64) -> Count {
        Count {
            files,
            bytes: files * 100,
        }
    }

    fn tally(planned: u64, accepted: u64, completed: u64) -> Tally {
        let mut tally = Tally::default();
        tally.planned = files(planned);
        tally.accepted = files(accepted);
        tally.completed = files(completed);
        tally
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_steady_run_is_estimated_with_its_uncertainty() {
        let mut progress = Progress::default();
        for second in 0..=100 {
            progress.note(at(second), &tally(5_000 - 10 * second, 0, 10 * second), 0);
            if second < 10 {
                assert_eq!(progress.estimate(at(second)), None, "too early");
            }
        }
        let estimate = progress.estimate(at(100)).expect("it is steady");
        assert!(estimate.shortest < at(400) && estimate.longest > at(400));
        assert_eq!(estimate.to_string(), "6 to 8 min left");
        assert_eq!(progress.bytes_per_second(at(100)), Some(1_000.0));
    }

    #[test]
    fn what_is_tried_again_has_not_ended() {
        let failed = |failed: u64, accepted: u64| {
            let mut tally = tally(0, accepted, 95);
            tally.failed = files(failed);
            tally
        };
        let mut progress = Progress::default();
        progress.note(at(0), &failed(0, 5), 0);
        progress.note(at(1), &failed(5, 0), 4);
        assert_eq!((progress.ended(), progress.percent()), (96, 96));
        progress.note(at(2), &failed(1, 4), 0);
        assert_eq!((progress.again, progress.ended()), (0, 96));
    }

    #[test]
    fn what_was_in_flight_before_is_no_speed() {
        let mut progress = Progress::default();
        // A thousand were under way; they are found to have ended within a second, and then nothing moves.
        progress.note(at(0), &tally(9_000, 1_000, 0), 0);
        progress.note(at(1), &tally(8_900, 100, 1_000), 0);
        assert_eq!(progress.estimate(at(30)), None);
        assert_eq!(progress.bytes_per_second(at(30)), None);
    }

    /// As a run of 20,000 files was seen whose jobs took up to a minute: the first failures, a page of the list, the rest.
    #[test]
    fn the_first_and_the_last_files_are_no_speed() {
        let mut progress = Progress::default();
        progress.note(at(0), &tally(20_000, 0, 0), 0);
        for (second, ended, again) in [
            (6, 8, 13),
            (13, 42, 59),
            (25, 383, 59),
            (31, 415, 110),
            (68, 19_417, 446),
            (92, 19_465, 447),
        ] {
            let left = 20_000 - ended - again;
            let mut now = tally(0, left, ended);
            now.failed = files(again);
            progress.note(at(second), &now, again);
            assert_eq!(progress.ended(), ended);
            for later in [0, 6, 12] {
                assert_eq!(progress.estimate(at(second + later)), None, "{second}");
            }
        }
    }

    #[test]
    fn nothing_is_told_when_it_stalls_and_never_zero_while_work_is_left() {
        let mut progress = Progress::default();
        for second in 0..=99 {
            progress.note(at(second), &tally(990 - 10 * second, 1, 10 * second), 0);
            if second == 90 {
                let last = progress.estimate(at(second)).expect("it was steady");
                assert_eq!(last.to_string(), "less than a minute left");
            }
        }
        assert_eq!(progress.estimate(at(99)), None, "the last ones take theirs");
        assert_eq!(progress.percent(), 99);
        // The last file takes its time.
        assert_eq!(progress.estimate(at(400)), None);
        progress.note(at(401), &tally(0, 0, 991), 0);
        assert_eq!(
            (progress.estimate(at(401)), progress.percent()),
            (None, 100)
        );
    }

    #[test]
    fn spans_are_told_as_coarsely_as_they_are_known() {
        let told = |shortest: u64, longest: u64| {
            Estimate {
                shortest: at(shortest),
                longest: at(longest),
            }
            .to_string()
        };
        assert_eq!(told(3, 20), "less than a minute left");
        assert_eq!(told(50, 70), "up to 2 min left");
        assert_eq!(told(130, 170), "2 to 3 min left");
        assert_eq!(told(1_900, 3_000), "30 to 50 min left");
        assert_eq!(told(4_000, 7_300), "1 h to 2 h 10 min left");
        assert_eq!(told(86_400, 100_000), "24 h to 28 h left");
    }
}
