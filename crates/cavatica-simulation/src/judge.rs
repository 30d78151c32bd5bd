//! What the journal says of each file, held against the platform's own account.

use std::collections::BTreeMap;
use std::path::Path;

use cavatica_sandbox::Ledger;
use cavatica_transfer::journal::{ItemRow, TransferFile};
use cavatica_transfer::state::State;

use crate::scenario::{Scenario, Trouble, VOLUME};

const DESTROYED: &str = "destroyed";
const DANGLING: &str = "aliases of nothing";

/// Whether what went wrong can't be made good any more.
pub(crate) fn is_harm(wrong: &str) -> bool {
    [DESTROYED, DANGLING]
        .iter()
        .any(|what| wrong.starts_with(what))
}

/// What came of a transfer.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// What must never be, in words.
    pub(crate) wrongs: Vec<String>,
    /// How many files ended in each state.
    pub(crate) states: BTreeMap<&'static str, u64>,
}

impl Verdict {
    pub(crate) fn count(&self, state: &str) -> u64 {
        self.states.get(state).copied().unwrap_or(0)
    }

    fn wrong(&mut self, what: &str, files: &[&str]) {
        if let Some(first) = files.first() {
            self.wrongs
                .push(format!("{what}: {} files, {first} among them", files.len()));
        }
    }
}

impl Scenario {
    /// Whether others who export our files could be seen before anything was sent.
    fn others_can_be_seen(&self) -> bool {
        let mut troubles = self.troubles.iter();
        troubles.all(|trouble| match trouble {
            Trouble::Others(_, after) => *after == 0,
            Trouble::Fault(rule) => !rule.contains("@exports"),
            _ => true,
        })
    }
}

/// Judges by one journal, the one that counts in the end.
pub(crate) fn judge(transfer: &Path, ledger: &Ledger, scenario: &Scenario) -> Verdict {
    let mut verdict = Verdict::default();
    let doubled: Vec<&str> = ledger.files_doubled.iter().map(String::as_str).collect();
    verdict.wrong("sent twice", &doubled);
    // Whoever begins while we send, or isn't listed yet, can't be noticed before the next look.
    if scenario.others_can_be_seen() {
        let collided = ledger.files.iter().filter(|(_, file)| file.collided > 0);
        let collided: Vec<&str> = collided.map(|(id, _)| id.as_str()).collect();
        verdict.wrong("sent beside another job", &collided);
    }
    // A job that fails after it made room, where it was allowed to, leaves the file on the platform.
    if !scenario.overwrite {
        let destroyed: Vec<&str> = ledger.destroyed().map(|object| &*object.location).collect();
        verdict.wrong(DESTROYED, &destroyed);
    }
    let dangling: Vec<&str> = ledger.dangling.iter().map(String::as_str).collect();
    verdict.wrong(DANGLING, &dangling);

    let truth = ledger.arrivals(VOLUME, scenario.mode);
    let rows = match rows(transfer) {
        Ok(rows) => rows,
        Err(error) => {
            verdict
                .wrongs
                .push(format!("the journal can't be read: {error}"));
            return verdict;
        }
    };
    let (mut completed, mut failed) = (Vec::new(), Vec::new());
    for row in &rows {
        let state = match &row.state {
            State::Planned => "planned",
            State::Intended => "intended",
            State::Accepted { .. } => "accepted",
            State::Completed { .. } => {
                if !truth.has(row.file.as_str(), &row.location) {
                    completed.push(row.file.as_str());
                }
                "completed"
            }
            State::Failed { .. } => {
                if truth.has_by_client(row.file.as_str(), &row.location) {
                    failed.push(row.file.as_str());
                }
                "failed"
            }
            State::Unknown { .. } => "unknown",
        };
        *verdict.states.entry(state).or_default() += 1;
    }
    verdict.wrong("falsely completed", &completed);
    verdict.wrong("falsely failed", &failed);
    verdict
}

fn rows(transfer: &Path) -> Result<Vec<ItemRow>, String> {
    let file = TransferFile::open(transfer).map_err(|error| error.to_string())?;
    let mut rows: Vec<ItemRow> = Vec::new();
    loop {
        let page = file
            .items(rows.last().map(|row| row.id))
            .map_err(|error| error.to_string())?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}
