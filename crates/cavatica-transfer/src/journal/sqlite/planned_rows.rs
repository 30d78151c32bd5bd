//! Reading the planned files, with what is known of each.

use std::ops::Range;
use std::path::Path;

use cavatica_exports::model::{ExportId, Location, Tri};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::codec::{
    self, ACCEPTED, COMPLETED, PLANNED, StateColumns, damaged, file_id, milliseconds, moment,
    read_back,
};
use super::open::WorkError;
use super::{
    AcceptedItem, ClockSample, Failed, FolderId, IntentId, Item, OpenItem, Overwrite, Sent, Terms,
};
use crate::state::{ItemId, State};

/// The most files of one page.
const PAGE: usize = 100;

/// The most of those that a run takes up.
const OPEN: usize = 10_000;

/// The columns of [`StateColumns`].
pub(super) const STATE: &str = "coalesce(a.state, 0), a.doubt, a.export, a.code, a.status,
    (SELECT text FROM word WHERE id = a.message), (SELECT text FROM word WHERE id = a.request), a.proof";

/// The columns of an [`Item`] that no intent ever named, in the order of [`column`]; `w` is the word of its properties.
const FRESH: &str = "i.id, i.file, i.location, i.size, i.overwrite, 0, w.text, i.folder";

/// The columns of [`Item`], in the order of [`column`]; `w` is the word of its properties.
const ITEM: &str = "i.id, i.file, i.location, i.size, CASE WHEN a.lost THEN 0 ELSE i.overwrite END,
    coalesce(a.number, 0), w.text, i.folder";

/// Where which column stands. To find one by its name in each of a million rows takes longer than to read it.
mod column {
    pub(super) const ID: usize = 0;
    pub(super) const FILE: usize = 1;
    pub(super) const LOCATION: usize = 2;
    pub(super) const SIZE: usize = 3;
    pub(super) const OVERWRITE: usize = 4;
    pub(super) const ATTEMPT: usize = 5;
    pub(super) const PROPERTIES: usize = 6;
    pub(super) const FOLDER: usize = 7;
    /// The first of the state's, where they follow.
    pub(super) const STATE: usize = 8;
}

/// The planned files of one transfer.
#[derive(Clone, Copy)]
pub(super) struct PlannedRows<'a> {
    pub(super) path: &'a Path,
    pub(super) terms: &'a Terms,
    pub(super) connection: &'a Connection,
}

impl PlannedRows<'_> {
    fn item(&self, row: &Row<'_>) -> Result<Item, WorkError> {
        let damaged = |what: &dyn std::fmt::Display| damaged(self.path, what);
        let relative = row.get_ref(column::LOCATION)?;
        let relative = relative.as_str().map_err(|error| damaged(&error))?;
        let location = [self.terms.prefix.as_str(), relative]
            .concat()
            .parse::<Location>()
            .map_err(|error| damaged(&error))?;
        let properties = row.get_ref(column::PROPERTIES)?;
        let properties = properties
            .as_str_or_null()
            .map_err(|error| damaged(&error))?;
        Ok(Item {
            id: ItemId(row.get(column::ID)?),
            file: file_id(row.get_ref(column::FILE)?, self.path)?,
            location,
            size: row.get::<_, Option<i64>>(column::SIZE)?.map(read_back),
            overwrite: match row.get(column::OVERWRITE)? {
                None => self.terms.overwrite,
                Some(true) => Overwrite::Allowed,
                Some(false) => Overwrite::Forbidden,
            },
            attempt: row.get(column::ATTEMPT)?,
            properties: match properties {
                None => self.terms.properties.clone(),
                Some(text) => {
                    Tri::Value(serde_json::from_str(text).map_err(|error| damaged(&error))?)
                }
            },
            folder: row.get::<_, Option<i64>>(column::FOLDER)?.map(FolderId),
        })
    }

    fn state(&self, row: &Row<'_>) -> Result<State, WorkError> {
        Ok(StateColumns::read(row, column::STATE)?.state(self.path)?)
    }

    /// Files that no intent ever named, behind a given one.
    pub(super) fn fresh(&self, after: i64, count: usize) -> Result<Vec<Item>, WorkError> {
        // Without a limit in the statement: SQLite would plan it anew for each.
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {FRESH} FROM item i LEFT JOIN word w ON w.id = i.properties
             WHERE i.id > ? AND NOT EXISTS (SELECT 1 FROM attempt WHERE item = i.id) ORDER BY i.id"
        ))?;
        let mut rows = statement.query([after])?;
        let mut items = Vec::with_capacity(count);
        while items.len() < count
            && let Some(row) = rows.next()?
        {
            items.push(self.item(row)?);
        }
        Ok(items)
    }

    /// The smallest of them, as far as sizes are known.
    pub(super) fn smallest_fresh(&self) -> Result<Option<ItemId>, WorkError> {
        let smallest = self.connection.query_row(
            "SELECT id FROM item i WHERE size IS NOT NULL AND NOT EXISTS (SELECT 1 FROM attempt WHERE item = i.id)
             ORDER BY size, id LIMIT 1",
            [],
            |row| row.get("id").map(ItemId),
        );
        Ok(smallest.optional()?)
    }

    /// The files with these numbers, in the same order. Neighbours are read at once: the files of a call, or of a page, are.
    pub(super) fn these(&self, ids: &[ItemId]) -> Result<Vec<Item>, WorkError> {
        let mut items = Vec::with_capacity(ids.len());
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {ITEM} FROM item i LEFT JOIN attempt a ON a.item = i.id
             LEFT JOIN word w ON w.id = i.properties WHERE i.id BETWEEN ? AND ? ORDER BY i.id"
        ))?;
        for neighbours in ids.chunk_by(|one, next| one.0.checked_add(1) == Some(next.0)) {
            let mut rows =
                statement.query([neighbours[0].0, neighbours[neighbours.len() - 1].0])?;
            for id in neighbours {
                let item = rows.next()?.map(|row| self.item(row)).transpose()?;
                match item.filter(|item| item.id == *id) {
                    Some(item) => items.push(item),
                    None => {
                        return Err(
                            damaged(self.path, format_args!("file {id} is not there")).into()
                        );
                    }
                }
            }
        }
        Ok(items)
    }

    /// Files behind a given one that are neither at their start nor at their end. Nearly all are accepted, and little is read
    /// of these.
    pub(super) fn open(&self, after: Option<ItemId>) -> Result<Vec<OpenItem>, WorkError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT a.item, a.state, a.export, a.number, i.file, i.folder
             FROM attempt a JOIN item i ON i.id = a.item
             WHERE a.state <> {COMPLETED} AND a.item > ? ORDER BY a.item"
        ))?;
        let after = after.map_or(i64::MIN, |id| id.0);
        let mut rows = statement.query([after])?;
        let mut open = Vec::new();
        while open.len() < OPEN
            && let Some(row) = rows.next()?
        {
            let id = ItemId(row.get(0)?);
            match row.get(1)? {
                PLANNED => open.push(OpenItem::Again(id)),
                ACCEPTED => {
                    let export = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
                    open.push(OpenItem::Accepted(AcceptedItem {
                        id,
                        file: file_id(row.get_ref(4)?, self.path)?,
                        folder: row.get::<_, Option<i64>>(5)?.map(FolderId),
                        attempt: row.get(3)?,
                        export: export.parse().map_err(|error| damaged(self.path, error))?,
                    }));
                }
                _ => open.extend(self.unsettled(id)?),
            }
        }
        codec::in_order(self.path, after, open.iter().map(|item| item.id().0))?;
        Ok(open)
    }

    /// A file that is neither planned nor accepted, unless it has ended.
    fn unsettled(&self, id: ItemId) -> Result<Option<OpenItem>, WorkError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {ITEM}, {STATE}, a.intent AS intent, n.at AS at
             FROM attempt a JOIN item i ON i.id = a.item LEFT JOIN word w ON w.id = i.properties
             LEFT JOIN intent n ON n.id = a.intent
             WHERE a.item = ?"
        ))?;
        let mut rows = statement.query([id.0])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(match self.state(row)? {
            State::Intended => Some(OpenItem::Intended(Box::new(self.sent(row)?))),
            State::Unknown { export, .. } => {
                Some(OpenItem::Unknown(Box::new(self.sent(row)?), export))
            }
            State::Failed { failure, .. } if failure.class().passes_by_waiting() => {
                Some(OpenItem::Transient(id, row.get(column::ATTEMPT)?))
            }
            State::Planned
            | State::Accepted { .. }
            | State::Failed { .. }
            | State::Completed { .. } => None,
        })
    }

    /// A file with the call that it was part of.
    fn sent(&self, row: &Row<'_>) -> Result<Sent, WorkError> {
        let call: Option<i64> = row.get("intent")?;
        Ok(Sent {
            item: self.item(row)?,
            call: IntentId(call.unwrap_or(0)),
            at: moment(row.get("at")?).unwrap_or(Timestamp::UNIX_EPOCH),
        })
    }

    /// A page of failed files behind a given one.
    pub(super) fn failed(&self, after: Option<ItemId>) -> Result<Vec<Failed>, WorkError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {ITEM}, {STATE} FROM attempt a JOIN item i ON i.id = a.item
             LEFT JOIN word w ON w.id = i.properties
             WHERE a.state IN (4, 5) AND a.item > ? ORDER BY a.item"
        ))?;
        let after = after.map_or(i64::MIN, |id| id.0);
        let mut rows = statement.query([after])?;
        let mut page = Vec::new();
        while page.len() < PAGE
            && let Some(row) = rows.next()?
        {
            if let State::Failed { export, failure } = self.state(row)? {
                page.push(Failed {
                    item: self.item(row)?,
                    export,
                    failure,
                });
            }
        }
        let ids = page.iter().map(|failed| failed.item.id.0);
        codec::in_order(self.path, after, ids)?;
        Ok(page)
    }

    /// The last file that an intent named in its turn.
    pub(super) fn last_intended(&self) -> Result<i64, WorkError> {
        let last = self
            .connection
            .query_row(
                "SELECT item FROM attempt WHERE aside IS NULL ORDER BY item DESC LIMIT 1",
                [],
                |row| row.get("item"),
            )
            .optional()?;
        Ok(last.unwrap_or(0))
    }

    /// The jobs of a file's earlier attempts.
    pub(super) fn past_exports(&self, item: ItemId) -> Result<Vec<ExportId>, WorkError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT export FROM past_attempt WHERE item = ? AND export IS NOT NULL",
        )?;
        let mut rows = statement.query([item.0])?;
        let mut exports = Vec::new();
        while let Some(row) = rows.next()? {
            let text: String = row.get("export")?;
            exports.push(text.parse().map_err(|error| damaged(self.path, error))?);
        }
        Ok(exports)
    }

    /// Whether the plan warned that a file is likely to be refused.
    pub(super) fn is_warned(&self, item: ItemId) -> Result<bool, WorkError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM warned WHERE item = ?")?;
        Ok(statement.exists([item.0])?)
    }

    /// The jobs whose intents were written at these moments.
    pub(super) fn jobs_sent(
        &self,
        sent: Range<Timestamp>,
        each: &mut dyn FnMut(&str),
    ) -> Result<(), WorkError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT a.export FROM attempt a JOIN intent n ON n.id = a.intent
             WHERE n.at >= ?1 AND n.at < ?2 AND a.export IS NOT NULL",
        )?;
        let mut rows = statement.query([sent.start, sent.end].map(milliseconds))?;
        while let Some(row) = rows.next()? {
            let export = row.get_ref("export")?;
            each(export.as_str().map_err(rusqlite::Error::from)?);
        }
        Ok(())
    }

    /// When some of the newest jobs were sent, and when the platform says that they were queued.
    pub(super) fn clock_samples(&self) -> Result<Vec<ClockSample>, WorkError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT a.started, n.at FROM attempt a JOIN intent n ON n.id = a.intent
             WHERE a.item > (SELECT max(item) FROM attempt) - 500 AND a.started IS NOT NULL",
        )?;
        let mut rows = statement.query([])?;
        let mut samples = Vec::new();
        while let Some(row) = rows.next()? {
            let known = moment(row.get("started")?).zip(moment(row.get("at")?));
            samples.extend(known.map(|(started, sent)| ClockSample { started, sent }));
        }
        Ok(samples)
    }
}
