//! What every chore uses: where things are, how cargo is called, and how one speaks.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A chore that failed has said why.
#[derive(Debug)]
pub(crate) struct Failed;

/// The repository's top folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("xtask lies in the top folder")
        .to_owned()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    unspoilt(&mut command);
    command
}

/// Takes away what cargo told us about ourselves: a build script that looks at such variables would take everything above
/// it for changed.
pub(crate) fn unspoilt(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
}

#[expect(clippy::print_stderr, reason = "chores talk to people, and only here")]
pub(crate) fn say(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// Runs a command to its end.
pub(crate) fn command(command: &mut Command) -> Result<(), Failed> {
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

/// Says what could not be done, and why.
pub(crate) fn because<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Failed {
    move |error| {
        say(format_args!("{what}: {error}"));
        Failed
    }
}
