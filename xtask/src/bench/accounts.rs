//! Two accounts beside one, at a limit that both meet: which share of the time of one they take together.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::desk::{Desk, Jobs, PROJECT, Setup, VOLUME};
use crate::sandbox::Running;
use crate::say;

/// So many windows does one account need.
const WINDOWS: u64 = 20;

/// So many more files than the competitors export: what each run asks once counts little beside them.
const MORE: u64 = 4;

/// Each on a platform of its own at the same time: they mostly wait. What is done once beforehand isn't counted: the plan, and
/// that the second account takes its part.
pub(super) fn two_beside_one(files: u64) -> Result<f64, String> {
    let files = files * MORE;
    let requests = files.div_ceil(100) + files.div_ceil(1000) + 12;
    let setup = Setup {
        limit: requests.div_ceil(WINDOWS),
        ..Setup::new(files, Jobs::Short)
    };
    let (one, two) = thread::scope(|scope| {
        let one = scope.spawn(|| took(&setup, "one-account", 1));
        let two = scope.spawn(|| took(&setup, "two-accounts", 2));
        (one.join(), two.join())
    });
    let one = one.expect("one account doesn't panic")?;
    let two = two.expect("two accounts don't panic")?;
    say(format_args!(
        "{files} files at a limit of {} requests per {} s: one account {one:.1} s, two {two:.1} s, {:.3} times",
        setup.limit,
        setup.window_s(),
        two / one
    ));
    Ok(two / one)
}

/// How long as many accounts take, in seconds.
fn took(setup: &Setup, name: &str, accounts: usize) -> Result<f64, String> {
    let desk = Desk::start(name, setup)?;
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        PROJECT,
        "--volume",
        VOLUME,
        "--move",
    ];
    let mut plan = desk.program(&plan);
    let transfers: &[(&str, &str)] = match accounts {
        1 => &[("t.transfer", "cavatica")],
        _ => {
            plan.args(["--parts", "2"]);
            &[
                ("t.parts/part-1.transfer", "cavatica"),
                ("t.parts/part-2.transfer", "colleague"),
            ]
        }
    };
    finish(&mut plan)?;
    if accounts > 1 {
        let (part, profile) = transfers[1];
        finish(&mut desk.program(&["take", part, "--profile", profile, "--yes"]))?;
    }
    // Everybody begins with a window of which nothing is used.
    thread::sleep(Duration::from_secs_f64(setup.window_s()));
    let began = Instant::now();
    let poll = setup.patience(5.0);
    let runs = transfers.iter().map(|(transfer, profile)| {
        let run = [
            "run",
            transfer,
            "--profile",
            profile,
            "--yes",
            "--no-progress",
            "--poll",
            &poll,
        ];
        desk.program(&run)
            .spawn()
            .map(Running)
            .map_err(|error| error.to_string())
    });
    for mut run in runs.collect::<Result<Vec<_>, _>>()? {
        let status = run.0.wait().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!(
                "a run with {accounts} accounts ended with {status}"
            ));
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    match desk.state()?.completed() {
        completed if completed == setup.files => Ok(seconds),
        completed => Err(format!("{completed} of {} files arrived", setup.files)),
    }
}

fn finish(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} ended with {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}
