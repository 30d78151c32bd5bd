//! Environments for what comes from PyPI, each its own, below the target folder.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{Failed, command, root, say, target, unspoilt};

/// The oldest that the package in Python runs with.
const OLDEST: (u32, u32) = (3, 8);

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
    pub(crate) version: String,
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

    /// One on the newest Python, with what a file names installed, kept for the next time.
    pub(crate) fn with(name: &str, requirements: &str) -> Result<Self, Failed> {
        let pythons = pythons()?;
        let venv = Venv::kept(name, &pythons[pythons.len() - 1])?;
        venv.install(&["--requirement", requirements])?;
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
            folder: target().join(format!("venv/{name}-{version}")),
            version,
        }
    }

    /// A program of this environment.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// The program, with the others of this environment before all else.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.path(name));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.folder.join("bin")).chain(std::env::split_paths(&path));
        command.current_dir(root());
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
