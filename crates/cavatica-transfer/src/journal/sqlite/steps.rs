//! Steps of single files, as they are written: where a file stands, and where a step takes it.

use std::path::Path;

use cavatica_exports::model::ExportId;
use rusqlite::{CachedStatement, Connection, Row, params};

use super::codec::{StateColumns, milliseconds, proof_number, read_back, state_number};
use super::open::WorkError;
use super::words::{text, word};
use super::{Change, Changed, JournalError};
use crate::mutation::Mutation;
use crate::state::{Answer, ItemId, Observation, State, Step, Word};

/// Takes files where their steps lead. Its statements are prepared once for many files.
pub(super) struct Steps<'c> {
    path: &'c Path,
    connection: &'c Connection,
    find: CachedStatement<'c>,
    /// Where files stand that steps are about to take on, in the order of their ids. A step takes it out, so that nothing
    /// old is left behind.
    ahead: Vec<(i64, Option<Stored>)>,
    /// For steps without failure or doubt, before and after: nearly all.
    advance: CachedStatement<'c>,
    change: CachedStatement<'c>,
}

/// Where a file stands.
struct Stored {
    state: State,
    size: u64,
    attempt: u32,
    /// Whether it has a row; one that was never sent has none.
    has_row: bool,
}

impl<'c> Steps<'c> {
    pub(super) fn prepare(path: &'c Path, connection: &'c Connection) -> rusqlite::Result<Self> {
        let find = connection.prepare_cached(
            "SELECT number, size, state, export, doubt, code, status, message, request FROM attempt WHERE item = ?",
        )?;
        let advance = connection.prepare_cached(
            "UPDATE attempt SET state = ?2, export = ?3,
             started = coalesce(?4, started), finished = coalesce(?5, finished), proof = ?6 WHERE item = ?1",
        )?;
        // Later looks keep the times that earlier ones columns.
        let change = connection.prepare_cached(
            "UPDATE attempt SET state = ?2, doubt = ?3, export = ?4, code = ?5, status = ?6, message = ?7, request = ?8,
             started = coalesce(?9, started), finished = coalesce(?10, finished), proof = ?11 WHERE item = ?1",
        )?;
        Ok(Steps {
            path,
            connection,
            find,
            ahead: Vec::new(),
            advance,
            change,
        })
    }

    /// Looks up where all of these stand, neighbours at once: the files of a bulk call are neighbours.
    pub(super) fn read_ahead(&mut self, changes: &[Change]) -> Result<(), WorkError> {
        let mut ids: Vec<i64> = changes.iter().map(|moved| moved.item.0).collect();
        ids.sort_unstable();
        ids.dedup();
        // What ended badly has more to tell. It is looked up by itself.
        let mut statement = self.connection.prepare_cached(
            "SELECT number, size, state, export, item FROM attempt
             WHERE item BETWEEN ? AND ? AND state NOT IN (4, 5) ORDER BY item",
        )?;
        let mut ahead = Vec::with_capacity(ids.len());
        for neighbours in ids.chunk_by(|one, next| one.checked_add(1) == Some(*next)) {
            let mut rows = statement.query([neighbours[0], neighbours[neighbours.len() - 1]])?;
            while let Some(row) = rows.next()? {
                let standing = read(self.path, row, StateColumns::default())?;
                ahead.push((row.get(4)?, Some(standing)));
            }
        }
        self.ahead = ahead;
        Ok(())
    }

    /// Takes a file where the step leads.
    pub(super) fn take(&mut self, change: Change) -> Result<Changed, WorkError> {
        let Change {
            item,
            step,
            started,
            finished,
        } = change;
        let mut standing = self.standing(item)?;
        if !standing.has_row {
            self.connection
                .prepare_cached(
                    "INSERT INTO attempt (item, number, state, size, aside) SELECT id, 0, 0, size, 1 FROM item WHERE id = ?",
                )?
                .execute([item.0])?;
            standing = self.standing(item)?;
        }
        let Stored {
            state: before,
            size,
            attempt,
            ..
        } = standing;
        let unsent = matches!(
            step,
            Step::Answer(Answer::NotSent) | Step::Observation(Observation::NotTaken)
        );
        let in_vain = matches!(before, State::Intended | State::Unknown { .. })
            && matches!(
                step,
                Step::Observation(Observation::MovedAway(_)) | Step::Word(Word::Failed(_))
            );
        let after = self.after(item, before.clone(), step)?;
        if in_vain {
            self.was_lost(item)?;
        }
        if after == State::Planned {
            self.leave(item, &before, unsent)?;
        }
        let times = [started, finished].map(|moment| moment.map(milliseconds));
        self.write(item, &before, &after, times)?;
        Ok(Changed {
            item,
            before,
            after,
            size,
            attempt,
        })
    }

    /// Checks that a file may be intended now.
    pub(super) fn may_intend(&mut self, item: ItemId) -> Result<(), WorkError> {
        let standing = self.standing(item)?;
        self.after(item, standing.state, Step::Intend)?;
        Ok(())
    }

    fn after(&self, item: ItemId, state: State, step: Step) -> Result<State, WorkError> {
        state.step(step).map_err(|source| {
            WorkError::Journal(JournalError::Illegal {
                path: self.path.to_owned(),
                item: item.0,
                source,
            })
        })
    }

    /// Where an item stands; planned if no intent ever named it.
    fn standing(&mut self, item: ItemId) -> Result<Stored, WorkError> {
        let place = self.ahead.binary_search_by_key(&item.0, |(id, _)| *id);
        if let Some(standing) = place.ok().and_then(|place| self.ahead[place].1.take()) {
            return Ok(standing);
        }
        let mut rows = self.find.query([item.0])?;
        match rows.next()? {
            Some(row) => {
                let columns = StateColumns {
                    doubt: row.get(4)?,
                    code: row.get(5)?,
                    status: row.get(6)?,
                    message: text(self.connection, row.get(7)?)?,
                    request: text(self.connection, row.get(8)?)?,
                    ..StateColumns::default()
                };
                read(self.path, row, columns)
            }
            None => Ok(Stored {
                state: State::Planned,
                size: 0,
                attempt: 0,
                has_row: false,
            }),
        }
    }

    /// A sending was lost: the next doesn't carry `overwrite`.
    fn was_lost(&self, item: ItemId) -> rusqlite::Result<usize> {
        if Mutation::OverwriteKept.is_on() {
            return Ok(0);
        }
        self.connection
            .prepare_cached("UPDATE attempt SET lost = 1 WHERE item = ?")?
            .execute([item.0])
    }

    /// What an attempt leaves behind when the file is planned again.
    fn leave(&self, item: ItemId, before: &State, unsent: bool) -> rusqlite::Result<()> {
        match before {
            State::Failed { .. } => self
                .connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO past_attempt
                     SELECT item, number, intent, export, started, finished, code, status, message, request
                     FROM attempt WHERE item = ?",
                )?
                .execute([item.0])?,
            // It doesn't count as an attempt.
            State::Intended if unsent => self
                .connection
                .prepare_cached("UPDATE attempt SET number = number - 1 WHERE item = ?")?
                .execute([item.0])?,
            State::Intended | State::Unknown { .. } => self.was_lost(item)?,
            State::Planned | State::Accepted { .. } | State::Completed { .. } => 0,
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
        let proof = match after {
            State::Completed { proof, .. } => Some(proof_number(*proof)),
            State::Planned
            | State::Intended
            | State::Accepted { .. }
            | State::Failed { .. }
            | State::Unknown { .. } => None,
        };
        let clean = matches!(before, State::Intended | State::Accepted { .. });
        if clean && matches!(after, State::Accepted { .. } | State::Completed { .. }) {
            self.advance.execute(params![
                item.0,
                state_number(after),
                after.export().map(ExportId::as_str),
                started,
                finished,
                proof,
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
            proof,
        ])?;
        Ok(())
    }
}

/// Reads the columns `number, size, state, export`; what else is columns is there already.
fn read(path: &Path, row: &Row<'_>, columns: StateColumns) -> Result<Stored, WorkError> {
    let columns = StateColumns {
        state: row.get(2)?,
        export: row.get(3)?,
        ..columns
    };
    let size: Option<i64> = row.get(1)?;
    Ok(Stored {
        state: columns.state(path)?,
        size: size.map_or(0, read_back),
        attempt: row.get(0)?,
        has_row: true,
    })
}
