//! A file that shows under its name only when it is whole.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{JournalError, inode, regular};

/// A file that is still being written, beside the one that it will be. It is removed again unless it is shown.
#[derive(Debug)]
pub(super) struct Unfinished {
    /// Locked, so that nobody else plans the same.
    file: File,
    /// Where it lies meanwhile.
    path: PathBuf,
    /// Where it will be.
    goal: PathBuf,
}

impl Unfinished {
    /// Begins a file for `goal`, where nothing may be. What an earlier attempt left behind is overwritten.
    pub(super) fn create(goal: &Path) -> Result<Self, JournalError> {
        let mut path = goal.as_os_str().to_owned();
        path.push(".unfinished");
        let path = PathBuf::from(path);
        loop {
            let file = regular::open(&path, "made").map_err(|error| named(error, goal))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(JournalError::BeingPlanned {
                        path: goal.to_owned(),
                    });
                }
                Err(TryLockError::Error(source)) => {
                    std::fs::remove_file(&path).ok();
                    return Err(JournalError::NoLocks { path, source });
                }
            }
            // Whoever had it may have shown or removed it just now.
            if !inode::is_named(&file, &path) {
                continue;
            }
            if regular::has_other_names(file.metadata()) {
                return Err(JournalError::NotRegular { path });
            }
            let goal = goal.to_owned();
            let emptied = file.set_len(0);
            let unfinished = Unfinished { file, path, goal };
            emptied.map_err(|source| unfinished.error("made", source))?;
            return Ok(unfinished);
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path that it will have, without links.
    pub(super) fn real_goal(&self) -> Option<PathBuf> {
        Some(self.path.canonicalize().ok()?.with_extension(""))
    }

    /// Gives it its name, now that it is whole. Both are on the disk when this returns.
    ///
    /// # Errors
    ///
    /// [`JournalError::Exists`] if there is a file of that name by now.
    pub(super) fn show(self) -> Result<(), JournalError> {
        let told = |source| self.error("brought to the disk", source);
        self.file.sync_all().map_err(told)?;
        match std::fs::hard_link(&self.path, &self.goal) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(JournalError::Exists {
                    path: self.goal.clone(),
                });
            }
            // Not every file system has such links, or lets everybody make them.
            Err(_) if !self.goal.exists() => {
                std::fs::rename(&self.path, &self.goal).map_err(told)?;
            }
            Err(source) => return Err(told(source)),
        }
        sync_folder(&self.goal).map_err(told)
    }

    fn error(&self, doing: &'static str, source: io::Error) -> JournalError {
        JournalError::Io {
            path: self.goal.clone(),
            doing,
            source,
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Nothing more can be done about a file that can't be removed. The next plan of that name takes it over.
        std::fs::remove_file(&self.path).ok();
    }
}

/// The same error of the file that was asked for. Nobody knows the other name.
fn named(error: JournalError, goal: &Path) -> JournalError {
    if let JournalError::Io { doing, source, .. } = error {
        let path = goal.to_owned();
        return JournalError::Io {
            path,
            doing,
            source,
        };
    }
    error
}

/// Brings the names in a file's folder to the disk.
#[cfg(unix)]
pub(crate) fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder can't be opened as a file.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
