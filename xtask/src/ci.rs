//! Everything that must hold before a change lands, in the order in which it is quickest to know.

use std::time::Instant;

use crate::{
    Failed, api, cargo, command, conformance, crash, deny, package, python, say, screenshots,
    simulate, stores, target, tidy,
};

pub(crate) fn run() -> Result<(), Failed> {
    step("format", || {
        command(cargo().args(["fmt", "--all", "--check"]))
    })?;
    step("tidy", tidy::run)?;
    step("dependencies", deny::run)?;
    step("clippy", || {
        command(cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    // Before the tests, one of which looks beside boto3, which comes with this.
    step("stores", || stores::run(&[stores::Maker::Moto]))?;
    step("tests", || {
        command(cargo().args(["test", "--workspace", "--locked"]))
    })?;
    step("screenshots", || {
        screenshots::run(&screenshots::Options::default())
    })?;
    step("examples", examples)?;
    step("features", features)?;
    step("wasm", wasm)?;
    step("docs", || api::run(true))?;
    step("packages", package::run)?;
    step("demo", || {
        command(cargo().args(["run", "--release", "--locked", "--", "demo"]))
    })?;
    step("size", size)?;
    step("python", || python::run(&python::PythonOptions::release()))?;
    step("conformance", conformance::run)?;
    step("simulation", simulation)?;
    step("crash", || crash::run(&crash::Campaign::short()))?;
    Ok(())
}

/// A few thousand seeds, and each fault that is put in by hand until one of them finds it.
fn simulation() -> Result<(), Failed> {
    for arguments in [
        &["--seeds", "2000"][..],
        &["--seeds", "1000", "--mode", "liveness"],
        &[
            "--seeds",
            "300",
            "--mode",
            "harm",
            "--without",
            "list-in-order",
        ],
        &["--seeds", "2000", "--mutations"],
    ] {
        if simulate::run(&simulate::SimulateOptions::of(arguments))? != 0 {
            return Err(Failed);
        }
    }
    Ok(())
}

/// Below this many bytes. It is the quick build of `cargo run --release`, so larger than what is handed out, which has
/// a limit of its own in `dist.rs`; this notices sooner when something large was pulled in.
const PROGRAM_SIZE: u64 = 34_000_000;

/// Measures what the demo was run with.
fn size() -> Result<(), Failed> {
    let program = target().join("release/cavatica");
    let size = std::fs::metadata(&program).map_err(|error| {
        say(format_args!(
            "{} can't be measured: {error}",
            program.display()
        ));
        Failed
    })?;
    let (size, limit) = (size.len(), PROGRAM_SIZE);
    say(format_args!("the program has {size} bytes of {limit}"));
    if size < limit { Ok(()) } else { Err(Failed) }
}

/// Each runs against a sandbox of its own and fails if it doesn't come to its end.
fn examples() -> Result<(), Failed> {
    for (package, name) in [
        ("cavatica-exports", "export_one_file"),
        ("cavatica-exports", "list_and_follow"),
        ("cavatica-exports", "check_service"),
        ("cavatica-transfer", "transfer"),
    ] {
        command(cargo().args([
            "run",
            "--quiet",
            "--locked",
            "-p",
            package,
            "--example",
            name,
        ]))?;
    }
    Ok(())
}

/// The engine without the features that the program asks for, and the model with the one that it doesn't.
fn features() -> Result<(), Failed> {
    for features in ["--no-default-features", "--features=sqlite"] {
        command(cargo().args(["check", "--locked", "-p", "cavatica-transfer", features]))?;
    }
    command(cargo().args([
        "test",
        "--locked",
        "-p",
        "cavatica-model",
        "--features",
        "schemars1",
        "--lib",
        "schema",
    ]))
}

/// The model serves where there is no operating system. Said, not failed, where the target can't be had.
fn wasm() -> Result<(), Failed> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let added = std::process::Command::new("rustup")
        .args(["target", "add", TARGET])
        .status();
    if !added.is_ok_and(|status| status.success()) {
        say(format_args!(
            "{TARGET} can't be had here: the model isn't built for it"
        ));
        return Ok(());
    }
    command(cargo().args([
        "check",
        "--locked",
        "-p",
        "cavatica-model",
        "--target",
        TARGET,
    ]))
}

fn step(name: &str, work: impl FnOnce() -> Result<(), Failed>) -> Result<(), Failed> {
    say(format_args!("== {name}"));
    let started = Instant::now();
    let outcome = work();
    let word = if outcome.is_ok() { "ok" } else { "FAILED" };
    say(format_args!(
        "== {name}: {word}, {} s",
        started.elapsed().as_secs()
    ));
    outcome
}
