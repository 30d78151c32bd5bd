//! Every question that one file can answer, answered one way and the other: exactly that one is seen, and nothing else.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use cavatica_sandbox::{FaultPlan, Quirk};

use super::{nothing_is_harmed, observed, rehearse_at};
use crate::harness::World;

/// A platform, and what of it is otherwise than the program was written for.
struct Platform {
    quirk: Option<Quirk>,
    faults: &'static str,
    poll: &'static str,
    more: &'static [&'static str],
    otherwise: &'static [(&'static str, &'static [&'static str])],
}

const AS_EXPECTED: &[(&str, &[&str])] = &[
    ("start-status", &["200"]),
    ("copy-only", &["kept"]),
    ("list-order", &["newest-first"]),
    ("list-delay", &["at-once"]),
    (
        "object-metadata",
        &["content-length", "etag", "last-modified"],
    ),
    // A folder that fits on a page tells nothing of the largest one.
    ("scroll-page", &[]),
    ("not-exportable", &["at-once"]),
    ("occupied", &["in-the-job"]),
    ("failed-job", &["200"]),
    ("reset-unit", &["seconds"]),
    ("job-names", &["named"]),
    ("job-state", &["documented"]),
    ("job-times", &["with-zone"]),
    ("alias-location", &["as-sent"]),
    ("alias-delay", &["at-once"]),
];

/// What a rehearsal sees of each quirk. Of some it can see nothing, and then it says nothing.
fn of_quirk(quirk: Quirk) -> &'static [(&'static str, &'static [&'static str])] {
    match quirk {
        Quirk::Created => &[("start-status", &["201"])],
        // Nothing is copied or moved after that.
        Quirk::IgnoreCopyOnly => &[
            ("copy-only", &["moved"]),
            ("list-order", &[]),
            ("occupied", &[]),
            ("failed-job", &[]),
            ("alias-delay", &[]),
        ],
        Quirk::OldestFirst => &[("list-order", &["oldest-first"])],
        Quirk::RefuseInJob => &[("not-exportable", &["in-the-job"])],
        // No job fails.
        Quirk::OccupiedAtStart => &[("occupied", &["at-once"]), ("failed-job", &[])],
        Quirk::LastWins => &[("occupied", &["not-at-all"]), ("failed-job", &[])],
        Quirk::FailedAsError => &[("failed-job", &["its-error's"])],
        Quirk::ResetInMilliseconds => &[("reset-unit", &["milliseconds"])],
        Quirk::NoReset => &[("reset-unit", &["untold"])],
        Quirk::BareObject => &[("object-metadata", &["none"])],
        _ => &[],
    }
}

/// What is no quirk, but goes wrong on purpose.
const FAULTS: &[Platform] = &[
    Platform {
        quirk: None,
        faults: "refuse=403/90002@scroll",
        poll: "50ms",
        more: &[],
        otherwise: &[("scroll-page", &["refused"])],
    },
    Platform {
        quirk: None,
        faults: "cap-scroll=1@scroll",
        poll: "50ms",
        more: &[],
        otherwise: &[("scroll-page", &["fewer"])],
    },
    Platform {
        quirk: None,
        faults: "nameless@bulk-start",
        poll: "50ms",
        more: &[],
        otherwise: &[("job-names", &["nameless"])],
    },
    Platform {
        quirk: None,
        faults: "no-times@bulk-start",
        poll: "50ms",
        more: &[],
        otherwise: &[("job-times", &["not-at-all"])],
    },
    Platform {
        quirk: None,
        faults: "zoneless=2@bulk-start",
        poll: "50ms",
        more: &[],
        otherwise: &[("job-times", &["without-zone"])],
    },
    Platform {
        quirk: None,
        faults: "odd-state=ABORTED@bulk-get,nth=1",
        poll: "50ms",
        more: &[],
        otherwise: &[("job-state", &["documented", "undocumented"])],
    },
    Platform {
        quirk: None,
        faults: "respell=percent@file",
        poll: "50ms",
        more: &["--prefix", "proben für/"],
        otherwise: &[("alias-location", &["in-another-form"])],
    },
    // Looked at when it was accepted, and a second later at the soonest.
    Platform {
        quirk: None,
        faults: "late-list=500ms@exports",
        poll: "1s",
        more: &[],
        otherwise: &[("list-delay", &["at-once", "late"])],
    },
];

fn play(platform: &Platform) {
    let (quirk, faults) = (platform.quirk, platform.faults);
    let world = World::with(|builder| match quirk {
        Some(quirk) => builder.quirk(quirk),
        None => builder,
    });
    world
        .sandbox
        .set_faults(faults.parse::<FaultPlan>().unwrap());
    let more = [&["--yes", "--move", "--json"], platform.more].concat();
    let run = rehearse_at(&world, platform.poll, &more);
    let name = quirk.map_or(faults, Quirk::name);
    assert_eq!(run.exit(), 0, "{name}: {}", run.snapshot());
    let expected: BTreeMap<&str, &[&str]> = AS_EXPECTED
        .iter()
        .chain(platform.otherwise)
        .copied()
        .collect();
    for (question, seen) in observed(&run.document()) {
        assert_eq!(seen, expected[&*question], "{name}: {question}");
    }
    nothing_is_harmed(&world);
}

#[test]
fn it_passes_with_every_quirk_either_way() {
    let quirks = Quirk::ALL.iter().map(|quirk| Platform {
        quirk: Some(*quirk),
        faults: "",
        poll: "50ms",
        more: &[],
        otherwise: of_quirk(*quirk),
    });
    let none = Platform {
        quirk: None,
        faults: "",
        poll: "50ms",
        more: &[],
        otherwise: &[],
    };
    let quirks: Vec<Platform> = quirks.chain([none]).collect();
    for some in quirks.chunks(8).chain(FAULTS.chunks(8)) {
        thread::scope(|scope| {
            for platform in some {
                scope.spawn(move || play(platform));
            }
        });
    }
}

/// The job of a move is seen completed a second after it was sent, its file on the platform then and an alias another second
/// later.
#[test]
fn an_alias_that_is_late_is_looked_at_again() {
    let lasting = Duration::from_millis(900);
    let world = World::with(|builder| builder.job_duration(lasting..=lasting));
    let faults = "late-alias=600ms@bulk-start,nth=3";
    world
        .sandbox
        .set_faults(faults.parse::<FaultPlan>().unwrap());
    let run = rehearse_at(&world, "1s", &["--yes", "--move", "--json"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    assert_eq!(observed(&run.document())["alias-delay"], ["late"]);
    nothing_is_harmed(&world);
}
