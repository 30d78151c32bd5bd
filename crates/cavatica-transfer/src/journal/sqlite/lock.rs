//! One program at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::inode::{self, Attempt, InodeLock};
use super::regular::{self, beside};
use super::{JournalError, Owner, TransferId};
use crate::journal::error::OPENED;

/// More than an owner takes. A lock file may hold anything.
const LONGEST_OWNER: u64 = 16 << 10;

impl Owner {
    /// This process.
    fn this_process(since: Timestamp, transfer: &Path) -> Self {
        Owner {
            host: host(),
            process: std::process::id(),
            since: Some(since),
            transfer: Some(transfer.display().to_string()),
        }
    }

    /// As it is told to one who knows the transfer by this path.
    fn seen_from(mut self, real: &Path) -> Self {
        self.transfer
            .take_if(|transfer| *transfer == real.display().to_string());
        self
    }
}

#[cfg(unix)]
fn host() -> String {
    nix::sys::utsname::uname()
        .map(|system| system.nodename().to_string_lossy().into_owned())
        .unwrap_or_else(|_| "unknown host".to_owned())
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "unknown host".to_owned())
}

/// The locks on a transfer, held until they are dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    inode: InodeLock,
    /// Held open: the operating system releases the locks with them.
    _files: Vec<LockFile>,
    pub(super) owner: Owner,
    pub(super) unguarded: Vec<Unguarded>,
}

/// A second run of a transfer that would not be noticed, because a lock can't be had.
#[derive(Debug, thiserror::Error)]
#[error("a run of {whose} would not be noticed: `{}` can't be locked: {source}", path.display())]
pub struct Unguarded {
    whose: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Lock {
    /// Takes all locks of a transfer, also from an owner that died: by its path, by its id in the folder of locks, and on
    /// the file itself. `newest` is who ran it last, as the transfer says.
    pub(super) fn take(
        transfer: &Path,
        id: TransferId,
        locks: Option<&Path>,
        newest: Option<Owner>,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        let opened = |source| JournalError::Io {
            path: transfer.to_owned(),
            doing: OPENED,
            source,
        };
        let real = transfer.canonicalize().map_err(opened)?;
        let owner = Owner::this_process(now, &real);
        let held_by = |owner: Owner| JournalError::Held {
            path: transfer.to_owned(),
            owner: owner.seen_from(&real),
        };
        let (mut files, mut unguarded) = (Vec::new(), Vec::new());
        match LockFile::take(lock_path(&real))? {
            Taken::Mine(file) => files.push(file),
            Taken::Held(owner) => return Err(held_by(owner)),
        }
        let by_id = locks.map(|folder| (folder.join(format!("{id}.lock")), folder));
        if let Some((path, folder)) = by_id {
            let taken = make_private(folder)
                .map_err(|source| lock_error(folder, source))
                .and_then(|()| LockFile::take(path.clone()));
            match taken {
                Ok(Taken::Mine(file)) => files.push(file),
                Ok(Taken::Held(owner)) => return Err(held_by(owner)),
                Err(error) => unguarded.push(Unguarded {
                    whose: "a copy of the transfer on this machine",
                    path,
                    source: into_io(error),
                }),
            }
        }
        let inode = match InodeLock::take(&real, &owner).map_err(opened)? {
            (Attempt::Held(by), _) => {
                return Err(held_by(by.or(newest).unwrap_or_else(Owner::somebody)));
            }
            (Attempt::Taken(inode), missed) => {
                unguarded.extend(missed.map(|source| Unguarded {
                    whose: "the transfer under another name",
                    path: real.clone(),
                    source,
                }));
                inode
            }
        };
        for file in &mut files {
            let written = file.write(&owner);
            written.map_err(|source| lock_error(&file.path, source))?;
        }
        Ok(Lock {
            inode,
            _files: files,
            owner: owner.seen_from(&real),
            unguarded,
        })
    }

    /// The path of the file that is held, without links.
    pub(super) fn real(&self) -> &Path {
        self.inode.path()
    }

    /// Whether the path still names the file that is held.
    pub(super) fn is_in_place(&self) -> bool {
        self.inode.is_in_place()
    }
}

/// Who holds a transfer now. `None` if nobody does, or if it can't be found out. `newest` is who ran it last, as the
/// transfer says.
pub(super) fn holder(transfer: &Path, newest: impl FnOnce() -> Option<Owner>) -> Option<Owner> {
    let real = transfer.canonicalize().ok()?;
    let path = lock_path(&real);
    let owner = match inode::is_held(&real) {
        Ok((false, _)) => return None,
        Ok((true, Some(owner))) => owner,
        // Under another name the lock file is another one, and this one may be an old run's.
        Ok((true, None)) => {
            let told = LockFile::look(&path).map(|mut file| file.owner());
            let known = told.into_iter().chain(newest());
            known
                .max_by_key(|owner| owner.since)
                .unwrap_or_else(Owner::somebody)
        }
        Err(_) => {
            let mut file = LockFile::look(&path)?;
            match file.file.try_lock_shared() {
                Err(TryLockError::WouldBlock) => file.owner(),
                Ok(()) | Err(TryLockError::Error(_)) => return None,
            }
        }
    };
    Some(owner.seen_from(&real))
}

/// A file that is locked as a whole, and says who holds it.
#[derive(Debug)]
struct LockFile {
    path: PathBuf,
    file: File,
}

/// What came of trying to lock a file.
enum Taken {
    Mine(LockFile),
    Held(Owner),
}

impl LockFile {
    fn take(path: PathBuf) -> Result<Taken, JournalError> {
        let file = regular::open(&path, "opened for its lock")?;
        let mut lock = LockFile { path, file };
        // An older program may be asking who holds it, which takes as long as opening a file.
        let mut attempt = lock.file.try_lock();
        for _ in 0..10 {
            if !matches!(attempt, Err(TryLockError::WouldBlock)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
            attempt = lock.file.try_lock();
        }
        match attempt {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Taken::Held(lock.owner())),
            Err(TryLockError::Error(source)) => {
                let path = lock.path;
                return Err(JournalError::NoLocks { path, source });
            }
        }
        // A hard link to somebody's file isn't ours to write, unless it was a lock before.
        if regular::has_other_names(lock.file.metadata()) && lock.owner().process == 0 {
            return Err(JournalError::NotRegular { path: lock.path });
        }
        Ok(Taken::Mine(lock))
    }

    /// Opens it to read who holds it.
    fn look(path: &Path) -> Option<Self> {
        regular::refuse_others(path).ok()?;
        let file = File::open(path).ok()?;
        let path = path.to_owned();
        Some(LockFile { path, file })
    }

    fn write(&mut self, owner: &Owner) -> io::Result<()> {
        self.file.rewind()?;
        self.file.set_len(0)?;
        self.file.write_all(&serde_json::to_vec(owner)?)?;
        self.file.flush()
    }

    /// Who the file says holds it. Between taking the lock and writing the name it says nothing yet.
    fn owner(&mut self) -> Owner {
        let mut text = String::new();
        self.file
            .rewind()
            .and_then(|()| (&self.file).take(LONGEST_OWNER).read_to_string(&mut text))
            .ok()
            .and_then(|_| serde_json::from_str(&text).ok())
            .unwrap_or_else(Owner::somebody)
    }
}

/// `T.transfer.lock`. It stays when the transfer is let go: removing it would let two programs hold two different files
/// of the same name.
fn lock_path(transfer: &Path) -> PathBuf {
    beside(transfer, ".lock")
}

/// Makes a folder that nobody else may look into.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn lock_error(path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        path: path.to_owned(),
        doing: "locked",
        source,
    }
}

/// The reason alone, where the rest is said anyway.
fn into_io(error: JournalError) -> io::Error {
    if let JournalError::Io { source, .. } | JournalError::NoLocks { source, .. } = error {
        return source;
    }
    io::Error::other(error)
}
