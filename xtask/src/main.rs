//! The chores of this repository: `cargo xtask CHORE`.

mod airflow;
mod bench;
mod ci;
mod conformance;
mod crash;
mod deny;
mod dist;
mod load;
mod metadata;
mod python;
mod sandbox;
mod simulate;
mod stores;
mod tidy;
mod upkeep;
mod venv;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    about = "The chores of this repository",
    arg_required_else_help = true
)]
enum Chore {
    /// The operator in Python, in an Airflow of its own
    Airflow(airflow::AirflowOptions),
    /// Requests, time, CPU and memory beside the official Python client, and the targets that must be met
    Bench(bench::BenchOptions),
    /// Everything that must hold before a change lands
    Ci,
    /// The platform's clients against the sandbox: Python's itself, recordings of R's, Perl's and Java's
    Conformance,
    /// Kills the real program again and again and lets the sandbox be the judge
    Crash(crash::Campaign),
    /// What is asked of every dependency: licence, versions, source, known faults
    Deny,
    /// The layer in Python: its wheel, its types, its tests on the oldest and the newest Python at hand
    Python(python::PythonOptions),
    /// What is handed out: a tarball, a wheel, their notices and sums, tried before they count as made
    Dist(dist::DistOptions),
    /// Hostile bytes for every decoder, transfer, listing and command line; as many as are asked for
    Fuzz {
        /// Inputs for each of them
        #[arg(long, default_value_t = 20_000)]
        cases: u32,
    },
    /// How many starts a second the sandbox keeps up with, and what a million files cost it
    SandboxLoad(load::Load),
    /// Seeds of the engine, its journal and the platform in one deterministic process; exit code 3 if one shows a fault
    Simulate(simulate::SimulateOptions),
    /// Exports to S3 stores of other makers and verifies there: moto from PyPI, s3rver from npm
    Stores {
        /// These only
        stores: Vec<stores::Maker>,
    },
    /// Layers and the top level's order
    Tidy {
        /// Format, and take what clippy proposes, before looking
        #[arg(long)]
        fix: bool,
    },
    /// That everything compiles with the oldest Rust that `Cargo.toml` names
    Msrv,
    /// Newer versions of the dependencies, within what `Cargo.toml` allows, and what they bring
    Update,
}

/// A chore that failed has said why.
#[derive(Debug)]
struct Failed;

fn main() -> ExitCode {
    let outcome = match Chore::parse() {
        Chore::Airflow(options) => airflow::run(&options),
        Chore::Bench(options) => bench::run(&options),
        Chore::Ci => ci::run(),
        Chore::Conformance => conformance::run(),
        Chore::Crash(campaign) => crash::run(&campaign),
        Chore::Deny => deny::run(),
        Chore::Dist(options) => dist::run(&options),
        Chore::Python(options) => python::run(&options),
        Chore::Fuzz { cases } => upkeep::fuzz(cases),
        Chore::SandboxLoad(load) => load::run(&load),
        Chore::Simulate(options) => {
            return simulate::run(&options).map_or(ExitCode::FAILURE, ExitCode::from);
        }
        Chore::Stores { stores } => stores::run(&stores),
        Chore::Tidy { fix: false } => tidy::run(),
        Chore::Tidy { fix: true } => upkeep::fix().and_then(|()| tidy::run()),
        Chore::Msrv => upkeep::msrv(),
        Chore::Update => upkeep::update(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed) => ExitCode::FAILURE,
    }
}

/// The repository's top folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("xtask lies in the top folder")
        .to_owned()
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs us.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    unspoilt(&mut command);
    command
}

/// Takes away what cargo told us about ourselves: a build script that looks at such variables would take everything above
/// it for changed.
fn unspoilt(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
}

#[expect(clippy::print_stderr, reason = "chores talk to people, and only here")]
fn say(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// Runs a command to its end.
fn command(command: &mut Command) -> Result<(), Failed> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            say(format_args!("{command:?}: {status}"));
            Err(Failed)
        }
        Err(error) => {
            say(format_args!("{command:?} can't be started: {error}"));
            Err(Failed)
        }
    }
}
