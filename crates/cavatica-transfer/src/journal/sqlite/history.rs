//! What a report tells about a transfer as a whole.

use jiff::Timestamp;

use super::codec::{moment, read_back};
use super::read::TransferFile;
use super::{Count, JournalError};

/// How many requests a run had made by a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pulse {
    /// The run's place among [`TransferFile::runs`].
    pub run: usize,
    /// The moment.
    pub at: Timestamp,
    /// How many it had made.
    pub requests: u64,
    /// How many five minutes allow.
    pub allowed: u64,
}

/// The files that were skipped for one kind of reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKind {
    /// The kind's name.
    pub kind: String,
    /// How many files.
    pub skipped: Count,
    /// The reason of the first one, in words.
    pub example: String,
}

impl TransferFile {
    /// What was skipped, by kind of reason, most files first.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn skipped_kinds(&self) -> Result<Vec<SkippedKind>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            // With `min`, SQLite takes the other columns from the row that has the least.
            let mut statement = self.connection.prepare(
                "SELECT w.text, count(*), coalesce(sum(s.size), 0), r.text, min(s.id)
                 FROM skipped s JOIN word w ON w.id = s.kind JOIN word r ON r.id = s.reason
                 GROUP BY s.kind ORDER BY count(*) DESC, w.text",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(SkippedKind {
                    kind: row.get(0)?,
                    skipped: Count {
                        files: read_back(row.get(1)?),
                        bytes: read_back(row.get(2)?),
                    },
                    example: row.get(3)?,
                })
            })?;
            rows.collect()
        };
        read().map_err(|source| self.sqlite(source))
    }

    /// What is known about requests over time, in the order it was written.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn pulses(&self) -> Result<Vec<Pulse>, JournalError> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare(
                "SELECT (SELECT count(*) FROM run r WHERE r.id < p.run), at, requests, allowed
                 FROM pulse p ORDER BY p.rowid",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(Pulse {
                    run: usize::try_from(row.get::<_, i64>(0)?).unwrap_or(usize::MAX),
                    at: moment(Some(row.get(1)?)).unwrap_or(Timestamp::UNIX_EPOCH),
                    requests: read_back(row.get(2)?),
                    allowed: read_back(row.get(3)?),
                })
            })?;
            rows.collect()
        };
        read().map_err(|source| self.sqlite(source))
    }
}
