//! A disk that forgets what wasn't synced.
//!
//! It keeps what was written apart from what was synced, for the contents of files and for the names in folders. When the
//! power fails, any part of what wasn't synced may be there, and any part may not: sectors of single writes, the ends of
//! files, names that were made, names that were taken away.
//!
//! Transfers have a real file beside, an empty one: names, links, locks and what the program looks at before SQLite does are
//! the real file system's. Only contents live here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use crate::log::Log;
use crate::process::Process;

/// What is written whole or not at all.
const SECTOR: usize = 512;

/// A file, whatever it is called.
pub(crate) type FileNumber = u64;

/// An open file.
pub(crate) type HandleNumber = u64;

/// Why a call of the disk failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiskError {
    /// The program is dead, or the disk is broken.
    Broken,
    Full,
    Busy,
    NoFile,
}

/// As SQLite counts them: <https://www.sqlite.org/lockingv3.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    #[default]
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

#[derive(Debug, Default)]
struct File {
    /// What a loss of power leaves.
    synced: Vec<u8>,
    /// What programs see.
    current: Vec<u8>,
    /// What was done to it since the last sync.
    unsynced: Vec<Unsynced>,
    locks: BTreeMap<HandleNumber, Level>,
}

#[derive(Clone, Debug)]
enum Unsynced {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Unsynced {
    fn apply(&self, to: &mut Vec<u8>, keep: &mut impl FnMut() -> bool) {
        match self {
            Unsynced::Truncate(length) => {
                if keep() {
                    to.resize(*length, 0);
                }
            }
            Unsynced::Write(offset, bytes) => {
                for (number, sector) in bytes.chunks(SECTOR).enumerate() {
                    if keep() {
                        let start = offset + number * SECTOR;
                        let end = start + sector.len();
                        if to.len() < end {
                            to.resize(end, 0);
                        }
                        to[start..end].copy_from_slice(sector);
                    }
                }
            }
        }
    }
}

#[derive(Debug)]
struct Handle {
    file: FileNumber,
    path: String,
    process: Option<Arc<Process>>,
    level: Level,
    /// Whether its first sync brings its name to the disk too, as SQLite does for a journal that it made.
    new_name: bool,
    temporary: bool,
}

/// The disk of one world.
#[derive(Debug)]
pub(crate) struct Disk {
    files: BTreeMap<FileNumber, File>,
    /// Transfers, by the number of their real file.
    transfers: BTreeMap<u64, FileNumber>,
    /// What SQLite puts beside them.
    names: BTreeMap<String, FileNumber>,
    synced_names: BTreeMap<String, FileNumber>,
    handles: BTreeMap<HandleNumber, Handle>,
    /// Folders that are another one, mounted a second time where no lock of the first is seen.
    mounts: Vec<(String, String)>,
    next: u64,
    chance: fastrand::Rng,
    /// The write that finds the disk full, counted down.
    full: Option<u64>,
    /// The part of all paths that differs from one machine to another.
    root: String,
    log: Log,
}

impl Disk {
    pub(crate) fn new(seed: u64, root: &Path, log: &Log) -> Self {
        Disk {
            files: BTreeMap::new(),
            transfers: BTreeMap::new(),
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            handles: BTreeMap::new(),
            mounts: Vec::new(),
            next: 1,
            chance: fastrand::Rng::with_seed(seed),
            full: None,
            root: root.display().to_string(),
            log: log.clone(),
        }
    }

    /// Lets the disk be full at the `nth` write from now.
    pub(crate) fn fill_at(&mut self, nth: Option<u64>) {
        self.full = nth;
    }

    /// Shows the files of one folder in another, as a second computer sees a network mount.
    pub(crate) fn mount(&mut self, folder: &Path, at: &Path) {
        let text = |path: &Path| path.display().to_string();
        self.mounts.push((text(at), text(folder)));
    }

    /// Gives a real file the contents of another transfer: the same ones, or a copy of what is there now.
    pub(crate) fn share(&mut self, from: &Path, to: &Path, copied: bool) {
        let Some(number) = self.transfer(from, false) else {
            return;
        };
        let number = if copied {
            let bytes = self.files[&number].current.clone();
            let copy = self.fresh_number();
            let file = File {
                synced: bytes.clone(),
                current: bytes,
                ..File::default()
            };
            self.files.insert(copy, file);
            copy
        } else {
            number
        };
        if let Ok(found) = fs::metadata(to) {
            self.transfers.insert(found.ino(), number);
        }
    }

    /// Takes away what SQLite left beside a transfer.
    pub(crate) fn forget_journal(&mut self, transfer: &Path) {
        let name = self.name(&format!("{}-journal", transfer.display()));
        self.names.remove(&name);
        self.synced_names.remove(&name);
    }

    /// Brings everything to the disk.
    pub(crate) fn sync_all(&mut self) {
        for file in self.files.values_mut() {
            file.synced.clone_from(&file.current);
            file.unsynced.clear();
        }
        self.synced_names.clone_from(&self.names);
    }

    /// The power fails. `also_synced` breaks the promise of the disk itself.
    pub(crate) fn lose_power(&mut self, before: Option<&Snapshot>) {
        let chance = &mut self.chance;
        let mut words = Vec::new();
        // One loss keeps much, another little.
        let share = [0.1, 0.5, 0.9][chance.usize(..3)];
        for (number, file) in &mut self.files {
            let mut left = match before.and_then(|before| before.0.get(number)) {
                Some(old) => old.clone(),
                None => file.synced.clone(),
            };
            let ops = file.unsynced.len();
            for op in &file.unsynced {
                op.apply(&mut left, &mut || chance.f64() < share);
            }
            if ops > 0 {
                words.push(format!("file {number} had {ops} unsynced"));
            }
            file.synced.clone_from(&left);
            file.current = left;
            file.unsynced.clear();
            file.locks.clear();
        }
        let all: BTreeSet<String> = self
            .names
            .keys()
            .chain(self.synced_names.keys())
            .cloned()
            .collect();
        let mut names = BTreeMap::new();
        for name in all {
            let (now, synced) = (self.names.get(&name), self.synced_names.get(&name));
            let left = if now == synced || chance.bool() {
                now
            } else {
                synced
            };
            if now != synced {
                words.push(format!(
                    "{} had a change of name",
                    name.replace(&self.root, "")
                ));
            }
            if let Some(number) = left {
                names.insert(name, *number);
            }
        }
        self.synced_names.clone_from(&names);
        self.names = names;
        let words = words.join(", ");
        self.log.line(|| format!("power fails: {words}"));
    }

    /// What is synced now, for a disk that will forget it.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(
            self.files
                .iter()
                .map(|(number, file)| (*number, file.synced.clone()))
                .collect(),
        )
    }

    /// Lets go what a dead program holds.
    pub(crate) fn release(&mut self, process: &Process) {
        for (number, handle) in &mut self.handles {
            let of_it = handle
                .process
                .as_ref()
                .is_some_and(|owner| std::ptr::eq(&**owner, process));
            if of_it {
                handle.level = Level::None;
                if let Some(file) = self.files.get_mut(&handle.file) {
                    file.locks.remove(number);
                }
            }
        }
    }

    fn fresh_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A path as all computers that have this disk see it.
    fn name(&self, path: &str) -> String {
        let mount = self
            .mounts
            .iter()
            .find_map(|(at, folder)| Some((path.strip_prefix(at.as_str())?, folder)));
        match mount {
            Some((rest, folder)) => format!("{folder}{rest}"),
            None => path.to_owned(),
        }
    }

    fn told(&self, path: &str) -> String {
        path.replace(&self.root, "")
    }

    fn transfer(&mut self, path: &Path, make: bool) -> Option<FileNumber> {
        let real = fs::metadata(path).ok()?.ino();
        if let Some(number) = self.transfers.get(&real) {
            return Some(*number);
        }
        if !make {
            return None;
        }
        let number = self.fresh_number();
        self.files.insert(number, File::default());
        self.transfers.insert(real, number);
        Some(number)
    }

    /// Forgets the contents of a real file that is gone, whose number another file may get.
    pub(crate) fn forget(&mut self, path: &Path) {
        if let Ok(found) = fs::metadata(path) {
            self.transfers.remove(&found.ino());
        }
    }
}

/// What SQLite calls.
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
                self.files.insert(number, File::default());
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
                        self.files.insert(number, File::default());
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

    /// An empty journal counts as none, as SQLite has it.
    pub(crate) fn exists(&self, path: &str) -> bool {
        match self.names.get(&self.name(path)) {
            Some(number) => !self.files[number].current.is_empty(),
            None => fs::metadata(path).is_ok(),
        }
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

    fn file(&self, handle: HandleNumber) -> Result<&File, DiskError> {
        let handle = self.handles.get(&handle).ok_or(DiskError::Broken)?;
        self.files.get(&handle.file).ok_or(DiskError::Broken)
    }

    fn file_mut(&mut self, handle: HandleNumber) -> Result<&mut File, DiskError> {
        let handle = self.handles.get(&handle).ok_or(DiskError::Broken)?;
        self.files.get_mut(&handle.file).ok_or(DiskError::Broken)
    }
}

/// What was synced at some moment.
#[derive(Debug)]
pub(crate) struct Snapshot(BTreeMap<FileNumber, Vec<u8>>);
