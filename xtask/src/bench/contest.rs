//! All competitors side by side: what a file costs each of them.

use std::path::Path;
use std::thread;

use super::clients::Client;
use super::cost::{Cost, TURNS};
use super::desk::{Desk, Jobs, Setup};
use crate::say;

/// What one competitor needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) client: Client,
    pub(super) jobs: Jobs,
    pub(super) files: u64,
    pub(super) requests: u64,
    pub(super) cost: Cost,
}

impl Measured {
    pub(super) fn requests_per_file(&self) -> f64 {
        self.requests as f64 / self.files as f64
    }

    pub(super) fn cpu_ms_per_file(&self) -> f64 {
        self.cost.cpu_s * 1e3 / self.files as f64
    }
}

/// One after the other with short jobs. With long ones all at once: they mostly wait.
pub(super) fn run(files: u64, python: &Path) -> Result<Vec<Measured>, String> {
    let mut turns = Vec::new();
    for _ in 0..TURNS {
        let turn = Client::ALL.map(|client| compete(client, Jobs::Short, files, python));
        turns.push(
            turn.into_iter()
                .collect::<Result<Vec<Measured>, String>>()?,
        );
    }
    let mean = |client: usize| {
        let costs: Vec<Cost> = turns.iter().map(|turn| turn[client].cost).collect();
        Measured {
            cost: Cost::mean(&costs),
            ..turns[0][client]
        }
    };
    let mut rows: Vec<Measured> = (0..Client::ALL.len()).map(mean).collect();
    let long = thread::scope(|scope| {
        let threads = Client::ALL
            .map(|client| scope.spawn(move || compete(client, Jobs::Hour, files, python)));
        threads.map(|thread| thread.join().expect("a competitor doesn't panic"))
    });
    for row in long {
        rows.push(row?);
    }
    Ok(rows)
}

/// Those with a request per file or more get fewer files, so that they don't take all day; a file costs them the same.
pub(super) fn share(client: Client, files: u64) -> u64 {
    match client {
        Client::Ours | Client::BestBulk => files,
        Client::BulkWithLookUps => files.div_ceil(5),
        Client::OneByOne => files.div_ceil(10),
    }
}

fn compete(client: Client, jobs: Jobs, files: u64, python: &Path) -> Result<Measured, String> {
    let files = share(client, files);
    let desk = Desk::start(&format!("{client:?}-{jobs:?}"), &Setup::new(files, jobs))?;
    let cost = client.work(&desk, python)?;
    let state = desk.state()?;
    if state.completed() != files {
        return Err(format!(
            "{}: {} of {files} files were exported",
            client.words(),
            state.completed()
        ));
    }
    let row = Measured {
        client,
        jobs,
        files,
        requests: state.requests(),
        cost,
    };
    say(format_args!(
        "{}, jobs of {}: {:.3} requests and {:.3} ms of CPU per file",
        client.words(),
        jobs.words(),
        row.requests_per_file(),
        row.cpu_ms_per_file()
    ));
    Ok(row)
}
