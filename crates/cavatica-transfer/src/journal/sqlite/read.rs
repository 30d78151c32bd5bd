//! A transfer as others see it, also while it is being run.

use std::path::{Path, PathBuf};

use cavatica_exports::model::Location;
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Row, params};

use super::codec::{self, StateColumns, damaged, file_id, moment, read_back};
use super::connection::connect;
use super::header::{Header, TransferId, header, sqlite, tally};
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

    pub(super) fn sqlite(&self, source: rusqlite::Error) -> JournalError {
        sqlite(&self.path, source)
    }

    /// A page of planned files behind `after`, in the order of the plan; empty at the end.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn items(&self, after: Option<ItemId>) -> Result<Vec<ItemRow>, JournalError> {
        let mut words = Words::default();
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT i.id, i.file, i.location, i.path, i.size, i.project, i.task, i.metadata,
                    coalesce(a.state, 0), a.doubt, a.export, a.code, a.status, a.message, a.request,
                    coalesce(a.number, 0), a.started, a.finished,
                    (SELECT app FROM app WHERE app.task = i.task),
                    v.finding, v.size, coalesce(v.etag_seen, v.etag), l.started, l.against,
                    (SELECT at FROM intent WHERE id = a.intent), v.size_untold, a.proof,
                    (SELECT text FROM word WHERE id = a.said),
                    (SELECT w.text FROM warned x JOIN word w ON w.id = x.reason WHERE x.item = i.id)
                 FROM item i LEFT JOIN attempt a ON a.item = i.id
                 LEFT JOIN verified v ON v.item = i.id LEFT JOIN verification l ON l.id = v.verification WHERE i.id > ? ORDER BY i.id LIMIT ?",
            )
            .map_err(|source| self.sqlite(source))?;
        let after = after.map_or(i64::MIN, |id| id.0);
        let mut rows = statement
            .query(params![after, PAGE])
            .map_err(|source| self.sqlite(source))?;
        let mut page = Vec::new();
        while let Some(row) = rows.next().map_err(|source| self.sqlite(source))? {
            page.push(self.item_row(row, &mut words)?);
        }
        codec::in_order(&self.path, after, page.iter().map(|row| row.id.0))?;
        Ok(page)
    }

    fn item_row(&self, row: &Row<'_>, words: &mut Words) -> Result<ItemRow, JournalError> {
        let sqlite = |source| self.sqlite(source);
        let number = |column| row.get::<_, Option<i64>>(column).map_err(sqlite);
        let mut word = |column| {
            let id = row.get(column)?;
            words.text(&self.connection, id)
        };
        let relative: String = row.get(2).map_err(sqlite)?;
        let path: Option<String> = row.get(3).map_err(sqlite)?;
        let size = number(4)?;
        let state = StateColumns {
            state: row.get(8).map_err(sqlite)?,
            doubt: row.get(9).map_err(sqlite)?,
            export: row.get(10).map_err(sqlite)?,
            code: row.get(11).map_err(sqlite)?,
            status: row.get(12).map_err(sqlite)?,
            message: word(13).map_err(sqlite)?,
            request: word(14).map_err(sqlite)?,
            proof: row.get(26).map_err(sqlite)?,
        };
        Ok(ItemRow {
            id: ItemId(row.get(0).map_err(sqlite)?),
            file: file_id(row.get_ref(1).map_err(sqlite)?, &self.path)?,
            location: format!("{}{relative}", self.header.terms.prefix),
            path: Some(path.unwrap_or(relative)),
            size: size.map(read_back),
            project: word(5).map_err(sqlite)?,
            task: word(6).map_err(sqlite)?,
            app: word(18).map_err(sqlite)?,
            metadata: row.get(7).map_err(sqlite)?,
            state: state.state(&self.path)?,
            said: row.get(27).map_err(sqlite)?,
            warned: row.get(28).map_err(sqlite)?,
            attempts: row.get(15).map_err(sqlite)?,
            intended: moment(number(24)?),
            started: moment(number(16)?),
            finished: moment(number(17)?),
            verified: self.verified(row, size)?,
        })
    }

    fn verified(
        &self,
        row: &Row<'_>,
        planned: Option<i64>,
    ) -> Result<Option<Verified>, JournalError> {
        let sqlite = |source| self.sqlite(source);
        let number = |column| row.get::<_, Option<i64>>(column).map_err(sqlite);
        let (Some(finding), Some(at), Some(against)) = (number(19)?, number(22)?, number(23)?)
        else {
            return Ok(None);
        };
        let strange = || damaged(&self.path, "what a look at the destination saw");
        Ok(Some(Verified {
            finding: codec::finding(finding).ok_or_else(strange)?,
            at: moment(Some(at)).ok_or_else(strange)?,
            against: codec::against(against).ok_or_else(strange)?,
            size: number(20)?.or(planned).map(read_back),
            size_untold: match (number(25)?, planned) {
                (Some(_), _) => Some(Untold::Object),
                (None, None) => Some(Untold::File),
                (None, Some(_)) => None,
            },
            etag: codec::etag(row.get_ref(21).map_err(sqlite)?),
        }))
    }

    /// A page of skipped files behind the number `after`; empty at the end.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn skipped(&self, after: i64) -> Result<Vec<SkippedRow>, JournalError> {
        let mut words = Words::default();
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT id, file, path, size, project, kind, reason FROM skipped WHERE id > ? ORDER BY id LIMIT ?",
            )
            .map_err(|source| self.sqlite(source))?;
        let mut rows = statement
            .query(params![after, PAGE])
            .map_err(|source| self.sqlite(source))?;
        let mut page = Vec::new();
        while let Some(row) = rows.next().map_err(|source| self.sqlite(source))? {
            let mut word = |column: usize| {
                row.get(column)
                    .and_then(|id| words.text(&self.connection, id))
                    .map_err(|source| self.sqlite(source))
            };
            let (project, kind, reason) = (word(4)?, word(5)?, word(6)?);
            let value = row.get_ref(1).map_err(|source| self.sqlite(source))?;
            let file = if value == rusqlite::types::ValueRef::Null {
                None
            } else {
                Some(file_id(value, &self.path)?)
            };
            let size: Option<i64> = row.get(3).map_err(|source| self.sqlite(source))?;
            page.push(SkippedRow {
                id: row.get(0).map_err(|source| self.sqlite(source))?,
                file,
                path: row.get(2).map_err(|source| self.sqlite(source))?,
                size: size.map(read_back),
                project,
                kind: kind.unwrap_or_default(),
                reason: reason.unwrap_or_default(),
            });
        }
        codec::in_order(&self.path, after, page.iter().map(|row| row.id))?;
        Ok(page)
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
                    host: row.get(0)?,
                    process: row.get(1)?,
                    version: row.get(2)?,
                    started: at(row.get(3)?),
                    seen: at(row.get(4)?),
                    requests: read_back(row.get(5)?),
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
