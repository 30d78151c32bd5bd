//! The layer in Python: its wheel, and everything that must hold of it, on the oldest and the newest Python at hand.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::venv::{Venv, pythons};
use crate::{Failed, command, root, say, target};

#[derive(Debug, Args)]
pub(crate) struct PythonOptions {
    /// The profile of the program in the wheel; a debug build is there soonest
    #[arg(long, default_value = "dev")]
    profile: String,
}

impl PythonOptions {
    /// With the program that the demo was run with, which is built already.
    pub(crate) fn release() -> Self {
        PythonOptions {
            profile: "release".to_owned(),
        }
    }
}

pub(crate) fn run(options: &PythonOptions) -> Result<(), Failed> {
    let pythons = pythons()?;
    let (oldest, newest) = (&pythons[0], &pythons[pythons.len() - 1]);
    let tools = tools()?;
    command(there(&tools, "ruff").args(["check", "."]))?;
    command(there(&tools, "ruff").args(["format", "--check", "."]))?;
    let wheel = wheel(&options.profile)?;
    let fresh = Venv::fresh("newest", newest)?;
    fresh.install(&[
        &wheel,
        "--requirement",
        "crates/cavatica-python/dev/test.txt",
        "--requirement",
        "crates/cavatica-python/dev/notebook.txt",
    ])?;
    // With the libraries at hand, so that what is said of their types is held against theirs.
    command(
        there(&tools, "mypy")
            .arg("--python-executable")
            .arg(fresh.path("python")),
    )?;
    pytest(&fresh)?;
    if oldest.version != newest.version {
        let fresh = Venv::fresh("oldest", oldest)?;
        fresh.install(&[
            &wheel,
            "--requirement",
            "crates/cavatica-python/dev/test.txt",
        ])?;
        pytest(&fresh)?;
    }
    Ok(())
}

fn pytest(venv: &Venv) -> Result<(), Failed> {
    say(format_args!("pytest with Python {}", venv.version));
    command(
        there(venv, "python")
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
            .env_remove("CAVATICA_BIN"),
    )
}

/// What builds and judges the package.
fn tools() -> Result<Venv, Failed> {
    Venv::with("tools", "crates/cavatica-python/dev/tools.txt")
}

/// Builds the wheel for this machine, and returns its path.
pub(crate) fn wheel(profile: &str) -> Result<String, Failed> {
    let tools = tools()?;
    let out = target().join("python/wheel");
    std::fs::remove_dir_all(&out).ok();
    command(
        there(&tools, "maturin")
            .args([
                "build",
                "--locked",
                "--compatibility",
                "linux",
                "--profile",
                profile,
                "--out",
            ])
            .arg(&out)
            .env("CARGO_TARGET_DIR", target()),
    )?;
    only_wheel(&out)
}

/// The wheel in a folder.
pub(crate) fn only_wheel(folder: &Path) -> Result<String, Failed> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut wheels = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "whl"));
    match (wheels.next(), wheels.next()) {
        (Some(wheel), None) => Ok(wheel.display().to_string()),
        _ => {
            say(format_args!(
                "{} holds not just one wheel",
                folder.display()
            ));
            Err(Failed)
        }
    }
}

/// A program of an environment, to be run where `pyproject.toml` lies.
pub(crate) fn there(venv: &Venv, program: &str) -> Command {
    let mut command = venv.program(program);
    command.current_dir(package());
    command
}

/// Where `pyproject.toml` lies.
pub(crate) fn package() -> PathBuf {
    root().join("crates/cavatica-python")
}
