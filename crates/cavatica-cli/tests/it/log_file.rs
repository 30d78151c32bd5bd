//! What a run says where there is no terminal: in a log file, or a notebook's cell.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cavatica_sandbox::{ProjectSeed, VolumeSeed};

use crate::harness::World;

/// Where nothing is heard for so long, nothing will be.
const LATEST: Duration = Duration::from_secs(300);

/// Jobs that take for ever, and a run that asks after them once in an hour: only time passes.
#[test]
fn a_line_comes_now_and_then_though_nothing_happens() {
    let for_ever = Duration::from_secs(24 * 3600);
    let world = World::with(|builder| {
        builder
            .project(ProjectSeed::new("lab/trio").synthetic("run1", 4, 1_000))
            .volume(VolumeSeed::s3("lab/output"))
            .job_duration(for_ever..=for_ever)
    });
    let plan = "plan --out t.transfer --project lab/trio --volume lab/output --move";
    assert_eq!(world.run(&plan.split(' ').collect::<Vec<_>>()).exit(), 0);

    let mut command = world.command(&["run", "t.transfer", "--yes", "--poll", "1h"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let lines = BufReader::new(running.stderr.take().unwrap()).lines();
    let (found, line) = mpsc::channel();
    thread::spawn(move || {
        let mut lines = lines.map_while(Result::ok);
        found.send(lines.find(|line| line.contains(" %, "))).ok();
    });
    let line = line.recv_timeout(LATEST);
    let line = line.ok().flatten().expect("a line");
    let (before, requests) = line.split_once(", for ").expect("how long it has run");
    assert_eq!(
        before,
        "0 %, 0 of 4 ended: 0 done, 0 failed, 4 running, 0 left; 0 B of 3.91 KiB"
    );
    assert!(
        requests.ends_with(
            " requests left in the window; waiting for the end of 4 jobs at the platform"
        ),
        "{line}"
    );
    let process = running.id().to_string();
    let sent = Command::new("kill").args(["-INT", &process]).status();
    assert!(sent.unwrap().success());
    assert_eq!(running.wait().unwrap().code(), Some(6));
}
