//! A connection to a transfer's file: nothing in it is trusted, and what is committed survives the loss of power.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{JournalError, regular};
use crate::journal::error::OPENED;
use crate::mutation::Mutation;

/// How long to wait for a reader. Readers take a page at a time, so this is ample.
const BUSY: Duration = Duration::from_secs(60);

pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, JournalError> {
    look_before(path)?;
    let open = || {
        let connection =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        distrust(&connection)?;
        connection.busy_timeout(BUSY)?;
        // Readers can't change the mode, and need not.
        if flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
            make_durable(&connection)?;
        }
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    };
    open().map_err(|source: rusqlite::Error| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => JournalError::NotATransfer {
            path: path.to_owned(),
        },
        _ => JournalError::sqlite(path, OPENED, source),
    })
}

/// Looks at what lies at a transfer's path before SQLite does, which would wait for a pipe, and would write through a link
/// that has the name of one of its own files.
fn look_before(path: &Path) -> Result<(), JournalError> {
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
        let mut beside = real.clone().into_os_string();
        beside.push(ending);
        regular::refuse_others(Path::new(&beside))?;
    }
    Ok(())
}

/// Whoever wrote the file may have wanted more than a transfer: nothing in it is run, and what is broken is noticed.
/// <https://www.sqlite.org/security.html>
fn distrust(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    for forbidden in [
        DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA,
        DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER,
        DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW,
    ] {
        connection.set_db_config(forbidden, false)?;
    }
    connection.pragma_update(None, "cell_size_check", "ON")
}

/// A commit survives the loss of power. With `FULL` alone it doesn't: the rollback journal is deleted and its folder not
/// synced, so the journal may come back with the power and undo a commit whose exports were sent. `EXTRA` syncs the folder.
/// <https://www.sqlite.org/pragma.html#pragma_synchronous>
fn make_durable(connection: &Connection) -> rusqlite::Result<()> {
    let folder_too = !Mutation::FolderNotSynced.is_on();
    connection.pragma_update(
        None,
        "synchronous",
        if folder_too { "EXTRA" } else { "FULL" },
    )?;
    // On macOS a plain sync leaves the data in the drive's own memory. Elsewhere this means nothing.
    connection.pragma_update(None, "fullfsync", "ON")
}
