//! What a transfer says of itself, and how many files stand where.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::codec::{
    ACCEPTED, COMPLETED, FAILED, INTENDED, PLANNED, UNKNOWN, damaged, moment, read_back,
};
use super::{Count, JournalError, Tally, Terms};
use crate::fingerprint::Fingerprint;

/// What the transfer's one row says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) terms: Terms,
    pub(super) created: Timestamp,
    pub(super) selection: String,
    pub(super) label: Option<String>,
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) skipped: u64,
    pub(super) fingerprint: Fingerprint,
    pub(super) copy_proven: bool,
}

pub(super) fn header(path: &Path, connection: &Connection) -> Result<Header, JournalError> {
    type Row = (
        String,
        i64,
        String,
        Option<String>,
        Option<i64>,
        Option<i64>,
        Option<i64>,
        Option<Vec<u8>>,
        bool,
    );
    let row: Option<Row> = connection
        .query_row(
            "SELECT terms, created, selection, label, files, bytes, skipped, fingerprint, copy_proven FROM transfer",
            [],
            |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                    row.get(7)?,
                    row.get(8)?,
                ))
            },
        )
        .optional()
        .map_err(|source| sqlite(path, source))?;
    let Some((
        terms,
        created,
        selection,
        label,
        Some(files),
        Some(bytes),
        Some(skipped),
        Some(print),
        copy,
    )) = row
    else {
        return Err(JournalError::Unfinished {
            path: path.to_owned(),
        });
    };
    Ok(Header {
        terms: serde_json::from_str(&terms).map_err(|error| damaged(path, error))?,
        created: moment(Some(created)).ok_or_else(|| damaged(path, "its date is no date"))?,
        selection,
        label,
        files: read_back(files),
        bytes: read_back(bytes),
        skipped: read_back(skipped),
        fingerprint: Fingerprint::from_bytes(&print)
            .ok_or_else(|| damaged(path, "its fingerprint has the wrong length"))?,
        copy_proven: copy,
    })
}

pub(super) fn tally(path: &Path, connection: &Connection) -> Result<Tally, JournalError> {
    let header = header(path, connection)?;
    let mut tally = Tally {
        skipped: header.skipped,
        ..Tally::default()
    };
    // One question, one moment: a run that goes on meanwhile can't make the parts disagree.
    let mut statement = connection
        .prepare_cached(
            "SELECT state, count(*), coalesce(sum(size), 0) FROM attempt GROUP BY state",
        )
        .map_err(|source| sqlite(path, source))?;
    let mut rows = statement.query([]).map_err(|source| sqlite(path, source))?;
    let mut attempted = Count::default();
    while let Some(row) = rows.next().map_err(|source| sqlite(path, source))? {
        let number = |column| {
            row.get::<_, i64>(column)
                .map_err(|source| sqlite(path, source))
        };
        let count = Count {
            files: read_back(number(1)?),
            bytes: read_back(number(2)?),
        };
        let state = number(0)?;
        if state != PLANNED {
            attempted.files += count.files;
            attempted.bytes += count.bytes;
        }
        match state {
            PLANNED => {}
            INTENDED => tally.intended = count,
            ACCEPTED => tally.accepted = count,
            COMPLETED => tally.completed = count,
            FAILED => tally.failed = count,
            UNKNOWN => tally.unknown = count,
            number => return Err(damaged(path, format_args!("no state has number {number}"))),
        }
    }
    tally.planned = Count {
        files: header.files.saturating_sub(attempted.files),
        bytes: header.bytes.saturating_sub(attempted.bytes),
    };
    Ok(tally)
}

pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> JournalError {
    JournalError::Sqlite {
        path: path.to_owned(),
        doing: "read",
        source,
    }
}
