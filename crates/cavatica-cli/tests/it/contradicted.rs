//! A platform that contradicts what *exactly once* rests on: a run notices, a move stops with words, and goes on when somebody
//! says so.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use cavatica_sandbox::{FaultPlan, ProjectSeed, Route, VolumeSeed};

use crate::harness::{Run, World};

const RUN: &[&str] = &[
    "run",
    "t.transfer",
    "--yes",
    "--settle",
    "600ms",
    "--no-progress",
];

fn faults(world: &World, plan: &str) {
    world.sandbox.set_faults(plan.parse::<FaultPlan>().unwrap());
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn ended(child: Child) -> (i32, String) {
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), said)
}

/// A list that shows a call's jobs only long after those of earlier calls, and had been whole meanwhile. The first look fails, so
/// that the program pauses and the next one comes late enough.
#[test]
fn a_list_out_of_order_stops_a_move_until_it_may_go_on() {
    let lasting = Duration::from_secs(8);
    let world = World::with(|builder| {
        builder
            .project(ProjectSeed::new("lab/trio").synthetic("run1", 500, 1_000))
            .volume(VolumeSeed::s3("lab/output").keys_only())
            .job_duration(lasting..=lasting)
    });
    let plan = "plan --out t.transfer --project lab/trio --volume lab/output --move";
    assert_eq!(world.run(&plan.split(' ').collect::<Vec<_>>()).exit(), 0);

    faults(&world, "drop-after@bulk-start,nth=2");
    let args = [RUN, &["--max-in-flight", "200", "--poll", "4s"]].concat();
    let mut running = world.command(&args);
    running.stdout(Stdio::null()).stderr(Stdio::piped());
    let running = running.spawn().unwrap();
    wait_for("two calls are sent", || world.accepted() == 200);
    // The second is lost, and the list shows the first alone.
    faults(
        &world,
        "lack-newest=100@exports; refuse=404/90003@bulk-files,nth=1",
    );
    // Files are read before the first call, in vain by the first look, and by the next one before the list and after it; and
    // once for those that are followed.
    wait_for("it looks", || {
        world.sandbox.ledger().requests_to(Route::BulkFiles) >= 5
    });
    assert_eq!(world.accepted(), 200);
    faults(&world, "");
    let (exit, said) = ended(running);
    assert_eq!(exit, 7, "{said}");
    for words in [
        "a job showed in the list only when younger ones had shown long before",
        "300 files were not sent",
        "`cavatica contract t.transfer` tells what was seen",
        "`cavatica run t.transfer --yes --despite list-in-order` sends the rest all the same",
    ] {
        assert!(said.contains(words), "{words}\nin\n{said}");
    }
    assert_eq!(completed(&world), (200, 300));

    // So does every later run.
    let again = world.run(RUN);
    assert_eq!(again.exit(), 7, "{}", again.snapshot());
    assert_eq!(world.accepted(), 200);
    let page = world.run(&["contract", "t.transfer"]);
    assert!(
        page.stdout().contains("**list-in-order**"),
        "{}",
        page.stdout()
    );

    let despite = world.run(&[RUN, &["--poll", "50ms", "--despite", "list-in-order"]].concat());
    assert_eq!(despite.exit(), 0, "{}", despite.snapshot());
    assert_eq!(completed(&world), (500, 0));
    let ledger = world.sandbox.ledger();
    assert_eq!(ledger.starts, 500);
    assert_eq!(ledger.started_twice().count(), 0);
    assert_eq!(ledger.destroyed().count(), 0);
}

/// How many files have arrived, and how many are left.
fn completed(world: &World) -> (u64, u64) {
    let status: Run = world.run(&["status", "t.transfer", "--json"]);
    let status = status.document();
    let count = |key: &str| status[key].as_u64().unwrap();
    (count("completed"), count("left"))
}
