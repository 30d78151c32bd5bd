//! The folders that files of the plan lie in, as the file keeps them.

use std::path::Path;

use cavatica_exports::model::FileId;
use rusqlite::{Connection, OptionalExtension, params};

use super::codec::{self, StoredFile, file_id, read_back};
use super::folder::{Folder, FolderId, FolderSize};
use super::open::WorkError;
use crate::state::ItemId;

/// The folder of a transfer.
pub(super) fn folder(
    path: &Path,
    connection: &Connection,
    id: FolderId,
) -> Result<Option<Folder>, WorkError> {
    let mut statement = connection
        .prepare_cached("SELECT file, first, planned, entries, page FROM folder WHERE id = ?")?;
    let mut rows = statement.query([id.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let number = |name: &str| row.get::<_, Option<i64>>(name);
    let page = number("page")?;
    Ok(Some(Folder {
        file: file_id(row.get_ref("file")?, path)?,
        first: ItemId(row.get("first")?),
        planned: read_back(row.get("planned")?),
        size: number("entries")?.map(|entries| FolderSize {
            entries: read_back(entries),
            page: page.map(read_back),
        }),
    }))
}

/// Counts the files of each folder while they are planned, neighbours together.
#[derive(Debug, Default)]
pub(super) struct FolderCounts {
    /// The folder of the file that was added last, and how many of it are not yet written.
    last: Option<(FileId, FolderId, u64)>,
}

impl FolderCounts {
    /// The number of the folder that the next item lies in.
    pub(super) fn count(
        &mut self,
        connection: &Connection,
        folder: &FileId,
        item: ItemId,
    ) -> rusqlite::Result<FolderId> {
        if let Some((last, id, files)) = &mut self.last
            && last == folder
        {
            *files += 1;
            return Ok(*id);
        }
        self.write(connection)?;
        let known = connection
            .prepare_cached("SELECT id FROM folder WHERE file = ?")?
            .query_row([StoredFile(folder)], |row| row.get(0))
            .optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                connection
                    .prepare_cached("INSERT INTO folder (file, first, planned) VALUES (?, ?, 0)")?
                    .execute(params![StoredFile(folder), item.0])?;
                connection.last_insert_rowid()
            }
        };
        self.last = Some((folder.clone(), FolderId(id), 1));
        Ok(FolderId(id))
    }

    /// Writes down what was counted.
    pub(super) fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if let Some((_, id, files)) = self.last.take() {
            connection
                .prepare_cached("UPDATE folder SET planned = planned + ? WHERE id = ?")?
                .execute(params![codec::stored(files), id.0])?;
        }
        Ok(())
    }
}
