//! The lock on a transfer itself, whatever name it is opened by.
//!
//! It is a lock of the open file on one byte, which SQLite never locks. A lock of the process would not do: closing any
//! handle of the file would release it, and SQLite's with it. For the same reason no second handle is opened in a process
//! that holds the transfer.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::owner::Owner;
use super::regular;

/// What this process holds.
static HELD: Mutex<Vec<(Inode, Owner)>> = Mutex::new(Vec::new());

fn held() -> MutexGuard<'static, Vec<(Inode, Owner)>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The file's own number, and that of its file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inode {
    device: u64,
    number: u64,
}

impl Inode {
    #[cfg(unix)]
    fn of(found: &std::fs::Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;

        Some(Inode {
            device: found.dev(),
            number: found.ino(),
        })
    }

    /// Without the numbers of the system nothing can be said.
    #[cfg(not(unix))]
    fn of(_: &std::fs::Metadata) -> Option<Self> {
        None
    }
}

/// A transfer that is held, until this is dropped or the process ends.
#[derive(Debug)]
pub(super) struct InodeLock {
    file: File,
    path: PathBuf,
}

/// A path, and the file that it named.
#[derive(Debug)]
pub(super) struct InodeId {
    path: PathBuf,
    inode: Option<Inode>,
}

impl InodeId {
    pub(super) fn of(path: &Path) -> Self {
        let inode = std::fs::metadata(path).ok();
        InodeId {
            path: path.to_owned(),
            inode: inode.and_then(|found| Inode::of(&found)),
        }
    }

    /// Whether the path still names the same file.
    pub(super) fn is_the_same(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|found| Inode::of(&found) == self.inode)
    }

    /// Whether another path names it too; false where nothing can be said.
    pub(super) fn is_also(&self, other: &Path) -> bool {
        self.inode.is_some()
            && std::fs::metadata(other).is_ok_and(|found| Inode::of(&found) == self.inode)
    }
}

/// What came of trying to hold a transfer.
pub(super) enum Attempt {
    Taken(InodeLock),
    /// Somebody else holds it; who, if it is this process.
    Held(Option<Owner>),
}

impl InodeLock {
    /// Holds the transfer at this path, which has no link in it. Where the file system has no such locks, the file is
    /// only watched, and the error comes beside it.
    pub(super) fn take(path: &Path, owner: &Owner) -> io::Result<(Attempt, Option<io::Error>)> {
        // Held over all of it, so that two threads don't both open it.
        let mut held = held();
        let inode = Inode::of(&std::fs::metadata(path)?);
        if let Some((_, owner)) = held.iter().find(|(other, _)| Some(*other) == inode) {
            return Ok((Attempt::Held(Some(owner.clone())), None));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        regular::without_links(&mut options);
        let file = options.open(path)?;
        let unguarded = match byte::lock(&file) {
            Ok(true) => None,
            Ok(false) => return Ok((Attempt::Held(None), None)),
            Err(error) => Some(error),
        };
        if let Some(inode) = Inode::of(&file.metadata()?) {
            held.push((inode, owner.clone()));
        }
        let path = path.to_owned();
        Ok((Attempt::Taken(InodeLock { file, path }), unguarded))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file that is held is still the one that the path names.
    pub(super) fn is_in_place(&self) -> bool {
        is_named(&self.file, &self.path)
    }
}

/// Whether this is the file that the path names.
pub(super) fn is_named(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(named)) => Inode::of(&held) == Inode::of(&named),
        (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

impl Drop for InodeLock {
    fn drop(&mut self) {
        let inode = self.file.metadata().ok().and_then(|held| Inode::of(&held));
        held().retain(|(other, _)| Some(*other) != inode);
    }
}

/// Whether somebody holds the transfer at this path, and who, if it is this process. Looking disturbs nobody.
///
/// # Errors
///
/// If the file system has no such locks.
pub(super) fn is_held(path: &Path) -> io::Result<(bool, Option<Owner>)> {
    let held = held();
    let inode = Inode::of(&std::fs::metadata(path)?);
    if let Some((_, owner)) = held.iter().find(|(other, _)| Some(*other) == inode) {
        return Ok((true, Some(owner.clone())));
    }
    Ok((byte::is_locked(&File::open(path)?)?, None))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod byte {
    use std::fs::File;
    use std::io;

    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    /// SQLite locks bytes from 2^30 on, fewer than a thousand: <https://www.sqlite.org/src/file/src/os.h>.
    const BYTE: libc::off_t = (1 << 30) + (1 << 16);

    fn of_kind(kind: libc::c_int) -> libc::flock {
        libc::flock {
            l_type: narrow(kind),
            l_whence: narrow(libc::SEEK_SET),
            l_start: BYTE,
            l_len: 1,
            l_pid: 0,
        }
    }

    fn narrow(number: libc::c_int) -> libc::c_short {
        libc::c_short::try_from(number).expect("these constants are small")
    }

    /// False if somebody else has it.
    pub(super) fn lock(file: &File) -> io::Result<bool> {
        match fcntl(file, FcntlArg::F_OFD_SETLK(&of_kind(libc::F_WRLCK))) {
            Ok(_) => Ok(true),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn is_locked(file: &File) -> io::Result<bool> {
        let mut found = of_kind(libc::F_WRLCK);
        fcntl(file, FcntlArg::F_OFD_GETLK(&mut found))?;
        Ok(found.l_type != narrow(libc::F_UNLCK))
    }
}

/// Other systems have no locks of open files on single bytes, and those on whole files are in SQLite's way.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod byte {
    use std::fs::File;
    use std::io;

    pub(super) fn lock(_: &File) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn is_locked(_: &File) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
