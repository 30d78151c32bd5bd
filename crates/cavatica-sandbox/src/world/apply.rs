//! How events change a world.

use cavatica_model::{ExportMode, ExportProperties, ExportState};

use super::quirk::Quirk;
use super::seed::{VolumeChange, VolumeSeed};
use super::state::position;
use super::{
    Came, Event, FileNode, Job, Loss, Node, NodeKind, Object, Permissions, Place, Start, Twist,
    VolumeState, Went, World,
};
use crate::clock::Millis;
use crate::wire::refusal::JobFailure;

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
                let (code, why) = (*code, why.clone());
                self.failed(*job, *at, JobFailure { code, why })?;
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
                    came: Came::Put,
                };
                let volume = self.volume_mut(*volume)?;
                volume.objects.insert(location.as_str().into(), object);
            }
            Event::ObjectRemoved {
                volume,
                location,
                job,
            } => {
                let went = job.map_or(Went::Removed, |_| Went::Overwritten);
                self.lose(*volume, location, went)?;
            }
            Event::ObjectDeletedByStart { volume, location } => {
                self.lose(*volume, location, Went::Overwritten)?;
            }
            Event::Settled { job } => self.settled(*job)?,
            Event::FileRemoved { file } => self.remove_file(*file)?,
            Event::FileAdded {
                parent,
                name,
                size,
                at,
            } => self.add_file(*parent, name, *size, *at)?,
            Event::FileMoved { file, parent, name } => self.move_file(*file, *parent, name)?,
            Event::FileMarked {
                file,
                archived,
                public_copy,
            } => {
                let node = self.file_mut(*file)?;
                (node.archived, node.public_copy) = (*archived, *public_copy);
            }
            Event::VolumeMounted { seed, at } => self.mount(seed, *at)?,
            Event::VolumeRemoved { volume } => self.volume_mut(*volume)?.removed = true,
            Event::VolumeMember {
                volume,
                username,
                permissions,
            } => {
                self.volume_mut(*volume)?.admit(username, *permissions);
            }
            Event::VolumeChanged { volume, change, at } => {
                let replaces = self.quirks.contains(&Quirk::ServiceReplaced);
                let volume = self.volume_mut(*volume)?;
                volume.change(change, replaces);
                volume.modified_at = *at;
            }
        }
        Ok(())
    }

    /// What the bucket of a removed volume of the same name still holds shows again.
    fn mount(&mut self, seed: &VolumeSeed, at: Millis) -> Result<(), MisfitError> {
        let before = self.volumes.iter_mut().rev().find(|volume| {
            volume.removed
                && volume.id.as_str() == seed.id
                && volume.bucket == seed.bucket_name()
                && volume.prefix == seed.prefix
        });
        let objects = before.map(|volume| std::mem::take(&mut volume.objects));
        let number = u32::try_from(self.volumes.len()).unwrap_or(u32::MAX);
        self.add_volume(seed, at).map_err(|_| MisfitError {
            what: "volume",
            number,
        })?;
        if let Some(objects) = objects {
            self.volume_mut(number)?.objects = objects;
        }
        Ok(())
    }

    fn started(&mut self, start: &Start) -> Result<(), MisfitError> {
        if start.file as usize >= self.files.len() {
            return Err(MisfitError {
                what: "file",
                number: start.file,
            });
        }
        let account = self.account(start.by.account());
        let counts = &mut self.volume_mut(start.volume)?.counts;
        if let Some(account) = account {
            counts[account][position(ExportState::Pending)] += 1;
        }
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
            twist: start.twist,
            by: start.by.clone(),
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
        let (volume, location, twist) = (job.volume, job.location.clone(), job.twist);
        if twist == Some(Twist::Hollow) {
            return Ok(());
        }
        let object = Object {
            size,
            etag: etag.into(),
            put_at: at,
            came: Came::Job(number),
        };
        self.volume_mut(volume)?.objects.insert(location, object);
        match twist {
            Some(Twist::KeepFile | Twist::LateAlias(_) | Twist::Hollow) => Ok(()),
            Some(Twist::LoseFile(_)) | None => self.make_alias(number),
        }
    }

    /// What was to follow a job's completion has come.
    fn settled(&mut self, number: u32) -> Result<(), MisfitError> {
        let job = self.job_mut(number)?;
        let file = job.file;
        match job.twist.take() {
            Some(Twist::LateAlias(_)) => self.make_alias(number),
            Some(Twist::LoseFile(_)) => self.remove_file(file),
            Some(Twist::KeepFile | Twist::Hollow) | None => Ok(()),
        }
    }

    /// Makes the file of a completed move an alias of its object.
    fn make_alias(&mut self, number: u32) -> Result<(), MisfitError> {
        let job = self.job_mut(number)?;
        if job.mode != ExportMode::Move {
            return Ok(());
        }
        let (file, at) = (job.file, job.finished_at);
        let (volume, location) = (job.volume, job.location.clone());
        let volume = self.volume_mut(volume)?.id.clone();
        let file = self.file_mut(file)?;
        // What somebody deleted meanwhile doesn't come back.
        if !matches!(file.place, Place::Gone) {
            file.place = Place::Alias { volume, location };
            file.modified_at = at;
        }
        Ok(())
    }

    fn remove_file(&mut self, number: u32) -> Result<(), MisfitError> {
        self.file_mut(number)?.place = Place::Gone;
        self.files_gone += 1;
        Ok(())
    }

    fn add_file(
        &mut self,
        parent: u32,
        name: &str,
        size: u64,
        at: Millis,
    ) -> Result<(), MisfitError> {
        self.children_mut(parent)?;
        let number = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let node = Node {
            name: name.into(),
            project: self.node(parent).project,
            parent: Some(parent),
            kind: NodeKind::File(FileNode::synthetic(size, at)),
        };
        self.push(node).map_err(|_| MisfitError {
            what: "file",
            number,
        })?;
        self.added_at.insert(number, at);
        Ok(())
    }

    fn move_file(&mut self, file: u32, parent: u32, name: &str) -> Result<(), MisfitError> {
        self.file_mut(file)?;
        self.children_mut(parent)?;
        if let Some(before) = self.node(file).parent {
            self.children_mut(before)?.retain(|child| *child != file);
        }
        self.children_mut(parent)?.insert(0, file);
        let node = &mut self.files[file as usize];
        node.parent = Some(parent);
        node.name = name.into();
        Ok(())
    }

    fn children_mut(&mut self, number: u32) -> Result<&mut Vec<u32>, MisfitError> {
        match self
            .files
            .get_mut(number as usize)
            .map(|node| &mut node.kind)
        {
            Some(NodeKind::Folder { children }) => Ok(children),
            _ => Err(MisfitError {
                what: "folder",
                number,
            }),
        }
    }

    fn lose(&mut self, volume: u32, location: &str, went: Went) -> Result<(), MisfitError> {
        let by_export = went == Went::Overwritten;
        self.overwritten += u64::from(by_export);
        let Some(object) = self.volume_mut(volume)?.objects.remove(location) else {
            return Ok(());
        };
        let place = (volume, Box::from(location));
        let before = self.losses.get(&place).map_or(0, |loss| loss.overwritten);
        let loss = Loss {
            came: object.came,
            went,
            overwritten: before + u64::from(by_export),
        };
        self.losses.insert(place, loss);
        Ok(())
    }

    fn failed(&mut self, number: u32, at: Millis, failure: JobFailure) -> Result<(), MisfitError> {
        self.turn(number, ExportState::Failed)?;
        let job = self.job_mut(number)?;
        job.finished_at = at;
        job.failure = Some(Box::new(failure));
        let (file, mode) = (job.file, job.mode);
        let is_there = match &self.node(file).kind {
            NodeKind::File(file) => matches!(file.place, Place::Disk | Place::Synthetic),
            NodeKind::Folder { .. } => false,
        };
        let loses = is_there && mode == ExportMode::Move;
        if loses && self.quirks.contains(&Quirk::FailureLosesFile) {
            self.remove_file(file)?;
        }
        Ok(())
    }

    /// Puts a job into another state and keeps the counts right.
    fn turn(&mut self, number: u32, state: ExportState) -> Result<(), MisfitError> {
        let job = self.job_mut(number)?;
        let before = std::mem::replace(&mut job.state, state);
        let (volume, by) = (job.volume, job.by.clone());
        let account = self.account(by.account());
        let counts = &mut self.volume_mut(volume)?.counts;
        if let Some(account) = account {
            counts[account][position(before)] -= 1;
            counts[account][position(state)] += 1;
        }
        if state.is_final() {
            self.unfinished.remove(&number);
        }
        Ok(())
    }

    fn file_mut(&mut self, number: u32) -> Result<&mut FileNode, MisfitError> {
        match self.files.get_mut(number as usize) {
            Some(Node {
                kind: NodeKind::File(file),
                ..
            }) => Ok(file),
            _ => Err(MisfitError {
                what: "file",
                number,
            }),
        }
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

impl VolumeState {
    fn admit(&mut self, username: &str, permissions: Option<Permissions>) {
        match permissions {
            Some(permissions) => self.members.insert(username.to_owned(), permissions),
            None => self.members.remove(username),
        };
    }

    /// What the change doesn't name stays.
    fn change(&mut self, change: &VolumeChange, replaces_service: bool) {
        if replaces_service && (change.credentials.is_some() || !change.properties.is_empty()) {
            self.properties = ExportProperties::default();
        }
        let VolumeChange {
            active,
            access_mode,
            description,
            credentials,
            properties,
            bucket,
            prefix,
        } = change.clone();
        self.active = active.unwrap_or(self.active);
        if let Some(mode) = access_mode {
            self.access_mode = mode;
        }
        if let Some(description) = description {
            self.description = description;
        }
        if let Some(credentials) = credentials {
            self.credentials = credentials;
        }
        self.properties = properties.or(&self.properties);
        // What lies at the old place doesn't show at another.
        if bucket.is_some() || prefix.is_some() {
            self.objects.clear();
        }
        self.bucket = bucket.unwrap_or_else(|| std::mem::take(&mut self.bucket));
        self.prefix = prefix.unwrap_or_else(|| std::mem::take(&mut self.prefix));
    }
}
