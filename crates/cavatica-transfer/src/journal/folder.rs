//! A folder that files of the plan lie in.

use cavatica_exports::model::FileId;

use crate::state::ItemId;

/// The number of a folder within its transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderId(pub i64);

/// A folder that files of the plan lie in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The folder itself.
    pub file: FileId,
    /// The first file of the plan that lies in it.
    pub first: ItemId,
    /// How many files of the plan do.
    pub planned: u64,
    /// What the plan saw of it.
    pub size: Option<FolderSize>,
}

/// What was seen of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderSize {
    /// How many files and folders it had.
    pub entries: u64,
    /// How many of them came with a request, at the most, if the plan listed it: then its files are planned in the order of
    /// the list. `None` if they were only counted.
    pub page: Option<u64>,
}
