//! What an audit tells while it goes on, and what it came to.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::disagreement::Disagreement;
use crate::journal::{JournalError, TransferFile};

/// The most disagreements that a summary lists; each is told, and the totals count all.
pub const DISAGREEMENTS_LISTED: usize = 10_000;

/// What to do with what an interrupted audit had read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditReading {
    /// Go on from there.
    GoOn,
    /// Read all of it again.
    Anew,
}

/// What happens while an audit goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditEvent {
    /// Before the list is read.
    Began {
        /// How many jobs it has, as far as the platform tells.
        jobs: Option<u64>,
        /// How many of them an interrupted audit had read.
        kept: u64,
        /// How many requests reading the rest takes.
        requests: u64,
        /// How many requests five minutes allow.
        allowed: u64,
    },
    /// A page was read.
    PageRead {
        /// How many different jobs came so far.
        jobs: u64,
        /// How many the list has.
        total: Option<u64>,
    },
    /// The list was read to its end, isn't whole, and is read again.
    ReadingAgain {
        /// How many different jobs came.
        jobs: u64,
        /// How many the list has.
        total: Option<u64>,
    },
    /// The list and the journal disagree about a file. Files come in the order of the plan.
    Disagreed(Disagreement, AuditLine),
}

/// A file that the list and the journal disagree about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditLine {
    /// The stable name of the disagreement.
    pub name: &'static str,
    /// The file.
    pub file_id: String,
    /// Where it was to go.
    pub location: String,
    /// The job in question, if there is one.
    pub export_id: Option<String>,
    /// What was expected and what was found.
    pub message: String,
    /// What to do next.
    pub advice: &'static str,
}

/// What an audit came to, in the shape that the program prints as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditSummary {
    /// The transfer's file.
    pub transfer: String,
    /// The account whose jobs were read. Jobs of others don't show.
    pub account: String,
    /// All files of the plan.
    pub files: u64,
    /// Different jobs that were read.
    pub jobs: u64,
    /// Requests made, those of audits that this one went on with included.
    pub requests: u64,
    /// Whether the list was whole.
    pub complete: bool,
    /// Whether the list is whole, and says what the journal says.
    pub agrees: bool,
    /// How many files disagree in which way. All names are there.
    pub totals: BTreeMap<&'static str, u64>,
    /// The first files that disagree, in the order of the plan.
    pub findings: Vec<AuditLine>,
    /// Files that are under way: at their ends there may be more to say.
    #[serde(skip)]
    pub in_flight: u64,
    /// Whether there was something to compare: a file that was sent, or a job.
    #[serde(skip)]
    pub audited: bool,
    /// What became of each, where several transfers were audited.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<AuditPart>,
}

/// What an audit of several transfers came to for one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditPart {
    /// The transfer's file.
    pub transfer: String,
    /// The account that it is of.
    pub account: String,
    /// Whether list and journal agree; `None` where they weren't compared, because the account is another.
    pub agrees: Option<bool>,
}

impl AuditPart {
    /// A transfer of another account, which alone sees its jobs.
    pub fn not_compared(transfer: &Path, account: String) -> Self {
        AuditPart {
            transfer: transfer.display().to_string(),
            account,
            agrees: None,
        }
    }
}

impl AuditSummary {
    pub(super) fn new(transfer: &TransferFile, account: String) -> Result<Self, JournalError> {
        let tally = transfer.tally()?;
        Ok(AuditSummary {
            transfer: transfer.path().display().to_string(),
            account,
            files: tally.total().files,
            jobs: 0,
            requests: 0,
            complete: true,
            agrees: true,
            totals: Disagreement::ALL
                .into_iter()
                .map(|kind| (kind.name(), 0))
                .collect(),
            findings: Vec::new(),
            in_flight: tally.intended.files + tally.accepted.files,
            audited: tally.total() != tally.planned,
            parts: Vec::new(),
        })
    }

    /// Several as one. What wasn't compared is among the `others`, and keeps the whole from agreeing.
    pub fn sum(name: &str, each: Vec<AuditSummary>, others: Vec<AuditPart>) -> Option<Self> {
        let all_compared = others.is_empty();
        let mut parts = others;
        let mut sum: Option<AuditSummary> = None;
        for one in each {
            parts.push(AuditPart {
                transfer: one.transfer.clone(),
                account: one.account.clone(),
                agrees: one.audited.then_some(one.agrees),
            });
            let Some(sum) = &mut sum else {
                sum = Some(one);
                continue;
            };
            sum.files += one.files;
            // Each read the same list.
            sum.jobs = sum.jobs.max(one.jobs);
            sum.requests += one.requests;
            sum.complete &= one.complete;
            sum.agrees &= one.agrees;
            for (name, count) in one.totals {
                *sum.totals.entry(name).or_default() += count;
            }
            sum.findings.extend(one.findings);
            sum.in_flight += one.in_flight;
            sum.audited |= one.audited;
        }
        let mut sum = sum?;
        sum.agrees &= all_compared;
        sum.findings.truncate(DISAGREEMENTS_LISTED);
        name.clone_into(&mut sum.transfer);
        sum.parts = parts;
        Some(sum)
    }

    /// How many files disagree for certain.
    pub fn faults(&self) -> u64 {
        self.totals.values().sum::<u64>() - self.totals[Disagreement::Unclear.name()]
    }

    pub(super) fn count(&mut self, kind: Disagreement, line: &AuditLine) {
        *self.totals.entry(kind.name()).or_default() += 1;
        if self.findings.len() < DISAGREEMENTS_LISTED {
            self.findings.push(line.clone());
        }
    }
}
