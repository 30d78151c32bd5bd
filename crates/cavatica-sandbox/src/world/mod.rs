//! The platform as a pure state machine: commands are decided from the state alone, give events, and only events change
//! the state. There is no clock and no disk here; moments are arguments, and bytes are somebody else's business.

mod apply;
mod decide;
mod event;
mod grow;
pub(crate) mod number;
pub(crate) mod quirk;
pub(crate) mod seed;
mod task;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use cavatica_model::{
    ExportMode, ExportProperties, ExportState, OpenName, Tri, UnknownKeys, VolumeId,
};

pub(crate) use apply::MisfitError;
pub(crate) use decide::{Due, Errand, Fate, JobTiming, Replacing, Wish};
pub(crate) use event::{By, Event, Start, Twist};
pub(crate) use grow::SeedError;
pub(crate) use seed::Permissions;
pub use seed::VolumeChange;
pub(crate) use view::Links;

use quirk::{Quirk, Quirks};

use crate::clock::Millis;
use crate::wire::refusal::{Code, JobFailure};

/// The name of the first account.
pub(crate) const USER: &str = "sandbox";

pub(crate) struct World {
    seed: u64,
    born_at: Millis,
    quirks: Quirks,
    /// By username; the first is [`USER`].
    accounts: Vec<String>,
    projects: Vec<Project>,
    files: Vec<Node>,
    volumes: Vec<VolumeState>,
    tasks: BTreeMap<cavatica_model::TaskId, task::Task>,
    jobs: Vec<Job>,
    /// The jobs that haven't ended, so that asking for them doesn't mean looking through a million that have.
    unfinished: BTreeSet<u32>,
    overwritten: u64,
    /// By volume and location, what became of the objects that lie there no more.
    losses: BTreeMap<(u32, Box<str>), Loss>,
    /// When files were added that weren't there from the beginning.
    added_at: BTreeMap<u32, Millis>,
    /// Files that were deleted; lists look for them only if there are any.
    files_gone: usize,
}

/// What was at a location, and how it went.
pub(crate) struct Loss {
    /// How the last one that went had come.
    pub(crate) came: Came,
    pub(crate) went: Went,
    /// How many went because another was to take their place.
    pub(crate) overwritten: u64,
}

/// What a volume keeps of its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    /// Everything, as files in the data folder.
    Folder,
    /// Key, size and checksum.
    KeysOnly,
    /// Nothing: everything lies in a real bucket, at this endpoint or on AWS, and others may change it at any time.
    Bucket { endpoint: Option<String> },
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
    fn synthetic(size: u64, modified_at: Millis) -> Self {
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
    removed: bool,
    /// By location, the volume's prefix left out.
    pub(crate) objects: BTreeMap<Box<str>, Object>,
    /// How many jobs of each account stand in each state, in the order of `ExportState::ALL`.
    counts: Vec<[u64; 4]>,
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

/// Reading. Numbers come from this world itself, so looking one up can't fail.
impl World {
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// The key of an object within its bucket.
    pub(crate) fn key(&self, volume: u32, location: &str) -> String {
        key(
            &self.quirks,
            &self.volumes[volume as usize].prefix,
            location,
        )
    }

    pub(crate) fn projects(&self) -> &[Project] {
        &self.projects
    }

    pub(crate) fn project(&self, id: &str) -> Option<(u32, &Project)> {
        let position = self
            .projects
            .iter()
            .position(|project| project.id.as_str() == id)?;
        Some((u32::try_from(position).ok()?, &self.projects[position]))
    }

    pub(crate) fn node(&self, number: u32) -> &Node {
        &self.files[number as usize]
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.files
    }

    /// What lies in a folder; `None` for a file.
    pub(crate) fn children(&self, number: u32) -> Option<&[u32]> {
        match &self.node(number).kind {
            NodeKind::Folder { children } => Some(children),
            NodeKind::File(_) => None,
        }
    }

    pub(crate) fn file_by_id(&self, id: &str) -> Option<u32> {
        let number = number::file_number(self.seed, id)?;
        let known = (number as usize) < self.files.len();
        (known && !self.is_gone(number)).then_some(number)
    }

    pub(crate) fn is_file(&self, number: u32) -> bool {
        matches!(self.node(number).kind, NodeKind::File(_))
    }

    /// Whether somebody deleted the file.
    pub(crate) fn is_gone(&self, number: u32) -> bool {
        matches!(&self.node(number).kind, NodeKind::File(file) if matches!(file.place, Place::Gone))
    }

    /// Whether any file was deleted.
    pub(crate) fn any_gone(&self) -> bool {
        self.files_gone > 0
    }

    /// Whether the file was there at a moment, as far as it was added later.
    pub(crate) fn was_there(&self, number: u32, at: Millis) -> bool {
        self.added_at.get(&number).is_none_or(|added| *added <= at)
    }

    /// Whether the file is an alias.
    pub(crate) fn is_alias(&self, number: u32) -> bool {
        matches!(&self.node(number).kind, NodeKind::File(file) if matches!(file.place, Place::Alias { .. }))
    }

    pub(crate) fn losses(&self) -> &BTreeMap<(u32, Box<str>), Loss> {
        &self.losses
    }

    /// The volumes there are, with their numbers.
    pub(crate) fn mounted(&self) -> impl Iterator<Item = (u32, &VolumeState)> {
        (0..)
            .zip(&self.volumes)
            .filter(|(_, volume)| !volume.removed)
    }

    /// Whether a file's bytes are on the volume.
    pub(crate) fn has_aliases(&self, volume: &VolumeId) -> bool {
        self.files.iter().any(|node| {
            matches!(&node.kind, NodeKind::File(file)
                if matches!(&file.place, Place::Alias { volume: other, .. } if other == volume))
        })
    }

    /// All volumes by their numbers, those that were removed included.
    pub(crate) fn volumes(&self) -> &[VolumeState] {
        &self.volumes
    }

    pub(crate) fn volume(&self, id: &str) -> Option<(u32, &VolumeState)> {
        self.mounted().find(|(_, volume)| volume.id.as_str() == id)
    }

    pub(crate) fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// One of an account's jobs; those of others don't show.
    pub(crate) fn job_by_id(&self, account: &str, id: &str) -> Option<u32> {
        let number = number::export_number(self.seed, id)?;
        let job = self.jobs.get(number as usize)?;
        (job.by.account() == account).then_some(number)
    }

    pub(crate) fn unfinished(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.unfinished.iter().copied()
    }

    pub(crate) fn overwritten(&self) -> u64 {
        self.overwritten
    }

    /// How many jobs of one account stand in a state, or of all that there are, on one volume or on all.
    pub(crate) fn count(
        &self,
        account: Option<&str>,
        volume: Option<u32>,
        state: ExportState,
    ) -> u64 {
        let account = account.map(|name| self.account(name));
        let volumes = (0..).zip(&self.volumes);
        let volumes = volumes.filter(|(number, _)| volume.is_none_or(|wanted| wanted == *number));
        volumes
            .flat_map(|(_, volume)| volume.counts.iter().enumerate())
            .filter(|(number, _)| account.is_none_or(|wanted| wanted == Some(*number)))
            .map(|(_, counts)| counts[position(state)])
            .sum()
    }

    /// The accounts by username, the first one first.
    pub(crate) fn accounts(&self) -> &[String] {
        &self.accounts
    }

    fn account(&self, name: &str) -> Option<usize> {
        self.accounts.iter().position(|known| known == name)
    }

    /// The folders on the way to a file and its name, the project's root left out.
    pub(crate) fn path(&self, number: u32) -> Vec<&str> {
        let mut names = Vec::new();
        let mut node = self.node(number);
        while let Some(parent) = node.parent {
            names.push(&*node.name);
            node = self.node(parent);
        }
        names.reverse();
        names
    }

    /// The file or folder with this path in a project.
    pub(crate) fn file_by_path(&self, project: &str, path: &str) -> Option<u32> {
        let mut found = self.project(project)?.1.root;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let NodeKind::Folder { children } = &self.node(found).kind else {
                return None;
            };
            found = *children
                .iter()
                .find(|child| *self.node(**child).name == *name)?;
        }
        (!self.is_gone(found)).then_some(found)
    }

    /// The files that left the platform; their bytes have no business in the project any more.
    pub(crate) fn moved_files(&self) -> impl Iterator<Item = u32> + '_ {
        let files = self.jobs.iter().map(|job| job.file);
        files.filter(|file| self.is_alias(*file) || self.is_gone(*file))
    }
}

impl VolumeState {
    /// What an account may do there.
    pub(crate) fn permissions(&self, account: &str) -> Permissions {
        self.members.get(account).copied().unwrap_or_default()
    }
}

/// The key of an object within its bucket: one `/` stands between prefix and location, unless told otherwise.
pub(crate) fn key(quirks: &Quirks, prefix: &str, location: &str) -> String {
    let joined = prefix.is_empty() || prefix.ends_with('/') || location.starts_with('/');
    if joined || quirks.contains(&Quirk::PlainJoin) {
        format!("{prefix}{location}")
    } else {
        format!("{prefix}/{location}")
    }
}

fn position(state: ExportState) -> usize {
    ExportState::ALL
        .iter()
        .position(|known| *known == state)
        .unwrap_or(0)
}
