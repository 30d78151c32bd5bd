//! All competitors side by side: what a file costs each of them.

use std::path::Path;
use std::thread;

use super::clients::Client;
use super::cost::{Cost, TURNS};
use super::desk::{Case, Desk, Jobs, Setup};
use crate::say;

/// What one competitor needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) client: Client,
    pub(super) case: Case,
    pub(super) jobs: Jobs,
    pub(super) files: u64,
    pub(super) requests: u64,
    /// How often the file was started that was started most often.
    pub(super) attempts: u32,
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

/// Who does what with short jobs. Whose failures pass by waiting is [left for later](failing).
const SHORT: [(Client, Case); 7] = [
    (Client::Ours, Case::Moves),
    (Client::Ours, Case::MovesWithoutScroll),
    (Client::Ours, Case::Copies),
    (Client::BestListing, Case::Moves),
    (Client::BestBulk, Case::Moves),
    (Client::BulkWithLookUps, Case::Moves),
    (Client::OneByOne, Case::Moves),
];

/// One after the other, several times where it is over soon.
pub(super) fn short(files: u64, python: &Path) -> Result<Vec<Measured>, String> {
    let mut turns: Vec<Vec<Measured>> = vec![Vec::new(); SHORT.len()];
    for turn in 0..TURNS {
        for ((client, case), rows) in SHORT.into_iter().zip(&mut turns) {
            if turn == 0 || client.is_quick() {
                rows.push(compete(client, case, Jobs::Short, files, python)?);
            }
        }
    }
    let mean = |rows: Vec<Measured>| {
        let costs: Vec<Cost> = rows.iter().map(|row| row.cost).collect();
        Measured {
            cost: Cost::mean(&costs),
            ..rows[0]
        }
    };
    Ok(turns.into_iter().map(mean).collect())
}

/// All at once: they mostly wait.
pub(super) fn long(files: u64, python: &Path) -> Result<Vec<Measured>, String> {
    thread::scope(|scope| {
        let threads = Client::ALL.map(|client| {
            scope.spawn(move || compete(client, Case::Moves, Jobs::Hour, files, python))
        });
        let rows = threads.map(|thread| thread.join().expect("a competitor doesn't panic"));
        rows.into_iter().collect()
    })
}

/// Moves of which some fail and are sent again, after waits as long as on the platform.
pub(super) fn failing(files: u64, python: &Path) -> Result<Measured, String> {
    compete(
        Client::Ours,
        Case::MovesThatFail,
        Jobs::Short,
        files,
        python,
    )
}

/// Those with a request per file or more get fewer files, so that they don't take all day; a file costs them the same.
pub(super) fn share(client: Client, files: u64) -> u64 {
    match client {
        Client::Ours | Client::BestListing | Client::BestBulk => files,
        Client::BulkWithLookUps => files.div_ceil(5),
        Client::OneByOne => files.div_ceil(10),
    }
}

fn compete(
    client: Client,
    case: Case,
    jobs: Jobs,
    files: u64,
    python: &Path,
) -> Result<Measured, String> {
    let files = share(client, files);
    let world = Setup {
        case,
        ..Setup::new(files, jobs)
    };
    let desk = Desk::start(&format!("{client:?}-{case:?}-{jobs:?}"), &world)?;
    let cost = client.work(&desk, python)?;
    let state = desk.state()?;
    if state.completed() != files {
        return Err(format!(
            "{}, {}: {} of {files} files were exported",
            client.words(),
            case.words(),
            state.completed()
        ));
    }
    let row = Measured {
        client,
        case,
        jobs,
        files,
        requests: state.requests(),
        attempts: desk.most_starts()?,
        cost,
    };
    say(format_args!(
        "{}, {}, jobs of {}: {:.4} requests and {:.3} ms of CPU per file, {:.1} s",
        client.words(),
        case.words(),
        jobs.words(),
        row.requests_per_file(),
        row.cpu_ms_per_file(),
        row.cost.wall_s
    ));
    Ok(row)
}
