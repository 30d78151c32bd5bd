//! A transfer while it is being planned.

use std::ops::Range;
use std::path::{Path, PathBuf};

use cavatica_exports::model::{ExportProperties, FileId, Location, ProjectId, TaskId};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, params};

use super::codec::{self, StoredFile, damaged, milliseconds};
use super::connection::connect;
use super::folders::FolderCounts;
use super::reckoning::fingerprint;
use super::unfinished::Unfinished;
use super::words::word;
use super::{JournalError, Overwrite, Terms, names, portion, schema};
use crate::fingerprint::Fingerprint;
use crate::state::ItemId;

/// How many rows one transaction takes. It only bounds the memory; a plan that was not finished is worth nothing.
const ROWS_PER_COMMIT: u64 = 10_000;

/// A file that is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct PlannedFile<'a> {
    /// The file.
    pub file: &'a FileId,
    /// Where it goes, the transfer's prefix included.
    pub location: &'a Location,
    /// Bytes.
    pub size: Option<u64>,
    /// Its whole path on the platform, its name included.
    pub path: Option<&'a str>,
    /// Its project.
    pub project: Option<&'a ProjectId>,
    /// The task that made it.
    pub task: Option<&'a TaskId>,
    /// What the manifest says about overwriting this one.
    pub overwrite: Option<Overwrite>,
    /// What the manifest asks of S3 for this one.
    pub properties: Option<&'a ExportProperties>,
    /// The chosen metadata as a JSON object.
    pub metadata: Option<&'a str>,
    /// The folder that it lies in.
    pub folder: Option<&'a FileId>,
}

/// When a finished plan becomes a transfer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seal {
    Now,
    Later,
}

/// A file that was selected and isn't sent.
#[derive(Clone, Copy, Debug)]
pub struct SkippedFile<'a> {
    /// The file, if its id is known.
    pub file: Option<&'a FileId>,
    /// Its whole path on the platform, or whatever names it.
    pub path: Option<&'a str>,
    /// Bytes.
    pub size: Option<u64>,
    /// Its project.
    pub project: Option<&'a ProjectId>,
    /// The kind of reason, for instance `alias`.
    pub kind: &'a str,
    /// The reason in words.
    pub reason: &'a str,
}

/// A transfer's file while it is being planned. It has its name only from [`finish`](Self::finish) on; what never gets there
/// is removed again.
#[derive(Debug)]
pub struct Draft {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    unfinished: Unfinished,
    terms: Terms,
    files: u64,
    bytes: u64,
    skipped: u64,
    rows: u64,
    /// The project of the file that was added last, and its word: most often that of the next one too.
    last_project: Option<(ProjectId, i64)>,
    pub(super) folders: FolderCounts,
}

impl Draft {
    /// Begins a transfer in a new file.
    ///
    /// # Errors
    ///
    /// [`JournalError::Exists`] if there is a file of that name, [`JournalError::BeingPlanned`] if another program plans it,
    /// [`JournalError::NoLocks`] if it could never be run where it is.
    pub fn create(
        path: &Path,
        terms: Terms,
        selection: &str,
        label: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        match super::read::TransferFile::open(path) {
            // Left behind by an older program that was killed while it planned: nothing can have been sent from it.
            Err(JournalError::Unfinished { .. }) => {
                std::fs::remove_file(path).map_err(|source| JournalError::Io {
                    path: path.to_owned(),
                    doing: "made",
                    source,
                })?;
            }
            Ok(_) | Err(_) if path.symlink_metadata().is_ok() => {
                return Err(JournalError::Exists {
                    path: path.to_owned(),
                });
            }
            Ok(_) | Err(_) => {}
        }
        let unfinished = Unfinished::create(path)?;
        let mut draft = Draft {
            connection: connect(unfinished.path(), OpenFlags::SQLITE_OPEN_READ_WRITE)?,
            path: path.to_owned(),
            unfinished,
            terms,
            files: 0,
            bytes: 0,
            skipped: 0,
            rows: 0,
            last_project: None,
            folders: FolderCounts::default(),
        };
        draft.begin(selection, label, now)?;
        Ok(draft)
    }

    fn begin(
        &mut self,
        selection: &str,
        label: Option<&str>,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let terms = serde_json::to_string(&self.terms).expect("terms are plain data");
        let (prefix, made) = (self.terms.prefix.clone(), milliseconds(now));
        let name = self.unfinished.real_goal();
        let begin = |connection: &mut Connection| {
            // A plan that loses power is planned again; syncing it while it grows would only cost time.
            connection.pragma_update(None, "journal_mode", "MEMORY")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            schema::create(connection)?;
            connection.execute(
                "INSERT INTO transfer (one, terms, prefix, created, selection, label, id)
                 VALUES (1, ?, ?, ?, ?, ?, randomblob(16))",
                params![terms, prefix.as_str(), made, selection, label],
            )?;
            if let Some(name) = &name {
                names::add(connection, name)?;
            }
            connection.execute_batch("BEGIN")
        };
        begin(&mut self.connection).map_err(|source| self.sqlite(source))
    }

    pub(super) fn sqlite(&self, source: rusqlite::Error) -> JournalError {
        JournalError::sqlite(&self.path, "written", source)
    }

    /// What the transfer is.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Files, bytes and skipped files so far.
    pub fn counts(&self) -> (u64, u64, u64) {
        (self.files, self.bytes, self.skipped)
    }

    /// How many files were skipped for which kind of reason so far, by name of the kind.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn skipped_by_kind(&self) -> Result<Vec<(String, u64)>, JournalError> {
        super::read::skipped_by_kind(&self.path, &self.connection)
    }

    /// The fingerprint of what would be sent.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn fingerprint(&self) -> Result<Fingerprint, JournalError> {
        fingerprint(&self.path, &self.connection)
    }

    /// Adds a file to be sent.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn add(&mut self, file: &PlannedFile<'_>) -> Result<ItemId, JournalError> {
        let relative = file
            .location
            .as_str()
            .strip_prefix(self.terms.prefix.as_str())
            .ok_or_else(|| {
                damaged(
                    &self.path,
                    format_args!("`{}` is not under the prefix", file.location),
                )
            })?;
        let project = file
            .project
            .map(|id| self.project_word(id))
            .transpose()
            .map_err(|source| self.sqlite(source))?;
        let next = ItemId(codec::stored(self.files + 1));
        let folder = file
            .folder
            .map(|folder| self.folders.count(&self.connection, folder, next))
            .transpose()
            .map_err(|source| self.sqlite(source))?;
        let add = |connection: &Connection| {
            let task = file
                .task
                .map(|id| word(connection, id.as_str()))
                .transpose()?;
            let properties = file
                .properties
                .map(|properties| {
                    let text =
                        serde_json::to_string(properties).expect("properties are plain data");
                    word(connection, &text)
                })
                .transpose()?;
            connection
                .prepare_cached(
                    "INSERT INTO item (file, location, size, path, project, task, overwrite, properties,
                     metadata, folder) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    StoredFile(file.file),
                    relative,
                    file.size.map(codec::stored),
                    file.path.filter(|path| *path != relative),
                    project,
                    task,
                    file.overwrite.map(|overwrite| overwrite == Overwrite::Allowed),
                    properties,
                    file.metadata,
                    folder.map(|folder| folder.0),
                ])?;
            Ok(ItemId(connection.last_insert_rowid()))
        };
        let id = add(&self.connection).map_err(|source| self.sqlite(source))?;
        self.files += 1;
        self.bytes += file.size.unwrap_or(0);
        self.row_added()?;
        Ok(id)
    }

    fn project_word(&mut self, id: &ProjectId) -> rusqlite::Result<i64> {
        if let Some((last, number)) = &self.last_project
            && last == id
        {
            return Ok(*number);
        }
        let number = word(&self.connection, id.as_str())?;
        self.last_project = Some((id.clone(), number));
        Ok(number)
    }

    /// Remembers which app a task ran.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn note_app(&mut self, task: &TaskId, app: &str) -> Result<(), JournalError> {
        let note = |connection: &Connection| {
            let (task, app) = (word(connection, task.as_str())?, word(connection, app)?);
            connection
                .prepare_cached("INSERT OR REPLACE INTO app (task, app) VALUES (?, ?)")?
                .execute([task, app])
        };
        note(&self.connection).map_err(|source| self.sqlite(source))?;
        Ok(())
    }

    /// Remembers that a planned file may be refused, by the name of the reason: whoever reads of the refusal wants to know.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn note_warning(&mut self, item: ItemId, reason: &str) -> Result<(), JournalError> {
        let note = |connection: &Connection| {
            let reason = word(connection, reason)?;
            connection
                .prepare_cached("INSERT OR REPLACE INTO warned (item, reason) VALUES (?, ?)")?
                .execute([item.0, reason])
        };
        note(&self.connection).map_err(|source| self.sqlite(source))?;
        Ok(())
    }

    /// Adds a file that isn't sent.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn skip(&mut self, file: &SkippedFile<'_>) -> Result<(), JournalError> {
        let skip = |connection: &Connection| {
            let project = file
                .project
                .map(|id| word(connection, id.as_str()))
                .transpose()?;
            let (kind, reason) = (word(connection, file.kind)?, word(connection, file.reason)?);
            connection
                .prepare_cached(
                    "INSERT INTO skipped (file, path, size, project, kind, reason) VALUES (?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    file.file.map(StoredFile),
                    file.path,
                    file.size.map(codec::stored),
                    project,
                    kind,
                    reason
                ])?;
            Ok(())
        };
        skip(&self.connection).map_err(|source| self.sqlite(source))?;
        self.skipped += 1;
        self.row_added()
    }

    fn row_added(&mut self) -> Result<(), JournalError> {
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS_PER_COMMIT) {
            self.connection
                .execute_batch("COMMIT; BEGIN")
                .map_err(|source| self.sqlite(source))?;
        }
        Ok(())
    }

    /// Takes a planned file out again and lists it as skipped.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn turn_into_skipped(
        &mut self,
        item: ItemId,
        kind: &str,
        reason: &str,
    ) -> Result<(), JournalError> {
        let turn = |connection: &Connection| {
            let (kind, reason) = (word(connection, kind)?, word(connection, reason)?);
            connection
                .prepare_cached(
                    "INSERT INTO skipped (file, path, size, project, kind, reason)
                     SELECT file, coalesce(path, location), size, project, ?2, ?3 FROM item WHERE id = ?1",
                )?
                .execute(params![item.0, kind, reason])?;
            connection
                .prepare_cached("DELETE FROM warned WHERE item = ?")?
                .execute([item.0])?;
            let size: Option<i64> = connection
                .prepare_cached("DELETE FROM item WHERE id = ? RETURNING size")?
                .query_row([item.0], |row| row.get(0))?;
            Ok(size)
        };
        let size = turn(&self.connection).map_err(|source| self.sqlite(source))?;
        self.files -= 1;
        self.bytes -= codec::read_back(size.unwrap_or(0));
        self.skipped += 1;
        Ok(())
    }

    /// The location of a planned file, relative to the prefix.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn location(&self, item: ItemId) -> Result<String, JournalError> {
        self.connection
            .prepare_cached("SELECT location FROM item WHERE id = ?")
            .and_then(|mut statement| statement.query_row([item.0], |row| row.get(0)))
            .map_err(|source| self.sqlite(source))
    }

    /// The planned file of this number.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn file(&self, item: ItemId) -> Result<FileId, JournalError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT file FROM item WHERE id = ?")
            .map_err(|source| self.sqlite(source))?;
        statement
            .query_row([item.0], |row| {
                Ok(codec::file_id(row.get_ref(0)?, &self.path))
            })
            .map_err(|source| self.sqlite(source))?
    }

    /// Takes files of a plan, with everything that is known of them, and if so asked those that it left out.
    pub(super) fn take_from(
        &mut self,
        whole: &Path,
        items: &Range<ItemId>,
        has_skipped: bool,
    ) -> Result<(), JournalError> {
        let take = |connection: &Connection| {
            // Other files can't join a transaction that is under way.
            connection.execute_batch("COMMIT")?;
            let counts = portion::take_from(connection, whole, items, has_skipped)?;
            connection.execute_batch("BEGIN")?;
            Ok(counts)
        };
        let counts = take(&self.connection).map_err(|source| self.sqlite(source))?;
        (self.files, self.bytes, self.skipped) = counts;
        Ok(())
    }

    /// Walks through all planned locations, relative to the prefix, in the order they were added.
    ///
    /// # Errors
    ///
    /// If the file can't be read.
    pub fn each_location(&self, mut visit: impl FnMut(ItemId, &str)) -> Result<(), JournalError> {
        let mut walk = || -> rusqlite::Result<()> {
            let mut statement = self
                .connection
                .prepare("SELECT id, location FROM item ORDER BY id")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                visit(ItemId(row.get(0)?), row.get_ref(1)?.as_str()?);
            }
            Ok(())
        };
        walk().map_err(|source| self.sqlite(source))
    }

    /// Finishes the plan: from now on the file can be run, and the plan in it doesn't change any more.
    ///
    /// # Errors
    ///
    /// If it can't be written or brought to the disk.
    pub fn finish(self) -> Result<Fingerprint, JournalError> {
        self.close(Seal::Now)
    }

    /// Finishes it but for the seal, so that nobody takes it for a transfer yet.
    pub(super) fn finish_unsealed(self) -> Result<Fingerprint, JournalError> {
        self.close(Seal::Later)
    }

    fn close(mut self, to_be_sealed: Seal) -> Result<Fingerprint, JournalError> {
        let counted = self.folders.write(&self.connection);
        counted.map_err(|source| self.sqlite(source))?;
        let fingerprint = self.fingerprint()?;
        let seal = |connection: &Connection| {
            connection.execute(
                "UPDATE transfer SET files = ?, bytes = ?, skipped = ?, fingerprint = ?",
                params![
                    codec::stored(self.files),
                    codec::stored(self.bytes),
                    codec::stored(self.skipped),
                    fingerprint.as_bytes().as_slice()
                ],
            )?;
            if to_be_sealed == Seal::Now {
                schema::seal(connection)?;
            }
            connection.execute_batch("COMMIT")?;
            // The file is left as the run will use it.
            connection.pragma_update(None, "journal_mode", "DELETE")
        };
        seal(&self.connection).map_err(|source| self.sqlite(source))?;
        let Draft {
            connection,
            unfinished,
            path,
            ..
        } = self;
        connection
            .close()
            .map_err(|(_, source)| JournalError::sqlite(&path, "written", source))?;
        unfinished.show()?;
        Ok(fingerprint)
    }
}
