//! Everything that must hold before a change lands, in the order in which it is quickest to know.

use std::process::Command;
use std::time::Instant;

use crate::{Failed, cargo, say, tidy};

pub(crate) fn run() -> Result<(), Failed> {
    step("format", || {
        command(cargo().args(["fmt", "--all", "--check"]))
    })?;
    step("tidy", tidy::run)?;
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
    step("tests", || {
        command(cargo().args(["test", "--workspace", "--locked"]))
    })?;
    step("docs", || {
        command(
            cargo()
                .args(["doc", "--workspace", "--no-deps", "--locked"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    })?;
    step("demo", || {
        command(cargo().args(["run", "--release", "--locked", "--", "demo"]))
    })?;
    Ok(())
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
