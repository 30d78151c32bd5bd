//! The same seed gives the same log.

use cavatica_simulation::{Belief, Mode, Order, Scenario, Trouble, play, play_in_order};

/// Enough for every kind of line.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=25;

#[test]
fn a_seed_played_twice_gives_the_same_log_byte_for_byte() {
    let mut all = String::new();
    for seed in SEEDS {
        let scenario = Scenario::of_seed(seed, None);
        let [one, other] = [(); 2].map(|()| play(&scenario, Mode::Safety, true).log);
        if let Some((one, other)) = one
            .lines()
            .zip(other.lines())
            .find(|(one, other)| one != other)
        {
            panic!("{scenario}:\n{one}\n{other}");
        }
        assert_eq!(one.len(), other.len(), "{scenario}");
        all += &one;
    }
    // Requests, commits, deaths and decisions are in it.
    for line in [
        "says POST /v2/bulk/storage/exports/create",
        "the platform hears POST /v2/bulk/storage/exports/create",
        "disk: sync the folder",
        "dies at step",
        "power fails",
        "AnswersLost",
        "Reconciled",
        "judged",
    ] {
        assert!(all.contains(line), "nothing says `{line}`");
    }
}

#[test]
fn the_order_of_a_hash_map_is_noticed() {
    let scenario = "seed 7, 100 files, move, jobs of 60 s; others elsewhere 0";
    let scenario: Scenario = scenario.parse().expect("a scenario");
    let fixed = [(); 2].map(|()| play(&scenario, Mode::Safety, true).log);
    assert!(fixed[0] == fixed[1], "{scenario}");
    let hashed = [(); 2].map(|()| play_in_order(&scenario, Mode::Safety, true, Order::HashMap).log);
    assert!(hashed[0] != hashed[1], "nothing noticed it");
}

#[test]
fn a_scenario_is_its_text() {
    for seed in 1..=500 {
        let scenario = Scenario::of_seed(seed, None);
        assert_eq!(scenario.to_string().parse(), Ok(scenario));
    }
}

#[test]
fn a_scenario_breaks_no_belief_but_the_one_that_is_left_out() {
    for without in std::iter::once(None).chain(Belief::ALL.map(Some)) {
        for seed in 1..=500 {
            let scenario = Scenario::of_seed(seed, without);
            let mut broken = scenario.troubles.iter().filter_map(Trouble::beyond);
            assert!(broken.all(|belief| Some(belief) == without), "{scenario}");
        }
    }
}
