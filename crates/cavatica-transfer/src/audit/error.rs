//! Why nothing was audited.

use std::path::PathBuf;

use cavatica_exports::ListError;
use cavatica_exports::transport::Error;

use crate::journal::{JournalError, Owner};

/// Why nothing was audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The transfer's file can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The platform refuses, or can't be reached.
    #[error(transparent)]
    Call(#[from] Error),
    /// The list can't be read on.
    #[error(transparent)]
    List(#[from] ListError),
    /// A run holds the transfer.
    #[error("transfer `{}` is being run by {owner}: its journal changes while it would be compared", path.display())]
    Running {
        /// The transfer's file.
        path: PathBuf,
        /// Who runs it.
        owner: Owner,
    },
    /// A run began while the list was read.
    #[error("transfer `{}` was run while the list of jobs was read: what was read is out of date", path.display())]
    RunMeanwhile {
        /// The transfer's file.
        path: PathBuf,
    },
    /// Another audit of the same transfer is under way.
    #[error("transfer `{}` is being audited by another program", path.display())]
    Audited {
        /// The transfer's file.
        path: PathBuf,
    },
    /// Somebody asked to stop. What was read is kept.
    #[error("interrupted: {jobs} of {} export jobs were read", total.map_or_else(|| "the".to_owned(), |total| total.to_string()))]
    Interrupted {
        /// How many different jobs came.
        jobs: u64,
        /// How many the list has.
        total: Option<u64>,
    },
}
