//! What somebody else does to a world: other programs of the same account, other people, and the owner of a volume.

use std::io;
use std::time::Duration;

use cavatica_model::{ExportMode, Tri};

use super::platform::{Platform, State};
use super::store::measure;
use crate::clock::{Millis, millis};
use crate::world::seed::OtherExport;
use crate::world::{By, Event, Fate, JobTiming, NodeKind, StoreKind, VolumeChange, Wish, World};

impl State {
    /// Starts an export on somebody else's behalf; gives its job's number.
    pub(crate) fn export_elsewhere(&mut self, other: &OtherExport, now: Millis) -> io::Result<u32> {
        let file = named_file(&self.world, &other.file).ok_or_else(|| no_file(&other.file))?;
        let wish = Wish {
            file: self.world.file_id(file),
            volume: other.volume.clone(),
            location: other.location.clone(),
            mode: if other.copy {
                ExportMode::Copy
            } else {
                ExportMode::Move
            },
            overwrite: other.overwrite,
            properties: Tri::Absent,
        };
        let timing = JobTiming::between(other.lasts, other.lasts, 0.0);
        let at = now.saturating_sub(millis(Duration::from_secs(other.ago)));
        let mut start = self
            .world
            .start(wish, timing, Fate::default(), at)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
        start.by = match &other.account {
            None => By::SameAccount,
            Some(account) => By::OtherAccount(account.as_str().into()),
        };
        let number = self.world.jobs().len();
        self.commit(&Event::Started(start))?;
        self.flush()?;
        u32::try_from(number).map_err(io::Error::other)
    }
}

impl Platform {
    /// Archives a file or makes it a copy of a public one, or takes that back. `None` if there is no such file.
    pub(crate) fn mark_file(
        &self,
        id: &str,
        archived: Option<bool>,
        public_copy: Option<bool>,
    ) -> io::Result<Option<()>> {
        let mut state = self.state();
        let Some(number) = state.world.file_by_id(id) else {
            return Ok(None);
        };
        let NodeKind::File(file) = &state.world.node(number).kind else {
            return Ok(None);
        };
        let marked = Event::FileMarked {
            file: number,
            archived: archived.unwrap_or(file.archived),
            public_copy: public_copy.unwrap_or(file.public_copy),
        };
        state.commit(&marked)?;
        state.flush().map(Some)
    }

    /// Puts an object on a volume, over one that is there. `None` if there is no such volume.
    pub(crate) fn put_object(
        &self,
        volume: &str,
        location: &str,
        content: &[u8],
    ) -> io::Result<Option<()>> {
        let Some((number, key, store)) = self.place(volume, location) else {
            return Ok(None);
        };
        let written = match store {
            StoreKind::Folder => self.store.put(volume, &key, &mut &*content)?,
            StoreKind::KeysOnly => measure(&mut &*content)?,
            StoreKind::Bucket { .. } => return Err(elsewhere(volume)),
        };
        let mut state = self.state();
        state.commit(&Event::ObjectPut {
            volume: number,
            location: location.to_owned(),
            size: written.size,
            etag: written.etag,
            at: self.clock.now(),
        })?;
        state.flush().map(Some)
    }

    /// Takes an object away. `None` if there is no such volume or object.
    pub(crate) fn remove_object(&self, volume: &str, location: &str) -> io::Result<Option<()>> {
        let Some((number, key, store)) = self.place(volume, location) else {
            return Ok(None);
        };
        if let StoreKind::Bucket { .. } = store {
            return Err(elsewhere(volume));
        }
        let mut state = self.state();
        let objects = &state.world.volumes()[number as usize].objects;
        if !objects.contains_key(location) {
            return Ok(None);
        }
        self.store.remove(volume, &key)?;
        state.commit(&Event::ObjectRemoved {
            volume: number,
            location: location.to_owned(),
            job: None,
        })?;
        state.flush().map(Some)
    }

    /// Starts an export on somebody else's behalf; gives its job's id.
    pub(crate) fn export_elsewhere(&self, other: &OtherExport) -> io::Result<String> {
        let mut state = self.state();
        let job = state.export_elsewhere(other, self.clock.now())?;
        self.started.notify_one();
        Ok(state.world.export_id(job))
    }

    /// Deletes a file, an alias or not; what lies on a volume stays. `None` if there is no such file.
    pub(crate) fn remove_file(&self, file: &str) -> io::Result<Option<()>> {
        let mut state = self.state();
        let Some(number) = named_file(&state.world, file) else {
            return Ok(None);
        };
        let world = &state.world;
        let project = &world.projects()[world.node(number).project as usize];
        let place = self
            .store
            .file_path(project.id.as_str(), &world.path(number));
        state.commit(&Event::FileRemoved { file: number })?;
        state.flush()?;
        self.store.remove_file(&place).map(Some)
    }

    /// Changes a volume past the platform's calls. `None` if there is no such volume.
    pub(crate) fn change_volume(&self, id: &str, change: &VolumeChange) -> io::Result<Option<()>> {
        let mut state = self.state();
        let Some((number, _)) = state.world.volume(id) else {
            return Ok(None);
        };
        let event = Event::VolumeChanged {
            volume: number,
            change: Box::new(change.clone()),
            at: self.clock.now(),
        };
        state.commit(&event)?;
        state.flush().map(Some)
    }

    fn place(&self, volume: &str, location: &str) -> Option<(u32, String, StoreKind)> {
        let state = self.state();
        let (number, volume) = state.world.volume(volume)?;
        let store = volume.store.clone();
        Some((number, state.world.key(number, location), store))
    }
}

/// The sandbox changes nothing in a real bucket but by jobs.
fn elsewhere(volume: &str) -> io::Error {
    let text = format!("`{volume}` is a real bucket; change it with an S3 client");
    io::Error::new(io::ErrorKind::Unsupported, text)
}

/// The file with this id, or at `OWNER/PROJECT:PATH`. Folders can't be exported or deleted here.
fn named_file(world: &World, name: &str) -> Option<u32> {
    let number = match name.split_once(':') {
        Some((project, path)) => world.file_by_path(project, path),
        None => world.file_by_id(name),
    };
    number.filter(|number| world.is_file(*number))
}

fn no_file(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no file `{name}`"))
}
