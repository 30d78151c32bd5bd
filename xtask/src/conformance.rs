//! The platform's official Python client, unmodified and from its registry, against our sandbox: what it can do there, it
//! does as it would on the platform.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failed, cargo, command, root};

pub(crate) fn run() -> Result<(), Failed> {
    command(cargo().args(["build", "--package", "cavatica-cli", "--locked"]))?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let scripts = root().join("xtask/conformance");
    let python = environment(&target.join("conformance/venv"), &scripts)?;
    let program = target.join("debug/cavatica");
    command(
        Command::new(python)
            .arg(scripts.join("sevenbridges_python.py"))
            .arg(program),
    )
}

/// A Python of our own with the client in it, kept for the next time.
fn environment(venv: &Path, scripts: &Path) -> Result<PathBuf, Failed> {
    let python = venv.join("bin/python");
    if !python.exists() {
        command(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
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
            .arg(scripts.join("requirements.txt")),
    )?;
    Ok(python)
}
