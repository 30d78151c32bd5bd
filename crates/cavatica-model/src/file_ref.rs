//! How people name a file: by its id, or by its project and path.

use std::fmt;
use std::str::FromStr;

use crate::id::IdError;
use crate::{FileId, ProjectId};

/// A file or folder, named by its id or as `OWNER/PROJECT:PATH`.
///
/// ```
/// use cavatica_model::file::FileRef;
///
/// let by_path: FileRef = "me/cohort-7:results/a: 1.bam".parse()?;
/// let FileRef::Path(place) = &by_path else { panic!("a path") };
/// assert_eq!((place.project().as_str(), place.folders(), place.name()), ("me/cohort-7", "results", "a: 1.bam"));
/// assert!(matches!("567890abc8a5639cc6722063".parse()?, FileRef::Id(_)));
/// assert!("results/a.bam".parse::<FileRef>().is_err());
/// # Ok::<(), cavatica_model::id::IdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileRef {
    /// By its id.
    Id(FileId),
    /// By where it lies.
    Path(FilePath),
}

/// Where a file or folder lies in a project: never the project's root itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FilePath {
    project: ProjectId,
    path: Box<str>,
}

const KIND: &str = "path in a project";

impl FilePath {
    /// A path from the project's root; slashes at its ends don't count.
    ///
    /// # Errors
    ///
    /// If the path is empty, or has a part that is empty, `.`, `..`, or holds a control character.
    pub fn new(project: ProjectId, path: &str) -> Result<Self, IdError> {
        let bare = path.strip_prefix('/').unwrap_or(path);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        let fault = if bare.is_empty() {
            "no file or folder is named behind the project"
        } else if bare.chars().any(char::is_control) {
            "it has a control character"
        } else if bare.split('/').any(str::is_empty) {
            "it has an empty part (`//`)"
        } else if bare.split('/').any(|part| part == "." || part == "..") {
            "it has a part `.` or `..`"
        } else {
            return Ok(FilePath {
                project,
                path: bare.into(),
            });
        };
        Err(IdError::new(KIND, path, fault))
    }

    /// The project.
    pub fn project(&self) -> &ProjectId {
        &self.project
    }

    /// The whole path from the project's root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The folders on the way, with `/` between them; empty at the project's root.
    pub fn folders(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or("", |(folders, _)| folders)
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

impl FromStr for FileRef {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once(':') {
            // No file's id has a `/`, and no project's a `:`.
            Some((project, path)) if project.contains('/') => {
                FilePath::new(project.parse()?, path).map(FileRef::Path)
            }
            _ => text.parse().map(FileRef::Id),
        }
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.project, self.path)
    }
}

impl fmt::Display for FileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileRef::Id(id) => id.fmt(f),
            FileRef::Path(path) => path.fmt(f),
        }
    }
}
