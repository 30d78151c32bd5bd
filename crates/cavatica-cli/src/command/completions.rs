//! `cavatica completions`: made from the same definitions as the help.

use std::io::Write;

use clap::CommandFactory;

use crate::args::{Cli, Completions};
use crate::exit::{Exit, Failure};

pub(crate) fn run(args: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cavatica", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::Done)
}
