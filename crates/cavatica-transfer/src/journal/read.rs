//! A transfer as others see it, also while it is being run.

use std::path::{Path, PathBuf};

use cavatica_exports::model::{ExportId, FileId, Location};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::codec::{
    self, ACCEPTED, COMPLETED, FAILED, INTENDED, PLANNED, StateColumns, UNKNOWN, damaged, file_id,
    moment, read_back,
};
use super::draft::fingerprint;
use super::sqlite::{Words, connect};
use super::{Count, JournalError, Owner, Tally, Terms, lock, schema};
use crate::fingerprint::Fingerprint;
use crate::item::{Failure, ItemId, State};
use crate::verify::{Against, Finding, Untold};

/// How many rows are read at a time: between two pages the run can write.
const PAGE: i64 = 2_000;

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

fn sqlite(path: &Path, source: rusqlite::Error) -> JournalError {
    JournalError::Sqlite {
        path: path.to_owned(),
        doing: "read",
        source,
    }
}

/// A failed file, or one whose outcome isn't known, with what is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedItem {
    /// Its number.
    pub id: ItemId,
    /// The file.
    pub file: FileId,
    /// Where it was to go.
    pub location: String,
    /// How it stands: failed or unknown.
    pub state: State,
}

impl FailedItem {
    /// What the platform said, if it said anything.
    pub fn failure(&self) -> Option<&Failure> {
        self.state.failure()
    }
}

/// A planned file with everything that the transfer knows about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemRow {
    /// Its number.
    pub id: ItemId,
    /// The file.
    pub file: FileId,
    /// Where it goes, the transfer's prefix included.
    pub location: String,
    /// Its whole path on the platform, if known.
    pub path: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Its project.
    pub project: Option<String>,
    /// The task that made it.
    pub task: Option<String>,
    /// The app that this task ran, where the plan asked for the task.
    pub app: Option<String>,
    /// The chosen metadata as a JSON object.
    pub metadata: Option<String>,
    /// Where it stands.
    pub state: State,
    /// How often it was sent.
    pub attempts: u32,
    /// When the intent of its newest attempt was written, just before it was sent.
    pub intended: Option<Timestamp>,
    /// When the platform queued its job.
    pub started: Option<Timestamp>,
    /// When its job ended.
    pub finished: Option<Timestamp>,
    /// What the newest look at the destination saw of it.
    pub verified: Option<Verified>,
}

/// What a look at the destination saw of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What it came to.
    pub finding: Finding,
    /// When the look began.
    pub at: Timestamp,
    /// What was looked at.
    pub against: Against,
    /// Bytes of the object, if it was there and its size was told; else what was planned.
    pub size: Option<u64>,
    /// Whose size wasn't told, so that an object that was there could be found by its key alone.
    pub size_untold: Option<Untold>,
    /// The newest ETag that was ever seen of it, without quotes.
    pub etag: Option<String>,
}

impl ItemRow {
    /// The job, if one is known.
    pub fn export(&self) -> Option<&ExportId> {
        self.state.export()
    }
}

/// A file that was selected and isn't sent.
#[derive(Clone, Debug, PartialEq)]
pub struct SkippedRow {
    /// Its number among the skipped.
    pub id: i64,
    /// The file, if its id is known.
    pub file: Option<FileId>,
    /// Its path, or whatever names it.
    pub path: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Its project.
    pub project: Option<String>,
    /// The kind of reason.
    pub kind: String,
    /// The reason in words.
    pub reason: String,
}

/// One run of a transfer: who, when, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// The host's name.
    pub host: String,
    /// The process id.
    pub process: u32,
    /// The program's version.
    pub version: String,
    /// When it began.
    pub started: Timestamp,
    /// When it last wrote.
    pub seen: Timestamp,
    /// Requests made.
    pub requests: u64,
}

/// A planned transfer, open for reading: beside a run, or when nothing runs it.
#[derive(Debug)]
pub struct TransferFile {
    path: PathBuf,
    pub(super) connection: Connection,
    header: Header,
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
        fingerprint(
            &self.path,
            &self.connection,
            &self.header.terms,
            self.header.files,
        )
    }

    /// Who runs it now, if anybody does.
    pub fn owner(&self) -> Option<Owner> {
        lock::holder(&self.path)
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

    /// Up to `limit` files that failed or whose outcome isn't known, in the order of the plan.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn failures(&self, limit: usize) -> Result<Vec<FailedItem>, JournalError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT i.id, i.file, i.location, a.state, a.doubt, a.export, a.code, a.status,
                    (SELECT text FROM word WHERE id = a.message), (SELECT text FROM word WHERE id = a.request)
                 FROM attempt a JOIN item i ON i.id = a.item
                 WHERE a.state IN (4, 5) ORDER BY a.item LIMIT ?",
            )
            .map_err(|source| self.sqlite(source))?;
        let mut rows = statement
            .query([codec::stored(limit as u64)])
            .map_err(|source| self.sqlite(source))?;
        let mut failures = Vec::new();
        while let Some(row) = rows.next().map_err(|source| self.sqlite(source))? {
            let relative: String = row.get(2).map_err(|source| self.sqlite(source))?;
            failures.push(FailedItem {
                id: ItemId(row.get(0).map_err(|source| self.sqlite(source))?),
                file: file_id(
                    row.get_ref(1).map_err(|source| self.sqlite(source))?,
                    &self.path,
                )?,
                location: format!("{}{relative}", self.header.terms.prefix),
                state: StateColumns::read(row, 3)
                    .map_err(|source| self.sqlite(source))?
                    .state(&self.path)?,
            });
        }
        Ok(failures)
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
                    (SELECT at FROM intent WHERE id = a.intent), v.size_untold
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
            let read = || -> rusqlite::Result<_> {
                let relative: String = row.get(2)?;
                let path: Option<String> = row.get(3)?;
                let columns = StateColumns {
                    state: row.get(8)?,
                    doubt: row.get(9)?,
                    export: row.get(10)?,
                    code: row.get(11)?,
                    status: row.get(12)?,
                    message: words.text(&self.connection, row.get(13)?)?,
                    request: words.text(&self.connection, row.get(14)?)?,
                };
                let project = words.text(&self.connection, row.get(5)?)?;
                let task = words.text(&self.connection, row.get(6)?)?;
                let app = words.text(&self.connection, row.get(18)?)?;
                let size: Option<i64> = row.get(4)?;
                Ok((relative, path, columns, project, task, app, size))
            };
            let mut read = read;
            let (relative, path, columns, project, task, app, size) =
                read().map_err(|source| self.sqlite(source))?;
            let get = |column| {
                row.get::<_, Option<i64>>(column)
                    .map_err(|source| self.sqlite(source))
            };
            let (started, finished) = (moment(get(16)?), moment(get(17)?));
            let verified = match (get(19)?, get(22)?, get(23)?) {
                (Some(finding), Some(at), Some(against)) => {
                    let strange = || damaged(&self.path, "what a look at the destination saw");
                    let etag = row.get_ref(21).map_err(|source| self.sqlite(source))?;
                    Some(Verified {
                        finding: codec::finding(finding).ok_or_else(strange)?,
                        at: moment(Some(at)).ok_or_else(strange)?,
                        against: codec::against(against).ok_or_else(strange)?,
                        size: get(20)?.or(size).map(read_back),
                        size_untold: match (get(25)?, size) {
                            (Some(_), _) => Some(Untold::Object),
                            (None, None) => Some(Untold::File),
                            (None, Some(_)) => None,
                        },
                        etag: codec::etag(etag),
                    })
                }
                _ => None,
            };
            let intended = moment(get(24)?);
            page.push(ItemRow {
                id: ItemId(row.get(0).map_err(|source| self.sqlite(source))?),
                file: file_id(
                    row.get_ref(1).map_err(|source| self.sqlite(source))?,
                    &self.path,
                )?,
                location: format!("{}{relative}", self.header.terms.prefix),
                path: Some(path.unwrap_or(relative)),
                size: size.map(read_back),
                project,
                task,
                app,
                metadata: row.get(7).map_err(|source| self.sqlite(source))?,
                state: columns.state(&self.path)?,
                attempts: row.get(15).map_err(|source| self.sqlite(source))?,
                intended,
                started,
                finished,
                verified,
            });
        }
        Ok(page)
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
        Ok(page)
    }

    /// How many files were skipped for which kind of reason, by name of the kind.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn skipped_by_kind(&self) -> Result<Vec<(String, u64)>, JournalError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT w.text, count(*) FROM skipped s JOIN word w ON w.id = s.kind GROUP BY s.kind ORDER BY w.text",
            )
            .map_err(|source| self.sqlite(source))?;
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, read_back(row.get(1)?))))
            .map_err(|source| self.sqlite(source))?;
        rows.collect::<rusqlite::Result<_>>()
            .map_err(|source| self.sqlite(source))
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
