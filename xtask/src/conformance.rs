//! The platform's official Python client, unmodified and from its registry, against our sandbox: what it can do there, it
//! does as it would on the platform.

use std::path::PathBuf;
use std::process::Command;

use crate::{Failed, cargo, command, root, target};

pub(crate) fn run() -> Result<(), Failed> {
    command(cargo().args(["build", "--package", "cavatica-cli", "--locked"]))?;
    command(
        Command::new(python()?)
            .arg(root().join("xtask/conformance/sevenbridges_python.py"))
            .arg(target().join("debug/cavatica")),
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
