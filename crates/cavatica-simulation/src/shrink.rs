//! A failing scenario, made as short as it can be.

use crate::scenario::Scenario;
use crate::world::{Mode, Played, play};

/// Leaves out one thing at a time, and makes the rest smaller, for as long as the scenario still fails in the same way.
#[must_use]
pub fn shrink(scenario: &Scenario, mode: Mode) -> (Scenario, Played) {
    let mut least = scenario.clone();
    let mut played = play(&least, mode, false);
    let kind = |wrong: &String| wrong.split(':').next().unwrap_or_default().to_owned();
    let kinds: Vec<String> = played.wrongs.iter().map(kind).collect();
    loop {
        let smaller = candidates(&least).find_map(|candidate| {
            let played = play(&candidate, mode, false);
            let same = played
                .wrongs
                .iter()
                .any(|wrong| kinds.contains(&kind(wrong)));
            same.then_some((candidate, played))
        });
        match smaller {
            Some(smaller) => (least, played) = smaller,
            None => return (least, played),
        }
    }
}

fn candidates(scenario: &Scenario) -> impl Iterator<Item = Scenario> {
    let without = (0..scenario.troubles.len()).map(|at| {
        let mut fewer = scenario.clone();
        fewer.troubles.remove(at);
        fewer
    });
    let fewer_files = [2, 10, 101, scenario.files / 2].into_iter();
    let fewer_files = fewer_files.filter(|files| (1..scenario.files).contains(files));
    let fewer_files = fewer_files.map(|files| Scenario {
        files,
        ..scenario.clone()
    });
    let plain = scenario.overwrite.then(|| Scenario {
        overwrite: false,
        ..scenario.clone()
    });
    without
        .chain(plain)
        .chain(fewer_files)
        .collect::<Vec<_>>()
        .into_iter()
}

/// A test to paste.
#[must_use]
pub fn as_test(scenario: &Scenario, mode: Mode) -> String {
    let check = match mode {
        Mode::Safety => "holds",
        Mode::Liveness => "ends",
        Mode::Harm => "does_no_harm",
    };
    format!(
        "#[test]\nfn seed_{}() {{\n    {check}(\n        \"{scenario}\",\n    );\n}}",
        scenario.seed
    )
}
