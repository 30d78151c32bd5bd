//! `cavatica export` when the start's answer is lost: never sent twice, and the outcome is told.

use cavatica_sandbox::{FaultPlan, Route};

use crate::harness::World;

fn faulty(faults: &str) -> World {
    let plan: FaultPlan = faults.parse().unwrap();
    World::with(|builder| builder.faults(plan))
}

#[test]
fn an_accepted_job_is_found_and_followed() {
    for fault in [
        "drop-after@start,nth=1",
        "error-after=502@start,nth=1",
        "html-after=504@start,nth=1",
        "truncate@start,nth=1",
    ] {
        let world = faulty(fault);
        let file = world.file("README.txt");
        let run = world.run(&[
            "export",
            &file,
            "sandbox/output",
            "a",
            "--move",
            "--wait",
            "--settle",
            "1s",
            "--json",
        ]);
        assert_eq!(run.exit(), 0, "{fault}: {}", run.snapshot());
        assert_eq!(run.document()["state"], "COMPLETED");
        assert!(
            run.stderr().contains("the answer was lost"),
            "{fault}: {}",
            run.stderr()
        );
        assert_eq!(world.accepted(), 1, "{fault}");
        assert_eq!(
            world.sandbox.ledger().requests_to(Route::Start),
            1,
            "{fault}"
        );
    }
}

#[test]
fn what_was_refused_for_now_is_sent_again() {
    for fault in ["throttle@start,nth=1", "maintenance@start,nth=1"] {
        let world = faulty(fault);
        let file = world.file("README.txt");
        let run = world.run(&[
            "export",
            &file,
            "sandbox/output",
            "a",
            "--copy",
            "--wait",
            "--settle",
            "1s",
            "--json",
        ]);
        assert_eq!(run.exit(), 0, "{fault}: {}", run.snapshot());
        assert_eq!(world.accepted(), 1, "{fault}");
    }
}
