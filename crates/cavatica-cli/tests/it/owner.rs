//! Who may run a transfer, with real processes.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cavatica_sandbox::{ProjectSeed, VolumeSeed};

use crate::harness::World;

const FILES: u64 = 300;

/// A program that is killed when its test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A planned transfer whose jobs take so long.
fn planned(files: u64, job: Duration) -> World {
    let files = u32::try_from(files).unwrap();
    let world = World::with(|sandbox| {
        sandbox
            .project(ProjectSeed::new("lab/trio").synthetic("run1", files, 1_000))
            .volume(VolumeSeed::s3("lab/output").keys_only())
            .job_duration(job..=job)
    });
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "lab/trio",
        "--volume",
        "lab/output",
        "--move",
    ];
    assert_eq!(world.run(&plan).exit(), 0);
    world
}

fn run_of(transfer: &str) -> [&str; 5] {
    ["run", transfer, "--yes", "--poll", "50ms"]
}

/// Starts to run it, until all files are sent.
fn running(world: &World) -> Running {
    let mut command = world.command(&run_of("t.transfer"));
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let running = Running(command.spawn().unwrap());
    wait_until("it never sends", || world.accepted() == FILES);
    running
}

fn wait_until(otherwise: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{otherwise}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn no_other_name_and_no_copy_of_a_transfer_is_run_beside_it() {
    let world = planned(FILES, Duration::from_secs(60));
    let at = |name: &str| world.home().join(name);
    std::os::unix::fs::symlink("t.transfer", at("latest.transfer")).unwrap();
    std::fs::hard_link(at("t.transfer"), at("hard.transfer")).unwrap();
    let running = running(&world);
    std::fs::copy(at("t.transfer"), at("copy.transfer")).unwrap();
    std::fs::remove_file(at("t.transfer.lock")).unwrap();
    for name in [
        "t.transfer",
        "latest.transfer",
        "hard.transfer",
        "copy.transfer",
    ] {
        let second = world.run(&run_of(name));
        assert_eq!(second.exit(), 2, "{name}: {}", second.snapshot());
        let first = format!("process {}", running.0.id());
        assert!(
            second.stderr().contains(&first),
            "{name}: {}",
            second.stderr()
        );
    }
    assert_eq!(world.accepted(), FILES);
}

/// Two machines share no lock: the second sees the jobs of the first, and waits for them.
#[test]
fn a_copy_on_another_machine_sends_nothing_that_the_first_has_sent() {
    let world = planned(FILES, Duration::from_secs(3));
    let at = |name: &str| world.home().join(name);
    std::fs::copy(at("t.transfer"), at("copy.transfer")).unwrap();
    let mut first = running(&world);
    let mut elsewhere = world.command(&run_of("copy.transfer"));
    elsewhere.args(["--settle", "1s"]);
    elsewhere.env("XDG_STATE_HOME", at("other-machine"));
    let second = elsewhere.output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(0), "{said}");
    let held = "files: export jobs of the same files are under way elsewhere";
    assert!(said.contains(held), "{said}");
    assert_eq!(first.0.wait().unwrap().code(), Some(0));
    assert_eq!(world.accepted(), FILES);
}

/// Asking who runs a transfer takes no lock, so it can't be in the way of a run that starts.
#[test]
fn a_run_starts_while_others_ask_who_holds_it() {
    let world = planned(3, Duration::ZERO);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let path = world.home().join("t.transfer");
            let file = cavatica_transfer::journal::TransferFile::open(&path).unwrap();
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                file.owner();
            }
        });
        let run = world.run(&run_of("t.transfer"));
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        asking.join().unwrap();
        assert_eq!(run.exit(), 0, "{}", run.snapshot());
    });
}

#[test]
fn a_lock_that_is_a_link_is_refused_and_its_target_unharmed() {
    let world = planned(3, Duration::ZERO);
    let victim = world.home().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink("victim", world.home().join("t.transfer.lock")).unwrap();
    let run = world.run(&run_of("t.transfer"));
    assert_eq!(run.exit(), 2, "{}", run.snapshot());
    assert!(
        run.stderr().contains("t.transfer.lock` is a link"),
        "{}",
        run.stderr()
    );
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(world.accepted(), 0);
}

#[test]
fn locks_that_cannot_be_had_in_the_state_folder_are_a_word_and_no_refusal() {
    let world = planned(3, Duration::ZERO);
    let mut command = world.command(&run_of("t.transfer"));
    command.env("XDG_STATE_HOME", "/proc/nowhere");
    let run = world.finish(command);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    assert!(
        run.stderr()
            .contains("a copy of the transfer on this machine would not be noticed"),
        "{}",
        run.stderr()
    );
}

/// A program that sees none of our locks takes over while we are stopped: an older version after the lock file was deleted,
/// or one on another machine whose file system shares no locks.
#[test]
fn a_run_that_was_stopped_over_a_takeover_says_so_and_sends_nothing_twice() {
    let world = planned(FILES, Duration::from_secs(60));
    let mut running = running(&world);
    let path = world.home().join("t.transfer");
    // It isn't stopped within a commit, for then nobody could take over.
    wait_until("it is always writing", || {
        signal("-STOP", &running);
        let taken = takes_over(&path);
        if !taken {
            signal("-CONT", &running);
        }
        taken
    });
    signal("-CONT", &running);
    // The next commit is due when a job ends, or when it is told to stop.
    signal("-INT", &running);
    let ended = running.0.wait().unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(running.0.stderr.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(ended.code(), Some(6), "{said}");
    assert!(
        said.contains("was taken over by process 77 on `elsewhere`"),
        "{said}"
    );
    assert_eq!(world.accepted(), FILES);
}

fn signal(name: &str, running: &Running) {
    let sent = Command::new("kill")
        .args([name, &running.0.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Begins a run as another program does.
fn takes_over(path: &Path) -> bool {
    let other = rusqlite::Connection::open(path).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    other
        .execute(
            "INSERT INTO run (host, process, version, started, seen) VALUES ('elsewhere', 77, '', 0, 0)",
            [],
        )
        .is_ok()
}

/// Whoever approved a plan approved of what it sends, not of what a trigger makes of it.
#[test]
fn a_transfer_that_does_more_than_it_shows_is_refused_and_nothing_is_sent() {
    let world = planned(3, Duration::ZERO);
    let fingerprint = world
        .run(&[
            "plan",
            "--json",
            "--out",
            "other.transfer",
            "--project",
            "lab/trio",
            "--volume",
            "lab/output",
            "--move",
        ])
        .document()["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    let tampered = rusqlite::Connection::open(world.home().join("t.transfer")).unwrap();
    tampered
        .execute_batch(
            "CREATE TRIGGER t AFTER INSERT ON run BEGIN UPDATE item SET location = 'elsewhere/' || location; END",
        )
        .unwrap();
    drop(tampered);
    for consent in [&["--approve", &fingerprint][..], &["--yes"]] {
        let run = world.run(&[&["run", "t.transfer"], consent].concat());
        assert_eq!(run.exit(), 2, "{}", run.snapshot());
        assert!(run.stderr().contains("trigger `t`"), "{}", run.stderr());
    }
    assert_eq!(world.accepted(), 0);
}

#[test]
fn a_pipe_is_no_transfer_and_is_not_waited_for() {
    let world = planned(1, Duration::ZERO);
    let made = Command::new("mkfifo")
        .arg(world.home().join("pipe.transfer"))
        .status();
    assert!(made.unwrap().success());
    for args in [
        &["status", "pipe.transfer"][..],
        &run_of("pipe.transfer"),
        &["report", "pipe.transfer"],
    ] {
        let run = world.run(args);
        assert_eq!(run.exit(), 2, "{}", run.snapshot());
        assert!(run.stderr().contains("is no transfer"), "{}", run.stderr());
    }
}

/// A lab shares its transfers and reports: they have the rights that any new file gets there, and no others.
#[test]
fn what_is_made_has_the_rights_that_any_new_file_gets() {
    use std::os::unix::fs::PermissionsExt;

    for (umask, mode) in [("007", 0o660), ("022", 0o644), ("077", 0o600)] {
        let world = World::new();
        let run = |line: &str| {
            let program = env!("CARGO_BIN_EXE_cavatica");
            let script = format!("umask {umask}; exec {program} {line}");
            let mut command = Command::new("sh");
            let home = world.home();
            command.args(["-c", &script]).env_clear();
            command.env("HOME", home).current_dir(home);
            let run = world.finish(command);
            assert_eq!(run.exit(), 0, "{line}: {}", run.snapshot());
        };
        run(
            "plan --out t.transfer --project sandbox/demo --folder results --volume sandbox/output --copy",
        );
        run("run t.transfer --yes --poll 50ms --log-json log.jsonl");
        run("report t.transfer --format html --out report.html");
        run("support t.transfer --out support.json");
        for name in [
            "t.transfer",
            "t.transfer.lock",
            "log.jsonl",
            "report.html",
            "support.json",
        ] {
            let file = std::fs::metadata(world.home().join(name)).unwrap();
            assert_eq!(
                file.permissions().mode() & 0o777,
                mode,
                "{name}, umask {umask}"
            );
        }
    }
}
