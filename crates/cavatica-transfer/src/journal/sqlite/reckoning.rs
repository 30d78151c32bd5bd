//! The fingerprint of a plan, reckoned from all its rows.

use std::path::Path;

use rusqlite::Connection;

use super::codec;
use super::{JournalError, Overwrite, Terms};
use crate::fingerprint::{Fingerprint, Fingerprinter};

/// The fingerprint of everything in a transfer that would be sent, with the terms that it was planned with: it stays the
/// same when another account takes the transfer.
pub(super) fn fingerprint(
    path: &Path,
    connection: &Connection,
) -> Result<Fingerprint, JournalError> {
    let terms = &planned_terms(path, connection)?;
    let walk = || -> rusqlite::Result<Result<Fingerprint, JournalError>> {
        // Those that are there, whatever the file says of itself.
        let rows: i64 = connection.query_row("SELECT count(*) FROM item", [], |row| row.get(0))?;
        let mut printer = Fingerprinter::new(terms, usize::try_from(rows).unwrap_or(0));
        let mut statement = connection.prepare(
            "SELECT i.file, i.location, i.overwrite, w.text
             FROM item i LEFT JOIN word w ON w.id = i.properties ORDER BY i.id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let file = match codec::file_text(row.get_ref(0)?, path) {
                Ok(file) => file,
                Err(error) => return Ok(Err(error)),
            };
            let location = row.get_ref(1)?.as_str()?;
            let own: Option<bool> = row.get(2)?;
            let may_overwrite = own.unwrap_or(terms.overwrite == Overwrite::Allowed);
            let properties = row.get_ref(3)?.as_str_or_null()?;
            printer.add(&file, location, may_overwrite, properties);
        }
        Ok(Ok(printer.finish()))
    };
    walk().map_err(|source| JournalError::sqlite(path, "read", source))?
}

/// The terms as they were planned.
pub(super) fn planned_terms(path: &Path, connection: &Connection) -> Result<Terms, JournalError> {
    let terms: String = connection
        .query_row("SELECT terms FROM transfer", [], |row| row.get(0))
        .map_err(|source| super::header::sqlite(path, source))?;
    serde_json::from_str(&terms).map_err(|error| codec::damaged(path, error))
}
