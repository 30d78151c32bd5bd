//! The clock that jobs are dated by, measured on jobs of our own.

use jiff::{SignedDuration, Timestamp};

/// How finely jobs are dated.
const GRAIN: SignedDuration = SignedDuration::from_secs(1);

/// A moment of ours is known on the platform's clock to about this: its `Date` has whole seconds and takes a while to come.
const DATE_ERROR: SignedDuration = SignedDuration::from_secs(5);

/// How far a time may be off whose zone isn't told, on a clock that nobody measured.
const UNMEASURED: SignedDuration = SignedDuration::from_hours(26);

/// When the answer of an earlier run's call came isn't known. It may have waited for the limit's next five minutes before it
/// was sent, and no call takes longer than two more.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(7);

/// How far the clock that dates jobs is ahead of the platform's `Date`, between two bounds. Times without a zone, or of a
/// clock that is wrong, show as an offset like any other.
///
/// All moments of ours are told on the platform's `Date`, so that our own clock may be wrong, and be set right between two
/// runs.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub struct JobClock {
    /// At least, and at most, by jobs of our own.
    ahead: Option<(SignedDuration, SignedDuration)>,
    /// At least, by whatever was listed.
    listed: Option<SignedDuration>,
}

impl JobClock {
    /// A job of ours was dated `started`. We sent it at the one moment, and had heard of it at the other.
    pub fn learn(&mut self, started: Timestamp, sent: Timestamp, heard: Timestamp) {
        let least = started.duration_since(heard) - DATE_ERROR;
        let most = started.duration_since(sent) + GRAIN + DATE_ERROR;
        let both = self
            .ahead
            .map(|(known_least, known_most)| (least.max(known_least), most.min(known_most)))
            .filter(|(least, most)| least <= most);
        // Where two samples disagree, a clock was set meanwhile.
        self.ahead = Some(both.unwrap_or((least, most)));
    }

    /// A job of an earlier run was dated `started`, and was to be sent at that moment.
    pub fn learn_later(&mut self, started: Timestamp, sent: Timestamp) {
        let heard = sent.saturating_add(LONGEST_WAIT).unwrap_or(sent);
        let mut told = JobClock::default();
        told.learn(started, sent, heard);
        // The call that waited least tells most: one that waited longer shows the clock further ahead than it is.
        self.ahead = self.ahead.into_iter().chain(told.ahead).min();
    }

    /// A job, whoever's, is dated `told`, and was listed at that moment of ours: the clock is ahead by so much at least.
    pub fn learn_listed(&mut self, told: Timestamp, listed: Timestamp) {
        let least = told.duration_since(listed) - DATE_ERROR;
        self.listed = self.listed.max(Some(least));
    }

    fn bounds(&self) -> (SignedDuration, SignedDuration) {
        let (least, most) = self.ahead.unwrap_or((-UNMEASURED, UNMEASURED));
        // Our own are heeded where the two disagree.
        let listed = self.listed.filter(|listed| *listed <= most);
        (listed.map_or(least, |listed| listed.max(least)), most)
    }

    /// Whether a moment that a job tells lies before one of ours. `None` if it can't be told.
    pub fn is_before(&self, told: Timestamp, ours: Timestamp) -> Option<bool> {
        let (least, most) = self.bounds();
        let ahead = told.duration_since(ours);
        if ahead + GRAIN < least {
            Some(true)
        } else if ahead >= most {
            Some(false)
        } else {
            None
        }
    }

    /// How far the jobs' clock is from the platform's `Date`, at least. `None` before a job of ours was dated.
    pub fn ahead(&self) -> Option<SignedDuration> {
        self.ahead.map(|_| self.presumed())
    }

    /// The same, of a clock that is taken to be right as long as nothing shows that it is wrong.
    pub fn presumed(&self) -> SignedDuration {
        let (least, most) = self.bounds();
        if least.is_positive() {
            least
        } else if most.is_negative() {
            most
        } else {
            SignedDuration::ZERO
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("a moment")
    }

    proptest! {
        /// Whatever the offset is, what is said of before and after is true, and what is far enough apart is said.
        #[test]
        fn a_measured_clock_tells_before_from_after(
            offset in -90_000_i64..90_000,
            samples in prop::collection::vec((0_i64..1_000, 0_i64..20, 0_i64..20), 1..20),
            apart in -500_i64..500,
        ) {
            let mut clock = JobClock::default();
            for (sent, queued_after, heard_after) in samples {
                let queued = sent + queued_after;
                clock.learn(at(queued + offset), at(sent), at(queued + heard_after));
            }
            let ours = at(2_000);
            let told = at(2_000 + apart + offset);
            match clock.is_before(told, ours) {
                Some(before) => prop_assert_eq!(before, apart < 0),
                None => prop_assert!(apart.abs() <= 60, "{} s apart", apart),
            }
        }
    }

    #[test]
    fn without_a_sample_only_what_no_zone_could_explain_is_told() {
        let clock = JobClock::default();
        let hours = |hours: i64| at(hours * 3600);
        let before = |told| clock.is_before(told, at(0));
        assert_eq!(before(hours(-27)), Some(true));
        assert_eq!((before(hours(-25)), before(hours(25))), (None, None));
        assert_eq!(before(hours(27)), Some(false));
    }

    /// What is said of moments so far apart, in seconds.
    fn told(clock: &JobClock, ahead: i64) -> Option<bool> {
        clock.is_before(at(ahead), at(0))
    }

    #[test]
    fn the_bounds_are_what_the_errors_add_up_to() {
        let mut clock = JobClock::default();
        clock.learn(at(100), at(100), at(100));
        let bounds = [-7, -6, 5, 6].map(|ahead| told(&clock, ahead));
        assert_eq!(bounds, [Some(true), None, None, Some(false)]);
        // A wider sample that agrees takes nothing away, one that doesn't begins anew.
        clock.learn(at(100), at(90), at(110));
        assert_eq!(
            (told(&clock, -7), told(&clock, 6)),
            (Some(true), Some(false))
        );
        assert_eq!(clock.ahead(), Some(SignedDuration::ZERO));
        clock.learn(at(1_000), at(100), at(100));
        assert_eq!(clock.ahead(), Some(SignedDuration::from_secs(895)));
        clock.learn(at(100), at(1_000), at(1_000));
        assert_eq!(clock.ahead(), Some(SignedDuration::from_secs(-894)));
    }

    #[test]
    fn a_listed_job_has_begun_whoever_began_it() {
        let mut clock = JobClock::default();
        clock.learn_listed(at(900), at(60));
        clock.learn_listed(at(700), at(60));
        assert_eq!(clock.presumed(), SignedDuration::from_secs(835));
        assert_eq!(clock.ahead(), None);
        assert_eq!(
            [833, 834, 900].map(|ahead| told(&clock, ahead)),
            [Some(true), None, None]
        );
        // Our own tell more, and what contradicts them is not heeded.
        clock.learn(at(900), at(0), at(1));
        clock.learn_listed(at(2_000), at(0));
        assert_eq!(
            [892, 893, 906].map(|ahead| told(&clock, ahead)),
            [Some(true), None, Some(false)]
        );
    }

    #[test]
    fn an_earlier_runs_answer_came_seven_minutes_later_at_most() {
        let mut clock = JobClock::default();
        assert_eq!(clock.ahead(), None);
        // That call waited before it was sent, the next one didn't.
        for started in [400, 100, 200] {
            clock.learn_later(at(started), at(100));
        }
        let bounds = [-427, -426, 5, 6].map(|ahead| told(&clock, ahead));
        assert_eq!(bounds, [Some(true), None, None, Some(false)]);
    }
}
