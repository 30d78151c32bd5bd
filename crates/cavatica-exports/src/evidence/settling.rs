//! When seeing nothing proves that there is nothing.
//!
//! A start whose answer was lost may still be on its way, and a list may be late. So the absence of a job counts only
//!
//! * once the bytes of the call are dead and a settling time has passed, in a list that has all that it must;
//! * where that list shows a witness: a job of ours that was sent another settling time later. What a list shows of later
//!   jobs it shows of earlier ones, and until then the call may still have been carried out, whatever its answer said;
//! * or, at the end of a transfer, where nothing is left that could be a witness, when three whole lists are clean, the
//!   last of them five settling times on: the call was carried out within one, and listed within four more.
//!
//! Where the whole list is too dear, a move has a cheaper proof: its job is in none of the lists of unfinished and of failed
//! jobs, and the file still lies on the platform. It can have completed only a moment ago, without its file showing it yet;
//! so this must be seen twice, four settling times apart.

use std::time::Duration;

use tokio::time::Instant;

use crate::mutation::Mutation;

/// A list that is later than this many settling times isn't believed in any more: the table of lies says what then happens.
pub const LATEST: u32 = 4;

/// A list that never becomes clean is given up after this many.
const PATIENCE: u32 = 2 * LATEST;

/// How many whole lists must be clean where no witness is.
const INQUIRIES: u32 = 3;

/// What was read of the list of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Unfinished jobs: what is there exists, and no more than that is known.
    Unfinished,
    /// Unfinished jobs, failed ones, and unfinished ones again; and where the files lie.
    States,
    /// All of the account's jobs on the volume.
    Whole,
}

/// One look at the platform, as far as it concerns absence.
#[derive(Clone, Copy, Debug)]
pub struct Coverage {
    /// When it began.
    pub began: Instant,
    /// What was read.
    pub extent: Extent,
    /// Whether the lists had all that they must.
    pub clean: bool,
    /// When the newest of our jobs was sent that they show.
    pub witness: Option<Instant>,
}

/// What a look without a trace of the job means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing yet.
    Open,
    /// There is no job.
    Absent {
        /// Whether a witness says so.
        witnessed: bool,
    },
    /// It will never be known.
    Unknowable,
}

/// How far one lost call has settled.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Settling {
    settle: Duration,
    /// When no byte of the call could move any more.
    dead: Instant,
    /// After how many settling times a witness counts.
    wait: u32,
    inquiries: u32,
    clean: u32,
    /// The first clean look at the states.
    states: Option<Instant>,
    last: Option<Instant>,
}

impl Settling {
    /// A call whose bytes are dead from this moment on.
    pub fn since(dead: Instant, settle: Duration) -> Self {
        let (dead, settle) = match Mutation::SettleSkipped.is_on() {
            true => (Instant::now(), Duration::ZERO),
            false => (dead, settle),
        };
        Settling {
            settle,
            dead,
            wait: 1,
            inquiries: 0,
            clean: 0,
            states: None,
            last: None,
        }
    }

    /// A call that is still being carried out at this moment, as some of its files show: how slowly, nobody knows.
    pub fn of_slow_call(now: Instant, settle: Duration) -> Self {
        Settling {
            wait: LATEST,
            ..Settling::since(now, settle)
        }
    }

    /// The platform takes longer than it was given.
    pub fn lengthen(&mut self, settle: Duration) {
        self.settle = self.settle.max(settle);
    }

    /// When no byte of the call could move any more.
    pub fn dead(&self) -> Instant {
        self.dead
    }

    /// When to look next: one, two, five and nine settling times on, and then every four.
    pub fn due(&self) -> Instant {
        let times = match self.inquiries {
            0 => 1,
            1 => 2,
            inquiries => 1 + LATEST * (inquiries - 1),
        };
        let due = self.dead + self.settle * times;
        self.last.map_or(due, |last| due.max(last + self.settle))
    }

    /// From when on the call isn't carried out any more: what is sent then is a witness.
    pub fn witnessed_from(&self) -> Instant {
        self.dead + self.settle
    }

    /// A look showed no trace of the job.
    pub fn saw_nothing(&mut self, coverage: Coverage) -> Settled {
        self.last = Some(coverage.began);
        if coverage.extent == Extent::Unfinished || coverage.began < self.dead + self.settle {
            return Settled::Open;
        }
        self.inquiries += 1;
        if !coverage.clean {
            let too_late = coverage.began >= self.dead + self.settle * PATIENCE;
            return if self.inquiries >= INQUIRIES && too_late {
                Settled::Unknowable
            } else {
                Settled::Open
            };
        }
        let late_enough = self.settle * LATEST;
        let waited = coverage.began >= self.dead + self.settle * self.wait;
        let too_old = Mutation::WitnessTooOld.is_on();
        let is_witness = |sent| sent > self.witnessed_from() || too_old;
        let witnessed = waited
            && (coverage.witness.is_some_and(is_witness) || Mutation::WitnessNotAsked.is_on());
        let absent = match coverage.extent {
            Extent::Whole => {
                self.clean += 1;
                let is_listed = coverage.began >= self.witnessed_from() + late_enough;
                witnessed || (self.clean >= INQUIRIES && is_listed)
            }
            Extent::States => {
                let first = *self.states.get_or_insert(coverage.began);
                witnessed && coverage.began >= first + late_enough
            }
            Extent::Unfinished => false,
        };
        if absent {
            Settled::Absent { witnessed }
        } else {
            Settled::Open
        }
    }
}

#[cfg(feature = "proof")]
mod moments;

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(60);

    struct Case {
        settling: Settling,
        dead: Instant,
    }

    impl Case {
        fn new() -> Self {
            let dead = Instant::now();
            Case {
                settling: Settling::since(dead, SETTLE),
                dead,
            }
        }

        fn inquire_at(
            &mut self,
            times: f64,
            extent: Extent,
            clean: bool,
            witness: Option<f64>,
        ) -> Settled {
            let after = |times: f64| self.dead + SETTLE.mul_f64(times);
            let coverage = Coverage {
                began: after(times),
                extent,
                clean,
                witness: witness.map(after),
            };
            self.settling.saw_nothing(coverage)
        }
    }

    #[test]
    fn a_witness_of_a_settling_time_later_ends_it_as_soon_as_it_shows() {
        let mut case = Case::new();
        assert_eq!(
            case.inquire_at(1.0, Extent::Whole, true, None),
            Settled::Open
        );
        assert_eq!(
            case.inquire_at(1.5, Extent::Whole, true, Some(1.2)),
            Settled::Absent { witnessed: true }
        );
    }

    #[test]
    fn a_witness_sent_while_the_call_may_still_be_carried_out_is_none() {
        let mut case = Case::new();
        assert_eq!(
            case.inquire_at(1.5, Extent::Whole, true, Some(1.0)),
            Settled::Open
        );
        assert_eq!(
            case.inquire_at(2.0, Extent::Whole, true, None),
            Settled::Open
        );
    }

    #[test]
    fn a_slow_call_is_waited_for_four_times_as_long() {
        let mut case = Case::new();
        case.settling = Settling::of_slow_call(case.dead, SETTLE);
        for times in [1.0, 2.0] {
            assert_eq!(
                case.inquire_at(times, Extent::Whole, true, Some(1.2)),
                Settled::Open
            );
        }
        let settled = case.inquire_at(4.0, Extent::Whole, true, Some(1.2));
        assert_eq!(settled, Settled::Absent { witnessed: true });
    }

    #[test]
    fn at_the_tail_three_clean_lists_do_the_last_five_times_on() {
        let mut case = Case::new();
        for times in [1.0, 2.0, 4.9] {
            assert_eq!(
                case.inquire_at(times, Extent::Whole, true, None),
                Settled::Open
            );
        }
        assert_eq!(
            case.inquire_at(5.0, Extent::Whole, true, None),
            Settled::Absent { witnessed: false }
        );
    }

    #[test]
    fn a_list_that_is_never_clean_is_given_up() {
        let mut case = Case::new();
        for times in [1.0, 2.0, 4.0, 7.9] {
            assert_eq!(
                case.inquire_at(times, Extent::Whole, false, Some(0.5)),
                Settled::Open
            );
        }
        assert_eq!(
            case.inquire_at(8.0, Extent::Whole, false, Some(0.5)),
            Settled::Unknowable
        );
    }

    #[test]
    fn the_states_must_be_clean_twice_far_apart_and_witnessed() {
        let mut case = Case::new();
        assert_eq!(
            case.inquire_at(1.0, Extent::States, true, None),
            Settled::Open
        );
        assert_eq!(
            case.inquire_at(4.0, Extent::States, true, Some(1.5)),
            Settled::Open
        );
        assert_eq!(
            case.inquire_at(5.0, Extent::States, true, None),
            Settled::Open
        );
        assert_eq!(
            case.inquire_at(6.0, Extent::States, true, Some(5.5)),
            Settled::Absent { witnessed: true }
        );
    }

    #[test]
    fn unfinished_jobs_alone_prove_nothing() {
        let mut case = Case::new();
        for times in [1.0, 4.0, 20.0] {
            assert_eq!(
                case.inquire_at(times, Extent::Unfinished, true, Some(0.5)),
                Settled::Open
            );
        }
    }

    #[test]
    fn looks_before_a_settling_time_count_for_nothing() {
        let mut case = Case::new();
        for times in [0.1, 0.4, 0.9] {
            let early = case.inquire_at(times, Extent::Whole, true, Some(0.05));
            assert_eq!(early, Settled::Open);
        }
        assert_eq!(case.settling.due(), case.dead + SETTLE.mul_f64(1.9));
        assert_eq!(
            case.inquire_at(4.0, Extent::Whole, true, None),
            Settled::Open,
            "the first that counts"
        );
        assert_eq!(case.settling.due(), case.dead + SETTLE * 5);
    }

    #[test]
    fn a_platform_that_takes_longer_than_it_was_given_gets_longer() {
        let mut case = Case::new();
        case.settling.lengthen(SETTLE / 2);
        assert_eq!(case.settling.witnessed_from(), case.dead + SETTLE);
        case.settling.lengthen(SETTLE * 2);
        assert_eq!(case.settling.witnessed_from(), case.dead + SETTLE * 2);
    }

    #[test]
    fn inquiries_come_after_one_two_five_and_nine_settling_times() {
        let mut case = Case::new();
        for times in [1, 2, 5, 9, 13, 17] {
            let due = case.settling.due();
            assert_eq!(due, case.dead + SETTLE * times);
            case.inquire_at(f64::from(times), Extent::Whole, false, None);
        }
    }
}
