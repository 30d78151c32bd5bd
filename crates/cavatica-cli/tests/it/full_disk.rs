//! A disk that takes no more: nothing is sent that isn't written down, and the next run finds everything.

use std::process::Command;

use cavatica_sandbox::{ProjectSeed, VolumeSeed};

use crate::harness::World;

const FILES: u32 = 1_500;

fn world() -> World {
    World::with(|sandbox| {
        sandbox
            .project(ProjectSeed::new("lab/trio").synthetic("run1", FILES, 1_000))
            .volume(VolumeSeed::s3("lab/output").keys_only())
    })
}

const PLAN: [&str; 8] = [
    "plan",
    "--out",
    "t.transfer",
    "--project",
    "lab/trio",
    "--volume",
    "lab/output",
    "--move",
];

/// The program with a limit on the size of the files that it writes, in units of 512 bytes. A write beyond it fails as on a
/// full disk; the signal that would come instead is ignored.
fn limited(world: &World, blocks: u64, args: &[&str]) -> Command {
    let program = world.command(args);
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\""])
        .arg(blocks.to_string())
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .env("HOME", world.home())
        .current_dir(world.home());
    command
}

#[test]
fn a_plan_that_does_not_fit_leaves_nothing_behind() {
    let world = world();
    let run = world.finish(limited(&world, 100, &PLAN));
    assert_eq!(run.exit(), 1, "{}", run.stderr());
    assert!(
        run.stderr().contains("make room on the disk"),
        "{}",
        run.stderr()
    );
    assert!(!world.home().join("t.transfer").exists());
    assert_eq!(world.run(&PLAN).exit(), 0);
}

#[test]
fn a_run_that_fills_the_disk_stops_and_the_next_one_sends_each_file_once() {
    let world = world();
    assert_eq!(world.run(&PLAN).exit(), 0);
    let size = std::fs::metadata(world.home().join("t.transfer"))
        .expect("the plan")
        .len();
    let run = [
        "run",
        "t.transfer",
        "--yes",
        "--settle",
        "2s",
        "--poll",
        "50ms",
    ];
    let stopped = world.finish(limited(&world, size / 512 + 8, &run));
    assert_eq!(stopped.exit(), 1, "{}", stopped.stderr());
    assert!(
        stopped.stderr().contains("make room on the disk"),
        "{}",
        stopped.stderr()
    );
    assert!(
        world.accepted() < u64::from(FILES),
        "the disk was large enough"
    );

    assert_eq!(world.run(&run).exit(), 0);
    let ledger = world.sandbox.ledger();
    assert_eq!(ledger.files.len(), FILES as usize);
    assert!(
        ledger
            .files
            .values()
            .all(|file| (file.starts, file.completed) == (1, 1))
    );
}
