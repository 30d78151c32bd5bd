//! What a new world holds, as its first event keeps it: enough to make the same world again, no bytes.

use std::collections::BTreeMap;

use cavatica_model::{ExportProperties, UnknownKeys};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Millis;
use crate::quirk::Quirks;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WorldSpec {
    pub(crate) seed: u64,
    pub(crate) token: String,
    pub(crate) at: Millis,
    #[serde(default)]
    pub(crate) quirks: Quirks,
    pub(crate) projects: Vec<ProjectSpec>,
    pub(crate) volumes: Vec<VolumeSpec>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProjectSpec {
    pub(crate) id: String,
    pub(crate) entries: Vec<EntrySpec>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tasks: Vec<TaskSpec>,
}

/// A finished task; files and folders in its outputs are named by their paths in the project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TaskSpec {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) app: Option<String>,
    /// The batch task that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) batch: Option<String>,
    pub(crate) outputs: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntrySpec {
    Folder(String),
    File(FileSpec),
    Many {
        folder: String,
        count: u32,
        size_bytes: u64,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FileSpec {
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) origin: Origin,
    #[serde(default, skip_serializing_if = "UnknownKeys::is_empty")]
    pub(crate) metadata: UnknownKeys,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
    #[serde(default)]
    pub(crate) archived: bool,
    #[serde(default)]
    pub(crate) public_copy: bool,
}

impl FileSpec {
    pub(crate) fn new(path: String, size: u64, origin: Origin) -> Self {
        FileSpec {
            path,
            size,
            origin,
            metadata: UnknownKeys::new(),
            tags: Vec::new(),
            task: None,
            archived: false,
            public_copy: false,
        }
    }
}

/// Where a file's bytes come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// They lie in the data folder.
    Disk,
    /// They are made from the seed.
    Synthetic,
    /// They lie on a volume.
    Alias { volume: String, location: String },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VolumeSpec {
    pub(crate) id: String,
    pub(crate) service: String,
    pub(crate) access_mode: String,
    pub(crate) active: bool,
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    #[serde(default)]
    pub(crate) description: String,
    /// Further keys of its service, an endpoint for instance.
    #[serde(default)]
    pub(crate) place: UnknownKeys,
    /// What answers show of its credentials; empty where the world made some up.
    #[serde(default)]
    pub(crate) credentials: UnknownKeys,
    pub(crate) properties: ExportProperties,
    pub(crate) store: StoreKind,
    /// Objects that lie there from the beginning, by location.
    pub(crate) objects: BTreeMap<String, ObjectSpec>,
    /// What the account may do there.
    #[serde(default = "Permissions::all")]
    pub(crate) permissions: Permissions,
}

/// What is to become different about a volume.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct VolumeChange {
    pub(crate) active: Option<bool>,
    pub(crate) access_mode: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) credentials: Option<UnknownKeys>,
    /// What isn't named stays.
    pub(crate) properties: ExportProperties,
    /// Another place, where nothing lies yet; no call of the platform's changes it.
    pub(crate) bucket: Option<String>,
    pub(crate) prefix: Option<String>,
}

/// What a member may do on a volume.
///
/// Source: <https://docs.sevenbridges.com/reference/list-members-of-a-volume>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Permissions {
    /// Browse.
    pub(crate) read: bool,
    /// Import.
    pub(crate) copy: bool,
    /// Export.
    pub(crate) write: bool,
    pub(crate) admin: bool,
}

impl Permissions {
    pub(crate) fn all() -> Self {
        Permissions {
            read: true,
            copy: true,
            write: true,
            admin: true,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ObjectSpec {
    pub(crate) size: u64,
    pub(crate) etag: String,
}

/// What a volume keeps of its objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoreKind {
    /// Everything, as files in the data folder.
    Folder,
    /// Key, size and checksum.
    KeysOnly,
    /// Nothing: everything lies in a real bucket, at this endpoint or on AWS, and others may change it at any time.
    Bucket { endpoint: Option<String> },
}
