//! Troubles that matter only together: chance alone would bring them about once in many thousand seeds.

use cavatica_exports::model::ExportMode;
use cavatica_sandbox::Quirk;
use cavatica_transfer::OverwriteAgain;

use crate::scenario::{Scenario, Trouble};
use crate::wire::{Blow, Strike};

/// Refusals that echo our own success.
pub(crate) const ECHOES: [&str; 2] = ["item-error=400/9006", "item-error=409/9107"];

/// Makes a scenario one in which a safeguard of the engine is all that stands between a fault of the world and harm.
pub(crate) fn thicken(chance: &mut fastrand::Rng, scenario: &mut Scenario) {
    scenario.troubles.truncate(1);
    let plot = match chance.u8(..12) {
        0..=2 => late_call(chance, scenario),
        3..=4 => lists_with_gaps(chance, scenario),
        5 => moved_before(chance, scenario),
        6 => overtaken(chance, scenario),
        7 => copied_earlier(chance, scenario),
        8 => echoed(chance, scenario),
        _ => slow_call(chance, scenario),
    };
    scenario.troubles.extend(plot);
}

fn fault(rule: String) -> Trouble {
    Trouble::Fault(rule)
}

fn several_calls(chance: &mut fastrand::Rng, scenario: &mut Scenario) {
    scenario.files = chance.u32(201..=300);
    scenario.job = pick(chance, &[300, 900]);
}

/// A call arrives after others that were sent later, and when it is looked up lists show those, and not yet its jobs.
fn late_call(chance: &mut fastrand::Rng, scenario: &mut Scenario) -> Vec<Trouble> {
    several_calls(chance, scenario);
    let late = match chance.u8(..3) {
        0 => chance.u8(80..240),
        _ => chance.u8(61..80),
    };
    let blow = match chance.u8(..3) {
        0 => Blow::Die(pick(chance, &[1, 2, 5, 20])),
        _ => Blow::Break(chance.u64(1..=19)),
    };
    let late_call = Strike {
        starts_only: true,
        nth: chance.u64(1..=3),
        blow,
    };
    vec![
        fault(format!("late-list={late}s@exports")),
        Trouble::Wire(late_call),
    ]
}

/// Pages of lists leave jobs out while answers are lost.
fn lists_with_gaps(chance: &mut fastrand::Rng, scenario: &mut Scenario) -> Vec<Trouble> {
    several_calls(chance, scenario);
    let gaps = match chance.u8(..3) {
        0 => "disorder".to_owned(),
        _ => format!("omit={}", chance.u8(1..100)),
    };
    let lost = pick(chance, &["nth=1", "nth=2", "nth=3", "every=2"]);
    vec![
        fault(format!("{gaps}@exports,p=0.8")),
        fault(format!("drop-after@bulk-start,{lost}")),
    ]
}

/// A colleague moved files between the plan and the run, on a platform that deletes before it looks.
fn moved_before(chance: &mut fastrand::Rng, scenario: &mut Scenario) -> Vec<Trouble> {
    scenario.mode = ExportMode::Move;
    scenario.overwrite = chance.u8(..4) > 0;
    vec![Trouble::Moved, Trouble::Quirk(Quirk::DeleteBeforeCheck)]
}

/// A second computer takes the transfer over while the first has written down what it sends, and still reads its files.
fn overtaken(chance: &mut fastrand::Rng, scenario: &mut Scenario) -> Vec<Trouble> {
    several_calls(chance, scenario);
    scenario.mode = ExportMode::Move;
    vec![
        fault("hang-after@bulk-files,nth=1".to_owned()),
        Trouble::Owner(chance.u64(1..20)),
    ]
}

/// The same files were copied to the same places before, and some of the calls to do it again never arrive.
fn copied_earlier(chance: &mut fastrand::Rng, scenario: &mut Scenario) -> Vec<Trouble> {
    scenario.overwrite = true;
    scenario.mode = ExportMode::Move;
    let lost = pick(chance, &["nth=1", "nth=2", "every=2"]);
    vec![
        Trouble::Earlier,
        fault(format!("drop-before@bulk-start,{lost}")),
    ]
}

/// Files are refused that were taken all the same, while lists may be late.
fn echoed(chance: &mut fastrand::Rng, scenario: &mut Scenario) -> Vec<Trouble> {
    scenario.mode = ExportMode::Move;
    scenario.troubles.clear();
    let which = pick(chance, &["every=3", "p=0.2", "nth=1"]);
    let echo = pick(chance, &ECHOES);
    let mut troubles = vec![fault(format!("{echo}@bulk-start,{which}"))];
    if chance.bool() {
        troubles.push(fault(format!("late-list={}s@exports", chance.u8(1..240))));
    }
    troubles
}

/// A call whose answer is lost, or says no, is carried out slowly: while lists are late, or so slowly that nobody waits for
/// its end, while they are not.
fn slow_call(chance: &mut fastrand::Rng, scenario: &mut Scenario) -> Vec<Trouble> {
    several_calls(chance, scenario);
    let lost = pick(
        chance,
        &[
            "drop-after",
            "hang-after",
            "refuse-after=429/1000",
            "refuse-after=400/90003",
        ],
    );
    let call = |slowly, nth| fault(format!("{lost}+spread={slowly}s@bulk-start,nth={nth}"));
    if chance.bool() {
        // Each of three calls has so many files that the first of them show soon, and no other trouble makes calls smaller:
        // that nothing shows of a call that is still to be carried out is beyond `requests-die`.
        scenario.troubles.clear();
        scenario.files = chance.u32(250..=300);
        return vec![call(chance.u8(100..=200), 2)];
    }
    let late = chance.u8(30..=60);
    vec![
        fault(format!("late-list={late}s@exports")),
        call(chance.u8(30..=60), chance.u8(1..=2)),
    ]
}

/// Jobs fail, and what failed is sent again.
pub(crate) fn retry(chance: &mut fastrand::Rng, scenario: &mut Scenario) {
    let fails = |trouble: &Trouble| matches!(trouble, Trouble::Fault(rule) if rule.starts_with("fail-jobs"));
    if !scenario.troubles.iter().any(fails) {
        let code = pick(chance, &[9006, 9100, 9103, 9107]);
        let which = pick(chance, &["every=3", "p=0.2", "nth=1"]);
        let rule = format!("fail-jobs={code}@bulk-start,{which}");
        scenario.troubles.push(fault(rule));
    }
    let overwrite = if scenario.overwrite && chance.bool() {
        OverwriteAgain::Yes
    } else {
        OverwriteAgain::No
    };
    let run = chance.u64(2..=3);
    scenario.troubles.push(Trouble::Retry(run, overwrite));
}

/// One of these.
pub(crate) fn pick<T: Clone>(chance: &mut fastrand::Rng, from: &[T]) -> T {
    from[chance.usize(..from.len())].clone()
}
