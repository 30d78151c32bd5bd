#[cfg(feature = "sqlite")]
use std::path::Path;
use std::path::PathBuf;

use super::owner::Owner;
use crate::fingerprint::Fingerprint;
use crate::state::IllegalStep;

/// What was tried where a transfer couldn't be opened.
pub(super) const OPENED: &str = "opened";

/// Why a transfer's file can't be used. The variants differ in what can be done about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file or its folder can't be opened, read or written.
    #[error("transfer `{}` can't be {doing}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried, for instance `opened`.
        doing: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// SQLite can't do it: a full disk, a read-only folder, a damaged file.
    #[error("transfer `{}` can't be {doing}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What was tried, for instance `written`.
        doing: &'static str,
        /// Why not, in SQLite's own words.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another kind of journal can't do it.
    #[error("the journal can't be {doing}")]
    Store {
        /// What was tried, for instance `written`.
        doing: &'static str,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is a file of that name already.
    #[error("`{}` exists already; a plan never replaces a file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Some other kind of file.
    #[error("`{}` is no transfer", path.display())]
    NotATransfer {
        /// The file.
        path: PathBuf,
    },
    /// Written by a newer version of this program.
    #[error("transfer `{}` has version {found}; this program knows versions up to {known}", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The program that planned it was stopped before it was done.
    #[error("transfer `{}` was never planned to its end", path.display())]
    Unfinished {
        /// The file.
        path: PathBuf,
    },
    /// Another program is planning it right now.
    #[error("another program is planning `{}`", path.display())]
    BeingPlanned {
        /// The file that it will be.
        path: PathBuf,
    },
    /// The file system has no locks, so nothing would keep a second run out.
    #[error("`{}` can't be locked", path.display())]
    NoLocks {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Another program runs this transfer.
    #[error("transfer `{}` is being run by {owner}", path.display())]
    Held {
        /// The file.
        path: PathBuf,
        /// Who holds it.
        owner: Owner,
    },
    /// Another run took this transfer over, so this one has to end.
    #[error("transfer `{}` was taken over by {owner}; nothing more is sent from here", path.display())]
    Superseded {
        /// The file.
        path: PathBuf,
        /// Who runs it now.
        owner: Owner,
    },
    /// The file that is being run isn't the one of that name any more.
    #[error("transfer `{}` was moved, removed or replaced while it ran; nothing more is sent", path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// Something lies where a file of ours should be, or is to be: it is neither followed nor written to.
    #[error("`{}` is a link, or no regular file, and is left alone", path.display())]
    NotRegular {
        /// What lies there.
        path: PathBuf,
    },
    /// A program that wrote it under another name died within a commit, and what belongs to it was left there.
    #[error("transfer `{}` was written as `{}` before, and `{}` holds a part of it", path.display(), name.display(), journal.display())]
    LeftJournal {
        /// The file.
        path: PathBuf,
        /// Its name before.
        name: PathBuf,
        /// What lies there.
        journal: PathBuf,
        /// Where that has to lie, if the file was only moved.
        belongs: PathBuf,
    },
    /// It has several names (hard links), and isn't known to have been written by any of them.
    #[error("transfer `{}` has several names, and was written by none of them before", path.display())]
    ManyNames {
        /// The file.
        path: PathBuf,
    },
    /// It was planned for another endpoint or account.
    #[error("transfer `{}` was planned for {what} `{planned}`, not for `{given}`", path.display())]
    OtherTerms {
        /// The file.
        path: PathBuf,
        /// `endpoint` or `account`.
        what: &'static str,
        /// The one it was planned for.
        planned: String,
        /// The one that was given.
        given: String,
    },
    /// Its parts run in its place.
    #[error("transfer `{}` was split into {parts} parts in `{folder}`, which run in its place", path.display())]
    Split {
        /// The file.
        path: PathBuf,
        /// How many parts.
        parts: u64,
        /// The folder that they were put into.
        folder: String,
    },
    /// It can be neither split nor given to another account any more.
    #[error("files of transfer `{}` were sent already", path.display())]
    Begun {
        /// The file.
        path: PathBuf,
    },
    /// Another account took it already.
    #[error("transfer `{}` was taken by account {by} already", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
        /// The account.
        by: String,
    },
    /// The plan isn't the one that was written.
    #[error("the plan of transfer `{}` was changed after it was written; its fingerprint was {planned} and is {found}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The fingerprint that was written.
        planned: Fingerprint,
        /// The fingerprint of what it would send.
        found: Fingerprint,
    },
    /// The plan isn't the one that was approved.
    #[error("the fingerprint of transfer `{}` is {found}, not the approved one", path.display())]
    NotApproved {
        /// The file.
        path: PathBuf,
        /// The fingerprint of what it would send.
        found: Fingerprint,
    },
    /// Something in it can't be: it was edited, or is damaged.
    #[error("transfer `{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What can't be.
        what: String,
    },
    /// A step that the file it concerns can't take.
    #[error("file number {item} of transfer `{}`", path.display())]
    Illegal {
        /// The transfer's file.
        path: PathBuf,
        /// The number of the file within the transfer.
        item: i64,
        /// The step.
        source: IllegalStep,
    },
}

impl JournalError {
    /// An error of another kind of journal, that can't be `doing`, for instance `written`.
    pub fn store(
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        JournalError::Store {
            doing,
            source: source.into(),
        }
    }

    /// Whether the transfer couldn't even be opened.
    pub fn is_of_opening(&self) -> bool {
        matches!(
            self,
            JournalError::Io { doing: OPENED, .. } | JournalError::Sqlite { doing: OPENED, .. }
        )
    }

    /// Whether the disk has no room left, or a limit on the size of files was met.
    pub fn is_out_of_space(&self) -> bool {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        if let JournalError::Io { source, .. } = self {
            return matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge);
        }
        #[cfg(feature = "sqlite")]
        if let Some(error) = self.sqlite_error() {
            // SQLite says `full` of a disk, and only that writing failed of a quota or of a limit.
            return error.code == rusqlite::ErrorCode::DiskFull
                || error.extended_code == rusqlite::ffi::SQLITE_IOERR_WRITE;
        }
        false
    }

    /// Whether the file or its folder may not be written.
    pub fn is_read_only(&self) -> bool {
        use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        if let JournalError::Io { source, .. } = self {
            return matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem);
        }
        #[cfg(feature = "sqlite")]
        if let Some(error) = self.sqlite_error() {
            return error.code == rusqlite::ErrorCode::ReadOnly;
        }
        false
    }
}

#[cfg(feature = "sqlite")]
impl JournalError {
    pub(super) fn sqlite(path: &Path, doing: &'static str, source: rusqlite::Error) -> Self {
        JournalError::Sqlite {
            path: path.to_owned(),
            doing,
            source: source.into(),
        }
    }

    fn sqlite_error(&self) -> Option<&rusqlite::ffi::Error> {
        let JournalError::Sqlite { source, .. } = self else {
            return None;
        };
        source.downcast_ref::<rusqlite::Error>()?.sqlite_error()
    }
}
