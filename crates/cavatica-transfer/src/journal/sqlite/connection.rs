//! A connection to a transfer's file, which is whole when it is opened.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{JournalError, handle, names, regular};
use crate::journal::error::OPENED;

/// Opens a transfer's file.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, JournalError> {
    let real = regular::look_before(path)?;
    names::roll_back(path, &real)?;
    connect_again(path, flags)
}

/// Opens a file that this process holds.
pub(super) fn connect_again(path: &Path, flags: OpenFlags) -> Result<Connection, JournalError> {
    let open = || {
        let connection = handle::open(path, flags)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
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
