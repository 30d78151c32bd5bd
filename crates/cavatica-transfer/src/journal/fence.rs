//! Whose turn it is, as the transfer itself says.

use rusqlite::{Connection, OptionalExtension};

use super::codec::moment;
use super::lock::Owner;

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
