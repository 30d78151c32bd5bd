//! What SQLite calls.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::{Disk, DiskError, Handle, HandleNumber, Inode, Level, Unsynced};
use crate::process::Process;

impl Disk {
    /// One step of the program that does it.
    fn step(&self, handle: HandleNumber) -> Result<(), DiskError> {
        let handle = self.handles.get(&handle).ok_or(DiskError::Broken)?;
        match &handle.process {
            Some(process) if !process.step() => Err(DiskError::Broken),
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn open(
        &mut self,
        path: Option<&str>,
        is_main: bool,
        create: bool,
    ) -> Result<HandleNumber, DiskError> {
        let process = Process::current();
        if process.as_ref().is_some_and(|process| !process.step()) {
            return Err(DiskError::Broken);
        }
        let handle = self.fresh_number();
        let (file, new_name) = match path {
            None => {
                let number = self.fresh_number();
                self.files.insert(number, Inode::default());
                (number, false)
            }
            Some(path) if is_main => {
                let number = self.transfer(Path::new(path), true);
                (number.ok_or(DiskError::NoFile)?, false)
            }
            Some(path) => {
                let name = self.name(path);
                match self.names.get(&name) {
                    Some(number) => (*number, false),
                    None if create => {
                        let number = self.fresh_number();
                        self.files.insert(number, Inode::default());
                        self.names.insert(name, number);
                        (number, true)
                    }
                    None => return Err(DiskError::NoFile),
                }
            }
        };
        let path_text = path.unwrap_or("(temporary)");
        self.log
            .line(|| format!("disk: open {} as {handle}", self.told(path_text)));
        self.handles.insert(
            handle,
            Handle {
                file,
                path: path_text.to_owned(),
                process,
                level: Level::None,
                new_name,
                temporary: path.is_none(),
            },
        );
        Ok(handle)
    }

    pub(crate) fn close(&mut self, number: HandleNumber) {
        if let Some(handle) = self.handles.remove(&number)
            && let Some(file) = self.files.get_mut(&handle.file)
        {
            file.locks.remove(&number);
            if handle.temporary {
                self.files.remove(&handle.file);
            }
        }
    }

    /// Fills the buffer; false if the file is shorter, and the rest is zeros.
    pub(crate) fn read(
        &mut self,
        handle: HandleNumber,
        offset: usize,
        into: &mut [u8],
    ) -> Result<bool, DiskError> {
        self.step(handle)?;
        let bytes = &self.file(handle)?.current;
        let there = bytes.get(offset..).unwrap_or_default();
        let length = there.len().min(into.len());
        into[..length].copy_from_slice(&there[..length]);
        into[length..].fill(0);
        Ok(length == into.len())
    }

    pub(crate) fn write(
        &mut self,
        handle: HandleNumber,
        offset: usize,
        bytes: &[u8],
    ) -> Result<(), DiskError> {
        self.step(handle)?;
        if let Some(left) = &mut self.full {
            match left.checked_sub(1) {
                Some(less) => *left = less,
                None => {
                    self.log.line(|| "disk: full".to_owned());
                    return Err(DiskError::Full);
                }
            }
        }
        self.log
            .line(|| format!("disk: write {handle} at {offset}, {} bytes", bytes.len()));
        self.change(handle, Unsynced::Write(offset, bytes.to_owned()))
    }

    pub(crate) fn truncate(
        &mut self,
        handle: HandleNumber,
        length: usize,
    ) -> Result<(), DiskError> {
        self.step(handle)?;
        self.log
            .line(|| format!("disk: truncate {handle} to {length}"));
        self.change(handle, Unsynced::Truncate(length))
    }

    fn change(&mut self, handle: HandleNumber, change: Unsynced) -> Result<(), DiskError> {
        let file = self.file_mut(handle)?;
        change.apply(&mut file.current, &mut || true);
        file.unsynced.push(change);
        Ok(())
    }

    pub(crate) fn sync(&mut self, handle: HandleNumber) -> Result<(), DiskError> {
        self.step(handle)?;
        self.log.line(|| format!("disk: sync {handle}"));
        let file = self.file_mut(handle)?;
        for change in std::mem::take(&mut file.unsynced) {
            change.apply(&mut file.synced, &mut || true);
        }
        let handle = self.handles.get_mut(&handle).ok_or(DiskError::Broken)?;
        if std::mem::take(&mut handle.new_name) {
            self.sync_names();
        }
        Ok(())
    }

    fn sync_names(&mut self) {
        self.synced_names.clone_from(&self.names);
    }

    pub(crate) fn size(&self, handle: HandleNumber) -> Result<usize, DiskError> {
        Ok(self.file(handle)?.current.len())
    }

    pub(crate) fn delete(&mut self, path: &str, sync_folder: bool) -> Result<(), DiskError> {
        let process = Process::current();
        let steps =
            |process: &Option<Arc<Process>>| process.as_ref().is_none_or(|process| process.step());
        // Unlinking is one step, and bringing it to the disk another.
        if !steps(&process) {
            return Err(DiskError::Broken);
        }
        let name = self.name(path);
        self.names.remove(&name).ok_or(DiskError::NoFile)?;
        self.log
            .line(|| format!("disk: delete {}", self.told(path)));
        if sync_folder {
            if !steps(&process) {
                return Err(DiskError::Broken);
            }
            self.log.line(|| "disk: sync the folder".to_owned());
            self.sync_names();
        }
        Ok(())
    }

    /// Asked only of what lies beside a transfer. An empty journal counts as none, as SQLite has it.
    pub(crate) fn exists(&self, path: &str) -> bool {
        let file = self.names.get(&self.name(path));
        file.is_some_and(|number| !self.files[number].current.is_empty())
    }

    /// Whether the path that it was opened by names another file now.
    pub(crate) fn has_moved(&self, handle: HandleNumber) -> bool {
        let Some(handle) = self.handles.get(&handle) else {
            return true;
        };
        let now = fs::metadata(&handle.path).ok();
        let now = now.and_then(|found| self.transfers.get(&found.ino()).copied());
        now != Some(handle.file)
    }

    pub(crate) fn lock(&mut self, handle: HandleNumber, to: Level) -> Result<(), DiskError> {
        self.step(handle)?;
        let file = self.file_mut(handle)?;
        let others = || {
            file.locks
                .iter()
                .filter(|(other, _)| **other != handle)
                .map(|(_, level)| *level)
        };
        let mine = file.locks.get(&handle).copied().unwrap_or_default();
        if mine >= to {
            return Ok(());
        }
        let reached = match to {
            Level::None => Level::None,
            Level::Shared if others().any(|level| level >= Level::Pending) => {
                return Err(DiskError::Busy);
            }
            Level::Shared => Level::Shared,
            Level::Reserved | Level::Pending | Level::Exclusive
                if others().any(|level| level >= Level::Reserved) =>
            {
                return Err(DiskError::Busy);
            }
            Level::Exclusive if others().any(|level| level >= Level::Shared) => Level::Pending,
            Level::Reserved | Level::Pending | Level::Exclusive => to,
        };
        self.set_level(handle, reached)?;
        if reached < to {
            Err(DiskError::Busy)
        } else {
            Ok(())
        }
    }

    pub(crate) fn unlock(&mut self, handle: HandleNumber, to: Level) -> Result<(), DiskError> {
        self.set_level(handle, to)
    }

    fn set_level(&mut self, number: HandleNumber, level: Level) -> Result<(), DiskError> {
        let handle = self.handles.get_mut(&number).ok_or(DiskError::Broken)?;
        handle.level = level;
        let file = self.files.get_mut(&handle.file).ok_or(DiskError::Broken)?;
        if level == Level::None {
            file.locks.remove(&number);
        } else {
            file.locks.insert(number, level);
        }
        Ok(())
    }

    pub(crate) fn is_reserved(&self, handle: HandleNumber) -> Result<bool, DiskError> {
        Ok(self
            .file(handle)?
            .locks
            .values()
            .any(|level| *level >= Level::Reserved))
    }

    pub(crate) fn fill_randomly(&mut self, bytes: &mut [u8]) {
        self.chance.fill(bytes);
    }

    fn file(&self, handle: HandleNumber) -> Result<&Inode, DiskError> {
        let handle = self.handles.get(&handle).ok_or(DiskError::Broken)?;
        self.files.get(&handle.file).ok_or(DiskError::Broken)
    }

    fn file_mut(&mut self, handle: HandleNumber) -> Result<&mut Inode, DiskError> {
        let handle = self.handles.get(&handle).ok_or(DiskError::Broken)?;
        self.files.get_mut(&handle.file).ok_or(DiskError::Broken)
    }
}
