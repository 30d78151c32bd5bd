//! Files beside a transfer that are ours to write: regular ones, reached through no link.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::JournalError;
use crate::journal::error::OPENED;

/// Opens a file to read and write it, and makes it if it isn't there. A link is never followed: in a folder that others
/// write to it may lead to any file of ours. Nothing else is waited for either, as a pipe would be.
///
/// # Errors
///
/// [`JournalError::NotRegular`] for what isn't ours to write.
pub(super) fn open(path: &Path, doing: &'static str) -> Result<File, JournalError> {
    refuse_others(path)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    without_links(&mut options);
    let file = options.open(path).map_err(|source| {
        // Somebody may have put it there a moment ago.
        refuse_others(path).err().unwrap_or(JournalError::Io {
            path: path.to_owned(),
            doing,
            source,
        })
    })?;
    match file.metadata() {
        Ok(found) if found.is_file() => Ok(file),
        Ok(_) | Err(_) => Err(JournalError::NotRegular {
            path: path.to_owned(),
        }),
    }
}

/// Refuses a path where something lies that is no regular file: a link, a folder, a pipe, a device.
pub(super) fn refuse_others(path: &Path) -> Result<(), JournalError> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => Err(JournalError::NotRegular {
            path: path.to_owned(),
        }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Looks at what lies at a transfer's path before SQLite does, which would wait for a pipe, and would write through a link
/// that has the name of one of its own files. Returns the path without links, which is the one that SQLite goes by.
pub(super) fn look_before(path: &Path) -> Result<PathBuf, JournalError> {
    let opened = |source| JournalError::Io {
        path: path.to_owned(),
        doing: OPENED,
        source,
    };
    if !std::fs::metadata(path).map_err(opened)?.is_file() {
        return Err(JournalError::NotATransfer {
            path: path.to_owned(),
        });
    }
    let real = path.canonicalize().map_err(opened)?;
    for ending in ["-journal", "-wal", "-shm"] {
        refuse_others(&beside(&real, ending))?;
    }
    Ok(real)
}

/// The file beside a transfer whose name has this ending.
pub(super) fn beside(transfer: &Path, ending: &str) -> PathBuf {
    let mut name = transfer.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Whether a file has other names too, so that whatever is written to it shows there.
#[cfg(unix)]
pub(super) fn has_other_names(found: io::Result<Metadata>) -> bool {
    use std::os::unix::fs::MetadataExt;

    found.is_ok_and(|found| found.nlink() > 1)
}

#[cfg(not(unix))]
pub(super) fn has_other_names(_: io::Result<Metadata>) -> bool {
    false
}

#[cfg(unix)]
pub(super) fn without_links(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;

    use nix::fcntl::OFlag;

    options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
}

#[cfg(not(unix))]
pub(super) fn without_links(_: &mut OpenOptions) {}
