//! One look at the destination, and what it saw of each file.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::codec::{
    self, COMPLETED, StateColumns, StoredEtag, against_number, damaged, finding_number,
    milliseconds, read_back,
};
use super::keys::Keys;
use super::lock::Lock;
use super::open::{Held, WorkError, write};
use super::planned_rows::STATE;
use super::{JournalError, Terms, observed};
use crate::observe::Habits;
use crate::state::State;
use crate::verify::{Against, Finding, Found, Known, ListedObject, compare};

/// How many files that were not seen are written down at a time.
const PAGE: i64 = 1_000;

/// A look at the destination of a transfer, under way. It holds the transfer's lock.
///
/// A listing may come in any order. Memory grows by 16 to 32 bytes for each planned file, and by 8 to 16 more where each lies
/// in a folder of its own; the keys of objects that belong to none lie in a temporary table on the disk.
#[derive(Debug)]
pub struct Verification {
    path: PathBuf,
    pub(super) connection: Connection,
    _lock: Lock,
    terms: Terms,
    id: i64,
    keys: Keys,
    /// What this look saw of the platform.
    pub(crate) seen: Habits,
}

impl Verification {
    /// Begins a look.
    ///
    /// # Errors
    ///
    /// [`JournalError::Held`] if the transfer is being run or looked at, and everything that can be wrong with a file.
    pub fn begin(path: &Path, against: Against, now: Timestamp) -> Result<Self, JournalError> {
        let Held {
            mut connection,
            lock,
            header,
        } = Held::take(path, None, now)?;
        let read = |source| JournalError::sqlite(path, "read", source);
        let keys = Keys::read(&connection).map_err(read)?;
        connection
            .execute_batch(
                "PRAGMA temp_store = FILE;
                 CREATE TEMP TABLE extra (location TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;",
            )
            .map_err(read)?;
        let id = write(path, &mut connection, |transaction| {
            transaction.execute(
                "INSERT INTO verification (against, started) VALUES (?, ?)",
                params![against_number(against), milliseconds(now)],
            )?;
            Ok(transaction.last_insert_rowid())
        })?;
        Ok(Verification {
            path: path.to_owned(),
            connection,
            _lock: lock,
            terms: header.terms,
            id,
            keys,
            seen: Habits::default(),
        })
    }

    /// The folder that all planned locations lie in, with a `/` at its end; empty if there is none but the volume itself.
    pub fn folder(&self) -> String {
        format!("{}{}", self.terms.prefix, self.keys.folder())
    }

    /// Whether a file of the transfer lies, or is to lie, at any depth in this folder on the volume's top level, which
    /// ends in `/`.
    pub fn writes_to(&self, folder: &str) -> bool {
        match self.terms.prefix.as_str() {
            "" => self.keys.lie_in(folder),
            prefix => prefix.starts_with(folder),
        }
    }

    /// Compares objects with what was planned, writes down what was seen, and answers what each look came to. An object
    /// that comes a second time is passed over.
    ///
    /// # Errors
    ///
    /// If the file can't be read or written; then nothing of these objects is recorded.
    pub fn see(&mut self, objects: &[ListedObject]) -> Result<Vec<Found>, JournalError> {
        let (path, terms, keys, id) = (&self.path, &self.terms, &self.keys, self.id);
        write(path, &mut self.connection, |transaction| {
            let mut found = Vec::with_capacity(objects.len());
            for object in objects {
                let Some(relative) = object.location.strip_prefix(terms.prefix.as_str()) else {
                    continue;
                };
                if object.is_folder_mark() {
                    continue;
                }
                let Some(planned) = Planned::at(transaction, path, terms, keys, relative)? else {
                    let new = transaction
                        .prepare_cached("INSERT OR IGNORE INTO temp.extra (location) VALUES (?)")?
                        .execute([relative])?;
                    if new == 1 {
                        found.push(Found {
                            location: object.location.clone(),
                            finding: Finding::Extra,
                            reasons: Vec::new(),
                        });
                    }
                    continue;
                };
                if planned.seen_by == Some(id) {
                    continue;
                }
                let (finding, reasons) = compare(&planned.known, object);
                planned.record(transaction, id, finding, object)?;
                found.push(Found {
                    location: object.location.clone(),
                    finding,
                    reasons,
                });
            }
            Ok(found)
        })
    }

    /// Which of these objects are completed files that were to be encrypted in a way that was named.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub(crate) fn to_be_encrypted(
        &self,
        objects: &[ListedObject],
    ) -> Result<Vec<bool>, JournalError> {
        let asks = |object: &ListedObject| {
            let prefix = self.terms.prefix.as_str();
            let Some(relative) = object.location.strip_prefix(prefix) else {
                return Ok(false);
            };
            let planned = Planned::at(
                &self.connection,
                &self.path,
                &self.terms,
                &self.keys,
                relative,
            )?;
            Ok(planned.is_some_and(|planned| {
                matches!(planned.known.state, State::Completed { .. })
                    && planned.known.encryption_asked().is_some()
            }))
        };
        let asked: Result<Vec<bool>, WorkError> = objects.iter().map(asks).collect();
        asked.map_err(|error| error.at(&self.path, "read"))
    }

    /// Settles every completed file that was not seen: as missing, or as unread if it lies in one of the folders that
    /// could not be read, which end in `/` or are empty for the whole volume. Tells each in the order of the plan.
    ///
    /// # Errors
    ///
    /// If the file can't be read or written.
    pub fn settle(
        &mut self,
        unread: &HashSet<String>,
        tell: &mut dyn FnMut(Found),
    ) -> Result<(), JournalError> {
        let mut after = i64::MIN;
        loop {
            let unseen = self.unseen(after)?;
            let Some((last, _)) = unseen.last() else {
                return Ok(());
            };
            after = *last;
            let finding = |location: &str| {
                if lies_in(location, unread) {
                    Finding::Unread
                } else {
                    Finding::Missing
                }
            };
            let id = self.id;
            self.write(|transaction| {
                for (item, location) in &unseen {
                    transaction
                        .prepare_cached(
                            "INSERT INTO verified (item, verification, finding) VALUES (?1, ?2, ?3)
                             ON CONFLICT (item) DO UPDATE SET verification = ?2, finding = ?3, size = NULL, size_untold = NULL",
                        )?
                        .execute(params![item, id, finding_number(finding(location))])?;
                }
                Ok(())
            })?;
            for (_, location) in unseen {
                tell(Found {
                    finding: finding(&location),
                    location,
                    reasons: Vec::new(),
                });
            }
        }
    }

    /// Ends the look. What earlier looks saw and this one didn't is forgotten.
    ///
    /// # Errors
    ///
    /// If the file can't be written.
    pub fn finish(&mut self, now: Timestamp) -> Result<(), JournalError> {
        let (id, seen) = (self.id, std::mem::take(&mut self.seen));
        let path = self.path.clone();
        self.write(|transaction| {
            if !seen.is_empty() {
                let mut all = observed::read(&path, transaction)?;
                all.add(&seen);
                observed::write(transaction, &all)?;
            }
            transaction.execute("DELETE FROM verified WHERE verification <> ?", [id])?;
            transaction.execute(
                "UPDATE verification SET finished = ? WHERE id = ?",
                [milliseconds(now), id],
            )?;
            Ok(())
        })
    }

    /// A page of completed files that this look hasn't seen.
    fn unseen(&self, after: i64) -> Result<Vec<(i64, String)>, JournalError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT i.id, i.location FROM attempt a JOIN item i ON i.id = a.item
                 LEFT JOIN verified v ON v.item = a.item
                 WHERE a.item > ?1 AND a.state = ?2 AND v.verification IS NOT ?3 ORDER BY a.item LIMIT ?4",
            )
            .map_err(|source| self.sqlite(source))?;
        let rows = statement
            .query_map(params![after, COMPLETED, self.id, PAGE], |row| {
                let relative: String = row.get(1)?;
                Ok((row.get(0)?, format!("{}{relative}", self.terms.prefix)))
            })
            .map_err(|source| self.sqlite(source))?;
        let page: rusqlite::Result<Vec<(i64, String)>> = rows.collect();
        let page = page.map_err(|source| self.sqlite(source))?;
        codec::in_order(&self.path, after, page.iter().map(|(id, _)| *id))?;
        Ok(page)
    }

    fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, WorkError>,
    ) -> Result<T, JournalError> {
        write(&self.path, &mut self.connection, work)
    }

    fn sqlite(&self, source: rusqlite::Error) -> JournalError {
        JournalError::sqlite(&self.path, "read", source)
    }
}

/// A planned file as it is before its object is compared.
struct Planned {
    item: i64,
    known: Known,
    /// The look that saw it last.
    seen_by: Option<i64>,
}

impl Planned {
    fn at(
        connection: &Connection,
        path: &Path,
        terms: &Terms,
        keys: &Keys,
        relative: &str,
    ) -> Result<Option<Self>, WorkError> {
        for item in keys.candidates(relative) {
            if let Some(planned) = Planned::read(connection, path, terms, item, relative)? {
                return Ok(Some(planned));
            }
        }
        Ok(None)
    }

    /// Reads a file, if that is its location.
    fn read(
        connection: &Connection,
        path: &Path,
        terms: &Terms,
        item: i64,
        relative: &str,
    ) -> Result<Option<Self>, WorkError> {
        let found = connection
            .prepare_cached(&format!(
                "SELECT i.size, v.verification, v.etag, {STATE},
                    (SELECT text FROM word WHERE id = i.properties)
                 FROM item i LEFT JOIN attempt a ON a.item = i.id LEFT JOIN verified v ON v.item = i.id
                 WHERE i.id = ? AND i.location = ?"
            ))?
            .query_row(params![item, relative], |row| {
                let etag = codec::etag(row.get_ref(2)?);
                Ok((
                    row.get::<_, Option<i64>>(0)?,
                    row.get(1)?,
                    etag,
                    StateColumns::read(row, 3)?,
                    row.get::<_, Option<String>>(11)?,
                ))
            })
            .optional()?;
        let Some((size, seen_by, etag, columns, asked)) = found else {
            return Ok(None);
        };
        let known = Known {
            state: columns.state(path)?,
            size: size.map(read_back),
            etag,
            asked: match asked {
                None => terms.properties.value().cloned(),
                Some(text) => {
                    Some(serde_json::from_str(&text).map_err(|error| damaged(path, error))?)
                }
            },
        };
        Ok(Some(Planned {
            item,
            known,
            seen_by,
        }))
    }

    fn record(
        &self,
        connection: &Connection,
        verification: i64,
        finding: Finding,
        object: &ListedObject,
    ) -> rusqlite::Result<()> {
        let size = object.size.filter(|size| Some(*size) != self.known.size);
        let seen = object.etag.as_deref();
        let first = match (&self.known.etag, finding) {
            (Some(first), _) => Some(first.as_str()),
            (None, Finding::Same) => seen,
            (None, Finding::Missing | Finding::Extra | Finding::Differs | Finding::Unread) => None,
        };
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO verified (item, verification, finding, size, etag, etag_seen, size_untold)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                self.item,
                verification,
                finding_number(finding),
                size.map(codec::stored),
                first.map(StoredEtag),
                seen.filter(|etag| Some(*etag) != first).map(StoredEtag),
                object.size.is_none().then_some(1),
            ])?;
        Ok(())
    }
}

/// Whether a key lies in one of these folders, at any depth.
fn lies_in(location: &str, folders: &HashSet<String>) -> bool {
    if folders.is_empty() {
        return false;
    }
    let mut slashes = location.match_indices('/');
    folders.contains("") || slashes.any(|(slash, _)| folders.contains(&location[..=slash]))
}
