//! The journal in one file.

use std::path::{Path, PathBuf};

use cavatica_exports::model::{ExportId, Location, Tri};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::codec::{
    self, COMPLETED, INTENDED, StateColumns, damaged, file_id, milliseconds, moment, read_back,
};
use super::lock::{Lock, Owner, Unguarded};
use super::open::{Held, WriteError};
use super::steps::Steps;
use super::{
    Approval, Count, Intent, IntentId, Item, Journal, JournalError, Move, OpenItem, Opening,
    Overwrite, Pick, Recorded, Tally, Terms, fence, header,
};
use crate::fingerprint::Fingerprint;
use crate::item::{ItemId, State, Step};

/// The columns of [`StateColumns`].
pub(super) const STATE: &str = "coalesce(a.state, 0), a.doubt, a.export, a.code, a.status,
    (SELECT text FROM word WHERE id = a.message), (SELECT text FROM word WHERE id = a.request)";

/// The columns of an [`Item`] that no intent ever named; `w` is the word of its properties.
const FRESH: &str = "i.id, i.file, i.location, i.size, i.overwrite, 0, w.text";

/// The columns of [`Item`]; `w` is the word of its properties.
const ITEM: &str = "i.id, i.file, i.location, i.size, i.overwrite, coalesce(a.number, 0), w.text";

/// The journal of one transfer in one SQLite file, open for running it: held by this process alone.
#[derive(Debug)]
pub struct SqliteJournal {
    path: PathBuf,
    pub(super) connection: Connection,
    lock: Lock,
    terms: Terms,
    run: i64,
    /// Everything up to here has an attempt; everything behind is fresh.
    last_intended: i64,
    copy_proven: bool,
    /// Written, and handed out once it is on disk.
    intents: Vec<Intent>,
}

impl SqliteJournal {
    /// Opens a planned transfer to run it. A lock left by a program that died is taken over.
    ///
    /// # Errors
    ///
    /// [`JournalError::Held`] if another program runs it, [`JournalError::OtherTerms`] if it was planned for another
    /// endpoint or account, and everything that can be wrong with a file. Whether the file can be written is found out
    /// here, before anything irreversible.
    pub fn open(
        path: &Path,
        endpoint: &str,
        account: &str,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        Self::open_as(&Opening::default(), path, endpoint, account, now)
    }

    pub(super) fn open_as(
        opening: &Opening,
        path: &Path,
        endpoint: &str,
        account: &str,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        let Held {
            connection,
            lock,
            header,
        } = Held::take(path, opening.locks.as_deref(), now)?;
        for (what, planned, given) in [
            ("endpoint", &header.terms.endpoint, endpoint),
            ("account", &header.terms.account, account),
        ] {
            if planned != given {
                return Err(JournalError::OtherTerms {
                    path: path.to_owned(),
                    what,
                    planned: planned.clone(),
                    given: given.to_owned(),
                });
            }
        }
        let mut journal = SqliteJournal {
            path: path.to_owned(),
            connection,
            lock,
            terms: header.terms,
            run: 0,
            last_intended: 0,
            copy_proven: header.copy_proven,
            intents: Vec::new(),
        };
        journal.begin_run(opening.approval, header.fingerprint, now)?;
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
        planned: Fingerprint,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let owner = self.lock.owner.clone();
        let (path, terms) = (self.path.clone(), self.terms.clone());
        self.run = self.write(|connection| {
            approval.check(&path, connection, &terms, planned)?;
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
        self.connection
            .query_row("SELECT coalesce(max(item), 0) FROM attempt", [], |row| {
                row.get(0)
            })
            .map_err(|source| self.sqlite(source))
    }

    /// Writes into the transaction that the next commit ends. An error undoes all of it.
    fn write<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, WriteError>,
    ) -> Result<T, JournalError> {
        let begun = if self.connection.is_autocommit() {
            self.connection.execute_batch("BEGIN IMMEDIATE")
        } else {
            Ok(())
        };
        let outcome = begun
            .map_err(WriteError::Sqlite)
            .and_then(|()| work(&self.connection));
        outcome.map_err(|error| self.undo(error))
    }

    /// Forgets what wasn't committed.
    fn undo(&mut self, error: WriteError) -> JournalError {
        self.intents.clear();
        // Where SQLite undid it already, there is nothing to do. What else fails now failed before, and that is told.
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").ok();
        }
        self.last_intended = self.find_last_intended().unwrap_or(self.last_intended);
        error.told(&self.path, "written")
    }

    fn sqlite(&self, source: rusqlite::Error) -> JournalError {
        JournalError::Sqlite {
            path: self.path.clone(),
            doing: "read",
            source,
        }
    }

    fn item(&self, row: &rusqlite::Row<'_>) -> Result<Item, JournalError> {
        item(&self.path, &self.terms, row)
    }

    /// Puts failed files back to planned, those with one of the codes or, with none named, those that pass by waiting.
    /// Answers how many.
    ///
    /// # Errors
    ///
    /// If the file can't be read or written.
    pub fn retry(&mut self, codes: &[i64]) -> Result<u64, JournalError> {
        let mut ids = Vec::new();
        {
            let mut statement = self
                .connection
                .prepare(&format!(
                    "SELECT a.item, {STATE} FROM attempt a WHERE a.state IN (4, 5)"
                ))
                .map_err(|source| self.sqlite(source))?;
            let mut rows = statement.query([]).map_err(|source| self.sqlite(source))?;
            while let Some(row) = rows.next().map_err(|source| self.sqlite(source))? {
                let columns = StateColumns::read(row, 1).map_err(|source| self.sqlite(source))?;
                let State::Failed { failure, .. } = columns.state(&self.path)? else {
                    continue;
                };
                let wanted = if codes.is_empty() {
                    failure.class().passes_by_waiting()
                } else {
                    failure.code.is_some_and(|code| codes.contains(&code))
                };
                if wanted {
                    ids.push(ItemId(row.get(0).map_err(|source| self.sqlite(source))?));
                }
            }
        }
        for chunk in ids.chunks(1000) {
            let moves: Vec<Move> = chunk
                .iter()
                .map(|item| Move::new(*item, Step::Retry))
                .collect();
            self.record(moves)?;
        }
        self.commit()?;
        Ok(ids.len() as u64)
    }
}

fn item(path: &Path, terms: &Terms, row: &rusqlite::Row<'_>) -> Result<Item, JournalError> {
    let sqlite = |source| JournalError::Sqlite {
        path: path.to_owned(),
        doing: "read",
        source,
    };
    let relative = row.get_ref(2).map_err(sqlite)?;
    let relative = relative.as_str().map_err(|error| damaged(path, error))?;
    let location = [terms.prefix.as_str(), relative]
        .concat()
        .parse::<Location>()
        .map_err(|error| damaged(path, error))?;
    Ok(Item {
        id: ItemId(row.get(0).map_err(sqlite)?),
        file: file_id(row.get_ref(1).map_err(sqlite)?, path)?,
        location,
        size: row.get::<_, Option<i64>>(3).map_err(sqlite)?.map(read_back),
        overwrite: match row.get::<_, Option<bool>>(4).map_err(sqlite)? {
            None => terms.overwrite,
            Some(true) => Overwrite::Allowed,
            Some(false) => Overwrite::Forbidden,
        },
        attempt: row.get(5).map_err(sqlite)?,
        properties: match row.get_ref(6).map_err(sqlite)?.as_str_or_null() {
            Ok(None) => terms.properties.clone(),
            Ok(Some(text)) => {
                Tri::Value(serde_json::from_str(text).map_err(|error| damaged(path, error))?)
            }
            Err(error) => return Err(damaged(path, error)),
        },
    })
}

impl Journal for SqliteJournal {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn tally(&mut self) -> Result<Tally, JournalError> {
        header::tally(&self.path, &self.connection)
    }

    fn open_items(&mut self) -> Result<Vec<OpenItem>, JournalError> {
        let mut statement = self
            .connection
            .prepare(&format!(
                "SELECT {ITEM}, {STATE}, (SELECT at FROM intent WHERE id = a.intent)
                 FROM attempt a JOIN item i ON i.id = a.item LEFT JOIN word w ON w.id = i.properties
                 WHERE a.state <> {COMPLETED}"
            ))
            .map_err(|source| self.sqlite(source))?;
        let mut rows = statement.query([]).map_err(|source| self.sqlite(source))?;
        let mut open = Vec::new();
        while let Some(row) = rows.next().map_err(|source| self.sqlite(source))? {
            let id = ItemId(row.get(0).map_err(|source| self.sqlite(source))?);
            let number: u32 = row.get(5).map_err(|source| self.sqlite(source))?;
            let columns = StateColumns::read(row, 7).map_err(|source| self.sqlite(source))?;
            let at = moment(row.get(14).map_err(|source| self.sqlite(source))?)
                .unwrap_or(Timestamp::UNIX_EPOCH);
            match columns.state(&self.path)? {
                State::Planned => open.push(OpenItem::Again(id)),
                State::Intended => {
                    open.push(OpenItem::Intended(Box::new(self.item(row)?), at));
                }
                State::Accepted { export } => open.push(OpenItem::Accepted(id, export)),
                State::Unknown { export, .. } => {
                    open.push(OpenItem::Unknown(Box::new(self.item(row)?), at, export));
                }
                State::Failed { failure, .. } => {
                    if failure.class().passes_by_waiting() {
                        open.push(OpenItem::Transient(id, number));
                    }
                }
                State::Completed { .. } => {}
            }
        }
        Ok(open)
    }

    fn intend(&mut self, pick: Pick<'_>, at: Timestamp) -> Result<Count, JournalError> {
        let mut items = match pick {
            Pick::Fresh(count) => self.fresh(count)?,
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
            self.last_intended = self.last_intended.max(item.id.0);
            count.files += 1;
            count.bytes += item.size.unwrap_or(0);
        }
        self.intents.push(Intent { id, at, items });
        Ok(count)
    }

    fn record(&mut self, moves: Vec<Move>) -> Result<Vec<Recorded>, JournalError> {
        if moves.is_empty() {
            return Ok(Vec::new());
        }
        let path = self.path.clone();
        self.write(|connection| {
            let mut steps = Steps::prepare(&path, connection)?;
            steps.look_ahead(&moves)?;
            moves.into_iter().map(|moved| steps.take(moved)).collect()
        })
    }

    fn commit(&mut self) -> Result<Vec<Intent>, JournalError> {
        if !self.connection.is_autocommit() {
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
        if !self.lock.is_in_place() {
            return Err(JournalError::Replaced {
                path: self.path.clone(),
            });
        }
        match fence::newest_run(&self.connection).map_err(|source| self.sqlite(source))? {
            Some((run, _)) if run == self.run => Ok(()),
            newest => Err(JournalError::Superseded {
                path: self.path.clone(),
                owner: newest.map_or_else(Owner::somebody, |(_, owner)| owner),
            }),
        }
    }

    fn items(&mut self, ids: &[ItemId]) -> Result<Vec<Item>, JournalError> {
        let mut items = Vec::with_capacity(ids.len());
        let mut statement = self
            .connection
            .prepare_cached(&format!(
                "SELECT {ITEM} FROM item i LEFT JOIN attempt a ON a.item = i.id
                 LEFT JOIN word w ON w.id = i.properties WHERE i.id = ?"
            ))
            .map_err(|source| self.sqlite(source))?;
        for id in ids {
            let mut rows = statement
                .query([id.0])
                .map_err(|source| self.sqlite(source))?;
            match rows.next().map_err(|source| self.sqlite(source))? {
                Some(row) => items.push(self.item(row)?),
                None => return Err(damaged(&self.path, format_args!("file {id} is not there"))),
            }
        }
        Ok(items)
    }

    fn known_exports(&mut self, item: ItemId) -> Result<Vec<ExportId>, JournalError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT export FROM past_attempt WHERE item = ?1 AND export IS NOT NULL",
            )
            .map_err(|source| self.sqlite(source))?;
        let texts: rusqlite::Result<Vec<String>> = statement
            .query_map([item.0], |row| row.get(0))
            .and_then(Iterator::collect);
        texts
            .map_err(|source| self.sqlite(source))?
            .iter()
            .map(|text| text.parse().map_err(|error| damaged(&self.path, error)))
            .collect()
    }

    fn copy_proven(&self) -> bool {
        self.copy_proven
    }

    fn prove_copy(&mut self) -> Result<(), JournalError> {
        self.write(|connection| {
            connection.execute("UPDATE transfer SET copy_proven = 1", [])?;
            Ok(())
        })?;
        self.copy_proven = true;
        Ok(())
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

impl SqliteJournal {
    fn fresh(&mut self, count: usize) -> Result<Vec<Item>, JournalError> {
        // Without a limit in the statement: SQLite would plan it anew for each.
        let mut statement = self
            .connection
            .prepare_cached(&format!(
                "SELECT {FRESH} FROM item i LEFT JOIN word w ON w.id = i.properties
                 WHERE i.id > ? ORDER BY i.id"
            ))
            .map_err(|source| self.sqlite(source))?;
        let mut rows = statement
            .query([self.last_intended])
            .map_err(|source| self.sqlite(source))?;
        let mut items = Vec::with_capacity(count);
        while items.len() < count
            && let Some(row) = rows.next().map_err(|source| self.sqlite(source))?
        {
            items.push(self.item(row)?);
        }
        Ok(items)
    }
}
