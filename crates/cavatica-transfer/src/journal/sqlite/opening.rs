//! How a transfer is opened to be run.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::JournalError;
use super::header::Header;
use super::reckoning::fingerprint;
use crate::fingerprint::Fingerprint;

/// What a plan is held against before it is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Approval {
    /// Nothing.
    #[default]
    NotAsked,
    /// What was written when it was planned.
    AsPlanned,
    /// This fingerprint, which somebody approved.
    Of(Fingerprint),
    /// This fingerprint over all parts, which somebody approved, of the plan that the transfer is a part of.
    OfWhole(Fingerprint),
}

impl Approval {
    /// Reckons the fingerprint of what would be sent, and refuses another one than was approved.
    pub(super) fn check(
        self,
        path: &Path,
        connection: &Connection,
        header: &Header,
    ) -> Result<(), JournalError> {
        let planned = header.fingerprint;
        if self == Approval::NotAsked {
            return Ok(());
        }
        let found = fingerprint(path, connection)?;
        let path = path.to_owned();
        let as_planned = || match found == planned {
            true => Ok(()),
            false => Err(JournalError::Changed {
                path: path.clone(),
                planned,
                found,
            }),
        };
        match self {
            Approval::NotAsked => Ok(()),
            Approval::AsPlanned => as_planned(),
            Approval::Of(approved) if found == approved => Ok(()),
            // The fingerprints of all parts are in each of them, and its own is among these.
            Approval::OfWhole(approved)
                if header.part.is_some_and(|part| part.whole == approved) =>
            {
                as_planned()
            }
            Approval::Of(_) | Approval::OfWhole(_) => {
                Err(JournalError::NotApproved { path, found })
            }
        }
    }
}

/// How a transfer is opened to be run. The default is [`SqliteJournal::open`](super::SqliteJournal::open).
#[derive(Clone, Debug, Default)]
pub struct Opening {
    pub(super) locks: Option<PathBuf>,
    pub(super) approval: Approval,
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

    /// Holds the plan against what was approved. This is done when the transfer is held already and in one transaction with
    /// the beginning of its run, so that nobody changes it in between. A million files take a second.
    #[must_use]
    pub fn approved(mut self, approval: Approval) -> Self {
        self.approval = approval;
        self
    }
}
