//! Other owners and other files of the same name, put in the way of a program that runs.
//!
//! The program is stopped meanwhile, between two commits, so that it is certain what it holds.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::setup::{Counts, Setup};
use crate::sandbox::Running;

/// The exit code of a run that was refused.
const REFUSED: i32 = 2;

/// The exit code of a run that can be taken up again.
const INTERRUPTED: i32 = 6;

/// What is put in a program's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interference {
    /// A second run, of the same transfer under a symbolic link.
    Symlink,
    /// Under a hard link.
    HardLink,
    /// Under its own name, after its lock file was deleted.
    DeletedLock,
    /// Of a copy.
    Copy,
    /// No second run, but a backup in the transfer's place.
    Backup,
}

impl Interference {
    pub(super) const ALL: [Interference; 5] = [
        Interference::Symlink,
        Interference::HardLink,
        Interference::DeletedLock,
        Interference::Copy,
        Interference::Backup,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Interference::Symlink => "second run refused: by a symbolic link",
            Interference::HardLink => "second run refused: by a hard link",
            Interference::DeletedLock => "second run refused: after its lock was deleted",
            Interference::Copy => "second run refused: of a copy",
            Interference::Backup => "ended by a backup in its place",
        }
    }
}

impl Setup {
    /// Puts something in the way of a program that runs. It is killed by the caller or has ended when this returns; false if
    /// it had ended before.
    pub(super) fn strike(
        &self,
        event: Interference,
        program: &mut Running,
        seen: &mut Counts,
    ) -> Result<bool, String> {
        if !self.hold(program)? {
            return Ok(false);
        }
        match event {
            Interference::Backup => self.restore_backup(program)?,
            Interference::Symlink
            | Interference::HardLink
            | Interference::DeletedLock
            | Interference::Copy => {
                self.run_second(event)?;
                signal("-CONT", program)?;
            }
        }
        *seen.entry(event.name().to_owned()).or_default() += 1;
        Ok(true)
    }

    /// Stops the program between two commits. False if it ended first.
    fn hold(&self, program: &mut Running) -> Result<bool, String> {
        loop {
            signal("-STOP", program)?;
            while !is_stopped(program) {
                let ended = program.0.try_wait().map_err(told)?;
                if ended.is_some() {
                    return Ok(false);
                }
            }
            if !is_writing(program) {
                return Ok(true);
            }
            signal("-CONT", program)?;
            sleep(Duration::from_millis(1));
        }
    }

    /// Runs the transfer under another name, which must be refused while the first run lives.
    fn run_second(&self, event: Interference) -> Result<(), String> {
        let transfer = self.folder.join("t.transfer");
        let other = self.folder.join("other.transfer");
        std::fs::remove_file(&other).ok();
        let made = match event {
            Interference::Symlink => std::os::unix::fs::symlink(&transfer, &other),
            Interference::HardLink => std::fs::hard_link(&transfer, &other),
            Interference::Copy => std::fs::copy(&transfer, &other).map(drop),
            Interference::DeletedLock | Interference::Backup => {
                std::fs::remove_file(self.folder.join("t.transfer.lock"))
            }
        };
        made.map_err(told)?;
        let name = if other.exists() {
            "other.transfer"
        } else {
            "t.transfer"
        };
        let ended = self
            .program(&["run", name, "--yes"])
            .and_then(|mut second| second.wait())
            .map_err(told)?;
        std::fs::remove_file(&other).ok();
        if ended.code() == Some(REFUSED) {
            return Ok(());
        }
        Err(format!("{event:?}: a second run ended with {ended}"))
    }

    /// Puts a backup in the transfer's place, which must end the run; then the transfer itself again.
    fn restore_backup(&self, program: &mut Running) -> Result<(), String> {
        let transfer = self.folder.join("t.transfer");
        let (kept, backup) = (self.folder.join("kept"), self.folder.join("backup"));
        std::fs::hard_link(&transfer, &kept).map_err(told)?;
        std::fs::copy(&transfer, &backup).map_err(told)?;
        std::fs::rename(&backup, &transfer).map_err(told)?;
        let starts = self.starts()?;
        signal("-CONT", program)?;
        let ended = program.0.wait().map_err(told)?;
        if ended.code() != Some(INTERRUPTED) {
            return Err(format!("a run under a backup ended with {ended}"));
        }
        std::fs::rename(&kept, &transfer).map_err(told)?;
        // Calls that were under way when it was stopped may still arrive, none that begin afterwards.
        let since = self.starts()? - starts;
        if since > CALLS_UNDER_WAY {
            return Err(format!("a run under a backup sent {since} calls more"));
        }
        Ok(())
    }
}

/// The most calls that start exports at the same time.
const CALLS_UNDER_WAY: u64 = 16;

fn signal(name: &str, program: &Running) -> Result<(), String> {
    let process = program.0.id().to_string();
    let sent = Command::new("kill").args([name, &process]).status();
    // Whether it was still there to hear is seen by what it does.
    sent.map(drop).map_err(told)
}

/// Linux tells a process's state behind its name: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
fn is_stopped(program: &Running) -> bool {
    let path = format!("/proc/{}/stat", program.0.id());
    let told = std::fs::read_to_string(Path::new(&path)).unwrap_or_default();
    told.rsplit_once(") ")
        .is_some_and(|(_, state)| state.starts_with('T'))
}

/// Whether it holds one of SQLite's locks to write, which are of the process, as ours aren't:
/// <https://man7.org/linux/man-pages/man5/proc_locks.5.html>.
fn is_writing(program: &Running) -> bool {
    let process = program.0.id().to_string();
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        matches!(words[..], [_, "POSIX", _, "WRITE", of, ..] if of == process)
    })
}

fn told(error: std::io::Error) -> String {
    error.to_string()
}
