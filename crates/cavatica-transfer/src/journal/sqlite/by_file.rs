//! The planned files, to be found by their ids in whatever order the platform brings them.

use cavatica_exports::model::FileId;
use rusqlite::Connection;

use super::codec::{StoredFile, hashed, hashed_value};

/// Where each planned file stands in the plan, by a hash of its id: 16 bytes each. A hash may fit a file that was never
/// planned, so the id itself is compared with the plan's.
#[derive(Debug)]
pub(super) struct ByFile {
    /// In order.
    hashes: Vec<(u64, i64)>,
}

impl ByFile {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare("SELECT file, id FROM item")?;
        let mut rows = statement.query([])?;
        let mut hashes = Vec::new();
        while let Some(row) = rows.next()? {
            hashes.push((hashed_value(row.get_ref(0)?), row.get(1)?));
        }
        hashes.sort_unstable();
        Ok(ByFile { hashes })
    }

    /// The items that may be of this file: nearly always those that are, or none.
    pub(super) fn candidates(&self, file: &FileId) -> impl Iterator<Item = i64> {
        let hash = hashed(&StoredFile(file));
        let first = self.hashes.partition_point(|(other, _)| *other < hash);
        let behind = self.hashes[first..].iter();
        behind
            .take_while(move |(other, _)| *other == hash)
            .map(|(_, item)| *item)
    }
}
