//! The names by which a transfer was ever written.
//!
//! A program that dies within a commit leaves it half done, and what was there before in the rollback journal. SQLite looks for
//! that one beside the name by which the file is opened: <https://www.sqlite.org/howtocorrupt.html>. Under a hard link, or
//! after the file alone was renamed or copied, it would find none, and take the half commit for a whole one. So the file knows
//! its names: each was written under one that was known before, and under none does anybody write that isn't known.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::inode::InodeId;
use super::regular::{beside, look_before};
use super::{JournalError, handle, lock};

/// Rolls back what was left half written under another name of the file, which is opened as `path` and is really `real`.
///
/// # Errors
///
/// [`JournalError::LeftJournal`] if that can't be, because the file has that name no more.
pub(super) fn roll_back(path: &Path, real: &Path) -> Result<(), JournalError> {
    let file = InodeId::of(real);
    for name in told(path).unwrap_or_default() {
        if name == real {
            continue;
        }
        if file.is_also(&name) {
            look_before(&name)?;
            // SQLite does it before it reads, and syncs the folder: else the journal might come back with the power.
            told(&name).map_err(|source| JournalError::sqlite(&name, "read", source))?;
            continue;
        }
        let journal = beside(&name, "-journal");
        let is_left = std::fs::symlink_metadata(&journal).is_ok_and(|found| found.len() > 0);
        // Of a run it is there for a moment, again and again.
        if is_left && lock::holder(&name, || None).is_none() {
            return Err(JournalError::LeftJournal {
                path: path.to_owned(),
                name,
                journal,
                belongs: beside(real, "-journal"),
            });
        }
    }
    Ok(())
}

/// What the file says, half written as it may be: `writable_schema` reads it even if it is shorter than its head says. Nothing
/// else is read by this connection, and nothing is kept of what it read.
pub(super) fn told(path: &Path) -> rusqlite::Result<Vec<PathBuf>> {
    let connection = handle::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "writable_schema", "ON")?;
    read(&connection)
}

/// All names, the first one first.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<PathBuf>> {
    let mut statement = connection.prepare("SELECT path FROM name ORDER BY id")?;
    let names = statement.query_map([], |row| row.get(0).map(from_bytes))?;
    names.filter_map(Result::transpose).collect()
}

/// Adds a name, in one page.
pub(super) fn add(connection: &Connection, real: &Path) -> rusqlite::Result<()> {
    let path = into_bytes(real);
    connection.execute("INSERT INTO name (path) VALUES (?)", [path])?;
    Ok(())
}

#[cfg(unix)]
fn into_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;

    path.as_os_str().as_bytes().to_owned()
}

#[cfg(unix)]
fn from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;

    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn into_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

#[cfg(not(unix))]
fn from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}
