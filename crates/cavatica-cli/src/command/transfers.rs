//! `cavatica transfers`: the transfers of a folder, and how each stands.

use cavatica_report::{Overview, transfers_in};
use serde_json::json;

use crate::args::Transfers;
use crate::command::status::{standing_words, verified_words};
use crate::exit::{Exit, Failure};
use crate::ui::{Ui, counted};

pub(crate) fn run(args: &Transfers, ui: &Ui) -> Result<Exit, Failure> {
    let paths = transfers_in(&args.folder).map_err(|error| {
        Failure::usage(format!("{} can't be listed", args.folder.display())).caused_by(error)
    })?;
    if paths.is_empty() {
        ui.note(format_args!(
            "no transfers in {}; `cavatica plan --out NAME.transfer` makes one",
            args.folder.display()
        ));
    }
    let mut exit = Exit::Done;
    for path in &paths {
        // Nobody types the `./` of the current folder.
        let path = path.strip_prefix(".").unwrap_or(path);
        match Overview::read(path) {
            Ok(line) if ui.is_json() => ui.json(&line)?,
            Ok(line) => show(&line, ui)?,
            Err(error) => {
                exit = Exit::Other;
                if ui.is_json() {
                    ui.json(&json!({"transfer": path, "error": error.to_string()}))?;
                }
                ui.warn(&error);
            }
        }
    }
    Ok(exit)
}

fn show(line: &Overview, ui: &Ui) -> Result<(), Failure> {
    let (start, indent) = (format!("{:<10}  ", line.state.name()), " ".repeat(12));
    let name = match &line.label {
        Some(label) => format!("{}  {label}", line.transfer),
        None => line.transfer.clone(),
    };
    ui.line(format_args!("{start}{}", ui.fit(&name, start.len())))?;
    let what = format!(
        "{} of {} to {}",
        line.mode.as_str(),
        line.selection,
        line.volume
    );
    ui.line(format_args!("{indent}{}", ui.fit(&what, indent.len())))?;
    ui.line(format_args!(
        "{indent}{} of {}, {} failed, {} unknown, {} left",
        line.completed,
        counted(line.files, "file"),
        line.failed,
        line.unknown,
        line.left
    ))?;
    ui.line(format_args!("{indent}{}", standing_words(line, ui)))?;
    if let Some(words) = verified_words(line, ui) {
        ui.line(format_args!("{indent}{}", ui.fit(&words, indent.len())))?;
    }
    Ok(())
}
