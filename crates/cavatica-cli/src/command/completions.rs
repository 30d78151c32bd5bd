//! `cavatica completions`: made from the same definitions as the help.

use std::io::Write;

use crate::args::Completions;
use crate::exit::{Exit, Failure};
use crate::help;

pub(crate) fn run(args: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(), "cavatica", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::Done)
}
