//! What a start rests on is on the disk before its first byte leaves, as the operating system sees it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use cavatica_sandbox::{ProjectSeed, VolumeSeed};

use crate::harness::World;

/// The system calls that change what is on the disk, bring it there, or send.
const CALLS: &str = "trace=openat,pwrite64,write,ftruncate,unlink,unlinkat,rename,renameat2,link,linkat,fsync,fdatasync,writev,sendto,sendmsg";

/// The request line of a start.
const START: &str = "POST /v2/bulk/storage/exports/create";

/// What of the transfer isn't synced, by path.
#[derive(Default)]
struct Disk {
    unsynced: BTreeSet<String>,
    starts: u32,
}

impl Disk {
    /// Takes one line of strace's log: `PID CALL(FD</its/path>, ...) = RESULT`.
    fn take(&mut self, line: &str, folder: &str) {
        let Some((call, rest)) = line
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ')
            .split_once('(')
        else {
            return;
        };
        let of_handle = || {
            let (_, path) = rest.split_once('<')?;
            Some(path.split_once('>')?.0.to_owned())
        };
        let is_ours = |path: &str| path.contains("/t.transfer") && !path.ends_with(".lock");
        match call {
            "fsync" | "fdatasync" => {
                self.unsynced
                    .remove(&of_handle().expect("a sync has a file"));
            }
            "pwrite64" | "write" | "ftruncate" => {
                if let Some(path) = of_handle().filter(|path| is_ours(path)) {
                    self.unsynced.insert(path);
                }
            }
            // What is made, removed or named is in the folder.
            "openat" if !rest.contains("O_CREAT") => {}
            "openat" | "unlink" | "unlinkat" | "rename" | "renameat2" | "link" | "linkat" => {
                if let Some(path) = rest.split('"').nth(1).filter(|path| is_ours(path)) {
                    if call.starts_with("unlink") {
                        self.unsynced.remove(path);
                    }
                    self.unsynced.insert(folder.to_owned());
                }
            }
            _ => {}
        }
        if line.contains(START) {
            self.starts += 1;
            assert!(
                self.unsynced.is_empty(),
                "sent while not yet on the disk: {:?}",
                self.unsynced
            );
        }
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn nothing_is_sent_while_its_intent_may_be_lost_with_the_power() {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("skipped: there is no strace here");
        return;
    }
    let world = World::with(|sandbox| {
        sandbox
            .project(ProjectSeed::new("lab/trio").synthetic("run1", 200, 1_000))
            .volume(VolumeSeed::s3("lab/output").keys_only())
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
    let log = world.home().join("strace.log");
    let program = world.command(&["run", "t.transfer", "--yes", "--poll", "50ms"]);
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-y", "-s", "200", "-e", CALLS, "-o"])
        .arg(&log)
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .env("HOME", world.home())
        .current_dir(world.home());
    let run = world.finish(traced);
    assert_eq!(run.exit(), 0, "{}", run.stderr());

    let folder = world.home().canonicalize().expect("a folder");
    let mut disk = Disk::default();
    for line in read(&log).lines() {
        disk.take(line, &folder.to_string_lossy());
    }
    assert!(disk.starts > 0, "no start was seen");
}

/// A traced program may write bytes that are no text.
fn read(log: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(log).expect("a log")).into_owned()
}
