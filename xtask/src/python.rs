//! The layer in Python: its wheel, and everything that must hold of it, on the oldest and the newest Python at hand.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;

use crate::{Failed, command, root, say, target, unspoilt};

/// The oldest that `pyproject.toml` names.
const OLDEST: (u32, u32) = (3, 8);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The profile of the program in the wheel; a debug build is there soonest
    #[arg(long, default_value = "dev")]
    profile: String,
}

impl Options {
    /// With the program that the demo was run with, which is built already.
    pub(crate) fn release() -> Self {
        Options {
            profile: "release".to_owned(),
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<(), Failed> {
    let pythons = pythons()?;
    let (oldest, newest) = (&pythons[0], &pythons[pythons.len() - 1]);
    let tools = tools(newest)?;
    command(tools.program("ruff").args(["check", "."]))?;
    command(tools.program("ruff").args(["format", "--check", "."]))?;
    let wheel = wheel(&options.profile)?;
    let fresh = Venv::fresh("newest", newest)?;
    fresh.install(&[
        &wheel,
        "--requirement",
        "dev/test.txt",
        "--requirement",
        "dev/notebook.txt",
    ])?;
    // With the libraries at hand, so that what is said of their types is held against theirs.
    command(
        tools
            .program("mypy")
            .arg("--python-executable")
            .arg(fresh.path("python")),
    )?;
    pytest(&fresh)?;
    if oldest.version != newest.version {
        let fresh = Venv::fresh("oldest", oldest)?;
        fresh.install(&[&wheel, "--requirement", "dev/test.txt"])?;
        pytest(&fresh)?;
    }
    Ok(())
}

fn pytest(venv: &Venv) -> Result<(), Failed> {
    say(format_args!("pytest with Python {}", venv.version));
    command(
        venv.program("python")
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
            .env_remove("CAVATICA_BIN"),
    )
}

/// What builds and judges the package.
fn tools(python: &Python) -> Result<Venv, Failed> {
    let tools = Venv::kept("tools", python)?;
    tools.install(&["--requirement", "dev/tools.txt"])?;
    Ok(tools)
}

/// Builds the wheel for this machine, and returns its path.
pub(crate) fn wheel(profile: &str) -> Result<String, Failed> {
    let pythons = pythons()?;
    let tools = tools(&pythons[pythons.len() - 1])?;
    let out = target().join("python/wheel");
    std::fs::remove_dir_all(&out).ok();
    command(
        tools
            .program("maturin")
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

/// Where `pyproject.toml` lies.
pub(crate) fn package() -> PathBuf {
    root().join("crates/cavatica-python")
}

/// A Python that can be started.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Python {
    pub(crate) version: (u32, u32),
    program: PathBuf,
}

/// All that can be had here, the oldest first: those on the search path, and those that pyenv keeps.
pub(crate) fn pythons() -> Result<Vec<Python>, Failed> {
    let names = (OLDEST.1..30).map(|minor| PathBuf::from(format!("python3.{minor}")));
    let kept = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".pyenv")));
    let kept = kept.and_then(|folder| std::fs::read_dir(folder.join("versions")).ok());
    let kept = kept
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/python3"));
    let mut found: Vec<Python> = std::iter::once(PathBuf::from("python3"))
        .chain(names)
        .chain(kept)
        .filter_map(Python::at)
        .filter(|python| python.version >= OLDEST)
        .collect();
    found.sort();
    found.dedup_by_key(|python| python.version);
    if found.is_empty() {
        say(format_args!("there is no Python 3.{} or newer", OLDEST.1));
        return Err(Failed);
    }
    Ok(found)
}

impl Python {
    fn at(program: PathBuf) -> Option<Self> {
        let output = Command::new(&program)
            .args(["-c", "import sys; print(*sys.version_info[:2])"])
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let (major, minor) = text.trim().split_once(' ')?;
        Some(Python {
            version: (major.parse().ok()?, minor.parse().ok()?),
            program,
        })
    }
}

/// An environment of its own for some packages.
pub(crate) struct Venv {
    folder: PathBuf,
    version: String,
}

impl Venv {
    /// One that is kept for the next time.
    pub(crate) fn kept(name: &str, python: &Python) -> Result<Self, Failed> {
        let venv = Venv::named(name, python);
        if !venv.path("python").exists() {
            command(
                Command::new(&python.program)
                    .args(["-m", "venv"])
                    .arg(&venv.folder),
            )?;
        }
        Ok(venv)
    }

    /// One that holds nothing yet.
    pub(crate) fn fresh(name: &str, python: &Python) -> Result<Self, Failed> {
        let venv = Venv::named(name, python);
        command(
            Command::new(&python.program)
                .args(["-m", "venv", "--clear"])
                .arg(&venv.folder),
        )?;
        Ok(venv)
    }

    fn named(name: &str, python: &Python) -> Self {
        let (major, minor) = python.version;
        let version = format!("{major}.{minor}");
        Venv {
            folder: target().join(format!("python/{name}-{version}")),
            version,
        }
    }

    /// A program of this environment.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// The program, to be run where `pyproject.toml` lies, and with the others of this environment before all else.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.path(name));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.folder.join("bin")).chain(std::env::split_paths(&path));
        command.current_dir(package());
        unspoilt(&mut command);
        command.env(
            "PATH",
            std::env::join_paths(folders).unwrap_or(path.clone()),
        );
        command
    }

    /// Installs from PyPI, or from a file.
    pub(crate) fn install(&self, what: &[&str]) -> Result<(), Failed> {
        command(
            self.program("python")
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ])
                .args(what),
        )
    }
}
