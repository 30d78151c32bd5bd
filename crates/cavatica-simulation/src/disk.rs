//! A disk that forgets what wasn't synced.
//!
//! It keeps what was written apart from what was synced, for the contents of files and for the names in folders. When the
//! power fails, any part of what wasn't synced may be there, and any part may not: sectors of single writes, the ends of
//! files, names that were made, names that were taken away.
//!
//! Transfers have a real file beside, an empty one: names, links, locks and what the program looks at before SQLite does are
//! the real file system's. Only contents live here.

mod calls;

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
struct Inode {
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
    files: BTreeMap<FileNumber, Inode>,
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

    /// Makes room again; says whether it was missed.
    pub(crate) fn was_full(&mut self, asked: Option<u64>) -> bool {
        asked.is_some() && self.full.take() == Some(0)
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
            let file = Inode {
                synced: bytes.clone(),
                current: bytes,
                ..Inode::default()
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

    /// The power fails. A disk that breaks its own promise goes back to what was synced `before`.
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
        self.files.insert(number, Inode::default());
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

/// What was synced at some moment.
#[derive(Debug)]
pub(crate) struct Snapshot(BTreeMap<FileNumber, Vec<u8>>);
