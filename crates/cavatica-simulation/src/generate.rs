//! What befalls a transfer, by seed.

use cavatica_exports::model::ExportMode;
use cavatica_sandbox::Quirk;

use crate::belief::Belief;
use crate::plot::{self, ECHOES, pick};
use crate::scenario::{Others, Scenario, Trouble};
use crate::wire::{Blow, Strike};

/// Answers that say no to a whole call.
const NOES: [&str; 8] = [
    "429/1000",
    "503/0",
    "401/90001",
    "403/90002",
    "404/90003",
    "400/90000",
    "409/90007",
    "500/90004",
];

/// What may go wrong with any request.
const ANYWHERE: [&str; 11] = [
    "drop-before",
    "drop-after",
    "hang-before",
    "hang-after",
    "error-after=502",
    "error-after=503",
    "html-before=502",
    "html-after=200",
    "truncate",
    "throttle",
    "maintenance",
];

const QUIRKS: [Quirk; 13] = [
    Quirk::Created,
    Quirk::FailedAsError,
    Quirk::OldestFirst,
    Quirk::LastWins,
    Quirk::RefuseInJob,
    Quirk::OccupiedAtStart,
    Quirk::DeleteLast,
    Quirk::DeleteBeforeCheck,
    Quirk::ResetInMilliseconds,
    Quirk::Capitals,
    Quirk::NoHosts,
    Quirk::SlashedPrefixes,
    Quirk::BareListing,
];

impl Scenario {
    /// The scenario of a seed. All beliefs hold in it but the one that is left out, which is broken at least once.
    #[must_use]
    pub fn of_seed(seed: u64, without: Option<Belief>) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let files = match chance.u8(..10) {
            0 => chance.u32(1..=3),
            1..=6 => chance.u32(30..=150),
            _ => chance.u32(151..=300),
        };
        let mode = if chance.u8(..3) == 0 {
            ExportMode::Copy
        } else {
            ExportMode::Move
        };
        let mut scenario = Scenario {
            seed,
            files,
            mode,
            overwrite: chance.u8(..5) == 0,
            job: [1, 10, 60, 300, 900][chance.usize(..5)],
            troubles: Vec::new(),
        };
        for _ in 0..chance.u8(1..=5) {
            let trouble = trouble(&mut chance, &scenario);
            // Twice the same, a platform would spell what is spelled otherwise already.
            if !scenario
                .troubles
                .iter()
                .any(|other| other.kind() == trouble.kind() && is_lasting(other))
            {
                scenario.troubles.push(trouble);
            }
        }
        // With an answer lost besides, the file would be believed, and sent again: that is beyond `alias-is-true`.
        let lies = mode == ExportMode::Move && chance.u8(..40) == 0;
        if lies {
            let lie = pick(&mut chance, &["keep-file", "hollow"]);
            let rule = format!("{lie}@bulk-start,every=3");
            scenario.troubles = vec![Trouble::Fault(rule)];
        }
        if scenario.overwrite && mode == ExportMode::Move && chance.bool() {
            scenario.troubles.push(Trouble::Earlier);
        }
        if without.is_none() && chance.u8(..3) == 0 && !lies {
            plot::thicken(&mut chance, &mut scenario);
        }
        if without.is_none() && chance.u8(..5) == 0 && !lies {
            plot::retry(&mut chance, &mut scenario);
        }
        if without.is_none() && chance.u8(..20) == 0 {
            scenario
                .troubles
                .push(Trouble::Past(chance.u32(2_001..=4_000)));
        }
        // Of a slow call of few files nothing shows while it is carried out, which is beyond `requests-die`.
        let is_slow = |trouble: &Trouble| is_fault(trouble, "spread=");
        if without.is_none() && chance.u8(..6) == 0 && !scenario.troubles.iter().any(is_slow) {
            let most = pick(&mut chance, &[1, 10, u64::from(files)]);
            let wish = pick(&mut chance, &[Trouble::Limit, Trouble::MaxErrors]);
            let first = wish(chance.u64(1..=most));
            scenario.troubles.insert(0, first);
        }
        stay_within_belief(&mut scenario);
        if let Some(belief) = without {
            break_belief(&mut chance, belief, &mut scenario);
        }
        scenario
    }
}

/// Leaves out what only together goes beyond what is believed, or judged.
fn stay_within_belief(scenario: &mut Scenario) {
    let troubles = &mut scenario.troubles;
    // A refusal that the plan foretold is believed when one look shows nothing else, and without hosts it foretells all.
    if troubles.contains(&Trouble::Quirk(Quirk::NoHosts)) {
        let is_echo = |trouble: &Trouble| ECHOES.iter().any(|echo| is_fault(trouble, echo));
        troubles.retain(|trouble| !is_echo(trouble));
    }
    // The first copy would seem to have moved its file. And what became of a file that was deleted since, a backup doesn't
    // see, which is beyond `one-disk`.
    let is_backup = |trouble: &Trouble| matches!(trouble, Trouble::Backup(_));
    if scenario.mode == ExportMode::Copy || troubles.iter().any(is_backup) {
        troubles.retain(|trouble| !is_fault(trouble, "lose-file"));
    }
    // A file waits for another program's job as long as that isn't known to have ended.
    let is_of_others = |trouble: &Trouble| matches!(trouble, Trouble::Others(..));
    if troubles.iter().any(is_of_others) {
        for trouble in troubles
            .iter_mut()
            .filter(|trouble| is_fault(trouble, "odd-state"))
        {
            *trouble = Trouble::Fault("odd-state=ABORTED@exports,p=0.3".to_owned());
        }
    }
}

fn is_fault(trouble: &Trouble, part: &str) -> bool {
    matches!(trouble, Trouble::Fault(rule) if rule.contains(part))
}

/// Whether it says how the platform is, rather than what it does at some moment.
fn is_lasting(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Fault(rule) => !rule.contains('@'),
        _ => false,
    }
}

fn trouble(chance: &mut fastrand::Rng, scenario: &Scenario) -> Trouble {
    match chance.u8(..35) {
        0..=5 => death(chance),
        6..=12 => Trouble::Fault(of_starts(chance)),
        13..=15 => Trouble::Fault(of_reads(chance)),
        16..=17 => Trouble::Fault(of_lists(chance)),
        18..=19 => Trouble::Fault(of_jobs(chance, scenario.mode)),
        20..=21 => Trouble::Fault(of_echoes(chance)),
        22 => Trouble::Quirk(pick(chance, &QUIRKS)),
        23..=25 | 32..=34 => Trouble::Wire(strike(chance)),
        26 => Trouble::Stop(chance.u64(1..200)),
        27 => Trouble::Clock(pick(chance, &[-86_400, -900, -60, 60, 900, 86_400])),
        28 => Trouble::Full(chance.u64(1..400)),
        29 if chance.u8(..4) == 0 => Trouble::Link(chance.u64(1..60)),
        29 => Trouble::Owner(chance.u64(1..300)),
        30 if scenario.mode == ExportMode::Move => Trouble::Backup(chance.u64(1..100)),
        30 => death(chance),
        _ => {
            let who = pick(chance, &[Others::Same, Others::Elsewhere]);
            Trouble::Others(who, pick(chance, &[0, 0, 5, 30, 100]))
        }
    }
}

/// Many steps are taken at the beginning, and most where calls go out.
fn death(chance: &mut fastrand::Rng) -> Trouble {
    let most = pick(chance, &[100, 400, 1000, 3000]);
    let step = chance.u64(5..most);
    let pause = pick(chance, &[0, 1, 5, 30, 300]);
    if chance.bool() {
        Trouble::Kill(step, pause)
    } else {
        Trouble::Power(step, pause)
    }
}

/// Which of them, and how often.
fn when(chance: &mut fastrand::Rng) -> String {
    match chance.u8(..6) {
        0..=2 => format!("nth={}", chance.u64(1..=4)),
        3 => "every=2".to_owned(),
        4 => format!("every={}", chance.u64(3..=6)),
        _ => "p=0.3".to_owned(),
    }
}

fn of_starts(chance: &mut fastrand::Rng) -> String {
    let mut fault = match chance.u8(..10) {
        0..=3 => pick(chance, &ANYWHERE).to_owned(),
        4..=7 => format!("refuse-after={}", pick(chance, &NOES)),
        8 => format!("refuse={}", pick(chance, &NOES)),
        _ => {
            let tampering = [
                "shuffle".to_owned(),
                "nameless+shuffle".to_owned(),
                format!("omit={}", chance.u8(1..30)),
            ];
            pick(chance, &tampering)
        }
    };
    let is_carried_out = fault.contains("after") || fault == "truncate";
    if is_carried_out {
        match chance.u8(..6) {
            0 => fault += &format!("+take={}", chance.u8(1..100)),
            1 => fault += "+take-every=2",
            2 => fault += &format!("+spread={}s", chance.u8(5..60)),
            _ => {}
        }
    }
    format!("{fault}@bulk-start,{}", when(chance))
}

fn of_reads(chance: &mut fastrand::Rng) -> String {
    let route = pick(
        chance,
        &[
            "bulk-get",
            "bulk-files",
            "exports",
            "volume",
            "file",
            "export",
        ],
    );
    let fault = match chance.u8(..4) {
        0 if route.starts_with("bulk") => format!("omit={}", chance.u8(1..30)),
        1 if route == "bulk-get" => "nameless+shuffle".to_owned(),
        1 if route == "bulk-files" => "shuffle".to_owned(),
        2 if route == "exports" => pick(chance, &["odd-items=3", "odd-state=ABORTED"]).to_owned(),
        _ => pick(chance, &ANYWHERE).to_owned(),
    };
    format!("{fault}@{route},{}", when(chance))
}

fn of_lists(chance: &mut fastrand::Rng) -> String {
    match chance.u8(..4) {
        0 => format!("disorder@exports,{}", when(chance)),
        1 => format!("late-list={}s@exports,p=0.5", chance.u8(1..240)),
        2 => format!("late-list={}s@exports", chance.u8(60..240)),
        _ => format!("late-list={}s@exports", chance.u8(1..=60)),
    }
}

fn of_jobs(chance: &mut fastrand::Rng, mode: ExportMode) -> String {
    let which = pick(chance, &["every=3", "every=10", "p=0.2", "nth=1"]);
    let fault = match chance.u8(..7) {
        // A refusal that echoes our own success. Of a first copy it is believed: nothing of ours was ever there.
        6 if mode == ExportMode::Move => pick(chance, &ECHOES).to_owned(),
        0..=1 => format!("fail-jobs={}", pick(chance, &[9100, 9103, 9107, 9006])),
        2 => format!(
            "item-error={}",
            pick(chance, &["500/90004", "503/90005", "408/90000", "429/1000"])
        ),
        3 => format!("late-alias={}s", chance.u8(1..=200)),
        4 => format!("lose-file={}s", chance.u8(0..=100)),
        _ => "fail-jobs=9104".to_owned(),
    };
    format!("{fault}@bulk-start,{which}")
}

fn of_echoes(chance: &mut fastrand::Rng) -> String {
    pick(
        chance,
        &[
            "job-clock=-900",
            "job-clock=900",
            "zoneless=-5",
            "no-times",
            "date=-900",
            "date=900",
            "respell=nfd",
            "respell=percent",
        ],
    )
    .to_owned()
}

fn strike(chance: &mut fastrand::Rng) -> Strike {
    let blow = match chance.u8(..9) {
        0 => Blow::Refuse,
        1 => Blow::CutUp(chance.u64(0..8000)),
        2 => Blow::CutDown(chance.u64(0..8000)),
        3 => Blow::SlowUp(chance.u64(1..=19)),
        4 => Blow::SlowDown(chance.u64(1..200)),
        5 => Blow::Break(chance.u64(0..=19)),
        6..=7 => Blow::Die(pick(chance, &[1, 2, 5, 20])),
        _ => Blow::DiePower(pick(chance, &[1, 2, 5, 20])),
    };
    let dies = matches!(blow, Blow::Die(_) | Blow::DiePower(_));
    let starts_only = blow != Blow::Refuse && (dies || chance.bool());
    let nth = if starts_only {
        chance.u64(1..=4)
    } else {
        chance.u64(1..60)
    };
    Strike {
        starts_only,
        nth,
        blow,
    }
}

/// Adds what can't be if the belief holds, and what makes it matter.
fn break_belief(chance: &mut fastrand::Rng, belief: Belief, scenario: &mut Scenario) {
    let lost = || Trouble::Fault("drop-after@bulk-start,nth=2".to_owned());
    let broken = match belief {
        Belief::RequestsDie => {
            // The platform refuses a file that has moved meanwhile.
            scenario.mode = ExportMode::Copy;
            vec![Trouble::Wire(Strike {
                starts_only: true,
                nth: chance.u64(2..=3),
                blow: Blow::SlowUp(chance.u64(300..1000)),
            })]
        }
        Belief::ListInOrder => {
            let late = format!("late-list={}s@exports", chance.u16(300..1500));
            let mut broken = vec![Trouble::Fault(late), lost()];
            if chance.bool() {
                // A second sending that might overwrite would delete what the first one brought.
                (scenario.mode, scenario.overwrite, scenario.job) = (ExportMode::Move, true, 900);
                // Others may overwrite as well, and a backup doesn't know that its sending is the second.
                let alone = |trouble: &Trouble| {
                    !matches!(trouble, Trouble::Backup(_) | Trouble::Others(..))
                };
                scenario.troubles.retain(alone);
                broken.extend([Quirk::DeleteBeforeCheck, Quirk::RefuseInJob].map(Trouble::Quirk));
            }
            broken
        }
        Belief::JobsKept => {
            let rule = if chance.bool() {
                format!("forget={}s", chance.u8(5..120))
            } else {
                format!("cap-list={}@exports", chance.u8(5..100))
            };
            vec![Trouble::Fault(rule), lost()]
        }
        Belief::SyncedStays => vec![Trouble::Forgets(chance.u64(30..600), 5)],
        Belief::OneDisk => vec![Trouble::Copy(chance.u64(0..30))],
        Belief::FileKeepsId => vec![Trouble::Fault("lose-file=0s@bulk-start".to_owned())],
        Belief::AliasIsTrue => {
            let fault = match chance.u8(..3) {
                0 => "keep-file".to_owned(),
                1 => "hollow".to_owned(),
                _ => format!("late-alias={}s", chance.u16(300..3000)),
            };
            vec![
                Trouble::Fault(format!("{fault}@bulk-start,every=3")),
                lost(),
            ]
        }
        Belief::OneAccount => {
            // Between the look at the files and the arrival of the call.
            (scenario.mode, scenario.overwrite, scenario.job) = (ExportMode::Move, true, 1);
            vec![
                Trouble::Quirk(Quirk::DeleteBeforeCheck),
                Trouble::Wire(Strike {
                    starts_only: true,
                    nth: 1,
                    blow: Blow::SlowUp(chance.u64(10..20)),
                }),
                Trouble::Others(Others::Colleague, chance.u64(3..6)),
            ]
        }
        Belief::OneClock => {
            // A job of a move that ended shows on its file, whatever it is dated.
            scenario.mode = ExportMode::Copy;
            let apart = "job-clock=-900@exports".to_owned();
            vec![Trouble::Fault(apart), lost()]
        }
    };
    scenario.troubles.extend(broken);
}
