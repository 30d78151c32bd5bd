//! What was seen of the platform, as a transfer keeps it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::JournalError;
use super::codec::damaged;
use super::header::sqlite;
use crate::observe::Habits;

/// What was seen so far.
pub(super) fn read(path: &Path, connection: &Connection) -> Result<Habits, JournalError> {
    let document: Option<String> = connection
        .query_row("SELECT document FROM observed", [], |row| row.get(0))
        .optional()
        .map_err(|source| sqlite(path, source))?;
    match document {
        None => Ok(Habits::default()),
        Some(document) => serde_json::from_str(&document)
            .map_err(|_| damaged(path, "what was observed of the platform")),
    }
}

/// Puts it in the place of what was seen before.
pub(super) fn write(connection: &Connection, seen: &Habits) -> rusqlite::Result<()> {
    let document = serde_json::to_string(seen).expect("counts are plain data");
    connection.execute(
        "INSERT INTO observed (one, document) VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET document = ?1",
        [document],
    )?;
    Ok(())
}
