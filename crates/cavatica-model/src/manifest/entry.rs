//! One file of a manifest, as it was understood.

use crate::destination::{DestinationError, FileFacts};
use crate::file::{FilePath, FileRef};
use crate::{ExportProperties, FileId, Layout, Location, ProjectId, TaskId, UnknownKeys};

/// How a manifest is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Cells separated by commas.
    Csv,
    /// Cells separated by tabs.
    Tsv,
    /// A JSON object per line.
    JsonLines,
}

/// Whether a row allows the platform to delete what is already at its location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overwrite {
    /// It may be deleted.
    Allow,
    /// It must stay; the export fails instead.
    Forbid,
}

/// One file of a manifest.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The line on which it begins, counted from 1.
    pub line: u64,
    /// The file's id; `None` only where `project` and `name` are there.
    pub id: Option<FileId>,
    /// The file's name, without folders.
    pub name: Option<String>,
    /// The folders that it lies in, from the project's root; known to be none where it is empty.
    pub path: Option<String>,
    /// The project that it belongs to.
    pub project: Option<ProjectId>,
    /// The task whose output it is.
    pub task: Option<TaskId>,
    /// The columns `metadata.FIELD`.
    pub metadata: UnknownKeys,
    /// Where it is to go, below the transfer's prefix. Where it isn't named, the template decides.
    pub location: Option<Location>,
    /// Whether something may be deleted for it; `None` leaves it to the transfer.
    pub overwrite: Option<Overwrite>,
    /// What to ask of S3 for it.
    pub properties: ExportProperties,
    /// Where the manifest says that the file's bytes lie already.
    pub alias: Option<Alias>,
}

/// Where a file that is an alias lies, as its list tells; whether it is one, the platform knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alias {
    /// The bucket or volume.
    pub bucket: Option<String>,
    /// The key.
    pub location: Option<String>,
}

impl Row {
    /// The file that the row names.
    pub fn file(&self) -> Option<FileRef> {
        if let Some(id) = &self.id {
            return Some(FileRef::Id(id.clone()));
        }
        let (project, name) = (self.project.clone()?, self.name.as_deref()?);
        let path = match self.path.as_deref() {
            None | Some("") => name.to_owned(),
            Some(folders) => format!("{folders}/{name}"),
        };
        FilePath::new(project, &path).ok().map(FileRef::Path)
    }

    /// What a template can use.
    pub fn facts(&self) -> FileFacts<'_> {
        FileFacts {
            id: self.id.as_ref(),
            name: self.name.as_deref(),
            path: self.path.as_deref(),
            project: self.project.as_ref(),
            task: self.task.as_ref(),
            metadata: Some(&self.metadata),
        }
    }

    /// Where the file goes: the prefix and then the location that the row names, or what the template makes.
    ///
    /// # Errors
    ///
    /// All reasons at once why there is no location.
    pub fn location(&self, layout: &Layout) -> Result<Location, DestinationError> {
        match &self.location {
            Some(named) => layout.location_as_named(named),
            None => layout.location(&self.facts()),
        }
    }
}
