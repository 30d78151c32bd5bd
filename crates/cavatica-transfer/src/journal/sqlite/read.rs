//! A transfer as others see it, also while it is being run.

use std::path::{Path, PathBuf};

use cavatica_exports::model::Location;
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

use super::codec::{self, StateColumns, damaged, file_id, moment, read_back};
use super::connection::connect;
use super::header::{Header, TransferId, header, sqlite, tally, tally_until};
use super::open::WorkError;
use super::part::{self, Part, Split};
use super::reckoning::fingerprint;
use super::rows::{ItemRow, RunRow, SkippedRow, Verified};
use super::words::Words;
use super::{Count, JournalError, Owner, Tally, Terms, fence, lock, observed, schema};
use crate::fingerprint::Fingerprint;
use crate::observe::Habits;
use crate::state::ItemId;
use crate::verify::Untold;

/// How many rows are read at a time: between two pages the run can write.
const PAGE: i64 = 2_000;

/// A planned file with everything that is known of it, in the order of [`column`].
const ITEM: &str = "i.id, i.file, i.location, i.path, i.size, i.project, i.task, i.metadata,
    coalesce(a.state, 0), a.doubt, a.export, a.code, a.status, a.message, a.request,
    coalesce(a.number, 0), a.started, a.finished,
    (SELECT app FROM app WHERE app.task = i.task),
    v.finding, v.size, coalesce(v.etag_seen, v.etag), l.started, l.against,
    (SELECT at FROM intent WHERE id = a.intent), v.size_untold, a.proof,
    (SELECT text FROM word WHERE id = a.said),
    (SELECT w.text FROM warned x JOIN word w ON w.id = x.reason WHERE x.item = i.id)";

/// Where which column stands. To find one by its name in each of a million rows takes longer than to read it.
mod column {
    pub(super) const ID: usize = 0;
    pub(super) const FILE: usize = 1;
    pub(super) const LOCATION: usize = 2;
    pub(super) const PATH: usize = 3;
    pub(super) const SIZE: usize = 4;
    pub(super) const PROJECT: usize = 5;
    pub(super) const TASK: usize = 6;
    pub(super) const METADATA: usize = 7;
    pub(super) const STATE: usize = 8;
    pub(super) const DOUBT: usize = 9;
    pub(super) const EXPORT: usize = 10;
    pub(super) const CODE: usize = 11;
    pub(super) const STATUS: usize = 12;
    pub(super) const MESSAGE: usize = 13;
    pub(super) const REQUEST: usize = 14;
    pub(super) const ATTEMPTS: usize = 15;
    pub(super) const STARTED: usize = 16;
    pub(super) const FINISHED: usize = 17;
    pub(super) const APP: usize = 18;
    pub(super) const FINDING: usize = 19;
    pub(super) const SEEN_SIZE: usize = 20;
    pub(super) const ETAG: usize = 21;
    pub(super) const LOOKED: usize = 22;
    pub(super) const AGAINST: usize = 23;
    pub(super) const INTENDED: usize = 24;
    pub(super) const SIZE_UNTOLD: usize = 25;
    pub(super) const PROOF: usize = 26;
    pub(super) const SAID: usize = 27;
    pub(super) const WARNED: usize = 28;
}

/// A planned transfer, open for reading: beside a run, or when nothing runs it.
#[derive(Debug)]
pub struct TransferFile {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) header: Header,
}

impl TransferFile {
    /// Opens a planned transfer to read it.
    ///
    /// # Errors
    ///
    /// Everything that can be wrong with a file.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        // Where it can be written to, SQLite also rolls back what a dead run left half written.
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .or_else(|_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY))?;
        schema::bring_up_to_date(path, &mut connection)?;
        let header = header(path, &connection)?;
        Ok(TransferFile {
            path: path.to_owned(),
            connection,
            header,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version of its tables.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn version(&self) -> Result<i64, JournalError> {
        schema::version(&self.path, &self.connection)
    }

    /// What the transfer is.
    pub fn terms(&self) -> &Terms {
        &self.header.terms
    }

    /// When it was planned.
    pub fn created(&self) -> Timestamp {
        self.header.created
    }

    /// What was asked for, in words.
    pub fn selection(&self) -> &str {
        &self.header.selection
    }

    /// The name that its user gave it.
    pub fn label(&self) -> Option<&str> {
        self.header.label.as_deref()
    }

    /// All files of the plan and their bytes.
    pub fn planned(&self) -> Count {
        Count {
            files: self.header.files,
            bytes: self.header.bytes,
        }
    }

    /// The fingerprint that was written when it was planned.
    pub fn fingerprint(&self) -> Fingerprint {
        self.header.fingerprint
    }

    /// The fingerprint of what the file would send now. It differs if somebody edited the plan.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn compute_fingerprint(&self) -> Result<Fingerprint, JournalError> {
        fingerprint(&self.path, &self.connection)
    }

    /// What it has in common with its copies, and with nothing else.
    pub(crate) fn id(&self) -> TransferId {
        self.header.id
    }

    /// Which part of a plan it is, if that was split.
    pub fn part(&self) -> Option<Part> {
        self.header.part
    }

    /// What became of it, if it was split: its parts run in its place.
    pub fn split(&self) -> Option<&Split> {
        self.header.split.as_ref()
    }

    /// Whether any file of it was sent, or may have been.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn has_begun(&self) -> Result<bool, JournalError> {
        part::has_begun(&self.connection).map_err(|source| self.sqlite(source))
    }

    /// Who runs it now, if anybody does. Asking disturbs nobody.
    pub fn owner(&self) -> Option<Owner> {
        lock::holder(&self.path, || fence::last_owner(&self.connection))
    }

    /// How many files stand where.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn tally(&self) -> Result<Tally, JournalError> {
        tally(&self.path, &self.connection)
    }

    /// The same while a run is on: a failed file that it sends again by itself, up to so many times, is still to be sent.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn tally_until(&self, max_attempts: u32) -> Result<Tally, JournalError> {
        tally_until(&self.path, &self.connection, max_attempts)
    }

    pub(super) fn sqlite(&self, source: rusqlite::Error) -> JournalError {
        sqlite(&self.path, source)
    }

    /// A page of planned files behind `after`, in the order of the plan; empty at the end.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn items(&self, after: Option<ItemId>) -> Result<Vec<ItemRow>, JournalError> {
        let after = after.map_or(i64::MIN, |id| id.0);
        let read = || -> Result<_, WorkError> {
            let mut words = Words::default();
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT {ITEM} FROM item i LEFT JOIN attempt a ON a.item = i.id
                 LEFT JOIN verified v ON v.item = i.id LEFT JOIN verification l ON l.id = v.verification
                 WHERE i.id > ? ORDER BY i.id LIMIT ?"
            ))?;
            let mut rows = statement.query([after, PAGE])?;
            let mut page = Vec::new();
            while let Some(row) = rows.next()? {
                page.push(self.item_row(row, &mut words)?);
            }
            codec::in_order(&self.path, after, page.iter().map(|row: &ItemRow| row.id.0))?;
            Ok(page)
        };
        read().map_err(|error| error.at(&self.path, "read"))
    }

    fn item_row(&self, row: &Row<'_>, words: &mut Words) -> Result<ItemRow, WorkError> {
        let number = |column| row.get::<_, Option<i64>>(column);
        let mut word = |column| words.text(&self.connection, row.get(column)?);
        let relative: String = row.get(column::LOCATION)?;
        let path: Option<String> = row.get(column::PATH)?;
        let size = number(column::SIZE)?;
        let state = StateColumns {
            state: row.get(column::STATE)?,
            doubt: row.get(column::DOUBT)?,
            export: row.get(column::EXPORT)?,
            code: row.get(column::CODE)?,
            status: row.get(column::STATUS)?,
            message: word(column::MESSAGE)?,
            request: word(column::REQUEST)?,
            proof: row.get(column::PROOF)?,
        };
        Ok(ItemRow {
            id: ItemId(row.get(column::ID)?),
            file: file_id(row.get_ref(column::FILE)?, &self.path)?,
            location: format!("{}{relative}", self.header.terms.prefix),
            path: Some(path.unwrap_or(relative)),
            size: size.map(read_back),
            project: word(column::PROJECT)?,
            task: word(column::TASK)?,
            app: word(column::APP)?,
            metadata: row.get(column::METADATA)?,
            state: state.state(&self.path)?,
            said: row.get(column::SAID)?,
            warned: row.get(column::WARNED)?,
            attempts: row.get(column::ATTEMPTS)?,
            intended: moment(number(column::INTENDED)?),
            started: moment(number(column::STARTED)?),
            finished: moment(number(column::FINISHED)?),
            verified: self.verified(row, size)?,
        })
    }

    fn verified(&self, row: &Row<'_>, planned: Option<i64>) -> Result<Option<Verified>, WorkError> {
        let number = |column| row.get::<_, Option<i64>>(column);
        let (Some(finding), Some(at), Some(against)) = (
            number(column::FINDING)?,
            number(column::LOOKED)?,
            number(column::AGAINST)?,
        ) else {
            return Ok(None);
        };
        let strange = || damaged(&self.path, "what a look at the destination saw");
        Ok(Some(Verified {
            finding: codec::finding(finding).ok_or_else(strange)?,
            at: moment(Some(at)).ok_or_else(strange)?,
            against: codec::against(against).ok_or_else(strange)?,
            size: number(column::SEEN_SIZE)?.or(planned).map(read_back),
            size_untold: match (number(column::SIZE_UNTOLD)?, planned) {
                (Some(_), _) => Some(Untold::Object),
                (None, None) => Some(Untold::File),
                (None, Some(_)) => None,
            },
            etag: codec::etag(row.get_ref(column::ETAG)?),
        }))
    }

    /// A page of skipped files behind the number `after`; empty at the end.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn skipped(&self, after: i64) -> Result<Vec<SkippedRow>, JournalError> {
        let read = || -> Result<_, WorkError> {
            let mut words = Words::default();
            let mut statement = self.connection.prepare_cached(
                "SELECT id, file, path, size, project, kind, reason FROM skipped WHERE id > ? ORDER BY id LIMIT ?",
            )?;
            let mut rows = statement.query([after, PAGE])?;
            let mut page = Vec::new();
            while let Some(row) = rows.next()? {
                let mut word = |name| words.text(&self.connection, row.get(name)?);
                let file = row.get_ref("file")?;
                let is_known = file != ValueRef::Null;
                page.push(SkippedRow {
                    id: row.get("id")?,
                    file: is_known.then(|| file_id(file, &self.path)).transpose()?,
                    path: row.get("path")?,
                    size: row.get::<_, Option<i64>>("size")?.map(read_back),
                    project: word("project")?,
                    kind: word("kind")?.unwrap_or_default(),
                    reason: word("reason")?.unwrap_or_default(),
                });
            }
            codec::in_order(
                &self.path,
                after,
                page.iter().map(|row: &SkippedRow| row.id),
            )?;
            Ok(page)
        };
        read().map_err(|error| error.at(&self.path, "read"))
    }

    /// How many files were skipped for which kind of reason, by name of the kind.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn skipped_by_kind(&self) -> Result<Vec<(String, u64)>, JournalError> {
        skipped_by_kind(&self.path, &self.connection)
    }

    /// Every run so far, oldest first.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn runs(&self) -> Result<Vec<RunRow>, JournalError> {
        let mut statement = self
            .connection
            .prepare("SELECT host, process, version, started, seen, requests FROM run ORDER BY id")
            .map_err(|source| self.sqlite(source))?;
        let at = |milliseconds| moment(Some(milliseconds)).unwrap_or(Timestamp::UNIX_EPOCH);
        let rows = statement
            .query_map([], |row| {
                Ok(RunRow {
                    host: row.get("host")?,
                    process: row.get("process")?,
                    version: row.get("version")?,
                    started: at(row.get("started")?),
                    seen: at(row.get("seen")?),
                    requests: read_back(row.get("requests")?),
                })
            })
            .map_err(|source| self.sqlite(source))?;
        rows.collect::<rusqlite::Result<_>>()
            .map_err(|source| self.sqlite(source))
    }

    /// What runs and looks at the destination saw of the platform that no page tells. No name is in it.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn observations(&self) -> Result<Habits, JournalError> {
        observed::read(&self.path, &self.connection)
    }

    /// How many files somebody's word stands for: whose outcome couldn't be known from here.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn said_by_word(&self) -> Result<u64, JournalError> {
        let count = self.connection.query_row(
            "SELECT count(*) FROM attempt WHERE said IS NOT NULL",
            [],
            |row| row.get(0),
        );
        count.map(read_back).map_err(|source| self.sqlite(source))
    }

    /// The location of an item, to be told about it in words.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or has no such item.
    pub fn location(&self, item: ItemId) -> Result<Location, JournalError> {
        let relative: String = self
            .connection
            .query_row("SELECT location FROM item WHERE id = ?", [item.0], |row| {
                row.get(0)
            })
            .map_err(|source| self.sqlite(source))?;
        format!("{}{relative}", self.header.terms.prefix)
            .parse()
            .map_err(|error| damaged(&self.path, error))
    }
}

pub(super) fn skipped_by_kind(
    path: &Path,
    connection: &Connection,
) -> Result<Vec<(String, u64)>, JournalError> {
    let read = || -> rusqlite::Result<_> {
        let mut statement = connection.prepare(
            "SELECT w.text, count(*) FROM skipped s JOIN word w ON w.id = s.kind GROUP BY s.kind ORDER BY w.text",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, read_back(row.get(1)?))))?;
        rows.collect()
    };
    read().map_err(|source| sqlite(path, source))
}
