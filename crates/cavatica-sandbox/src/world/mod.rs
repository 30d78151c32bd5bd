//! The platform as a pure state machine: commands are decided from the state alone, give events, and only events change
//! the state. There is no clock and no disk here; moments are arguments, and bytes are somebody else's business.

mod decide;
mod event;
mod grow;
mod spec;
mod task;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use cavatica_model::{
    ExportMode, ExportProperties, ExportState, OpenName, Tri, UnknownKeys, VolumeId,
};

pub(crate) use decide::{Errand, Pace, Replacing, Step, Wish};
pub(crate) use event::{Event, Start};
pub(crate) use grow::SpecError;
pub(crate) use spec::{
    EntrySpec, FileSpec, ObjectSpec, Origin, Permissions, ProjectSpec, StoreKind, TaskSpec,
    VolumeChange, VolumeSpec, WorldSpec,
};
pub(crate) use view::Links;

use crate::clock::Millis;
use crate::number;
use crate::quirk::{Quirk, Quirks};
use crate::refusal::{Code, Failure};

/// The name of the one account.
pub(crate) const USER: &str = "sandbox";

pub(crate) struct World {
    seed: u64,
    born_at: Millis,
    quirks: Quirks,
    projects: Vec<Project>,
    files: Vec<Node>,
    volumes: Vec<VolumeState>,
    tasks: BTreeMap<cavatica_model::TaskId, task::Task>,
    jobs: Vec<Job>,
    /// The jobs that haven't ended, so that asking for them doesn't mean looking through a million that have.
    unfinished: BTreeSet<u32>,
    overwritten: u64,
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

/// Where a file's bytes are now.
pub(crate) enum Place {
    Disk,
    Synthetic,
    Alias {
        volume: VolumeId,
        location: Box<str>,
    },
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
    /// How many jobs stand in each state, in the order of `ExportState::ALL`.
    counts: [u64; 4],
}

pub(crate) struct Object {
    pub(crate) size: u64,
    pub(crate) etag: Box<str>,
    pub(crate) put_at: Millis,
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
    pub(crate) state: ExportState,
    pub(crate) finished_at: Millis,
    pub(crate) failure: Option<Box<Failure>>,
}

/// An event that doesn't fit the world it is to be applied to: the log was written by another program or changed.
#[derive(Debug, thiserror::Error)]
#[error("event names {what} {number}, which this world doesn't have")]
pub(crate) struct MisfitError {
    what: &'static str,
    number: u32,
}

impl World {
    /// Changes the world as the event says.
    pub(crate) fn apply(&mut self, event: &Event) -> Result<(), MisfitError> {
        match event {
            // The world was made from it.
            Event::Seeded(_) => {}
            Event::Started(start) => self.started(start)?,
            Event::Running { job } => self.turn(*job, ExportState::Running)?,
            Event::Completed {
                job,
                at,
                size,
                etag,
            } => self.completed(*job, *at, *size, etag)?,
            Event::Failed { job, at, code, why } => {
                self.turn(*job, ExportState::Failed)?;
                let job = self.job_mut(*job)?;
                job.finished_at = *at;
                job.failure = Some(Box::new(Failure {
                    code: *code,
                    why: why.clone(),
                }));
            }
            Event::ObjectPut {
                volume,
                location,
                size,
                etag,
                at,
            } => {
                let object = Object {
                    size: *size,
                    etag: etag.as_str().into(),
                    put_at: *at,
                };
                let volume = self.volume_mut(*volume)?;
                volume.objects.insert(location.as_str().into(), object);
            }
            Event::ObjectRemoved {
                volume,
                location,
                job,
            } => {
                self.volume_mut(*volume)?.objects.remove(location.as_str());
                self.overwritten += u64::from(job.is_some());
            }
            Event::FileMarked {
                file,
                archived,
                public_copy,
            } => {
                self.file(*file)?;
                if let NodeKind::File(node) = &mut self.files[*file as usize].kind {
                    (node.archived, node.public_copy) = (*archived, *public_copy);
                }
            }
            Event::VolumeMounted { spec, at } => self.mount(spec, *at)?,
            Event::VolumeRemoved { volume } => self.volume_mut(*volume)?.removed = true,
            Event::VolumeMember {
                volume,
                username,
                permissions,
            } => {
                let members = &mut self.volume_mut(*volume)?.members;
                match permissions {
                    Some(permissions) => members.insert(username.clone(), *permissions),
                    None => members.remove(username),
                };
            }
            Event::VolumeChanged { volume, change, at } => {
                let volume = self.volume_mut(*volume)?;
                volume.change(change);
                volume.modified_at = *at;
            }
        }
        Ok(())
    }

    /// What the bucket of a removed volume of the same name still holds shows again.
    fn mount(&mut self, spec: &VolumeSpec, at: Millis) -> Result<(), MisfitError> {
        let before = self.volumes.iter_mut().rev().find(|volume| {
            volume.removed
                && volume.id.as_str() == spec.id
                && volume.bucket == spec.bucket
                && volume.prefix == spec.prefix
        });
        let objects = before.map(|volume| std::mem::take(&mut volume.objects));
        let number = u32::try_from(self.volumes.len()).unwrap_or(u32::MAX);
        self.add_volume(spec, at).map_err(|_| MisfitError {
            what: "volume",
            number,
        })?;
        if let Some(objects) = objects {
            self.volume_mut(number)?.objects = objects;
        }
        Ok(())
    }

    fn started(&mut self, start: &Start) -> Result<(), MisfitError> {
        self.file(start.file)?;
        self.volume_mut(start.volume)?.counts[position(ExportState::Pending)] += 1;
        let number = u32::try_from(self.jobs.len()).unwrap_or(u32::MAX);
        self.unfinished.insert(number);
        self.jobs.push(Job {
            file: start.file,
            volume: start.volume,
            location: start.location.clone(),
            mode: start.mode,
            overwrite: start.overwrite,
            properties: start.properties.clone(),
            started_at: start.at,
            runs_at: start.runs_at,
            ends_at: start.ends_at,
            doom: start.doom,
            state: ExportState::Pending,
            finished_at: 0,
            failure: None,
        });
        Ok(())
    }

    fn completed(
        &mut self,
        number: u32,
        at: Millis,
        size: u64,
        etag: &str,
    ) -> Result<(), MisfitError> {
        self.turn(number, ExportState::Completed)?;
        let job = self.job_mut(number)?;
        job.finished_at = at;
        let (file, volume, location, mode) = (job.file, job.volume, job.location.clone(), job.mode);
        let object = Object {
            size,
            etag: etag.into(),
            put_at: at,
        };
        let volume = self.volume_mut(volume)?;
        volume.objects.insert(location.clone(), object);
        let volume = volume.id.clone();
        if mode == ExportMode::Move {
            let node = self.files.get_mut(file as usize).ok_or(MisfitError {
                what: "file",
                number: file,
            })?;
            if let NodeKind::File(file) = &mut node.kind {
                file.place = Place::Alias { volume, location };
                file.modified_at = at;
            }
        }
        Ok(())
    }

    /// Puts a job into another state and keeps the counts right.
    fn turn(&mut self, number: u32, state: ExportState) -> Result<(), MisfitError> {
        let job = self.job_mut(number)?;
        let before = std::mem::replace(&mut job.state, state);
        let volume = job.volume;
        let counts = &mut self.volume_mut(volume)?.counts;
        counts[position(before)] -= 1;
        counts[position(state)] += 1;
        if state.is_final() {
            self.unfinished.remove(&number);
        }
        Ok(())
    }

    fn file(&self, number: u32) -> Result<&Node, MisfitError> {
        self.files.get(number as usize).ok_or(MisfitError {
            what: "file",
            number,
        })
    }

    fn job_mut(&mut self, number: u32) -> Result<&mut Job, MisfitError> {
        self.jobs.get_mut(number as usize).ok_or(MisfitError {
            what: "job",
            number,
        })
    }

    fn volume_mut(&mut self, number: u32) -> Result<&mut VolumeState, MisfitError> {
        self.volumes.get_mut(number as usize).ok_or(MisfitError {
            what: "volume",
            number,
        })
    }
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

    pub(crate) fn file_by_id(&self, id: &str) -> Option<u32> {
        let number = number::file_number(self.seed, id)?;
        ((number as usize) < self.files.len()).then_some(number)
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

    pub(crate) fn job_by_id(&self, id: &str) -> Option<u32> {
        let number = number::export_number(self.seed, id)?;
        ((number as usize) < self.jobs.len()).then_some(number)
    }

    pub(crate) fn unfinished(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.unfinished.iter().copied()
    }

    pub(crate) fn overwritten(&self) -> u64 {
        self.overwritten
    }

    /// How many jobs stand in a state, on one volume or on all.
    pub(crate) fn count(&self, volume: Option<u32>, state: ExportState) -> u64 {
        self.volumes
            .iter()
            .enumerate()
            .filter(|(number, _)| volume.is_none_or(|wanted| wanted as usize == *number))
            .map(|(_, volume)| volume.counts[position(state)])
            .sum()
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
        Some(found)
    }

    /// The files that a finished move took off the platform; their bytes have no business in the project any more.
    pub(crate) fn moved_files(&self) -> impl Iterator<Item = u32> + '_ {
        self.jobs
            .iter()
            .filter(|job| job.mode == ExportMode::Move && job.state == ExportState::Completed)
            .map(|job| job.file)
    }
}

impl VolumeState {
    /// What the one account may do there.
    pub(crate) fn permissions(&self) -> Permissions {
        self.members.get(USER).copied().unwrap_or_default()
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
