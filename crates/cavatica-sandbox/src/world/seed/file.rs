//! One file of a new world.

use std::path::PathBuf;

use bytes::Bytes;
use cavatica_model::UnknownKeys;
use serde::{Deserialize, Serialize};

/// One file of a new world. In a scenario it has the keys `path`, and any of `content`, `size`, `alias` (`volume` and
/// `location`), `metadata`, `tags`, `task`, `archived` and `public_copy`; without content its bytes are made from the seed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileSeed {
    pub(crate) path: String,
    #[serde(skip_serializing)]
    pub(crate) content: Option<Bytes>,
    /// Where on this computer its bytes are to be copied from.
    #[serde(skip)]
    pub(crate) copied_from: Option<PathBuf>,
    /// Whether its bytes lie in the data folder, as those of a content do once they are written there.
    pub(crate) on_disk: bool,
    pub(crate) size: u64,
    pub(crate) alias: Option<AliasSeed>,
    pub(crate) metadata: UnknownKeys,
    pub(crate) tags: Vec<String>,
    pub(crate) task: Option<String>,
    pub(crate) archived: bool,
    pub(crate) public_copy: bool,
}

/// Where the bytes of a file lie that was exported earlier.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AliasSeed {
    pub(crate) volume: String,
    pub(crate) location: String,
}

impl FileSeed {
    /// A file with these bytes.
    pub fn bytes(path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        FileSeed {
            content: Some(content.into()),
            ..FileSeed::synthetic(path, 0)
        }
    }

    /// A file whose bytes are made from the seed when they are read.
    pub fn synthetic(path: impl Into<String>, size_bytes: u64) -> Self {
        FileSeed {
            path: path.into(),
            size: size_bytes,
            ..FileSeed::default()
        }
    }

    /// A file that was exported (or imported) earlier: its bytes lie on a volume.
    pub fn alias(
        path: impl Into<String>,
        volume: impl Into<String>,
        location: impl Into<String>,
        size_bytes: u64,
    ) -> Self {
        FileSeed {
            alias: Some(AliasSeed {
                volume: volume.into(),
                location: location.into(),
            }),
            ..FileSeed::synthetic(path, size_bytes)
        }
    }

    /// Gives the file a metadata field.
    #[must_use]
    pub fn metadata(mut self, field: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(field.into(), value.into().into());
        self
    }

    /// Gives the file a tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Names the task that made the file.
    #[must_use]
    pub fn task(mut self, task: impl Into<String>) -> Self {
        self.task = Some(task.into());
        self
    }

    /// Archives the file: it can't be exported, and its storage doesn't say where it is hosted.
    #[must_use]
    pub fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    /// Makes the file a copy of a public one: it can't be exported, and only a metadata field hints at that.
    #[must_use]
    pub fn public_copy(mut self) -> Self {
        self.public_copy = true;
        self
    }
}
