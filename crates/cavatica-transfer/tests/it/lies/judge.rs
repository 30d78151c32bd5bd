//! What the journal says of each file, held against the ledger.

use std::fmt;
use std::path::Path;

use cavatica_exports::model::ExportMode;
use cavatica_sandbox::{Ledger, Route};
use cavatica_transfer::journal::{ItemRow, TransferFile};
use cavatica_transfer::state::State;

use crate::bench::VOLUME;

/// What came of a transfer.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) unknown: u64,
    pub(super) left: u64,
    /// Files of which a start was accepted while an earlier one was under way or had completed.
    pub(super) doubled: u64,
    /// Files that were sent while another job of the account was under way.
    pub(super) collided: u64,
    /// Objects that an overwrite deleted without putting another there, and aliases of nothing.
    pub(super) destroyed: u64,
    pub(super) falsely_completed: u64,
    pub(super) falsely_failed: u64,
    pub(super) starts: u64,
    pub(super) requests: u64,
    /// Why the last run went no further.
    pub(super) stopped: Option<String>,
    /// Faults of starts that never struck: the row proves nothing.
    pub(super) idle_faults: Vec<String>,
}

impl Found {
    /// What became of the files, where nothing is wrong with it.
    pub(super) fn outcome(&self) -> &'static str {
        match (self.failed, self.unknown) {
            (0, 0) => "completed",
            (_, 0) => "completed, some failed",
            (0, _) => "completed, some unknown",
            (_, _) => "completed, some failed, some unknown",
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "doubled {}, collided {}, destroyed {}, falsely completed {}, falsely failed {}, unknown {}; completed {}, failed {}, left {}; {} starts, {} requests",
            self.doubled,
            self.collided,
            self.destroyed,
            self.falsely_completed,
            self.falsely_failed,
            self.unknown,
            self.completed,
            self.failed,
            self.left,
            self.starts,
            self.requests,
        )?;
        match &self.stopped {
            Some(why) => write!(f, "; stopped: {why}"),
            None => Ok(()),
        }
    }
}

pub(super) fn judge(
    transfer: &Path,
    ledger: &Ledger,
    mode: ExportMode,
    stopped: Option<String>,
) -> Found {
    let truth = ledger.arrivals(VOLUME, mode);
    let collided = ledger.files.values().filter(|file| file.collided > 0);
    let mut found = Found {
        doubled: count(ledger.files_doubled.len()),
        collided: count(collided.count()),
        destroyed: count(ledger.destroyed().count().max(ledger.dangling.len())),
        starts: ledger.starts,
        requests: ledger.requests.values().sum(),
        stopped,
        idle_faults: idle_faults(ledger),
        ..Found::default()
    };
    for row in rows(transfer) {
        match &row.state {
            State::Completed { .. } => {
                found.completed += 1;
                found.falsely_completed += u64::from(!truth.has(row.file.as_str(), &row.location));
            }
            State::Failed { .. } => {
                found.failed += 1;
                found.falsely_failed +=
                    u64::from(truth.has_by_client(row.file.as_str(), &row.location));
            }
            State::Unknown { .. } => found.unknown += 1,
            State::Planned | State::Intended | State::Accepted { .. } => found.left += 1,
        }
    }
    found
}

fn rows(transfer: &Path) -> Vec<ItemRow> {
    let file = TransferFile::open(transfer).expect("the transfer");
    let mut rows: Vec<ItemRow> = Vec::new();
    loop {
        let page = file.items(rows.last().map(|row| row.id)).expect("rows");
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

fn idle_faults(ledger: &Ledger) -> Vec<String> {
    let rules = ledger.faults.iter();
    let of_starts = rules.filter(|hits| hits.rule.on.route == Some(Route::BulkStart));
    let idle = of_starts.filter(|hits| hits.hits == 0);
    idle.map(|hits| format!("{:?}", hits.rule.fault)).collect()
}

fn count(number: usize) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}
