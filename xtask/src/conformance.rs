//! The platform's clients against our sandbox: the official one for Python, unmodified and from its registry, and those for
//! R, Perl and Java as recordings of what they send, with what they need to find in the answers.

use std::path::PathBuf;
use std::process::Command;

use crate::venv::Venv;
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

/// A Python with the client in it.
pub(crate) fn python() -> Result<PathBuf, Failed> {
    let venv = Venv::with("conformance", "xtask/conformance/requirements.txt")?;
    Ok(venv.path("python"))
}
