//! What somebody else does to a world: other programs of the same account, other people, and the owner of a volume.

use std::io;
use std::path::PathBuf;
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
            by: match &other.account {
                None => By::SameAccount,
                Some(account) => By::OtherAccount(account.as_str().into()),
            },
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
        let start = self
            .world
            .start(wish, timing, Fate::default(), at)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
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
        file: &str,
        archived: Option<bool>,
        public_copy: Option<bool>,
    ) -> io::Result<Option<()>> {
        let mut state = self.state();
        let Some(number) = named_file(&state.world, file) else {
            return Ok(None);
        };
        let NodeKind::File(content) = &state.world.node(number).kind else {
            return Ok(None);
        };
        let marked = Event::FileMarked {
            file: number,
            archived: archived.unwrap_or(content.archived),
            public_copy: public_copy.unwrap_or(content.public_copy),
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
        let place = self.place_of(&state.world, number);
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

    /// Adds a file of so many bytes, made from the seed, at `OWNER/PROJECT:PATH`; gives its id.
    pub(crate) fn add_file(&self, place: &str, size: u64) -> io::Result<String> {
        let mut state = self.state();
        let (parent, name) = free_place(&state.world, place)?;
        let number = u32::try_from(state.world.nodes().len()).map_err(io::Error::other)?;
        state.commit(&Event::FileAdded {
            parent,
            name,
            size,
            at: self.clock.now(),
        })?;
        state.flush()?;
        Ok(state.world.file_id(number))
    }

    /// Renames a file, or moves it to another folder of its project, with its bytes. `None` if there is no such file.
    pub(crate) fn move_file(&self, file: &str, path: &str) -> io::Result<Option<()>> {
        let mut state = self.state();
        let Some(number) = named_file(&state.world, file) else {
            return Ok(None);
        };
        let project = &state.world.projects()[state.world.node(number).project as usize];
        let (parent, name) = free_place(&state.world, &format!("{}:{path}", project.id))?;
        self.move_to(&mut state, number, parent, name)?;
        state.flush().map(Some)
    }

    fn move_to(&self, state: &mut State, file: u32, parent: u32, name: String) -> io::Result<()> {
        if state.busy_files.contains(&file) {
            let text = "its bytes are being exported";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, text));
        }
        let before = self.place_of(&state.world, file);
        state.commit(&Event::FileMoved { file, parent, name })?;
        if before.is_file() {
            let after = self.place_of(&state.world, file);
            std::fs::create_dir_all(after.parent().unwrap_or(&after))?;
            std::fs::rename(before, after)?;
        }
        Ok(())
    }

    /// Changes a folder of which so many entries have been read: of the files still to come, the last is renamed and jumps
    /// to the front, the one before it goes to the project's top, and one is added.
    pub(crate) fn disturb(&self, folder: u32, read: usize) -> io::Result<()> {
        let mut state = self.state();
        let world = &state.world;
        let project = world.node(folder).project as usize;
        let (root, count) = (world.projects()[project].root, world.nodes().len());
        let to_come = world.children(folder).unwrap_or_default().iter().skip(read);
        let still = |file: &u32| {
            world.is_file(*file) && !world.is_gone(*file) && !state.busy_files.contains(file)
        };
        let chosen: Vec<u32> = to_come.rev().copied().filter(still).take(2).collect();
        for (file, (parent, what)) in chosen
            .into_iter()
            .zip([(folder, "renamed"), (root, "moved")])
        {
            let name = format!("{what}-{count}-{}", state.world.node(file).name);
            self.move_to(&mut state, file, parent, name)?;
        }
        state.commit(&Event::FileAdded {
            parent: folder,
            name: format!("added-{count}.dat"),
            size: 1,
            at: self.clock.now(),
        })?;
        state.flush()
    }

    /// Where the bytes of a file lie, if they do in the data folder.
    fn place_of(&self, world: &World, file: u32) -> PathBuf {
        let project = &world.projects()[world.node(file).project as usize];
        self.store.file_path(project.id.as_str(), &world.path(file))
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

/// The folder and the name for a new file at `OWNER/PROJECT:PATH`; the folder is there, and nothing of that name in it.
fn free_place(world: &World, place: &str) -> io::Result<(u32, String)> {
    let free = || {
        let (project, path) = place.split_once(':')?;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = world.file_by_path(project, folder)?;
        let free = !name.is_empty() && world.file_by_path(project, path).is_none();
        (free && world.children(parent).is_some()).then(|| (parent, name.to_owned()))
    };
    let text = || format!("no folder for `{place}`, or something lies there");
    free().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, text()))
}

fn no_file(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no file `{name}`"))
}
