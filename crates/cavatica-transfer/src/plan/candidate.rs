//! A file that may be planned, with all that is known of it.

use cavatica_exports::model::File;
use cavatica_exports::model::manifest::Row;

use super::unplanned::Named;

/// A file with all that is known of it.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) file: &'a File,
    /// The folders that it lies in, from the project's root, if they are known.
    pub(super) folders: Option<&'a str>,
    /// The row of a manifest that names it.
    pub(super) row: Option<&'a Row>,
    /// The file whose companion it is.
    pub(super) main: Option<&'a File>,
}

impl<'a> Candidate<'a> {
    /// Its path from its project's root, its name included.
    pub(super) fn path(&self) -> Option<String> {
        let name = self.file.name.value()?;
        Some(match self.folders {
            None | Some("") => name.clone(),
            Some(folders) => format!("{folders}/{name}"),
        })
    }

    pub(super) fn named<'n>(&self, path: Option<&'n str>) -> Named<'n>
    where
        'a: 'n,
    {
        Named {
            id: Some(&self.file.id),
            path,
            file: Some(self.file),
            line: self.row.map(|row| row.line),
        }
    }
}
