//! One program at a time.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::JournalError;

/// Who runs a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The host's name.
    pub host: String,
    /// The process id on that host.
    pub process: u32,
    /// Since when.
    pub since: Option<Timestamp>,
}

impl Owner {
    /// This process.
    pub(super) fn this_process(since: Timestamp) -> Self {
        Owner {
            host: host(),
            process: std::process::id(),
            since: Some(since),
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.process == 0 {
            return f.write_str("another program");
        }
        write!(f, "process {} on `{}`", self.process, self.host)?;
        if let Some(since) = self.since {
            write!(f, " since {}", since.strftime("%Y-%m-%d %H:%M:%SZ"))?;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "unknown host".to_owned())
}

/// The lock, held until it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    /// Held open: the operating system releases the lock with it.
    _file: File,
    pub(super) owner: Owner,
}

impl Lock {
    /// Takes the lock of a transfer, also from an owner that died.
    pub(super) fn take(transfer: &Path, now: Timestamp) -> Result<Self, JournalError> {
        let path = lock_path(transfer);
        let io = |doing| {
            let path = path.clone();
            move |source| JournalError::Io {
                path,
                doing,
                source,
            }
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io("opened for its lock"))?;
        // Somebody may be asking who holds it, which takes as long as opening a file.
        let mut attempt = file.try_lock();
        for _ in 0..10 {
            if !matches!(attempt, Err(TryLockError::WouldBlock)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
            attempt = file.try_lock();
        }
        match attempt {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::Held {
                    path: transfer.to_owned(),
                    owner: read_owner(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io("locked")(source)),
        }
        let owner = Owner::this_process(now);
        write_owner(&mut file, &owner).map_err(io("locked"))?;
        Ok(Lock { _file: file, owner })
    }
}

/// Who holds a transfer's lock now. `None` if nobody does, or if it can't be found out.
pub(super) fn holder(transfer: &Path) -> Option<Owner> {
    let mut file = File::open(lock_path(transfer)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(read_owner(&mut file)),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// `T.transfer.lock`. It stays when the transfer is let go: removing it would let two programs hold two different files
/// of the same name.
fn lock_path(transfer: &Path) -> PathBuf {
    let mut name = transfer.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

fn write_owner(file: &mut File, owner: &Owner) -> std::io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(owner)?)?;
    file.flush()
}

/// Who the file says holds it. Between taking the lock and writing the name it says nothing yet.
fn read_owner(file: &mut File) -> Owner {
    let mut text = String::new();
    file.read_to_string(&mut text)
        .ok()
        .and_then(|_| serde_json::from_str(&text).ok())
        .unwrap_or(Owner {
            host: String::new(),
            process: 0,
            since: None,
        })
}
