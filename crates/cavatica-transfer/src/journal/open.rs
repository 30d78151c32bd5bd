//! Opening a transfer's file, and writing to it.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::header::{Header, header};
use super::lock::Lock;
use super::{JournalError, schema};

/// How long to wait for a reader. Readers take a page at a time, so this is ample.
const BUSY: Duration = Duration::from_secs(60);

/// A planned transfer that this process alone may write to.
pub(super) struct Held {
    pub(super) connection: Connection,
    pub(super) lock: Lock,
    pub(super) header: Header,
}

impl Held {
    /// Brings the tables up to date and takes the lock.
    pub(super) fn take(path: &Path, now: Timestamp) -> Result<Self, JournalError> {
        // All this is looked at before the lock, so that a wrong path leaves no lock file behind.
        let file = std::fs::metadata(path).map_err(|source| JournalError::Io {
            path: path.to_owned(),
            doing: "opened",
            source,
        })?;
        if !file.is_file() {
            return Err(JournalError::NotATransfer {
                path: path.to_owned(),
            });
        }
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        schema::bring_up_to_date(path, &mut connection)?;
        let lock = Lock::take(path, now)?;
        let header = header(path, &connection)?;
        Ok(Held {
            connection,
            lock,
            header,
        })
    }
}

pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, JournalError> {
    let open = || {
        let connection =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY)?;
        // Readers can't change the mode, and need not.
        if flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
            connection.pragma_update(None, "synchronous", "FULL")?;
        }
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    };
    open().map_err(|source: rusqlite::Error| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => JournalError::NotATransfer {
            path: path.to_owned(),
        },
        _ => JournalError::Sqlite {
            path: path.to_owned(),
            doing: "opened",
            source,
        },
    })
}

/// One transaction: all of it is on disk when this returns, or nothing.
pub(super) fn write<T>(
    path: &Path,
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, WriteError>,
) -> Result<T, JournalError> {
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let outcome = begun.map_err(WriteError::Sqlite).and_then(|transaction| {
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    });
    outcome.map_err(|error| error.told(path, "written"))
}

/// Why a transaction was given up.
pub(super) enum WriteError {
    Sqlite(rusqlite::Error),
    Journal(JournalError),
}

impl WriteError {
    /// The error of the transfer at this path, which could not be read or written.
    pub(super) fn told(self, path: &Path, doing: &'static str) -> JournalError {
        match self {
            WriteError::Sqlite(source) => JournalError::Sqlite {
                path: path.to_owned(),
                doing,
                source,
            },
            WriteError::Journal(error) => error,
        }
    }
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        WriteError::Sqlite(error)
    }
}

impl From<JournalError> for WriteError {
    fn from(error: JournalError) -> Self {
        WriteError::Journal(error)
    }
}
