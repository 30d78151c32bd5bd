//! How close each competitor comes to what the limit on requests allows.
//!
//! A window begins with its first request and grants L of them. Whoever needs R requests has to see one window less to its
//! end than there are windows with requests in them: ⌈R ÷ L⌉ − 1. The budget here is about a fifth of the requests; a window
//! lasts a minute, because the platform tells its end in whole seconds.

use std::path::Path;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use super::clients::{Client, plan, run_command};
use super::contest::{Measured, share};
use super::desk::{Desk, Jobs, Setup};
use crate::sandbox::Running;
use crate::say;

/// A window of 300 s in one minute.
const FASTER: f64 = 5.0;

/// So many windows are needed.
const WINDOWS: u64 = 5;

/// So many more files has this program, to need about as many requests as the others.
const MORE: u64 = 5;

#[derive(Clone, Debug)]
pub(super) struct Limited {
    pub(super) client: Client,
    pub(super) jobs: Jobs,
    pub(super) files: u64,
    pub(super) requests: u64,
    pub(super) limit: u64,
    pub(super) window_s: f64,
    pub(super) wall_s: f64,
    /// How long the last jobs may take that were waited for: nobody's fault.
    pub(super) jobs_s: f64,
    /// Requests that were refused because they came too early.
    pub(super) refused: u64,
}

impl Limited {
    pub(super) fn bound_s(&self) -> f64 {
        let windows = self.requests.div_ceil(self.limit.max(1));
        windows.saturating_sub(1) as f64 * self.window_s
    }

    pub(super) fn ratio(&self) -> f64 {
        (self.wall_s - self.jobs_s) / self.bound_s()
    }
}

/// All at once, each with a platform of its own: they mostly wait.
pub(super) fn run(contest: &[Measured], files: u64, python: &Path) -> Result<Vec<Limited>, String> {
    thread::scope(|scope| {
        let mut threads = vec![scope.spawn(move || submit_only(files))];
        for client in Client::ALL {
            let requests = match client {
                Client::Ours => needed(files * MORE, Needs::Everything),
                _ => contest
                    .iter()
                    .find(|row| row.client == client)
                    .map_or(0, |row| row.requests),
            };
            threads.push(scope.spawn(move || compete(client, files, requests, python)));
        }
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a competitor doesn't panic"))
            .collect()
    })
}

#[derive(Clone, Copy)]
enum Needs {
    Everything,
    /// Listing and starting.
    Submission,
}

/// How many requests this program is about to make at most, to set a budget that the windows suffice for.
fn needed(files: u64, needs: Needs) -> u64 {
    let (list, start) = (files.div_ceil(1000) + 10, files.div_ceil(100));
    match needs {
        Needs::Everything => 2 * list + start + 24,
        Needs::Submission => list + start + 24,
    }
}

fn compete(client: Client, files: u64, requests: u64, python: &Path) -> Result<Limited, String> {
    let files = match client {
        Client::Ours => files * MORE,
        _ => share(client, files),
    };
    let world = Setup {
        faster: FASTER,
        limit: requests.div_ceil(WINDOWS),
        ..Setup::new(files, Jobs::Short)
    };
    let desk = Desk::start(&format!("{client:?}-limit"), &world)?;
    let began = Instant::now();
    client.work(&desk, python)?;
    found(&desk, client, began)
}

/// The time until the last file is accepted, while none of the jobs has ended: sending doesn't wait for following.
fn submit_only(files: u64) -> Result<Limited, String> {
    let files = files * MORE * 2;
    let world = Setup {
        faster: FASTER,
        limit: needed(files, Needs::Submission).div_ceil(WINDOWS),
        ..Setup::new(files, Jobs::Hour)
    };
    let desk = Desk::start("submit-limit", &world)?;
    let began = Instant::now();
    plan(&desk)?;
    let mut program = Running(
        run_command(&desk)
            .spawn()
            .map_err(|error| error.to_string())?,
    );
    while desk.state()?.accepted() < files {
        if let Some(status) = program.0.try_wait().map_err(|error| error.to_string())? {
            return Err(format!("the run ended before all was sent: {status}"));
        }
        sleep(Duration::from_millis(200));
    }
    found(&desk, Client::Ours, began)
}

fn found(desk: &Desk, client: Client, began: Instant) -> Result<Limited, String> {
    let state = desk.state()?;
    let limited = Limited {
        client,
        jobs: desk.world.jobs,
        files: desk.world.files,
        requests: state.requests() - state.over_limit(),
        limit: desk.world.limit,
        window_s: desk.world.window_s(),
        wall_s: began.elapsed().as_secs_f64(),
        jobs_s: match desk.world.jobs {
            Jobs::Short => Jobs::Short.seconds()[1] / desk.world.faster,
            // Only their starts were waited for.
            Jobs::Hour => 0.0,
        },
        refused: state.over_limit(),
    };
    say(format_args!(
        "{}, jobs of {}, at a limit of {} requests per {} s: {:.1} s, the limit's bound {:.1} s",
        client.words(),
        limited.jobs.words(),
        limited.limit,
        limited.window_s,
        limited.wall_s,
        limited.bound_s(),
    ));
    Ok(limited)
}
