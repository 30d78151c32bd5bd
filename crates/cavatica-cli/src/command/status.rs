//! `cavatica status`: how a transfer stands.

use std::io;

use cavatica_exports::model::expected_beginning;
use cavatica_report::{FailureLine, Summary};
use cavatica_transfer::journal::TransferFile;
use indicatif::HumanBytes;

use crate::args;
use crate::exit::{Exit, Failure};
use crate::ui::{Ui, counted};

/// The most failures that are named on a terminal; `--json` names more.
const NAMED: usize = 20;

pub(crate) fn run(args: &args::Status, ui: &Ui) -> Result<Exit, Failure> {
    let summary = Summary::read(&args.transfer)?;
    show(&summary, ui)?;
    if !ui.is_json() {
        show_plan(&TransferFile::open(&args.transfer)?, ui)?;
    }
    Ok(Exit::Done)
}

/// What was planned, and what whoever approves of it has to name.
fn show_plan(file: &TransferFile, ui: &Ui) -> Result<(), Failure> {
    let terms = file.terms();
    let bucket = terms.bucket.as_deref().unwrap_or("unknown");
    let prefix = format!(
        "{}{}",
        expected_beginning(&terms.volume_prefix),
        terms.prefix
    );
    ui.sentence(format_args!(
        "{} of {}, {}, to volume {}: bucket {bucket}, {}",
        terms.mode.as_str(),
        file.selection(),
        HumanBytes(file.planned().bytes),
        terms.volume,
        prefix_words(&prefix),
    ))?;
    ui.line(format_args!("fingerprint {}", file.fingerprint()))?;
    Ok(())
}

/// What all keys have in common.
pub(crate) fn prefix_words(prefix: &str) -> String {
    match prefix {
        "" => "keys have no prefix".to_owned(),
        prefix => format!("keys begin with `{prefix}`"),
    }
}

/// The last word on a transfer: the counts, and the failures at the very end, where they are seen.
pub(crate) fn show(summary: &Summary, ui: &Ui) -> io::Result<()> {
    if ui.is_json() {
        return ui.json(summary);
    }
    if let Some(label) = &summary.label {
        ui.line(label)?;
    }
    ui.sentence(format_args!(
        "{}: {} completed, {} failed, {} unknown, {} left ({} of them in flight), {} skipped",
        summary.transfer,
        summary.completed,
        summary.failed,
        summary.unknown,
        summary.left,
        summary.in_flight,
        summary.skipped
    ))?;
    if summary.by_word > 0 {
        ui.line(format_args!(
            "{} of these by somebody's word, not by the platform's",
            counted(summary.by_word, "file")
        ))?;
    }
    if summary.reconciled > 0 {
        ui.line(format_args!(
            "{} settled by asking the platform, because the answers were lost",
            counted(summary.reconciled, "file")
        ))?;
    }
    let named = &summary.failures[..summary.failures.len().min(NAMED)];
    for alike in by_remedy(named) {
        let first = alike[0];
        let code = first
            .code
            .map_or_else(String::new, |code| format!(" {code}"));
        let count = match alike.len() {
            1 => String::new(),
            count => format!(", {count} files"),
        };
        ui.sentence(format_args!(
            "{}{code}{count}: {}",
            first.state, first.advice
        ))?;
        for failure in alike {
            let line = format_args!(
                "{} {}: {}",
                failure.file_id, failure.location, failure.message
            );
            ui.hanging("  ", line, 4)?;
        }
    }
    let more = (summary.failed + summary.unknown).saturating_sub(NAMED as u64);
    if more > 0 {
        ui.line(format_args!("... and {more} more; --json names them"))?;
    }
    Ok(())
}

/// Failures that ask for the same, together, in the order of their first.
fn by_remedy(failures: &[FailureLine]) -> Vec<Vec<&FailureLine>> {
    let key = |failure: &FailureLine| (failure.state, failure.code, failure.advice);
    let mut groups: Vec<Vec<&FailureLine>> = Vec::new();
    for failure in failures {
        let same = |group: &&mut Vec<&FailureLine>| key(group[0]) == key(failure);
        match groups.iter_mut().find(same) {
            Some(group) => group.push(failure),
            None => groups.push(vec![failure]),
        }
    }
    groups
}

/// How the program ends after a run, by what the transfer came to.
pub(crate) fn verdict(summary: &Summary) -> Exit {
    if summary.unknown > 0 {
        Exit::Unknown
    } else if summary.failed > 0 {
        Exit::SomeFailed
    } else {
        Exit::Done
    }
}
