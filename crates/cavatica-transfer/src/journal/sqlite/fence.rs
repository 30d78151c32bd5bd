//! Whose turn it is, as the transfer itself says.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use cavatica_exports::transport::Guard;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::codec::moment;
use super::connection::connect_again;
use super::owner::Owner;
use super::{JournalError, inode};

/// The run that began last, and who it is. Outside of a transaction SQLite looks at the file itself for this.
pub(super) fn newest_run(connection: &Connection) -> rusqlite::Result<Option<(i64, Owner)>> {
    connection
        .prepare_cached("SELECT id, host, process, started FROM run ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| {
            let owner = Owner {
                host: row.get(1)?,
                process: row.get(2)?,
                since: moment(row.get(3)?),
                transfer: None,
            };
            Ok((row.get(0)?, owner))
        })
        .optional()
}

/// Says, immediately before a start's bytes leave, whether this run is still the newest, and the file the one that was opened.
/// It looks through a connection of its own; what can't be read is no yes.
pub(super) struct Fence(Guard);

impl Fence {
    pub(super) fn before(path: &Path, run: i64) -> Result<Self, JournalError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Mutex::new(connect_again(path, flags)?);
        let place = inode::InodeId::of(path);
        Ok(Fence(Arc::new(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let newest = newest_run(&connection).ok().flatten();
            newest.is_some_and(|(newest, _)| newest == run) && place.is_the_same()
        })))
    }

    pub(super) fn guard(&self) -> Guard {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fence")
    }
}

/// Who ran a transfer last, unless somebody looked at its destination since. For one who is told who holds it, and can't
/// be asked; what can't be read is not known.
pub(super) fn last_owner(connection: &Connection) -> Option<Owner> {
    let (_, owner) = newest_run(connection).ok()??;
    let looked: Option<i64> = connection
        .query_row("SELECT max(started) FROM verification", [], |row| {
            row.get(0)
        })
        .ok()?;
    let looked_since = looked.is_some_and(|looked| moment(Some(looked)) > owner.since);
    (!looked_since).then_some(owner)
}
