//! The chores of this repository: `cargo xtask CHORE`.

mod airflow;
mod api;
mod bench;
mod ci;
mod conformance;
mod crash;
mod deny;
mod dist;
mod engines;
mod load;
mod metadata;
mod mutants;
mod package;
mod python;
mod sandbox;
mod screenshots;
mod simulate;
mod stores;
mod tidy;
mod tools;
mod upkeep;
mod venv;

use std::process::ExitCode;

use clap::Parser;

pub(crate) use tools::{Failed, because, cargo, command, root, say, target, unspoilt};

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    about = "The chores of this repository",
    arg_required_else_help = true
)]
enum Chore {
    /// The operator in Python, in an Airflow of its own
    Airflow(airflow::AirflowOptions),
    /// Records the public API of each library in its `api.txt`
    Api {
        /// Only say where it differs from what is recorded
        #[arg(long)]
        check: bool,
    },
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
    /// The libraries as packages, each with those below it
    Package,
    /// Parts of a plan under Slurm and GNU parallel, with two accounts and tasks that are killed
    Engines(engines::EngineOptions),
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
    /// Small changes to the core, made by cargo-mutants, each of which has to fail a test
    Mutants(mutants::MutantsOptions),
    /// How many starts a second the sandbox keeps up with, and what a million files cost it
    SandboxLoad(load::Load),
    /// Pictures of the pages in headless Chromium, light, dark, narrow and printed, and what a machine can find wrong with them
    Screenshots(screenshots::Options),
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

fn main() -> ExitCode {
    let outcome = match Chore::parse() {
        Chore::Airflow(options) => airflow::run(&options),
        Chore::Api { check } => api::run(check),
        Chore::Bench(options) => bench::run(&options),
        Chore::Ci => ci::run(),
        Chore::Conformance => conformance::run(),
        Chore::Crash(campaign) => crash::run(&campaign),
        Chore::Deny => deny::run(),
        Chore::Dist(options) => dist::run(&options),
        Chore::Package => package::run(),
        Chore::Engines(options) => engines::run(&options),
        Chore::Python(options) => python::run(&options),
        Chore::Fuzz { cases } => upkeep::fuzz(cases),
        Chore::Mutants(options) => mutants::run(&options),
        Chore::SandboxLoad(load) => load::run(&load),
        Chore::Simulate(options) => {
            return simulate::run(&options).map_or(ExitCode::FAILURE, ExitCode::from);
        }
        Chore::Screenshots(options) => screenshots::run(&options),
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
