//! Ctrl-C within a rehearsal, at each of its steps: what it left behind is told, and nothing that isn't so.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cavatica_sandbox::{FaultPlan, LedgerPlace, Route};
use serde_json::Value;

use super::nothing_is_harmed;
use crate::harness::World;

const VOLUME: &str = "sandbox/output";
const AN_OBJECT: &str = "an object";
const PERHAPS: &str = "perhaps an object";
const ONLY_COPY: &str = "the file's only copy, of which it is an alias now";

/// Where it hangs, and what it then says that it left: what, and the last word of where.
struct Step {
    hangs: &'static str,
    route: Route,
    nth: u64,
    left: &'static [(&'static str, &'static str)],
}

const COPIED: (&str, &str) = (AN_OBJECT, "copy");

const STEPS: &[Step] = &[
    Step {
        hangs: "hang-before",
        route: Route::User,
        nth: 1,
        left: &[],
    },
    Step {
        hangs: "hang-before",
        route: Route::Scroll,
        nth: 1,
        left: &[],
    },
    // The copy was never sent, was accepted, is followed, has ended.
    Step {
        hangs: "hang-before",
        route: Route::BulkStart,
        nth: 1,
        left: &[(PERHAPS, "copy")],
    },
    Step {
        hangs: "hang-after",
        route: Route::BulkStart,
        nth: 1,
        left: &[(PERHAPS, "copy")],
    },
    Step {
        hangs: "hang-before",
        route: Route::Exports,
        nth: 1,
        left: &[(PERHAPS, "copy")],
    },
    Step {
        hangs: "hang-before",
        route: Route::BulkGet,
        nth: 1,
        left: &[(PERHAPS, "copy")],
    },
    // Whether the platform kept its own isn't known: the object may be the only copy.
    Step {
        hangs: "hang-before",
        route: Route::File,
        nth: 2,
        left: &[(PERHAPS, "copy")],
    },
    Step {
        hangs: "hang-before",
        route: Route::VolumeObject,
        nth: 1,
        left: &[COPIED],
    },
    Step {
        hangs: "hang-after",
        route: Route::BulkStart,
        nth: 2,
        left: &[COPIED, (PERHAPS, "copy")],
    },
    Step {
        hangs: "hang-after",
        route: Route::BulkStart,
        nth: 3,
        left: &[COPIED, (PERHAPS, "move")],
    },
    Step {
        hangs: "hang-before",
        route: Route::File,
        nth: 3,
        left: &[COPIED, (PERHAPS, "move")],
    },
    Step {
        hangs: "hang-after",
        route: Route::BulkStart,
        nth: 4,
        left: &[COPIED, (ONLY_COPY, "move"), (PERHAPS, "alias")],
    },
];

/// Starts a rehearsal, and waits until the platform was asked so often.
fn begin(world: &World, route: Route, nth: u64) -> Child {
    let file = world.file("results/NA12878/calls.vcf");
    let args = [
        "doctor",
        "--rehearse",
        &file,
        "--volume",
        VOLUME,
        "--poll",
        "50ms",
    ];
    let mut command = world.command(&[&args[..], &["--yes", "--move", "--json"]].concat());
    let program = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = program.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while world.sandbox.ledger().requests_to(route) < nth {
        assert!(Instant::now() < deadline, "{route} {nth} is never asked");
        std::thread::sleep(Duration::from_millis(10));
    }
    program
}

/// Presses Ctrl-C so often, each time when the one before was heard; gives the exit code and what was printed.
fn interrupt(mut program: Child, times: usize) -> (i32, Value) {
    let mut said = BufReader::new(program.stderr.take().unwrap());
    for time in 0..times {
        let pid = program.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
        let mut line = String::new();
        while time == 0 && !line.contains("once more to quit at once") {
            line.clear();
            assert!(
                said.read_line(&mut line).unwrap() > 0,
                "it ends without a word"
            );
        }
    }
    said.read_to_end(&mut Vec::new()).unwrap();
    let ended = program.wait_with_output().unwrap();
    let printed = String::from_utf8(ended.stdout).unwrap();
    let first = printed.lines().next().unwrap_or_default();
    let document = serde_json::from_str(first).unwrap_or_else(|error| panic!("{error}: {printed}"));
    (ended.status.code().unwrap_or(-1), document)
}

/// Everything that is claimed is so, and all that may lie there is named.
fn check(world: &World, document: &Value, name: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let jobs = loop {
        let jobs = world.sandbox.ledger().jobs;
        let under_way = |state: &str| state == "PENDING" || state == "RUNNING";
        if !jobs.iter().any(|job| under_way(&job.state)) {
            break jobs;
        }
        assert!(Instant::now() < deadline, "{name}: jobs don't end");
        std::thread::sleep(Duration::from_millis(10));
    };
    let ledger = world.sandbox.ledger();
    let file = world.file("results/NA12878/calls.vcf");
    let place = world.sandbox.place_of(&file).unwrap();
    let alias_of = match &place {
        LedgerPlace::Alias { location, .. } => Some(location.as_str()),
        LedgerPlace::Platform | LedgerPlace::Gone => None,
    };
    let left = document["left_behind"].as_array().unwrap();
    for left in left {
        let location = left["location"].as_str().unwrap();
        let command = left["command"].as_str().unwrap();
        assert!(command.ends_with(location), "{name}: {command}");
        let verb = match left["what"].as_str().unwrap() {
            AN_OBJECT => {
                assert!(ledger.holds(VOLUME, location), "{name}: {left}");
                assert_ne!(alias_of, Some(location), "{name}: it is the only copy");
                "rm"
            }
            ONLY_COPY => {
                assert_eq!(alias_of, Some(location), "{name}");
                "rm"
            }
            PERHAPS => "ls",
            other => panic!("{name}: {other}"),
        };
        assert!(
            command.starts_with(&format!("aws s3 {verb} s3://")),
            "{name}: {command}"
        );
    }
    for job in jobs.iter().filter(|job| job.state == "COMPLETED") {
        let named = left.iter().any(|left| left["location"] == *job.location);
        assert!(named, "{name}: nothing is said of {}", job.location);
    }
    nothing_is_harmed(world);
}

#[test]
fn ctrl_c_at_each_step_tells_what_may_lie_there() {
    for step in STEPS {
        let world = World::new();
        let faults = format!("{}@{},nth={}", step.hangs, step.route, step.nth);
        world
            .sandbox
            .set_faults(faults.parse::<FaultPlan>().unwrap());
        // The request under way is given up only when it is asked for twice.
        let (exit, document) = interrupt(begin(&world, step.route, step.nth), 2);
        assert_eq!(document["ended"], "stopped", "{faults}");
        let left = document["left_behind"].as_array().unwrap().iter();
        let left: Vec<(&str, &str)> = left
            .map(|left| {
                let location = left["location"].as_str().unwrap();
                let (_, last) = location.rsplit_once('/').unwrap();
                (left["what"].as_str().unwrap(), last)
            })
            .collect();
        assert_eq!(left, step.left, "{faults}");
        let unclear = left.iter().any(|(what, _)| *what == PERHAPS);
        assert_eq!(exit, if unclear { 7 } else { 6 }, "{faults}");
        check(&world, &document, &faults);
    }
}

/// While it waits for a job, once is enough.
#[test]
fn ctrl_c_while_a_job_goes_on_ends_it_at_once() {
    let lasting = Duration::from_secs(2);
    let world = World::with(|builder| builder.job_duration(lasting..=lasting));
    let (exit, document) = interrupt(begin(&world, Route::BulkGet, 1), 1);
    assert_eq!((exit, &document["ended"]), (7, &"stopped".into()));
    assert_eq!(document["left_behind"][0]["what"], PERHAPS);
    assert_eq!(world.accepted(), 1);
    check(&world, &document, "a job goes on");
}
