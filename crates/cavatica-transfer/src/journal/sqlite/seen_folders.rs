//! What a plan sees of folders, for the run to follow their files.

use cavatica_exports::model::FileId;
use rusqlite::{Connection, params};

use super::JournalError;
use super::codec::{self, StoredFile, file_id};
use super::draft::Draft;
use super::folder::FolderSize;
use super::open::WorkError;

impl Draft {
    /// Remembers what was seen of a folder, if any file of it is planned.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn note_folder(&self, folder: &FileId, size: FolderSize) -> Result<(), JournalError> {
        let (entries, page) = (codec::stored(size.entries), size.page.map(codec::stored));
        let note = |connection: &Connection| {
            connection
                .prepare_cached("UPDATE folder SET entries = ?, page = ? WHERE file = ?")?
                .execute(params![entries, page, StoredFile(folder)])
        };
        note(&self.connection).map_err(|source| self.sqlite(source))?;
        Ok(())
    }

    /// The folders that nothing was seen of, if more files of the plan than this lie in them.
    ///
    /// # Errors
    ///
    /// If the file can't be read or written.
    pub fn unseen_folders(&mut self, more_than: u64) -> Result<Vec<FileId>, JournalError> {
        let counted = self.folders.write(&self.connection);
        counted.map_err(|source| self.sqlite(source))?;
        let read = |connection: &Connection| -> Result<Vec<FileId>, WorkError> {
            let mut statement = connection
                .prepare("SELECT file FROM folder WHERE entries IS NULL AND planned > ?")?;
            let mut rows = statement.query([codec::stored(more_than)])?;
            let mut folders = Vec::new();
            while let Some(row) = rows.next()? {
                folders.push(file_id(row.get_ref("file")?, &self.path)?);
            }
            Ok(folders)
        };
        read(&self.connection).map_err(|error| error.at(&self.path, "read"))
    }
}
