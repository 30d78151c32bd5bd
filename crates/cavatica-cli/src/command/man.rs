//! `cavatica man`: manual pages, made from the same definitions as the help.

use std::fs;

use crate::args::Man;
use crate::exit::{Exit, Failure};
use crate::help;
use crate::ui::Ui;

pub(crate) fn run(args: &Man, ui: &Ui) -> Result<Exit, Failure> {
    let refuse = |error: std::io::Error| {
        let text = format!("no pages can be written to {}", args.folder.display());
        Failure::usage(text).caused_by(error)
    };
    fs::create_dir_all(&args.folder).map_err(refuse)?;
    clap_mangen::generate_to(help::command(), &args.folder).map_err(refuse)?;
    ui.note(format_args!(
        "read them with `man {}`",
        args.folder.join("cavatica.1").display()
    ));
    Ok(Exit::Done)
}
