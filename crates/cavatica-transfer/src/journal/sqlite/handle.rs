//! SQLite's connection to a file: nothing in it is trusted, and what is committed or rolled back survives the loss of power.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::mutation::Mutation;

/// How long to wait for a reader. Readers take a page at a time, so this is ample.
const BUSY: Duration = Duration::from_secs(60);

pub(super) fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    distrust(&connection)?;
    connection.busy_timeout(BUSY)?;
    // Readers can't change the mode, and need not.
    if flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
        make_durable(&connection)?;
    }
    Ok(connection)
}

/// Whoever wrote the file may have wanted more than a transfer: nothing in it is run, and what is broken is noticed.
/// <https://www.sqlite.org/security.html>
fn distrust(connection: &Connection) -> rusqlite::Result<()> {
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
