//! Steps of single files, as they are written: where a file stands, and where a step takes it.

use std::path::Path;

use cavatica_exports::model::ExportId;
use rusqlite::{CachedStatement, Connection, Row, params};

use super::codec::{FAILED, StateColumns, UNKNOWN, milliseconds, read_back, state_number};
use super::open::WriteError;
use super::words::{text, word};
use super::{JournalError, Move, Recorded};
use crate::item::{Answer, ItemId, State, Step};

/// Files are looked up together unless those between them are so many times as many.
const SPARSE: usize = 4;

/// Takes files where their steps lead. Its statements are prepared once for many files.
pub(super) struct Steps<'c> {
    path: &'c Path,
    connection: &'c Connection,
    find: CachedStatement<'c>,
    /// Where files stand that steps are about to take on, from this id on. A step takes it out, so that nothing old is
    /// left behind.
    ahead: (i64, Vec<Option<Standing>>),
    /// For steps without failure or doubt, before and after: nearly all.
    advance: CachedStatement<'c>,
    change: CachedStatement<'c>,
}

/// Where a file stands.
struct Standing {
    state: State,
    size: u64,
    attempt: u32,
}

impl<'c> Steps<'c> {
    pub(super) fn prepare(path: &'c Path, connection: &'c Connection) -> rusqlite::Result<Self> {
        let find = connection.prepare_cached(
            "SELECT state, doubt, export, code, status, message, request, size, number FROM attempt WHERE item = ?",
        )?;
        let advance = connection.prepare_cached(
            "UPDATE attempt SET state = ?2, export = ?3,
             started = coalesce(?4, started), finished = coalesce(?5, finished) WHERE item = ?1",
        )?;
        // Later looks keep the times that earlier ones told.
        let change = connection.prepare_cached(
            "UPDATE attempt SET state = ?2, doubt = ?3, export = ?4, code = ?5, status = ?6, message = ?7, request = ?8,
             started = coalesce(?9, started), finished = coalesce(?10, finished) WHERE item = ?1",
        )?;
        Ok(Steps {
            path,
            connection,
            find,
            ahead: (0, Vec::new()),
            advance,
            change,
        })
    }

    /// Looks up all of these at once where they lie close together, as the files of a bulk call do.
    pub(super) fn look_ahead(&mut self, moves: &[Move]) -> Result<(), WriteError> {
        let ids = moves.iter().map(|moved| moved.item.0);
        let (Some(first), Some(last)) = (ids.clone().min(), ids.max()) else {
            return Ok(());
        };
        let Ok(span) = usize::try_from(last - first + 1) else {
            return Ok(());
        };
        if span > moves.len() * SPARSE {
            return Ok(());
        }
        let mut ahead: Vec<Option<Standing>> = Vec::new();
        ahead.resize_with(span, || None);
        let mut statement = self.connection.prepare_cached(
            "SELECT state, doubt, export, code, status, message, request, size, number, item FROM attempt
             WHERE item BETWEEN ? AND ?",
        )?;
        let mut rows = statement.query([first, last])?;
        while let Some(row) = rows.next()? {
            let item: i64 = row.get(9)?;
            let position = usize::try_from(item - first).expect("it is within the span");
            ahead[position] = Some(read(self.path, self.connection, row)?);
        }
        self.ahead = (first, ahead);
        Ok(())
    }

    /// Takes a file where the step leads.
    pub(super) fn take(&mut self, moved: Move) -> Result<Recorded, WriteError> {
        let Move {
            item,
            step,
            started,
            finished,
        } = moved;
        let Standing {
            state: before,
            size,
            attempt,
        } = self.standing(item)?;
        let not_taken = step == Step::Answer(Answer::NotTaken);
        let after = self.after(item, before.clone(), step)?;
        if after == State::Planned {
            self.leave(item, &before, not_taken)?;
        }
        let times = [started, finished].map(|moment| moment.map(milliseconds));
        self.write(item, &before, &after, times)?;
        Ok(Recorded {
            item,
            before,
            after,
            size,
            attempt,
        })
    }

    /// Checks that a file may be intended now.
    pub(super) fn may_intend(&mut self, item: ItemId) -> Result<(), WriteError> {
        let standing = self.standing(item)?;
        self.after(item, standing.state, Step::Intend)?;
        Ok(())
    }

    fn after(&self, item: ItemId, state: State, step: Step) -> Result<State, WriteError> {
        state.step(step).map_err(|source| {
            WriteError::Journal(JournalError::Illegal {
                path: self.path.to_owned(),
                item: item.0,
                source,
            })
        })
    }

    /// Where an item stands; planned if no intent ever named it.
    fn standing(&mut self, item: ItemId) -> Result<Standing, WriteError> {
        let (first, ahead) = &mut self.ahead;
        let position = usize::try_from(item.0 - *first).ok();
        let seen = position.and_then(|position| ahead.get_mut(position)?.take());
        if let Some(standing) = seen {
            return Ok(standing);
        }
        let mut rows = self.find.query([item.0])?;
        match rows.next()? {
            Some(row) => read(self.path, self.connection, row),
            None => Ok(Standing {
                state: State::Planned,
                size: 0,
                attempt: 0,
            }),
        }
    }

    /// What an attempt leaves behind when the file is planned again.
    fn leave(&self, item: ItemId, before: &State, not_taken: bool) -> rusqlite::Result<()> {
        match before {
            State::Failed { .. } => self
                .connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO past_attempt
                     SELECT item, number, intent, export, started, finished, code, status, message, request
                     FROM attempt WHERE item = ?",
                )?
                .execute([item.0])?,
            // Nothing was taken: it doesn't count as an attempt.
            State::Intended if not_taken => self
                .connection
                .prepare_cached("UPDATE attempt SET number = number - 1 WHERE item = ?")?
                .execute([item.0])?,
            State::Planned
            | State::Intended
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Unknown { .. } => 0,
        };
        // The next attempt starts clean.
        self.connection
            .prepare_cached("UPDATE attempt SET started = NULL, finished = NULL WHERE item = ?")?
            .execute([item.0])?;
        Ok(())
    }

    fn write(
        &mut self,
        item: ItemId,
        before: &State,
        after: &State,
        [started, finished]: [Option<i64>; 2],
    ) -> rusqlite::Result<()> {
        let clean = matches!(before, State::Intended | State::Accepted { .. });
        if clean && matches!(after, State::Accepted { .. } | State::Completed { .. }) {
            self.advance.execute(params![
                item.0,
                state_number(after),
                after.export().map(ExportId::as_str),
                started,
                finished
            ])?;
            return Ok(());
        }
        let failure = after.failure();
        let doubt = match after {
            State::Unknown { doubt, .. } => Some(doubt.number()),
            State::Planned
            | State::Intended
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Failed { .. } => None,
        };
        let message = failure
            .map(|failure| word(self.connection, &failure.message))
            .transpose()?;
        let request = failure
            .and_then(|failure| failure.request_id.as_deref())
            .map(|id| word(self.connection, id))
            .transpose()?;
        self.change.execute(params![
            item.0,
            state_number(after),
            doubt,
            after.export().map(ExportId::as_str),
            failure.and_then(|failure| failure.code),
            failure.and_then(|failure| failure.status),
            message,
            request,
            started,
            finished,
        ])?;
        Ok(())
    }
}

/// Reads [`Standing`]'s columns.
fn read(path: &Path, connection: &Connection, row: &Row<'_>) -> Result<Standing, WriteError> {
    let state = row.get(0)?;
    let mut columns = StateColumns {
        state,
        export: row.get(2)?,
        ..StateColumns::default()
    };
    // The rest is there for what ended badly; most files don't.
    if matches!(state, FAILED | UNKNOWN) {
        columns.doubt = row.get(1)?;
        columns.code = row.get(3)?;
        columns.status = row.get(4)?;
        columns.message = text(connection, row.get(5)?)?;
        columns.request = text(connection, row.get(6)?)?;
    }
    let size: Option<i64> = row.get(7)?;
    Ok(Standing {
        state: columns.state(path)?,
        size: size.map_or(0, read_back),
        attempt: row.get(8)?,
    })
}
