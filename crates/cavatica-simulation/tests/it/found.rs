//! Scenarios that once showed a fault.

use cavatica_simulation::{Mode, Scenario, play};

fn check(text: &str, mode: Mode) {
    let scenario: Scenario = text.parse().expect("a scenario");
    let played = play(&scenario, mode, false);
    assert!(played.wrongs.is_empty(), "{text}: {:?}", played.wrongs);
}

fn ends(text: &str) {
    check(text, Mode::Liveness);
}

#[test]
fn nothing_happens() {
    ends("seed 1, 250 files, move, jobs of 30 s");
}
