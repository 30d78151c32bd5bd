//! How ids, states and moments are written in the tables.

use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;

use cavatica_exports::model::{ExportId, FileId};
use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

use super::{Copying, JournalError};
use crate::state::{Doubt, Failure, Proof, State};
use crate::verify::{Against, Finding};

/// Numbers of the states in the journal; they never change their meaning.
pub(super) const PLANNED: i64 = 0;
pub(super) const INTENDED: i64 = 1;
pub(super) const ACCEPTED: i64 = 2;
pub(super) const COMPLETED: i64 = 3;
pub(super) const FAILED: i64 = 4;
pub(super) const UNKNOWN: i64 = 5;

pub(super) fn state_number(state: &State) -> i64 {
    match state {
        State::Planned => PLANNED,
        State::Intended => INTENDED,
        State::Accepted { .. } => ACCEPTED,
        State::Completed { .. } => COMPLETED,
        State::Failed { .. } => FAILED,
        State::Unknown { .. } => UNKNOWN,
    }
}

/// Numbers of the findings in the journal; they never change their meaning.
const FINDINGS: [(i64, Finding); 5] = [
    (1, Finding::Same),
    (2, Finding::Missing),
    (3, Finding::Extra),
    (4, Finding::Differs),
    (5, Finding::Unread),
];

/// Numbers of what was looked at; they never change their meaning.
const AGAINST: [(i64, Against); 2] = [(1, Against::Volume), (2, Against::Bucket)];

/// Numbers of what confirmed a completed file; they never change their meaning.
const PROOFS: [(i64, Proof); 3] = [(1, Proof::File), (2, Proof::Job), (3, Proof::Word)];

/// Numbers of what the platform does with the sources of copies; they never change their meaning.
const COPYING: [(i64, Copying); 3] = [
    (0, Copying::Untried),
    (1, Copying::KeepsSource),
    (2, Copying::MovesSource),
];

pub(super) fn copying_number(copying: Copying) -> i64 {
    number_of(&COPYING, copying)
}

pub(super) fn copying(number: i64) -> Copying {
    of_number(&COPYING, number).unwrap_or(Copying::Untried)
}

pub(super) fn proof_number(proof: Proof) -> i64 {
    number_of(&PROOFS, proof)
}

pub(super) fn finding_number(finding: Finding) -> i64 {
    number_of(&FINDINGS, finding)
}

pub(super) fn finding(number: i64) -> Option<Finding> {
    of_number(&FINDINGS, number)
}

pub(super) fn against_number(against: Against) -> i64 {
    number_of(&AGAINST, against)
}

pub(super) fn against(number: i64) -> Option<Against> {
    of_number(&AGAINST, number)
}

fn number_of<T: Copy + PartialEq>(table: &[(i64, T)], wanted: T) -> i64 {
    let found = table.iter().find(|(_, value)| *value == wanted);
    found.expect("every value has a number").0
}

fn of_number<T: Copy>(table: &[(i64, T)], wanted: i64) -> Option<T> {
    let found = table.iter().find(|(number, _)| *number == wanted)?;
    Some(found.1)
}

/// The columns of an attempt that make up its state.
#[derive(Debug, Default)]
pub(super) struct StateColumns {
    pub(super) state: i64,
    pub(super) doubt: Option<i64>,
    pub(super) export: Option<String>,
    pub(super) code: Option<i64>,
    pub(super) status: Option<u16>,
    pub(super) message: Option<String>,
    pub(super) request: Option<String>,
    pub(super) proof: Option<i64>,
}

impl StateColumns {
    /// The columns `state, doubt, export, code, status, message, request, proof` from `first` on.
    pub(super) fn read(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(StateColumns {
            state: row.get(first)?,
            doubt: row.get(first + 1)?,
            export: row.get(first + 2)?,
            code: row.get(first + 3)?,
            status: row.get(first + 4)?,
            message: row.get(first + 5)?,
            request: row.get(first + 6)?,
            proof: row.get(first + 7)?,
        })
    }

    pub(super) fn state(self, path: &Path) -> Result<State, JournalError> {
        let export = match &self.export {
            Some(text) => Some(
                text.parse::<ExportId>()
                    .map_err(|error| damaged(path, error))?,
            ),
            None => None,
        };
        Ok(match (self.state, export) {
            (PLANNED, _) => State::Planned,
            (INTENDED, _) => State::Intended,
            (ACCEPTED, Some(export)) => State::Accepted { export },
            (COMPLETED, export) => State::Completed {
                // Older versions named no job exactly where the file alone confirmed it.
                proof: match self.proof.and_then(|number| of_number(&PROOFS, number)) {
                    Some(proof) => proof,
                    None if export.is_none() => Proof::File,
                    None => Proof::Job,
                },
                export,
            },
            (FAILED, export) => State::Failed {
                export,
                failure: Failure {
                    code: self.code,
                    status: self.status,
                    message: self.message.unwrap_or_default(),
                    request_id: self.request,
                },
            },
            (UNKNOWN, export) => State::Unknown {
                export,
                doubt: self
                    .doubt
                    .and_then(Doubt::of_number)
                    .unwrap_or(Doubt::JobUnclear),
            },
            (number, _) => return Err(damaged(path, format_args!("no state has number {number}"))),
        })
    }
}

/// A file id as it is stored: 24 lower-case hex digits take half the room as bytes.
pub(super) struct StoredFile<'a>(pub(super) &'a FileId);

impl rusqlite::ToSql for StoredFile<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = self.0.as_str();
        Ok(match packed::<12>(text) {
            Some(bytes) => ToSqlOutput::Owned(Value::Blob(bytes.to_vec())),
            None => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// An ETag as it is stored: those that are 32 lower-case hex digits take half the room as bytes.
pub(super) struct StoredEtag<'a>(pub(super) &'a str);

impl rusqlite::ToSql for StoredEtag<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match packed::<16>(self.0) {
            Some(bytes) => ToSqlOutput::Owned(Value::Blob(bytes.to_vec())),
            None => ToSqlOutput::Borrowed(ValueRef::Text(self.0.as_bytes())),
        })
    }
}

pub(super) fn etag(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Blob(bytes) => Some(hex(bytes)),
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => None,
    }
}

/// The bytes that as many pairs of lower-case hex digits stand for.
pub(crate) fn packed<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * BYTES {
        return None;
    }
    let mut bytes = [0; BYTES];
    let mut strange = false;
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
        strange |= (high | low) == NO_DIGIT;
        *byte = high << 4 | low & 15;
    }
    (!strange).then_some(bytes)
}

/// What [`VALUES`] has for a byte that is no digit: it keeps all bits under any `|`.
const NO_DIGIT: u8 = 0xff;

/// The value of each byte that is a lower-case hex digit.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value as usize] as usize] = value;
        value += 1;
    }
    values
};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

pub(super) fn file_id(value: ValueRef<'_>, path: &Path) -> Result<FileId, JournalError> {
    let text = file_text(value, path)?;
    text.parse().map_err(|error| damaged(path, error))
}

/// A file id as the platform writes it, not looked at.
pub(super) fn file_text<'a>(
    value: ValueRef<'a>,
    path: &Path,
) -> Result<Cow<'a, str>, JournalError> {
    match value {
        ValueRef::Blob(bytes) => Ok(hex(bytes).into()),
        ValueRef::Text(bytes) => Ok(String::from_utf8_lossy(bytes)),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {
            Err(damaged(path, "a file id is no text"))
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = vec![0; 2 * bytes.len()];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    String::from_utf8(text).expect("digits are text")
}

/// A hash of a file id as it is stored.
pub(super) fn hashed(file: &StoredFile<'_>) -> u64 {
    let text = file.0.as_str();
    match packed::<12>(text) {
        Some(bytes) => hashed_value(ValueRef::Blob(&bytes)),
        None => hashed_value(ValueRef::Text(text.as_bytes())),
    }
}

pub(super) fn hashed_value(value: ValueRef<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.as_bytes_or_null().ok().flatten().hash(&mut hasher);
    hasher.finish()
}

pub(super) fn moment(milliseconds: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_millisecond(milliseconds?).ok()
}

pub(super) fn milliseconds(moment: Timestamp) -> i64 {
    moment.as_millisecond()
}

/// SQLite has no unsigned numbers; sizes and counts are far below its limit.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that is never negative unless somebody edited the file.
pub(super) fn read_back(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Refuses a page of rows that doesn't go on behind `after`: in a damaged file they may come again and again, and whoever
/// asks for the page behind the last one would never end.
pub(super) fn in_order(
    path: &Path,
    after: i64,
    ids: impl IntoIterator<Item = i64>,
) -> Result<(), JournalError> {
    let mut last = after;
    for id in ids {
        if id <= last {
            return Err(damaged(path, "its rows are in no order"));
        }
        last = id;
    }
    Ok(())
}

pub(super) fn damaged(path: &Path, what: impl std::fmt::Display) -> JournalError {
    JournalError::Damaged {
        path: path.to_owned(),
        what: what.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Only a text that comes back as it was may be kept as bytes.
        #[test]
        fn packed_digits_come_back(text in "[0-9a-f]{6}|[0-9a-zA-F]{6}|\\PC{0,6}") {
            let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            let packed = packed::<3>(&text);
            prop_assert_eq!(packed.is_some(), digits && text.len() == 6);
            if let Some(bytes) = packed {
                prop_assert_eq!(hex(&bytes), text);
            }
        }
    }
}
