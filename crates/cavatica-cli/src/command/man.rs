//! `cavatica man`: manual pages, made from the same definitions as the help.

use std::fs;
use std::io;

use clap_mangen::Man as Page;
use serde_json::json;

use crate::args::Man;
use crate::failure::{Exit, Failure};
use crate::help;
use crate::hint;
use crate::ui::Ui;

pub(crate) fn run(args: &Man, ui: &Ui) -> Result<Exit, Failure> {
    let pages = write(args).map_err(|error| {
        let text = format!("no pages can be written to {}", args.folder.display());
        Failure::usage(text).caused_by(error)
    })?;
    if ui.is_json() {
        ui.json(&json!({"folder": args.folder, "pages": pages}))?;
    } else {
        ui.note(format_args!(
            "read them with `man {}`",
            hint::path_word(&args.folder.join("cavatica.1"))
        ));
    }
    Ok(Exit::Done)
}

/// Writes every page, and answers their names.
fn write(args: &Man) -> io::Result<Vec<String>> {
    fs::create_dir_all(&args.folder)?;
    let mut command = help::command().disable_help_subcommand(true);
    // Names and global options reach the commands below only then.
    command.build();
    let mut left = vec![command];
    let mut names = Vec::new();
    while let Some(command) = left.pop() {
        if command.is_hide_set() {
            continue;
        }
        left.extend(command.get_subcommands().cloned());
        let page = Page::new(command);
        let mut text = Vec::new();
        page.render(&mut text)?;
        // What stands behind the options has a name that fits it: an example, or for the program itself notes.
        let name = page.get_filename();
        let text = String::from_utf8_lossy(&text)
            .replace(".SH EXTRA\nExample:", ".SH EXAMPLES")
            .replace(".SH EXTRA\nExamples:", ".SH EXAMPLES")
            .replace(".SH EXTRA", ".SH NOTES");
        fs::write(args.folder.join(&name), text)?;
        names.push(name);
    }
    names.sort();
    Ok(names)
}
