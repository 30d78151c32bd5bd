//! `cavatica transfers`: the transfers of a folder, and how each stands.

use cavatica_report::Overview;
use serde_json::json;

use crate::args::Transfers;
use crate::command::several;
use crate::command::status::{standing_words, verified_words};
use crate::failure::{Exit, Failure};
use crate::ui::{Ui, counted};

pub(crate) fn run(args: &Transfers, ui: &Ui) -> Result<Exit, Failure> {
    let named = several::listed(&args.places)?;
    if named.paths.is_empty() {
        ui.note(format_args!(
            "no transfers in {}; `cavatica plan --out NAME.transfer` makes one",
            named.name
        ));
    }
    let mut exit = Exit::Done;
    for path in &named.paths {
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
    let part = line
        .part
        .map(|part| format!("part {} of {}: ", part.number, part.of));
    let what = format!(
        "{}{} of {} to {}",
        part.unwrap_or_default(),
        line.mode.as_str(),
        line.selection,
        line.volume
    );
    ui.line(format_args!("{indent}{}", ui.fit(&what, indent.len())))?;
    if let Some(split) = &line.split_into {
        return Ok(ui.hanging(&indent, split, indent.len())?);
    }
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
