//! What a transfer says of itself, and how many files stand where.

use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use sha2::{Digest, Sha256};

use super::codec::{
    ACCEPTED, COMPLETED, FAILED, INTENDED, PLANNED, UNKNOWN, copying, damaged, hex, moment,
    read_back,
};
use super::part::{self, Part, Split};
use super::{Copying, Count, JournalError, Tally, Terms};
use crate::fingerprint::Fingerprint;
use crate::state::Failure;

/// What a transfer and all its copies have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransferId([u8; 16]);

impl TransferId {
    /// The id of a transfer from before they had one: no two plans were made in the same millisecond and would send the
    /// same.
    fn derived(created: i64, fingerprint: &Fingerprint) -> Self {
        let hash = Sha256::new()
            .chain_update(created.to_be_bytes())
            .chain_update(fingerprint.as_bytes())
            .finalize();
        let (id, _) = hash.split_first_chunk().expect("a hash of 32 bytes");
        TransferId(*id)
    }
}

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// What the transfer's one row says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) id: TransferId,
    pub(super) terms: Terms,
    pub(super) created: Timestamp,
    pub(super) selection: String,
    pub(super) label: Option<String>,
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) skipped: u64,
    pub(super) fingerprint: Fingerprint,
    pub(super) copying: Copying,
    pub(super) part: Option<Part>,
    pub(super) split: Option<Split>,
}

/// The row as it is stored. Counts and fingerprint come with the plan's last file.
struct Stored {
    terms: String,
    created: i64,
    selection: String,
    label: Option<String>,
    /// Files, bytes, files left out.
    counts: Option<[i64; 3]>,
    fingerprint: Option<Vec<u8>>,
    copying: i64,
    id: Option<Vec<u8>>,
    account: Option<String>,
}

impl Stored {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let count = |of: &str| row.get::<_, Option<i64>>(of);
        let counts = (count("files")?, count("bytes")?, count("skipped")?);
        Ok(Stored {
            terms: row.get("terms")?,
            created: row.get("created")?,
            selection: row.get("selection")?,
            label: row.get("label")?,
            counts: match counts {
                (Some(files), Some(bytes), Some(skipped)) => Some([files, bytes, skipped]),
                _ => None,
            },
            fingerprint: row.get("fingerprint")?,
            copying: row.get("copy_proven")?,
            id: row.get("id")?,
            account: row.get("account")?,
        })
    }
}

pub(super) fn header(path: &Path, connection: &Connection) -> Result<Header, JournalError> {
    let row = connection
        .query_row("SELECT * FROM transfer", [], Stored::read)
        .optional()
        .map_err(|source| sqlite(path, source))?;
    let Some(Stored {
        terms,
        created,
        selection,
        label,
        counts: Some([files, bytes, skipped]),
        fingerprint: Some(print),
        copying: copy,
        id,
        account,
    }) = row
    else {
        return Err(JournalError::Unfinished {
            path: path.to_owned(),
        });
    };
    let fingerprint = Fingerprint::from_bytes(&print)
        .ok_or_else(|| damaged(path, "its fingerprint has the wrong length"))?;
    let mut terms: Terms = serde_json::from_str(&terms).map_err(|error| damaged(path, error))?;
    terms.account = account.unwrap_or(terms.account);
    let (part, split) = part::read(path, connection, &fingerprint)?;
    Ok(Header {
        id: match id {
            Some(id) => TransferId(
                <[u8; 16]>::try_from(id)
                    .map_err(|_| damaged(path, "its id has the wrong length"))?,
            ),
            None => TransferId::derived(created, &fingerprint),
        },
        terms,
        created: moment(Some(created)).ok_or_else(|| damaged(path, "its date is no date"))?,
        selection,
        label,
        files: count(path, "files", files)?,
        bytes: count(path, "bytes", bytes)?,
        skipped: count(path, "skipped files", skipped)?,
        fingerprint,
        copying: copying(copy),
        part,
        split,
    })
}

/// More than any plan has, of files or of bytes: an exabyte.
const MOST: u64 = 1 << 60;

/// A count that the file tells.
fn count(path: &Path, of: &str, told: i64) -> Result<u64, JournalError> {
    u64::try_from(told)
        .ok()
        .filter(|count| *count <= MOST)
        .ok_or_else(|| damaged(path, format_args!("{told} {of}")))
}

pub(super) fn tally(path: &Path, connection: &Connection) -> Result<Tally, JournalError> {
    let asked = "SELECT state, size FROM attempt";
    tally_of(path, connection, asked, |_| Ok(false))
}

/// The same where a failed file that is sent again, below so many attempts, is still to be sent.
pub(super) fn tally_until(
    path: &Path,
    connection: &Connection,
    max_attempts: u32,
) -> Result<Tally, JournalError> {
    let asked = "SELECT state, size, number, code, status FROM attempt";
    tally_of(path, connection, asked, |row| {
        let failure = Failure {
            code: row.get("code")?,
            status: row.get("status")?,
            message: String::new(),
            request_id: None,
        };
        Ok(failure.is_sent_again(row.get("number")?, max_attempts))
    })
}

fn tally_of(
    path: &Path,
    connection: &Connection,
    asked: &str,
    is_sent_again: impl Fn(&Row<'_>) -> rusqlite::Result<bool>,
) -> Result<Tally, JournalError> {
    let header = header(path, connection)?;
    let mut tally = Tally {
        skipped: header.skipped,
        ..Tally::default()
    };
    // One question, one moment: a run that goes on meanwhile can't make the parts disagree.
    let mut statement = connection
        .prepare_cached(asked)
        .map_err(|source| sqlite(path, source))?;
    let mut rows = statement.query([]).map_err(|source| sqlite(path, source))?;
    let mut attempted = Count::default();
    while let Some(row) = rows.next().map_err(|source| sqlite(path, source))? {
        let state: i64 = row.get(0).map_err(|source| sqlite(path, source))?;
        let size: Option<i64> = row.get(1).map_err(|source| sqlite(path, source))?;
        let bytes = size.map_or(0, read_back);
        let count = match state {
            PLANNED => continue,
            FAILED if is_sent_again(row).map_err(|source| sqlite(path, source))? => continue,
            INTENDED => &mut tally.intended,
            ACCEPTED => &mut tally.accepted,
            COMPLETED => &mut tally.completed,
            FAILED => &mut tally.failed,
            UNKNOWN => &mut tally.unknown,
            number => return Err(damaged(path, format_args!("no state has number {number}"))),
        };
        for count in [count, &mut attempted] {
            count.files += 1;
            count.bytes = count.bytes.saturating_add(bytes);
        }
    }
    tally.planned = Count {
        files: header.files.saturating_sub(attempted.files),
        bytes: header.bytes.saturating_sub(attempted.bytes),
    };
    Ok(tally)
}

pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> JournalError {
    JournalError::sqlite(path, "read", source)
}
