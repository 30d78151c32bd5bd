//! How a transfer is opened to be run.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{JournalError, SqliteJournal};

/// How a transfer is opened to be run. The default is [`SqliteJournal::open`].
#[derive(Clone, Debug, Default)]
pub struct Opening {
    pub(super) locks: Option<PathBuf>,
}

impl Opening {
    /// Keeps locks by the transfers' ids in this folder too, which is made if it isn't there. So a copy of a transfer isn't
    /// run beside it, wherever on this machine it lies. Without such a folder only other names of the same file are
    /// noticed.
    #[must_use]
    pub fn locks_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.locks = Some(folder.into());
        self
    }

    /// Opens a planned transfer to run it.
    ///
    /// # Errors
    ///
    /// As for [`SqliteJournal::open`].
    pub fn open(
        &self,
        path: &Path,
        endpoint: &str,
        account: &str,
        now: Timestamp,
    ) -> Result<SqliteJournal, JournalError> {
        SqliteJournal::open_as(self, path, endpoint, account, now)
    }
}
