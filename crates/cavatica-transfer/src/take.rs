//! A transfer that another account is to run: what that account may do, looked at before it is that account's for ever.

use std::path::{Path, PathBuf};

use cavatica_exports::Cavatica;
use cavatica_exports::model::finding::Objection;
use cavatica_exports::model::{FileId, VolumeId};
use cavatica_exports::transport::{Client, Error};
use serde::Serialize;

use crate::journal::{JournalError, TransferFile};
use crate::plan::read_files;
use crate::run::{VolumeDifference, changes_of, what_changed};

/// How many files of each project are read. Rights are given by the project.
///
/// Source: <https://docs.cavatica.org/docs/set-permissions>.
const OF_EACH_PROJECT: u64 = 100;

/// What an account found of a transfer that it may take, in the shape that the program prints as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TakeReport {
    /// The transfer's file.
    pub transfer: String,
    /// The account that may take it.
    pub account: String,
    /// The account that it was planned with.
    pub planned_by: String,
    /// The volume that it goes to.
    pub volume: VolumeId,
    /// All files of the transfer.
    pub files: u64,
    /// How many of them were read.
    pub looked_at: u64,
}

/// Why an account can't take a transfer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError {
    /// The transfer's file can't be used; or something was sent, or another account took it.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The platform refuses, or can't be reached.
    #[error(transparent)]
    Call(#[from] Error),
    /// There is nothing to take.
    #[error("transfer `{}` is of account {account} already", path.display())]
    IsYours {
        /// The transfer's file.
        path: PathBuf,
        /// The account.
        account: String,
    },
    /// The volume is another one for this account, or takes no exports.
    #[error("volume {volume} {}", what_changed(.changes, .objections))]
    Volume {
        /// The volume.
        volume: VolumeId,
        /// What is different.
        changes: Vec<VolumeDifference>,
        /// What speaks against exporting to it.
        objections: Vec<Objection>,
    },
    /// The account may not export to the volume.
    #[error("account {account} may not write to volume {volume}")]
    NoWritePermission {
        /// The account.
        account: String,
        /// The volume.
        volume: VolumeId,
    },
    /// The account can't read files of the transfer.
    #[error("account {account} can't read {} of {looked_at} files that were looked at; the first is {}: {}", .files.len(), .files[0].0, .files[0].1)]
    Unreadable {
        /// The account.
        account: String,
        /// The files with the reason of each; one at least.
        files: Vec<(FileId, String)>,
        /// How many were looked at.
        looked_at: u64,
    },
}

/// Looks whether the client's account may run a transfer that another account planned: whether it may write to the volume,
/// and whether it can read files of each project. Changes nothing.
///
/// # Requests
///
/// Three, and one for each project that files come from; files whose project isn't known are all read, a hundred with one.
///
/// # Errors
///
/// [`TakeError`] with what stands against it.
pub async fn look_before_taking(path: &Path, client: &Client) -> Result<TakeReport, TakeError> {
    let transfer = TransferFile::open(path)?;
    if let Some(split) = transfer.split() {
        return Err(split.error(path).into());
    }
    let terms = transfer.terms();
    terms.must_be_at(path, client.endpoint())?;
    if transfer.has_begun()? {
        return Err(JournalError::Begun {
            path: path.to_owned(),
        }
        .into());
    }
    let platform = Cavatica::new(client.clone());
    let user = platform.account.user().await?.value;
    let account = user.username.into_value().unwrap_or_default();
    if account == terms.account {
        return Err(TakeError::IsYours {
            path: path.to_owned(),
            account,
        });
    }
    let volume = platform.volumes.get(&terms.volume).await?.value;
    let objections = volume.export_findings().objections;
    let changes = changes_of(terms, &volume);
    if !objections.is_empty() || !changes.is_empty() {
        return Err(TakeError::Volume {
            volume: volume.id,
            changes,
            objections,
        });
    }
    if platform.volumes.forbids_exports(&volume.id, &account).await {
        return Err(TakeError::NoWritePermission {
            account,
            volume: volume.id,
        });
    }
    let sample = transfer.sample_of_projects(OF_EACH_PROJECT)?;
    let shown = read_files(&platform, sample.clone()).await?;
    let hidden = sample.iter().filter_map(|file| {
        let reason = shown.get(file).err()?;
        Some((file.clone(), reason.to_owned()))
    });
    let hidden: Vec<(FileId, String)> = hidden.collect();
    let looked_at = sample.len() as u64;
    if !hidden.is_empty() {
        return Err(TakeError::Unreadable {
            account,
            files: hidden,
            looked_at,
        });
    }
    Ok(TakeReport {
        transfer: path.display().to_string(),
        account,
        planned_by: terms.account.clone(),
        volume: volume.id,
        files: transfer.planned().files,
        looked_at,
    })
}
