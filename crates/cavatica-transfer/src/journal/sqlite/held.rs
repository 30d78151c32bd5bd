//! The journal in one file.

use std::ops::Range;
use std::path::{Path, PathBuf};

use cavatica_exports::model::{ExportId, FileId};
use cavatica_exports::transport::{Client, Guard};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::by_file::ByFile;
use super::codec::{self, INTENDED, PLANNED, copying_number, milliseconds};
use super::header::Header;
use super::lock::{Lock, Unguarded};
use super::open::{Held, WorkError};
use super::owner::Owner;
use super::planned_rows::PlannedRows;
use super::steps::Steps;
use super::{
    Approval, Change, Changed, ClockSample, Copying, Count, Failed, Folder, FolderId, Intent,
    IntentId, Item, Journal, JournalError, OpenItem, Opening, Pick, Tally, Terms, TransferFile,
    fence, folders, header, observed, words,
};
use crate::mutation::Mutation;
use crate::observe::Habits;
use crate::state::{ItemId, Step, Word};

/// The journal of one transfer in one SQLite file, open for running it: held by this process alone.
#[derive(Debug)]
pub struct SqliteJournal {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    lock: Lock,
    pub(super) terms: Terms,
    run: i64,
    fence: Option<fence::Fence>,
    /// Everything up to here has an attempt; everything behind is fresh, unless it was set aside.
    last_intended: i64,
    copying: Copying,
    planned: Timestamp,
    /// Read when somebody asks: it is needed only where jobs of others are seen.
    items_by_file: Option<ByFile>,
    /// Written, and handed out once it is on disk.
    intents: Vec<Intent>,
}

impl Opening {
    /// Opens a planned transfer to run it.
    ///
    /// # Errors
    ///
    /// As for [`SqliteJournal::open`]; [`JournalError::Changed`] or [`JournalError::NotApproved`] if it isn't what was
    /// approved.
    pub fn open(&self, path: &Path, now: Timestamp) -> Result<SqliteJournal, JournalError> {
        SqliteJournal::open_as(self, path, now)
    }
}

impl SqliteJournal {
    /// Opens a planned transfer to run it with this client. A lock left by a program that died is taken over.
    /// [`Opening`] says more of how, and opens it without a client.
    ///
    /// # Errors
    ///
    /// [`JournalError::OtherTerms`] if it was planned for another endpoint than the client's (whether its account is the one
    /// that planned it, [`run`](crate::run) asks the platform); [`JournalError::Held`] if another program runs it, and
    /// everything that can be wrong with a file. Whether the file can be written is found out here, before anything
    /// irreversible.
    pub fn open(path: &Path, client: &Client) -> Result<Self, JournalError> {
        let planned = TransferFile::open(path)?;
        planned.terms().must_be_at(path, client.endpoint())?;
        drop(planned);
        Self::open_as(&Opening::default(), path, client.now())
    }

    pub(super) fn open_as(
        opening: &Opening,
        path: &Path,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        let Held {
            connection,
            lock,
            header,
        } = Held::take(path, opening.locks.as_deref(), now)?;
        if let Some(split) = &header.split {
            return Err(split.error(path));
        }
        let mut journal = SqliteJournal {
            path: path.to_owned(),
            connection,
            lock,
            terms: header.terms.clone(),
            run: 0,
            fence: None,
            last_intended: 0,
            copying: header.copying,
            planned: header.created,
            items_by_file: None,
            intents: Vec::new(),
        };
        journal.begin_run(opening.approval, &header, now)?;
        journal.fence = Some(fence::Fence::before(path, journal.run)?);
        Ok(journal)
    }

    /// Who holds this transfer: this process.
    pub fn owner(&self) -> &Owner {
        &self.lock.owner
    }

    /// What of a second run would not be noticed, because the file system has no locks.
    pub fn unguarded(&self) -> &[Unguarded] {
        &self.lock.unguarded
    }

    fn begin_run(
        &mut self,
        approval: Approval,
        header: &Header,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let owner = self.lock.owner.clone();
        let path = self.path.clone();
        self.run = self.write(|connection| {
            approval.check(&path, connection, header)?;
            connection.execute(
                "INSERT INTO run (host, process, version, started, seen) VALUES (?, ?, ?, ?, ?)",
                params![
                    owner.host,
                    owner.process,
                    env!("CARGO_PKG_VERSION"),
                    milliseconds(now),
                    milliseconds(now)
                ],
            )?;
            Ok(connection.last_insert_rowid())
        })?;
        self.commit()?;
        self.last_intended = self.find_last_intended()?;
        Ok(())
    }

    fn find_last_intended(&self) -> Result<i64, JournalError> {
        self.read(|rows| rows.last_intended())
    }

    /// Writes into the transaction that the next commit ends. An error undoes all of it.
    pub(super) fn write<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, WorkError>,
    ) -> Result<T, JournalError> {
        let begun = if self.connection.is_autocommit() {
            self.connection.execute_batch("BEGIN IMMEDIATE")
        } else {
            Ok(())
        };
        let outcome = begun
            .map_err(WorkError::Sqlite)
            .and_then(|()| work(&self.connection));
        outcome.map_err(|error| self.undo(error))
    }

    /// Forgets what wasn't committed.
    fn undo(&mut self, error: WorkError) -> JournalError {
        self.intents.clear();
        // Where SQLite undid it already, there is nothing to do. What else fails now failed before, and that is told.
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").ok();
        }
        self.last_intended = self.find_last_intended().unwrap_or(self.last_intended);
        error.at(&self.path, "written")
    }

    fn rows(&self) -> PlannedRows<'_> {
        PlannedRows {
            path: &self.path,
            terms: &self.terms,
            connection: &self.connection,
        }
    }

    /// Reads; an error names the transfer.
    fn read<T>(
        &self,
        work: impl FnOnce(&PlannedRows<'_>) -> Result<T, WorkError>,
    ) -> Result<T, JournalError> {
        work(&self.rows()).map_err(|error| error.at(&self.path, "read"))
    }

    /// Records what somebody says about files whose outcome can't be known from here, and why. All or none.
    ///
    /// # Errors
    ///
    /// [`JournalError::Illegal`] for a file whose outcome is known, and everything that can go wrong with writing.
    pub fn resolve(
        &mut self,
        ids: &[ItemId],
        word: &Word,
        because: &str,
    ) -> Result<(), JournalError> {
        let changes = ids
            .iter()
            .map(|id| Change::new(*id, Step::Word(word.clone())));
        self.record(changes.collect())?;
        self.write(|connection| {
            let because = words::word(connection, because)?;
            let mut said =
                connection.prepare_cached("UPDATE attempt SET said = ? WHERE item = ?")?;
            for id in ids {
                said.execute([because, id.0])?;
            }
            Ok(())
        })?;
        self.commit()?;
        Ok(())
    }
}

impl Journal for SqliteJournal {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn tally(&mut self) -> Result<Tally, JournalError> {
        header::tally(&self.path, &self.connection)
    }

    fn open_items(&mut self, after: Option<ItemId>) -> Result<Vec<OpenItem>, JournalError> {
        self.read(|rows| rows.open(after))
    }

    fn intend(&mut self, pick: Pick<'_>, at: Timestamp) -> Result<Count, JournalError> {
        let mut items = match pick {
            Pick::Fresh(count) => self.read(|rows| rows.fresh(self.last_intended, count))?,
            Pick::These(ids) => self.items(ids)?,
        };
        if items.is_empty() {
            return Ok(Count::default());
        }
        let (run, path) = (self.run, self.path.clone());
        let is_fresh = matches!(pick, Pick::Fresh(_));
        let id = self.write(|connection| {
            connection
                .prepare_cached("INSERT INTO intent (run, at, files) VALUES (?, ?, ?)")?
                .execute(params![run, milliseconds(at), codec::stored(items.len() as u64)])?;
            let intent = connection.last_insert_rowid();
            let mut steps = Steps::prepare(&path, connection)?;
            // A fresh file has no attempt: the table itself refuses a second one.
            let mut first = connection.prepare_cached(
                "INSERT INTO attempt (item, number, state, intent, size) VALUES (?1, 1, ?2, ?3, ?4)",
            )?;
            let mut next = connection.prepare_cached(
                "INSERT INTO attempt (item, number, state, intent, size) VALUES (?1, 1, ?2, ?3, ?4)
                 ON CONFLICT (item) DO UPDATE SET number = number + 1, state = ?2, intent = ?3",
            )?;
            for item in &items {
                let take = if is_fresh {
                    &mut first
                } else {
                    steps.may_intend(item.id)?;
                    &mut next
                };
                take.execute(params![
                    item.id.0,
                    INTENDED,
                    intent,
                    item.size.map(codec::stored)
                ])?;
            }
            Ok(IntentId(intent))
        })?;
        let mut count = Count::default();
        for item in &mut items {
            item.attempt += 1;
            if is_fresh {
                self.last_intended = self.last_intended.max(item.id.0);
            }
            count.files += 1;
            count.bytes += item.size.unwrap_or(0);
        }
        self.intents.push(Intent { id, at, items });
        Ok(count)
    }

    fn record(&mut self, changes: Vec<Change>) -> Result<Vec<Changed>, JournalError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let path = self.path.clone();
        self.write(|connection| {
            let mut steps = Steps::prepare(&path, connection)?;
            steps.read_ahead(&changes)?;
            changes
                .into_iter()
                .map(|change| steps.take(change))
                .collect()
        })
    }

    fn is_saved(&self) -> bool {
        self.connection.is_autocommit()
    }

    fn commit(&mut self) -> Result<Vec<Intent>, JournalError> {
        let too_soon = Mutation::SentBeforeCommit.is_on() && !self.intents.is_empty();
        if !self.connection.is_autocommit() && !too_soon {
            self.still_mine().map_err(|error| self.undo(error.into()))?;
            self.connection
                .execute_batch("COMMIT")
                .map_err(|source| self.undo(source.into()))?;
        }
        if !self.intents.is_empty() {
            // They are on disk. Whoever took over since knows them, and looks them up.
            self.still_mine().inspect_err(|_| self.intents.clear())?;
        }
        Ok(std::mem::take(&mut self.intents))
    }

    fn still_mine(&mut self) -> Result<(), JournalError> {
        if Mutation::FenceLeftOut.is_on() {
            return Ok(());
        }
        if !self.lock.is_in_place() {
            return Err(JournalError::Replaced {
                path: self.path.clone(),
            });
        }
        match self.read(|rows| Ok(fence::newest_run(rows.connection)?))? {
            Some((run, _)) if run == self.run => Ok(()),
            newest => Err(JournalError::Superseded {
                path: self.path.clone(),
                owner: newest.map_or_else(Owner::somebody, |(_, owner)| owner),
            }),
        }
    }

    fn guard(&self) -> Option<Guard> {
        let fence = self.fence.as_ref();
        let fence = fence.filter(|_| !Mutation::FenceLeftOut.is_on());
        fence.map(fence::Fence::guard)
    }

    fn items(&mut self, ids: &[ItemId]) -> Result<Vec<Item>, JournalError> {
        self.read(|rows| rows.these(ids))
    }

    fn set_aside(&mut self, ids: &[ItemId]) -> Result<Vec<ItemId>, JournalError> {
        self.write(|connection| {
            let mut standing =
                connection.prepare_cached("SELECT state FROM attempt WHERE item = ?")?;
            let mut insert = connection.prepare_cached(
                "INSERT INTO attempt (item, number, state, size, aside)
                 SELECT id, 0, ?2, size, 1 FROM item WHERE id = ?1",
            )?;
            let mut aside = Vec::new();
            for id in ids {
                let state: Option<i64> = standing.query_row([id.0], |row| row.get(0)).optional()?;
                if state.is_none() {
                    insert.execute(params![id.0, PLANNED])?;
                }
                if state.is_none_or(|state| state == PLANNED) {
                    aside.push(*id);
                }
            }
            Ok(aside)
        })
    }

    fn smallest_fresh(&mut self) -> Result<Option<ItemId>, JournalError> {
        self.read(|rows| rows.smallest_fresh())
    }

    fn planned_items(&mut self, files: &[FileId]) -> Result<Vec<(FileId, ItemId)>, JournalError> {
        let by_file = match self.items_by_file.take() {
            Some(by_file) => by_file,
            None => self.read(|rows| Ok(ByFile::read(rows.connection)?))?,
        };
        let by_file = self.items_by_file.insert(by_file);
        let candidates: Vec<Vec<ItemId>> = files
            .iter()
            .map(|file| by_file.candidates(file).map(ItemId).collect())
            .collect();
        let mut found = Vec::new();
        for (file, ids) in files.iter().zip(candidates) {
            let items = self.items(&ids)?.into_iter();
            let really = items.filter(|item| item.file == *file);
            found.extend(really.map(|item| (item.file, item.id)));
        }
        Ok(found)
    }

    fn known_jobs(
        &mut self,
        sent: Range<Timestamp>,
        each: &mut dyn FnMut(&str),
    ) -> Result<(), JournalError> {
        self.read(|rows| rows.jobs_sent(sent, each))
    }

    fn clock_samples(&mut self) -> Result<Vec<ClockSample>, JournalError> {
        self.read(|rows| rows.clock_samples())
    }

    fn folder(&mut self, id: FolderId) -> Result<Option<Folder>, JournalError> {
        self.read(|rows| folders::folder(rows.path, rows.connection, id))
    }

    fn known_exports(&mut self, item: ItemId) -> Result<Vec<ExportId>, JournalError> {
        self.read(|rows| rows.past_exports(item))
    }

    fn is_warned(&mut self, item: ItemId) -> Result<bool, JournalError> {
        self.read(|rows| rows.is_warned(item))
    }

    fn failed(&mut self, after: Option<ItemId>) -> Result<Vec<Failed>, JournalError> {
        self.read(|rows| rows.failed(after))
    }

    fn allow_overwrite(&mut self, ids: &[ItemId]) -> Result<(), JournalError> {
        self.write(|connection| {
            let mut allow =
                connection.prepare_cached("UPDATE attempt SET lost = NULL WHERE item = ?")?;
            for id in ids {
                allow.execute([id.0])?;
            }
            Ok(())
        })
    }

    fn planned_at(&self) -> Timestamp {
        self.planned
    }

    fn copying(&self) -> Copying {
        self.copying
    }

    fn note_copying(&mut self, copying: Copying) -> Result<(), JournalError> {
        self.write(|connection| {
            let number = copying_number(copying);
            connection.execute("UPDATE transfer SET copy_proven = ?", [number])?;
            Ok(())
        })?;
        self.copying = copying;
        Ok(())
    }

    fn observations(&mut self) -> Result<Habits, JournalError> {
        observed::read(&self.path, &self.connection)
    }

    fn note_observations(&mut self, seen: &Habits) -> Result<(), JournalError> {
        self.write(|connection| Ok(observed::write(connection, seen)?))
    }

    fn note_requests(
        &mut self,
        requests: u64,
        allowed: u64,
        at: Timestamp,
    ) -> Result<(), JournalError> {
        let (run, at) = (self.run, milliseconds(at));
        let (requests, allowed) = (codec::stored(requests), codec::stored(allowed));
        self.write(|connection| {
            connection.execute(
                "UPDATE run SET requests = ?, seen = ? WHERE id = ?",
                params![requests, at, run],
            )?;
            connection.execute(
                "INSERT INTO pulse (run, at, requests, allowed) VALUES (?, ?, ?, ?)",
                params![run, at, requests, allowed],
            )?;
            Ok(())
        })
    }
}
