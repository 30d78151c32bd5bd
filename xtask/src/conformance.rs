//! The platform's clients against our sandbox: the official one for Python, unmodified and from its registry, and those for
//! R, Perl and Java as recordings of what they send, with what they need to find in the answers.

use std::path::PathBuf;
use std::process::Command;

use crate::{Failed, cargo, command, root, target};

pub(crate) fn run() -> Result<(), Failed> {
    command(cargo().args(["build", "--package", "cavatica-cli", "--locked"]))?;
    command(
        Command::new(python()?)
            .arg(root().join("xtask/conformance/sevenbridges_python.py"))
            .arg(target().join("debug/cavatica")),
    )?;
    let recordings = ["--package", "cavatica-sandbox", "--test", "it", "--locked"];
    command(
        cargo()
            .arg("test")
            .args(recordings)
            .args(["--", "recordings::", "r_client::"]),
    )
}

/// A Python of our own with the client in it, kept for the next time.
pub(crate) fn python() -> Result<PathBuf, Failed> {
    let venv = target().join("conformance/venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        command(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    command(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .arg("--requirement")
            .arg(root().join("xtask/conformance/requirements.txt")),
    )?;
    Ok(python)
}
