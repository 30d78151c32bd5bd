//! `cavatica split`: a plan in parts.

use std::path::Path;

use cavatica_transfer::{SplitBy, SplitError, SplitOptions, SplitReport, split};
use jiff::Timestamp;

use crate::args;
use crate::command::run::opening;
use crate::credentials::Environment;
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::ui::{Bytes, Ui, counted};

pub(crate) fn run(args: &args::Split, ui: &Ui) -> Result<Exit, Failure> {
    let mut options = SplitOptions::new(usize::from(args.parts), &args.out);
    options.by = match args.by {
        args::SplitBy::Files => SplitBy::Files,
        args::SplitBy::Bytes => SplitBy::Bytes,
        args::SplitBy::Folder => SplitBy::Folder,
    };
    let report = carry_out(&args.transfer, &options, ui)?;
    if ui.is_json() {
        ui.json(&report)?;
    } else {
        show(&report, ui)?;
    }
    Ok(Exit::Done)
}

/// Splits a transfer, whoever asked for it.
pub(crate) fn carry_out(
    transfer: &Path,
    options: &SplitOptions,
    ui: &Ui,
) -> Result<SplitReport, Failure> {
    let opening = opening(&Environment::read(), ui);
    Ok(split(transfer, &opening, options, Timestamp::now())?)
}

pub(crate) fn show(report: &SplitReport, ui: &Ui) -> Result<(), Failure> {
    for part in &report.parts {
        ui.line(format_args!(
            "{}: {}, {}",
            part.transfer,
            counted(part.files, "file"),
            Bytes(part.bytes)
        ))?;
    }
    ui.line(format_args!("fingerprint over all {}", report.fingerprint))?;
    let first = report.parts.first();
    let first = first.map_or_else(String::new, |part| {
        hint::path_word(Path::new(&part.transfer))
    });
    let folder = hint::path_word(Path::new(&report.folder));
    ui.note(format_args!(
        "{} runs no more: its parts do. To start one, to let another account take one, and to see how all stand:",
        report.transfer
    ));
    ui.command(format_args!(
        "cavatica run {first} --approve {}",
        report.fingerprint
    ));
    ui.command(format_args!("cavatica take {first} --profile NAME --yes"));
    ui.command(format_args!("cavatica status {folder}"));
    Ok(())
}

impl From<SplitError> for Failure {
    fn from(error: SplitError) -> Self {
        let message = error.to_string();
        match error {
            SplitError::Journal(error) => error.into(),
            SplitError::IsPart { .. } => {
                Failure::usage(message).hint("plan anew, and split the plan into more parts")
            }
            SplitError::TooFew { .. } => Failure::usage(message)
                .hint("ask for fewer parts, or split it --by files where folders may be cut"),
            _ => Failure::usage(message),
        }
    }
}
