//! The state of a world, and how it is read.

use std::collections::{BTreeMap, BTreeSet};

use cavatica_model::wire::OpenName;
use cavatica_model::{ExportState, TaskId, VolumeId};

use super::entity::{Job, Loss, Node, NodeKind, Place, Project, Task, VolumeState};
use super::number;
use super::quirk::{Quirk, Quirks};
use crate::clock::Millis;

pub(crate) struct World {
    pub(super) seed: u64,
    pub(super) born_at: Millis,
    pub(super) quirks: Quirks,
    /// By username; the first is [`USER`].
    pub(super) accounts: Vec<String>,
    pub(super) projects: Vec<Project>,
    pub(super) files: Vec<Node>,
    pub(super) volumes: Vec<VolumeState>,
    pub(super) tasks: BTreeMap<TaskId, Task>,
    pub(super) jobs: Vec<Job>,
    /// The jobs that haven't ended, so that asking for them doesn't mean looking through a million that have.
    pub(super) unfinished: BTreeSet<u32>,
    pub(super) overwritten: u64,
    /// By volume and location, what became of the objects that lie there no more.
    pub(super) losses: BTreeMap<(u32, Box<str>), Loss>,
    /// When files were added that weren't there from the beginning.
    pub(super) added_at: BTreeMap<u32, Millis>,
    /// Files that were deleted; lists look for them only if there are any.
    pub(super) files_gone: usize,
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

    pub(super) fn account(&self, name: &str) -> Option<usize> {
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

/// The key of an object within its bucket: one `/` stands between prefix and location, unless told otherwise.
pub(crate) fn key(quirks: &Quirks, prefix: &str, location: &str) -> String {
    let joined = prefix.is_empty() || prefix.ends_with('/') || location.starts_with('/');
    if joined || quirks.contains(&Quirk::PlainJoin) {
        format!("{prefix}{location}")
    } else {
        format!("{prefix}/{location}")
    }
}

pub(super) fn position(state: ExportState) -> usize {
    ExportState::ALL
        .iter()
        .position(|known| *known == state)
        .unwrap_or(0)
}
