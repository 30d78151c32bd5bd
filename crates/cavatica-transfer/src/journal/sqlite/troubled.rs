//! The files that need somebody's attention, read without looking at all the others.

use cavatica_exports::model::FileId;
use jiff::Timestamp;

use super::JournalError;
use super::codec::{self, StateColumns, damaged, file_id, moment, read_back};
use super::planned_rows::STATE;
use super::read::TransferFile;
use crate::state::{Failure, ItemId, State};
use crate::verify::{Against, Finding};

/// A file that failed, whose outcome isn't known, or whose object isn't as it was to be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TroubledItem {
    /// Its number.
    pub id: ItemId,
    /// The file.
    pub file: FileId,
    /// Where it was to go.
    pub location: String,
    /// Bytes.
    pub size: Option<u64>,
    /// How it stands.
    pub state: State,
    /// How often it was sent.
    pub attempts: u32,
    /// What the newest look at the destination came to.
    pub finding: Option<Finding>,
    /// The name of the reason why the plan warned of it.
    pub warned: Option<String>,
}

impl TroubledItem {
    /// What the platform said, if it said anything.
    pub fn failure(&self) -> Option<&Failure> {
        self.state.failure()
    }
}

/// What the newest looks at the destination saw of the files that arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Looked {
    /// Objects as they were to be.
    pub same: u64,
    /// Of those the same, files of which one size wasn't told: only their keys were found right.
    pub by_key_alone: u64,
    /// Objects that aren't there.
    pub missing: u64,
    /// Objects that are there, and aren't what was exported.
    pub differs: u64,
    /// Objects that couldn't be looked at.
    pub unread: u64,
    /// When the newest look began, and what it looked at.
    pub newest: Option<(Timestamp, Against)>,
}

impl Looked {
    /// Objects that aren't there, or aren't what they were to be.
    pub fn wrong(&self) -> u64 {
        self.missing + self.differs
    }

    /// What the looks at two destinations saw, or those of two transfers at one.
    #[must_use]
    pub fn plus(&self, other: &Looked) -> Looked {
        Looked {
            same: self.same + other.same,
            by_key_alone: self.by_key_alone + other.by_key_alone,
            missing: self.missing + other.missing,
            differs: self.differs + other.differs,
            unread: self.unread + other.unread,
            newest: [self.newest, other.newest]
                .into_iter()
                .flatten()
                .max_by_key(|(at, _)| *at),
        }
    }

    /// Files that some look was about.
    pub fn files(&self) -> u64 {
        self.same + self.wrong() + self.unread
    }
}

/// Finding, whether a size wasn't told, how many, and of the newest look when it began and what it looked at.
type LookedRow = (i64, bool, i64, i64, i64);

impl TransferFile {
    /// Up to `limit` files behind `after` that failed or whose outcome isn't known, in the order of the plan.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn failures(
        &self,
        after: Option<ItemId>,
        limit: usize,
    ) -> Result<Vec<TroubledItem>, JournalError> {
        self.troubled("a.state IN (4, 5)", after, limit)
    }

    /// Up to `limit` completed files behind `after` of which the newest look found no object, or another one.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn astray(
        &self,
        after: Option<ItemId>,
        limit: usize,
    ) -> Result<Vec<TroubledItem>, JournalError> {
        self.troubled("a.state = 3 AND v.finding IN (2, 4)", after, limit)
    }

    fn troubled(
        &self,
        which: &str,
        after: Option<ItemId>,
        limit: usize,
    ) -> Result<Vec<TroubledItem>, JournalError> {
        let read = || -> rusqlite::Result<Result<Vec<TroubledItem>, JournalError>> {
            // The join begins at the fewer: at the index of those that ended badly, or at what was looked at.
            let join = match which {
                "a.state IN (4, 5)" => "attempt a LEFT JOIN verified v ON v.item = a.item",
                _ => "verified v CROSS JOIN attempt a ON a.item = v.item",
            };
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT i.id, i.file, i.location, i.size, v.finding,
                    (SELECT w.text FROM warned x JOIN word w ON w.id = x.reason WHERE x.item = i.id), a.number, {STATE}
                 FROM {join} JOIN item i ON i.id = a.item
                 WHERE {which} AND a.item > ? ORDER BY a.item LIMIT ?"
            ))?;
            let after = after.map_or(i64::MIN, |id| id.0);
            let mut rows = statement.query([after, codec::stored(limit as u64)])?;
            let mut page = Vec::new();
            while let Some(row) = rows.next()? {
                let relative: String = row.get(2)?;
                let item = file_id(row.get_ref(1)?, &self.path).and_then(|file| {
                    let state = StateColumns::read(row, 7).map_err(|source| self.sqlite(source))?;
                    Ok((file, state.state(&self.path)?))
                });
                let (file, state) = match item {
                    Ok(item) => item,
                    Err(error) => return Ok(Err(error)),
                };
                page.push(TroubledItem {
                    id: ItemId(row.get(0)?),
                    file,
                    location: format!("{}{relative}", self.header.terms.prefix),
                    size: row.get::<_, Option<i64>>(3)?.map(read_back),
                    state,
                    finding: row.get::<_, Option<i64>>(4)?.and_then(codec::finding),
                    warned: row.get(5)?,
                    attempts: row.get(6)?,
                });
            }
            let order = codec::in_order(&self.path, after, page.iter().map(|row| row.id.0));
            Ok(order.map(|()| page))
        };
        read().map_err(|source| self.sqlite(source))?
    }

    /// What the newest looks at the destination saw of the files that arrived.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn looked(&self) -> Result<Looked, JournalError> {
        let read = || -> rusqlite::Result<Vec<LookedRow>> {
            let mut statement = self.connection.prepare(
                "SELECT v.finding, v.size_untold IS NOT NULL OR i.size IS NULL, count(*), max(l.started), l.against
                 FROM verified v CROSS JOIN attempt a ON a.item = v.item AND a.state = 3
                 JOIN item i ON i.id = v.item JOIN verification l ON l.id = v.verification GROUP BY 1, 2",
            )?;
            let rows = statement.query_map([], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                ))
            })?;
            rows.collect()
        };
        let mut looked = Looked::default();
        for (finding, by_key, files, at, against) in read().map_err(|source| self.sqlite(source))? {
            let strange = || damaged(&self.path, "what a look at the destination saw");
            let files = read_back(files);
            let at = moment(Some(at)).ok_or_else(strange)?;
            let against = codec::against(against).ok_or_else(strange)?;
            if looked.newest.is_none_or(|(newest, _)| newest < at) {
                looked.newest = Some((at, against));
            }
            match codec::finding(finding).ok_or_else(strange)? {
                Finding::Same | Finding::Extra => {
                    looked.same += files;
                    looked.by_key_alone += if by_key { files } else { 0 };
                }
                Finding::Missing => looked.missing += files,
                Finding::Differs => looked.differs += files,
                Finding::Unread => looked.unread += files,
            }
        }
        Ok(looked)
    }
}
