//! Files beside a transfer that are ours to write: regular ones, reached through no link.

use std::fs::{File, OpenOptions};
use std::path::Path;

use super::JournalError;

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

/// Whether a file has other names too, so that whatever is written to it shows there.
#[cfg(unix)]
pub(super) fn has_other_names(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;

    file.metadata().is_ok_and(|found| found.nlink() > 1)
}

#[cfg(not(unix))]
pub(super) fn has_other_names(_: &File) -> bool {
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
