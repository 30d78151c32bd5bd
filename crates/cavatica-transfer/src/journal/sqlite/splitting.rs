//! Parts of a plan: each a transfer of its own, for another account or host.
//!
//! A plan and its parts must never run side by side. So parts are written without the seal that makes a file a transfer;
//! then the plan is marked, in the transaction in which nothing of it was sent; and only then are they sealed. Whoever dies
//! in between leaves either the plan alone, or a mark that says where the sealing has to go on.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use cavatica_exports::model::FileId;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::codec::{self, file_id, read_back};
use super::connection::connect;
use super::open::{WorkError, write};
use super::part::{PartOfPlan, Split, has_begun, insert_parts};
use super::{
    Draft, FolderId, Journal, JournalError, SqliteJournal, TransferFile, header, reckoning, schema,
};
use crate::state::ItemId;

/// What a file weighs when a plan is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileWeight {
    pub(crate) folder: Option<FolderId>,
    pub(crate) bytes: u64,
}

fn must_not_have_begun(path: &Path, connection: &Connection) -> Result<(), WorkError> {
    if has_begun(connection)? {
        return Err(JournalError::Begun {
            path: path.to_owned(),
        }
        .into());
    }
    Ok(())
}

/// Takes the project of a file, and the file.
type ProjectVisitor<'a> = dyn FnMut(Option<i64>, ValueRef<'_>) -> Result<(), JournalError> + 'a;

impl SqliteJournal {
    /// Gives the transfer to another account, for ever: export jobs are listed per account. Whether that account may read the
    /// files and write to the volume is for the caller to find out before.
    ///
    /// # Errors
    ///
    /// [`JournalError::Begun`] if something was sent, [`JournalError::Taken`] if another account took it before, and
    /// everything that can go wrong with writing.
    pub fn take_over(&mut self, account: &str) -> Result<(), JournalError> {
        let path = self.path.clone();
        self.write(|connection| {
            must_not_have_begun(&path, connection)?;
            let taken: Option<String> =
                connection.query_row("SELECT account FROM transfer", [], |row| row.get(0))?;
            if let Some(by) = taken {
                return Err(JournalError::Taken { path, by }.into());
            }
            connection.execute("UPDATE transfer SET account = ?", [account])?;
            Ok(())
        })?;
        self.commit()?;
        account.clone_into(&mut self.terms.account);
        Ok(())
    }

    /// What each file weighs, in the order of the plan, with its number.
    pub(crate) fn weights(&self) -> Result<(Vec<ItemId>, Vec<FileWeight>), JournalError> {
        let read = |connection: &Connection| {
            let mut statement =
                connection.prepare("SELECT id, folder, size FROM item ORDER BY id")?;
            let rows = statement.query_map([], |row| {
                let weight = FileWeight {
                    folder: row.get::<_, Option<i64>>(1)?.map(FolderId),
                    bytes: row.get::<_, Option<i64>>(2)?.map_or(0, read_back),
                };
                Ok((ItemId(row.get(0)?), weight))
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read(&self.connection).map_err(|source| header::sqlite(&self.path, source))
    }

    /// Refuses a transfer of which something was sent.
    pub(crate) fn must_not_have_begun(&self) -> Result<(), JournalError> {
        let checked = must_not_have_begun(&self.path, &self.connection);
        checked.map_err(|error| error.at(&self.path, "read"))
    }

    /// Marks the transfer as split: it doesn't run any more.
    pub(crate) fn mark_split(&mut self, split: &Split) -> Result<(), JournalError> {
        let path = self.path.clone();
        self.write(|connection| {
            must_not_have_begun(&path, connection)?;
            insert_parts(connection, &split.parts)?;
            connection.execute("UPDATE transfer SET split_into = ?", [&split.folder])?;
            Ok(())
        })?;
        self.commit()?;
        Ok(())
    }
}

impl TransferFile {
    /// Up to so many files of each project, spread evenly over the plan; all those whose project isn't known.
    pub(crate) fn sample_of_projects(&self, of_each: u64) -> Result<Vec<FileId>, JournalError> {
        let mut steps: HashMap<Option<i64>, (u64, u64)> = HashMap::new();
        self.each_project(&mut |project, _| {
            let (files, _) = steps.entry(project).or_default();
            *files += 1;
            Ok(())
        })?;
        let mut sample = Vec::new();
        self.each_project(&mut |project, file| {
            let (files, seen) = steps.entry(project).or_default();
            let step = match project {
                Some(_) => files.div_ceil(of_each).max(1),
                None => 1,
            };
            if seen.is_multiple_of(step) {
                sample.push(file_id(file, &self.path)?);
            }
            *seen += 1;
            Ok(())
        })?;
        Ok(sample)
    }

    /// Visits the project of each file with the file, in the order of the plan.
    fn each_project(&self, visit: &mut ProjectVisitor<'_>) -> Result<(), JournalError> {
        let mut walk = || -> Result<(), WorkError> {
            let mut statement = self
                .connection
                .prepare("SELECT project, file FROM item ORDER BY id")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                visit(row.get(0)?, row.get_ref(1)?)?;
            }
            Ok(())
        };
        walk().map_err(|error| error.at(&self.path, "read"))
    }
}

/// Writes the files with these numbers, and everything that the plan knows of them, to a new file that is no transfer yet. It
/// is on the disk when this returns. One part has the files that were left out, too.
pub(crate) fn stage(
    path: &Path,
    whole: &TransferFile,
    items: &Range<ItemId>,
    has_skipped: bool,
) -> Result<PartOfPlan, JournalError> {
    let header = &whole.header;
    let mut draft = Draft::create(
        path,
        reckoning::planned_terms(&whole.path, &whole.connection)?,
        &header.selection,
        header.label.as_deref(),
        header.created,
    )?;
    draft.take_from(&whole.path, items, has_skipped)?;
    let (files, bytes, _) = draft.counts();
    Ok(PartOfPlan {
        fingerprint: draft.finish_unsealed()?,
        files,
        bytes,
    })
}

/// Makes a staged part a transfer, now that the plan is marked; does nothing where it is one already.
pub(crate) fn seal(path: &Path, number: usize, split: &Split) -> Result<(), JournalError> {
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    write(path, &mut connection, |transaction| {
        let sealed: Option<i64> =
            transaction.query_row("SELECT part FROM transfer", [], |row| row.get(0))?;
        if sealed.is_none() {
            insert_parts(transaction, &split.parts)?;
            transaction.execute(
                "UPDATE transfer SET part = ?",
                [codec::stored(number as u64)],
            )?;
            schema::seal(transaction)?;
        }
        Ok(())
    })
}
