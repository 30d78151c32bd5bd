//! Opening a transfer's file, and writing to it.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::connection::connect;
use super::header::{Header, header};
use super::lock::Lock;
use super::{JournalError, fence, inode, names, regular, schema};

/// A planned transfer that this process alone may write to.
pub(super) struct Held {
    pub(super) connection: Connection,
    pub(super) lock: Lock,
    pub(super) header: Header,
}

impl Held {
    /// Brings the tables up to date and takes the lock.
    pub(super) fn take(
        path: &Path,
        locks: Option<&Path>,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        // All this is looked at before the lock, so that a wrong path leaves no lock file behind.
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        schema::bring_up_to_date(path, &mut connection)?;
        let id = header(path, &connection)?.id;
        let newest = fence::last_owner(&connection);
        let lock = Lock::take(path, id, locks, newest, now)?;
        let has_one_name = names::read(&connection).is_ok_and(|names| names == [lock.real()]);
        if !has_one_name {
            // Whoever held it until now, under another name, may have died within a commit.
            drop(connection);
            make_name_known(path, lock.real())?;
            connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        }
        // Only now: whoever held it may have changed it.
        let header = header(path, &connection)?;
        Ok(Held {
            connection,
            lock,
            header,
        })
    }
}

/// Makes a name known that the file is to be written by. It is held.
fn make_name_known(path: &Path, real: &Path) -> Result<(), JournalError> {
    let known = names::told(path).map_err(|source| JournalError::sqlite(path, "read", source))?;
    if known.iter().any(|name| name == real) {
        return Ok(());
    }
    let file = inode::InodeId::of(real);
    let known = known.into_iter().find(|name| file.is_also(name));
    if known.is_none() && regular::has_other_names(std::fs::metadata(real)) {
        return Err(JournalError::ManyNames {
            path: path.to_owned(),
        });
    }
    let through = known.unwrap_or_else(|| real.to_owned());
    let mut connection = connect(&through, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    write(path, &mut connection, |transaction| {
        Ok(names::add(transaction, real)?)
    })
}

/// One transaction: all of it is on disk when this returns, or nothing.
pub(super) fn write<T>(
    path: &Path,
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, WorkError>,
) -> Result<T, JournalError> {
    let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let outcome = begun.map_err(WorkError::Sqlite).and_then(|transaction| {
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    });
    outcome.map_err(|error| error.at(path, "written"))
}

/// Why work in the database was given up; where it was, is added at the edge.
pub(super) enum WorkError {
    Sqlite(rusqlite::Error),
    Journal(JournalError),
}

impl WorkError {
    /// The error of the transfer at this path, which could not be read or written.
    pub(super) fn at(self, path: &Path, doing: &'static str) -> JournalError {
        match self {
            // SQLite looks for the file too, when it begins to write.
            WorkError::Sqlite(source)
                if source.sqlite_error().is_some_and(|error| {
                    error.extended_code == rusqlite::ffi::SQLITE_READONLY_DBMOVED
                }) =>
            {
                JournalError::Replaced {
                    path: path.to_owned(),
                }
            }
            WorkError::Sqlite(source) => JournalError::sqlite(path, doing, source),
            WorkError::Journal(error) => error,
        }
    }
}

impl From<rusqlite::Error> for WorkError {
    fn from(error: rusqlite::Error) -> Self {
        WorkError::Sqlite(error)
    }
}

impl From<JournalError> for WorkError {
    fn from(error: JournalError) -> Self {
        WorkError::Journal(error)
    }
}

#[cfg(test)]
mod tests {
    use cavatica_exports::model::destination::Prefix;
    use cavatica_exports::model::{ExportMode, Tri};

    use super::*;
    use crate::journal::{Draft, Opening, Overwrite, Terms, TransferFile, Verification};
    use crate::verify::Against;

    /// What SQLite says of itself, in its own words: 3 is `EXTRA`.
    fn durability(connection: &Connection) -> (i64, i64, String) {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get(0));
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get(0));
        (
            number("synchronous").expect("a number"),
            number("fullfsync").expect("a number"),
            mode.expect("a word"),
        )
    }

    #[test]
    fn every_connection_that_may_write_syncs_the_folder_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.transfer");
        let now = Timestamp::UNIX_EPOCH;
        let terms = Terms {
            endpoint: "https://example.org/v2".to_owned(),
            account: "rfranklin".to_owned(),
            mode: ExportMode::Move,
            volume: "lab/results".parse().expect("a volume id"),
            bucket: None,
            volume_prefix: String::new(),
            prefix: Prefix::default(),
            overwrite: Overwrite::Forbidden,
            properties: Tri::Absent,
        };
        let draft = Draft::create(&path, terms.clone(), "a test", None, now).expect("a draft");
        draft.finish().expect("a plan");

        let lasting = (3, 1, "delete".to_owned());
        let file = TransferFile::open(&path).expect("a transfer");
        assert_eq!(durability(&file.connection), lasting);
        let look = Verification::begin(&path, Against::Volume, now).expect("a look");
        assert_eq!(durability(&look.connection), lasting);
        drop(look);
        let journal = Opening::default().open(&path, now);
        assert_eq!(durability(&journal.expect("a journal").connection), lasting);
    }
}
