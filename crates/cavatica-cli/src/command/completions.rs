//! `cavatica completions`: made from the same definitions as the help.

use clap::ValueEnum;
use serde_json::json;

use crate::args::Completions;
use crate::exit::{Exit, Failure};
use crate::help;
use crate::ui::Ui;

pub(crate) fn run(args: &Completions, ui: &Ui) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(), "cavatica", &mut script);
    let script = String::from_utf8_lossy(&script);
    if ui.is_json() {
        let shell = args.shell.to_possible_value();
        let shell = shell.as_ref().map(clap::builder::PossibleValue::get_name);
        ui.json(&json!({"shell": shell, "script": script}))?;
    } else {
        ui.text(&script)?;
    }
    Ok(Exit::Done)
}
