use std::time::Duration;

use proptest::prelude::*;

use super::*;

const LIMIT: Duration = Duration::from_secs(1);

/// Effect, outcome, fault, and what is decided after the first failure of five.
const TABLE: &[(Effect, Outcome, Fault, Decision)] = {
    use Decision::{AwaitBudget, AwaitMaintenance, BackOff, GiveUp};
    use Effect::{Read, Start};
    use Outcome::{Maintenance, NotSent, Refused, Throttled, Unknown};
    &[
        (Read, NotSent, Fault::Connect, BackOff),
        (Start, NotSent, Fault::Connect, BackOff),
        (Start, NotSent, Fault::TimedOut { limit: LIMIT }, BackOff),
        (Start, NotSent, Fault::Broken, BackOff),
        (Start, NotSent, Fault::Status(502), BackOff),
        (Read, NotSent, Fault::Certificate, GiveUp),
        (Start, NotSent, Fault::Certificate, GiveUp),
        (Read, NotSent, Fault::Call, GiveUp),
        (Read, NotSent, Fault::OtherOrigin, GiveUp),
        (Read, Refused, Fault::Status(404), GiveUp),
        (Start, Refused, Fault::Status(403), GiveUp),
        (Read, Refused, Fault::Redirect { to: None }, GiveUp),
        (Read, Throttled, Fault::Status(429), AwaitBudget),
        (Start, Throttled, Fault::Status(429), GiveUp),
        (Read, Maintenance, Fault::Status(503), AwaitMaintenance),
        (Start, Maintenance, Fault::Status(503), GiveUp),
        (Read, Unknown, Fault::TimedOut { limit: LIMIT }, BackOff),
        (Start, Unknown, Fault::TimedOut { limit: LIMIT }, GiveUp),
        (Read, Unknown, Fault::Broken, BackOff),
        (Start, Unknown, Fault::Broken, GiveUp),
        (Read, Unknown, Fault::Status(500), BackOff),
        (Start, Unknown, Fault::Status(500), GiveUp),
        (Start, Unknown, Fault::Status(403), GiveUp),
        (Read, Unknown, Fault::Unreadable, BackOff),
        (Start, Unknown, Fault::Unreadable, GiveUp),
        (Read, Unknown, Fault::TooLarge { limit: 1 }, GiveUp),
        (Start, Unknown, Fault::TooLarge { limit: 1 }, GiveUp),
        (Start, Unknown, Fault::Redirect { to: None }, GiveUp),
    ]
};

#[test]
fn every_row_of_the_table_is_decided_as_it_says() {
    for (effect, outcome, fault, expected) in TABLE {
        let row = format!("{effect} {outcome:?} {fault:?}");
        assert_eq!(decide(*effect, *outcome, fault, 1, 5), *expected, "{row}");
        // The last failure is final; waits are no failures.
        let last = match expected {
            Decision::BackOff => Decision::GiveUp,
            other => *other,
        };
        assert_eq!(decide(*effect, *outcome, fault, 5, 5), last, "{row}, last");
    }
}

#[test]
fn a_start_of_unknown_outcome_is_never_repeated() {
    for (_, _, fault, _) in TABLE {
        for failures in 0..5 {
            let decision = decide(Effect::Start, Outcome::Unknown, fault, failures, 5);
            assert_eq!(decision, Decision::GiveUp, "{fault:?}");
        }
    }
}

#[test]
fn an_empty_retry_budget_makes_failures_final_until_successes_fill_it() {
    let mut budget = RetryBudget::new();
    let granted = (0..1000).filter(|_| budget.take(&Fault::Broken)).count();
    assert_eq!(granted, 100);
    for _ in 0..5 {
        assert!(!budget.take(&Fault::Broken));
        budget.give_back();
    }
    assert!(budget.take(&Fault::Broken));

    let mut budget = RetryBudget::new();
    let time_out = Fault::TimedOut { limit: LIMIT };
    let granted = (0..1000).filter(|_| budget.take(&time_out)).count();
    assert_eq!(granted, 50, "a time-out costs twice as much");
}

proptest! {
    #[test]
    fn a_wait_is_never_longer_than_the_longest(failures in any::<u32>(), chance in 0.0..1.0_f64) {
        let policy = RetryPolicy::default();
        let wait = policy.wait(failures, chance);
        prop_assert!(wait <= policy.longest_wait);
        // Full jitter: it grows with chance from nothing.
        prop_assert_eq!(policy.wait(failures, 0.0), Duration::ZERO);
    }

    #[test]
    fn waits_double(failures in 1..6_u32) {
        let policy = RetryPolicy::default();
        let bound = |n| policy.wait(n, 0.5);
        prop_assert_eq!(bound(failures + 1), bound(failures) * 2);
    }
}
