//! Files and folders of a project.
//!
//! Source: <https://docs.cavatica.org/reference/get-file-details>.

use serde::{Deserialize, Serialize};

pub use crate::file_ref::{FilePath, FileRef};
use crate::open::open_names;
use crate::wire::{DateTime, Open};
use crate::{FileId, ProjectId, TaskId, Tri, UnknownKeys};

open_names! {
    /// Whether a project's entry is a file or a folder. The documentation also prints both in capitals.
    #[non_exhaustive]
    pub enum FileKind {
        /// A file.
        File = "file",
        /// A folder; it can't be exported itself.
        Folder = "folder",
    }
}

open_names! {
    /// Where a file's bytes lie.
    #[non_exhaustive]
    pub enum StorageType {
        /// On the platform.
        Platform = "PLATFORM",
        /// On a volume: the file is an alias.
        Volume = "VOLUME",
    }
}

/// Where a file's bytes lie.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileStorage {
    /// On the platform, or on a volume.
    #[serde(rename = "type", default, skip_serializing_if = "Tri::is_absent")]
    pub kind: Tri<Open<StorageType>>,
    /// Clouds and regions, for instance `aws:us-east-1`. Missing for archived files, and in older answers for live ones.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub hosted_on_locations: Tri<Vec<String>>,
    /// The volume of an alias; a text, so that an odd one doesn't make the file unreadable.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub volume: Tri<String>,
    /// The location of an alias on its volume.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub location: Tri<String>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl FileStorage {
    /// Whether the bytes lie on a volume.
    pub fn is_on_volume(&self) -> bool {
        let is_volume = |kind: &Open<StorageType>| kind.is(StorageType::Volume);
        self.volume.value().is_some() || self.kind.value().is_some_and(is_volume)
    }
}

/// Of a [`File`] where its bytes lie. The rest of the answer is passed over, which is faster.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StoredFile {
    /// The file's id.
    pub id: FileId,
    /// Where its bytes lie.
    #[serde(default)]
    pub storage: Tri<FileStorage>,
}

/// What made a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Origin {
    /// The task whose output it is.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub task: Tri<TaskId>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// A file or folder. Lists show little more than id and name unless all fields are asked for.
///
/// ```
/// use cavatica_model::File;
///
/// let file: File = serde_json::from_str(
///     r#"{"id": "568cf5dce4b0307bc0462060", "name": "a.bam", "type": "FILE",
///         "storage": {"type": "VOLUME", "volume": "rfranklin/output", "location": "a.bam"}}"#,
/// )?;
/// assert!(file.is_alias());
/// // Whether there is a field for it or not, in this version or a later one.
/// assert_eq!(file.key("name"), Some("a.bam".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct File {
    /// The URL of this file.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// The file's id. It stays the same when the file becomes an alias.
    pub id: FileId,
    /// The name, without folders: anything but `/`, up to 255 characters.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub name: Tri<String>,
    /// The project that it belongs to.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub project: Tri<ProjectId>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub size: Tri<u64>,
    /// The folder that it lies in; absent on a project's root folder.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub parent: Tri<FileId>,
    /// File or folder.
    #[serde(rename = "type", default, skip_serializing_if = "Tri::is_absent")]
    pub kind: Tri<Open<FileKind>>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub created_on: Tri<DateTime>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub modified_on: Tri<DateTime>,
    /// Where its bytes lie.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub storage: Tri<FileStorage>,
    /// What made it.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub origin: Tri<Origin>,
    /// Free words.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub tags: Tri<Vec<String>>,
    /// Fields and values, mostly texts.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub metadata: Tri<UnknownKeys>,
    /// Companions such as an index. They aren't exported with the file.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub secondary_files: Tri<Vec<File>>,
    /// The same under the other name that has been seen.
    #[serde(
        rename = "_secondary_files",
        default,
        skip_serializing_if = "Tri::is_absent"
    )]
    pub underscored_secondary_files: Tri<Vec<File>>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl File {
    /// A file of which only the id is known.
    pub fn new(id: FileId) -> Self {
        File {
            href: Tri::Absent,
            id,
            name: Tri::Absent,
            project: Tri::Absent,
            size: Tri::Absent,
            parent: Tri::Absent,
            kind: Tri::Absent,
            created_on: Tri::Absent,
            modified_on: Tri::Absent,
            storage: Tri::Absent,
            origin: Tri::Absent,
            tags: Tri::Absent,
            metadata: Tri::Absent,
            secondary_files: Tri::Absent,
            underscored_secondary_files: Tri::Absent,
            unknown: UnknownKeys::new(),
        }
    }

    /// Whether this is a folder.
    pub fn is_folder(&self) -> bool {
        self.kind
            .value()
            .is_some_and(|kind| kind.is(FileKind::Folder))
    }

    /// Whether the file's bytes lie on a volume already.
    pub fn is_alias(&self) -> bool {
        self.storage.value().is_some_and(FileStorage::is_on_volume)
    }

    /// Whether the file belongs to the platform's public project. A copy of a public file doesn't show.
    pub fn is_public(&self) -> bool {
        self.project.value().is_some_and(ProjectId::is_public)
    }
}
