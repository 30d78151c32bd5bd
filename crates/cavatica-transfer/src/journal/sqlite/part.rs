//! What a transfer says of parts: which it is, or which it was split into.

use std::path::Path;

use rusqlite::{Connection, params};

use super::JournalError;
use super::codec::{self, damaged, read_back};
use crate::fingerprint::Fingerprint;

/// Which part of a plan a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// Its number, from 1 on.
    pub number: u64,
    /// How many there are.
    pub of: u64,
    /// The fingerprint over all of them.
    pub whole: Fingerprint,
}

/// What became of a plan that was split.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Split {
    /// Its parts, by their numbers.
    pub parts: Vec<PartOfPlan>,
    /// The folder that they were put into, in words.
    pub folder: String,
}

/// One part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartOfPlan {
    /// What would be sent.
    pub fingerprint: Fingerprint,
    /// Its files.
    pub files: u64,
    /// Their bytes, as far as they are known.
    pub bytes: u64,
}

impl Split {
    /// The fingerprint over all parts.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::over(self.parts.iter().map(|part| &part.fingerprint))
    }

    /// Why the transfer at this path doesn't run.
    pub fn error(&self, path: &Path) -> JournalError {
        JournalError::Split {
            path: path.to_owned(),
            parts: self.parts.len() as u64,
            folder: self.folder.clone(),
        }
    }
}

/// What a transfer says of parts: which it is, or which it has.
pub(super) fn read(
    path: &Path,
    connection: &Connection,
    own: &Fingerprint,
) -> Result<(Option<Part>, Option<Split>), JournalError> {
    let read = || -> rusqlite::Result<_> {
        let (number, folder): (Option<i64>, Option<String>) =
            connection.query_row("SELECT part, split_into FROM transfer", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let mut statement = connection
            .prepare_cached("SELECT fingerprint, files, bytes FROM part ORDER BY number")?;
        let parts = statement.query_map([], |row| {
            let (files, bytes) = (read_back(row.get(1)?), read_back(row.get(2)?));
            let fingerprint = Fingerprint::from_bytes(row.get_ref(0)?.as_blob()?);
            Ok(fingerprint.map(|fingerprint| PartOfPlan {
                fingerprint,
                files,
                bytes,
            }))
        })?;
        let parts: Option<Vec<PartOfPlan>> = parts.collect::<rusqlite::Result<_>>()?;
        Ok((number.map(read_back), folder, parts))
    };
    let (number, folder, parts) =
        read().map_err(|source| JournalError::sqlite(path, "read", source))?;
    let parts = parts.ok_or_else(|| damaged(path, "a part's fingerprint has the wrong length"))?;
    match (number, folder) {
        (None, None) => Ok((None, None)),
        (None, Some(folder)) => Ok((None, Some(Split { parts, folder }))),
        (Some(number), _) => {
            let of = parts.len() as u64;
            let at = usize::try_from(number)
                .ok()
                .and_then(|at| at.checked_sub(1));
            if at.and_then(|at| parts.get(at)).map(|part| part.fingerprint) != Some(*own) {
                return Err(damaged(path, "it isn't the part that it says it is"));
            }
            let whole = Fingerprint::over(parts.iter().map(|part| &part.fingerprint));
            Ok((Some(Part { number, of, whole }), None))
        }
    }
}

/// Whether any file was sent, or may have been.
pub(super) fn has_begun(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM intent)", [], |row| row.get(0))
}

pub(super) fn insert_parts(connection: &Connection, parts: &[PartOfPlan]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO part (number, fingerprint, files, bytes) VALUES (?, ?, ?, ?)",
    )?;
    for (number, part) in (1_i64..).zip(parts) {
        insert.execute(params![
            number,
            part.fingerprint.as_bytes().as_slice(),
            codec::stored(part.files),
            codec::stored(part.bytes)
        ])?;
    }
    Ok(())
}
