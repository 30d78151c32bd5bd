//! Texts that occur often: they stand in the transfer once, and everywhere else by their number.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

/// The number of a word; written down if it is new.
pub(super) fn word(connection: &Connection, text: &str) -> rusqlite::Result<i64> {
    let found = connection
        .prepare_cached("SELECT id FROM word WHERE text = ?")?
        .query_row([text], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    connection
        .prepare_cached("INSERT INTO word (text) VALUES (?)")?
        .execute([text])?;
    Ok(connection.last_insert_rowid())
}

/// The text of a word.
pub(super) fn text(connection: &Connection, id: Option<i64>) -> rusqlite::Result<Option<String>> {
    let Some(id) = id else { return Ok(None) };
    connection
        .prepare_cached("SELECT text FROM word WHERE id = ?")?
        .query_row([id], |row| row.get(0))
}

/// What is known of the words by their numbers, while many rows are read.
#[derive(Debug, Default)]
pub(super) struct Words(HashMap<i64, String>);

impl Words {
    /// The text of a word.
    pub(super) fn text(
        &mut self,
        connection: &Connection,
        id: Option<i64>,
    ) -> rusqlite::Result<Option<String>> {
        let Some(id) = id else { return Ok(None) };
        if let Some(text) = self.0.get(&id) {
            return Ok(Some(text.clone()));
        }
        let text: String = connection
            .prepare_cached("SELECT text FROM word WHERE id = ?")?
            .query_row([id], |row| row.get(0))?;
        // Messages can differ for every file; those of a few are enough to remember.
        if self.0.len() < 10_000 {
            self.0.insert(id, text.clone());
        }
        Ok(Some(text))
    }
}
