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
/// full disk, and the signal that comes with it must not end the program.
fn limited(world: &World, blocks: u64, args: &[&str]) -> Command {
    let program = world.command(args);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -f \"$0\"; exec \"$@\""])
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
    assert_eq!(left_behind(&world), [] as [&str; 0]);
    assert_eq!(world.run(&PLAN).exit(), 0);
}

/// The files of transfers in the home folder.
fn left_behind(world: &World) -> Vec<String> {
    let entries = world.home().read_dir().expect("a folder");
    let names = entries.map(|entry| entry.expect("a file").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.contains(".transfer"))
        .collect()
}

#[test]
fn a_plan_that_is_killed_does_not_show_and_is_no_hindrance() {
    // The platform never says what is in the project, so the plan is being written for ever.
    let world = World::with(|sandbox| {
        let hang: cavatica_sandbox::FaultPlan = "hang-before@scroll; hang-before@files"
            .parse()
            .expect("a fault");
        sandbox
            .project(ProjectSeed::new("lab/trio").synthetic("run1", FILES, 1_000))
            .volume(VolumeSeed::s3("lab/output").keys_only())
            .faults(hang)
    });
    let mut planning = world.command(&PLAN).spawn().expect("it starts");
    let unfinished = world.home().join("t.transfer.unfinished");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !unfinished.exists() {
        assert!(std::time::Instant::now() < deadline, "it never plans");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let second = world.run(&PLAN);
    assert_eq!(second.exit(), 2, "{}", second.snapshot());
    assert!(
        second.stderr().contains("is planning"),
        "{}",
        second.stderr()
    );
    planning.kill().expect("it runs");
    planning.wait().expect("it ends");
    assert_eq!(left_behind(&world), ["t.transfer.unfinished"]);
    assert_eq!(world.run(&["status", "t.transfer"]).exit(), 2);

    // Another platform, the same folder.
    let path = world.home().join("t.transfer");
    let draft = cavatica_transfer::journal::Draft::create(
        &path,
        terms(),
        "what was left behind",
        None,
        jiff::Timestamp::now(),
    );
    draft.expect("it is taken over").finish().expect("room");
    assert_eq!(left_behind(&world), ["t.transfer"]);
}

/// Of a plan that needs no platform.
fn terms() -> cavatica_transfer::journal::Terms {
    use cavatica_exports::model::destination::Prefix;
    use cavatica_exports::model::{ExportMode, Tri};
    use cavatica_transfer::journal::{Overwrite, Terms};

    Terms {
        endpoint: "https://example.org/v2".to_owned(),
        account: "rfranklin".to_owned(),
        mode: ExportMode::Move,
        volume: "lab/output".parse().expect("a volume id"),
        bucket: None,
        volume_prefix: String::new(),
        prefix: Prefix::default(),
        overwrite: Overwrite::Forbidden,
        properties: Tri::Absent,
    }
}

/// Where nothing can be locked, no second run could be kept out.
#[test]
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn a_file_system_without_locks_is_named_before_anything_is_planned() {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("skipped: there is no strace here");
        return;
    }
    let world = world();
    let without_locks = |args: &[&str]| {
        let program = world.command(args);
        let mut command = Command::new("strace");
        command
            .args([
                "-f",
                "-o",
                "/dev/null",
                "-e",
                "inject=flock:error=EOPNOTSUPP",
            ])
            .arg(program.get_program())
            .args(program.get_args())
            .env_clear()
            .env("HOME", world.home())
            .current_dir(world.home());
        world.finish(command)
    };
    let doctor = without_locks(&["doctor"]);
    assert!(
        doctor.stdout().contains("can't be locked"),
        "{}",
        doctor.stdout()
    );
    assert!(
        doctor.stdout().contains("local disk"),
        "{}",
        doctor.stdout()
    );
    let plan = without_locks(&PLAN);
    assert_eq!(plan.exit(), 2, "{}", plan.snapshot());
    assert!(plan.stderr().contains("local disk"), "{}", plan.stderr());
    assert_eq!(left_behind(&world), [] as [&str; 0]);
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
