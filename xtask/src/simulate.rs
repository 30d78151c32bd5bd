//! Seeds of the engine, its journal and the platform in one deterministic process.

use clap::Parser;

use crate::{Failed, cargo, say, target};

/// What is passed on to the program of `cavatica-simulation`, which tells what it takes (`--help`).
#[derive(Debug, Parser)]
#[command(disable_help_flag = true)]
pub(crate) struct SimulateOptions {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl SimulateOptions {
    pub(crate) fn of(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        SimulateOptions {
            arguments: arguments.collect(),
        }
    }
}

/// Builds the program and runs it. Answers its exit code: 3 if something was found.
pub(crate) fn run(options: &SimulateOptions) -> Result<u8, Failed> {
    crate::command(cargo().args([
        "build",
        "--quiet",
        "--locked",
        "--profile",
        "simulation",
        "-p",
        "cavatica-simulation",
    ]))?;
    let program = target().join("simulation/cavatica-simulation");
    let status = std::process::Command::new(&program)
        .args(&options.arguments)
        .status();
    let status = status.map_err(|error| {
        say(format_args!(
            "{} can't be started: {error}",
            program.display()
        ));
        Failed
    })?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.ok_or(Failed)
}
