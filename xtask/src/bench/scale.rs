//! The program alone, from ten thousand files to a million: requests, processor time, memory, the journal's size.

use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use super::clients::{plan, run, run_command};
use super::cost::{Cost, TURNS, measure};
use super::desk::{Desk, Jobs, Setup};
use crate::sandbox::Running;
use crate::say;

/// A transfer of some size, from its plan to its report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) jobs: Jobs,
    pub(super) files: u64,
    /// Of plan and run.
    pub(super) requests: u64,
    /// Of looking at the destination, besides.
    pub(super) verify_requests: u64,
    pub(super) journal_bytes: u64,
    pub(super) plan: Cost,
    pub(super) run: Cost,
    pub(super) status: Cost,
    pub(super) verify: Cost,
    pub(super) report: Cost,
}

impl Scale {
    pub(super) fn us_per_file(&self, cost: Cost) -> f64 {
        cost.cpu_s * 1e6 / self.files as f64
    }
}

/// Taking up a transfer that died half done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume {
    pub(super) files: u64,
    /// How many were accepted and had not ended.
    pub(super) in_flight: u64,
    /// From the start to the first request that isn't about the account.
    pub(super) first_request_s: f64,
}

/// One after the other, jobs of seconds.
pub(super) fn short(sizes: &[u64]) -> Result<Vec<Scale>, String> {
    sizes.iter().map(|files| repeated(*files)).collect()
}

/// Beyond this the program waits for the jobs, as it does not have more in flight, and only the clock is measured.
const LARGEST_OF_AN_HOUR: u64 = 100_000;

/// All at once, jobs of an hour: they mostly wait.
pub(super) fn long(sizes: &[u64]) -> Result<Vec<Scale>, String> {
    thread::scope(|scope| {
        let sizes = sizes.iter().filter(|files| **files <= LARGEST_OF_AN_HOUR);
        let threads: Vec<_> = sizes
            .map(|files| scope.spawn(|| transfer(*files, Jobs::Hour)))
            .collect();
        let scales = threads.into_iter();
        scales
            .map(|thread| thread.join().expect("a transfer doesn't panic"))
            .collect()
    })
}

/// Below this a transfer is over soon, and several of them tell what one should cost.
const SMALL: u64 = 100_000;

fn repeated(files: u64) -> Result<Scale, String> {
    let turns = if files < SMALL { TURNS } else { 1 };
    let turns: Result<Vec<Scale>, String> =
        (0..turns).map(|_| transfer(files, Jobs::Short)).collect();
    let turns = turns?;
    let mean = |part: fn(&Scale) -> Cost| {
        let costs: Vec<Cost> = turns.iter().map(part).collect();
        Cost::mean(&costs)
    };
    Ok(Scale {
        plan: mean(|scale| scale.plan),
        run: mean(|scale| scale.run),
        status: mean(|scale| scale.status),
        verify: mean(|scale| scale.verify),
        report: mean(|scale| scale.report),
        ..turns[0]
    })
}

fn transfer(files: u64, jobs: Jobs) -> Result<Scale, String> {
    let desk = Desk::start(&format!("{files}-{jobs:?}"), &Setup::new(files, jobs))?;
    let plan = plan(&desk)?;
    let run = run(&desk)?;
    let state = desk.state()?;
    if state.completed() != files {
        return Err(format!(
            "{} of {files} files were exported",
            state.completed()
        ));
    }
    let verify = measure(&mut desk.program(&["verify", "t.transfer"]))?;
    let verify_requests = desk.state()?.requests() - state.requests();
    let journal = std::fs::metadata(desk.folder.join("t.transfer"));
    let scale = Scale {
        jobs,
        files,
        requests: state.requests(),
        verify_requests,
        journal_bytes: journal.map_err(|error| error.to_string())?.len(),
        plan,
        run,
        verify,
        status: measure(&mut desk.program(&["status", "t.transfer"]))?,
        report: measure(&mut desk.program(&["report", "t.transfer", "--out", "report.tsv"]))?,
    };
    say(format_args!(
        "{files} files, jobs of {}: {} requests, {:.1} us of CPU per file, {:.0} MB",
        jobs.words(),
        scale.requests,
        scale.us_per_file(plan + run),
        (plan + run).peak_mb
    ));
    Ok(scale)
}

/// What the allocator still keeps when most is needed differs from plan to plan.
const PLANS: usize = 5;

/// The most memory of several plans of so many files.
pub(super) fn memory_of_plans(files: u64) -> Result<Vec<f64>, String> {
    let plans = (0..PLANS).map(|turn| {
        let setup = Setup::new(files, Jobs::Short);
        let desk = Desk::start(&format!("plan-{turn}"), &setup)?;
        let cost = plan(&desk)?;
        say(format_args!(
            "plan of {files} files: {:.1} MB, {:.2} s of CPU",
            cost.peak_mb, cost.cpu_s
        ));
        Ok(cost.peak_mb)
    });
    plans.collect()
}

/// Kills a run when half of its files have been accepted and none has ended, and takes it up again.
pub(super) fn resume(files: u64) -> Result<Resume, String> {
    // Without a limit in the way: what is measured is the program.
    let world = Setup {
        limit: 1_000_000,
        ..Setup::new(files, Jobs::Hour)
    };
    let desk = Desk::start("resume", &world)?;
    plan(&desk)?;
    let start = || {
        let mut command = run_command(&desk);
        command.args(["--max-in-flight", &files.to_string()]);
        command.spawn().map_err(|error| error.to_string())
    };
    let killed = Running(start()?);
    while desk.state()?.accepted() < files / 2 {
        sleep(Duration::from_millis(100));
    }
    drop(killed);
    let before = desk.state()?;
    let began = Instant::now();
    let _resumed = Running(start()?);
    while desk.state()?.requests_but_user() == before.requests_but_user() {
        sleep(Duration::from_millis(2));
    }
    let resume = Resume {
        files,
        in_flight: before.accepted() - before.completed(),
        first_request_s: began.elapsed().as_secs_f64(),
    };
    say(format_args!(
        "{files} files, {} of them in flight: taken up again in {:.2} s",
        resume.in_flight, resume.first_request_s
    ));
    Ok(resume)
}
