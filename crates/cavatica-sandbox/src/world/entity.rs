//! What there is in a world.

use std::collections::BTreeMap;

use cavatica_model::{
    ExportMode, ExportProperties, ExportState, TaskId, Tri, UnknownKeys, VolumeId,
};
use serde_json::{Map, Value};

use super::event::{By, Twist};
use super::seed::{Permissions, StoreKind};
use crate::clock::Millis;
use crate::wire::refusal::{Code, JobFailure};

/// What was at a location, and how it went.
pub(crate) struct Loss {
    /// How the last one that went had come.
    pub(crate) came: Came,
    pub(crate) went: Went,
    /// How many went because another was to take their place.
    pub(crate) overwritten: u64,
}

/// How an object came to a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// It was there from the beginning.
    Seeded,
    /// Somebody put it there, past the platform.
    Put,
    /// This job brought it.
    Job(u32),
}

/// How an object went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Went {
    /// Somebody took it away, past the platform.
    Removed,
    /// An export deleted it to put another in its place.
    Overwritten,
}

pub(crate) struct Project {
    pub(crate) id: cavatica_model::ProjectId,
    pub(crate) root: u32,
    /// The cloud and region that its files are in.
    pub(crate) location: String,
}

pub(crate) struct Node {
    pub(crate) name: Box<str>,
    pub(crate) project: u32,
    /// None for a project's root folder.
    pub(crate) parent: Option<u32>,
    pub(crate) kind: NodeKind,
}

pub(crate) enum NodeKind {
    Folder { children: Vec<u32> },
    File(FileNode),
}

pub(crate) struct FileNode {
    pub(crate) size: u64,
    pub(crate) place: Place,
    pub(crate) archived: bool,
    pub(crate) public_copy: bool,
    pub(crate) modified_at: Millis,
    /// What most files don't have.
    pub(crate) extras: Option<Box<Extras>>,
}

impl FileNode {
    /// An ordinary file whose bytes are made from the seed.
    pub(super) fn synthetic(size: u64, modified_at: Millis) -> Self {
        FileNode {
            size,
            place: Place::Synthetic,
            archived: false,
            public_copy: false,
            modified_at,
            extras: None,
        }
    }
}

/// Where a file's bytes are now.
pub(crate) enum Place {
    Disk,
    Synthetic,
    Alias {
        volume: VolumeId,
        location: Box<str>,
    },
    /// Nowhere: somebody deleted the file.
    Gone,
}

#[derive(Default)]
pub(crate) struct Extras {
    pub(crate) metadata: UnknownKeys,
    pub(crate) tags: Vec<String>,
    pub(crate) task: Option<cavatica_model::TaskId>,
}

pub(crate) struct VolumeState {
    pub(crate) id: VolumeId,
    pub(crate) service: String,
    pub(crate) access_mode: String,
    pub(crate) active: bool,
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) description: String,
    /// Further keys of its service, an endpoint for instance.
    pub(crate) place: UnknownKeys,
    /// What answers show of its credentials; empty where the world made some up.
    pub(crate) credentials: UnknownKeys,
    pub(crate) properties: ExportProperties,
    pub(crate) store: StoreKind,
    pub(crate) created_at: Millis,
    pub(crate) modified_at: Millis,
    /// Who may do what, by username.
    pub(crate) members: BTreeMap<String, Permissions>,
    /// Its number stays taken, because jobs name it.
    pub(super) removed: bool,
    /// By location, the volume's prefix left out.
    pub(crate) objects: BTreeMap<Box<str>, Object>,
    /// How many jobs of each account stand in each state, in the order of `ExportState::ALL`.
    pub(super) counts: Vec<[u64; 4]>,
}

pub(crate) struct Object {
    pub(crate) size: u64,
    pub(crate) etag: Box<str>,
    pub(crate) put_at: Millis,
    pub(crate) came: Came,
}

pub(crate) struct Job {
    pub(crate) file: u32,
    pub(crate) volume: u32,
    pub(crate) location: Box<str>,
    pub(crate) mode: ExportMode,
    pub(crate) overwrite: bool,
    pub(crate) properties: Tri<Box<ExportProperties>>,
    pub(crate) started_at: Millis,
    pub(crate) runs_at: Millis,
    pub(crate) ends_at: Millis,
    pub(crate) doom: Option<Code>,
    pub(crate) twist: Option<Twist>,
    pub(crate) by: By,
    pub(crate) state: ExportState,
    pub(crate) finished_at: Millis,
    pub(crate) failure: Option<Box<JobFailure>>,
}

impl VolumeState {
    /// What an account may do there.
    pub(crate) fn permissions(&self, account: &str) -> Permissions {
        self.members.get(account).copied().unwrap_or_default()
    }
}

/// A finished task.
pub(crate) struct Task {
    pub(super) project: u32,
    pub(super) name: String,
    pub(super) app: Option<String>,
    /// The batch task that it is part of.
    pub(super) batch: Option<TaskId>,
    pub(super) outputs: Outputs,
}

/// What a task put out.
pub(super) enum Outputs {
    /// The files that name the task, as long as nobody says more of it.
    Files(Vec<u32>),
    /// As described, with ids in place of paths.
    Told(Map<String, Value>),
    /// It stands for the tasks that are part of it.
    Batch,
}
