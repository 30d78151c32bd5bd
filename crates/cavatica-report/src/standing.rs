//! The transfers of a folder, and how each stands.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cavatica_model::{ExportMode, VolumeId};
use jiff::Timestamp;
use serde::Serialize;

use cavatica_transfer::journal::{JournalError, Owner, TransferFile, is_transfer_head};

/// How a transfer stands, in the shape that the program prints as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransferLine {
    /// The transfer's file.
    pub transfer: String,
    /// The name that its user gave it.
    pub label: Option<String>,
    /// How it stands as a whole.
    pub state: Standing,
    /// What was asked for, in words.
    pub selection: String,
    /// What becomes of the platform's copies.
    pub mode: ExportMode,
    /// Where the files go.
    pub volume: VolumeId,
    /// The bucket behind the volume, if the platform told.
    pub bucket: Option<String>,
    /// Files of the plan.
    pub files: u64,
    /// Their bytes, as far as they are known.
    pub bytes: u64,
    /// Files that the platform confirmed.
    pub completed: u64,
    /// Files that the platform refused or failed.
    pub failed: u64,
    /// Files of which the outcome can't be known.
    pub unknown: u64,
    /// Files that are neither completed, nor failed, nor unknown.
    pub left: u64,
    /// Files that the plan left out.
    pub skipped: u64,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// When a run last wrote to it.
    pub last_run: Option<Timestamp>,
    /// Who runs it now.
    pub owner: Option<Owner>,
}

/// How a transfer stands as a whole: the worst that is true of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// A program runs it now.
    Running,
    /// It was never run.
    Planned,
    /// Files are left, and nothing runs it.
    Unfinished,
    /// The outcome of some files isn't known.
    Unknown,
    /// Some files failed.
    Failed,
    /// Every file has arrived.
    Done,
}

impl Standing {
    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Running => "running",
            Standing::Planned => "planned",
            Standing::Unfinished => "unfinished",
            Standing::Unknown => "unknown",
            Standing::Failed => "failed",
            Standing::Done => "done",
        }
    }
}

impl TransferLine {
    /// How one transfer stands, also while it is being run.
    ///
    /// # Errors
    ///
    /// If the transfer can't be read.
    pub fn read(path: &Path) -> Result<Self, JournalError> {
        let file = TransferFile::open(path)?;
        let (terms, tally) = (file.terms(), file.tally()?);
        let last_run = file.runs()?.iter().map(|run| run.seen).max();
        let owner = file.owner();
        let state = if owner.is_some() {
            Standing::Running
        } else if last_run.is_none() {
            Standing::Planned
        } else if tally.left() > 0 {
            Standing::Unfinished
        } else if tally.unknown.files > 0 {
            Standing::Unknown
        } else if tally.failed.files > 0 {
            Standing::Failed
        } else {
            Standing::Done
        };
        Ok(TransferLine {
            transfer: path.display().to_string(),
            label: file.label().map(str::to_owned),
            state,
            selection: file.selection().to_owned(),
            mode: terms.mode,
            volume: terms.volume.clone(),
            bucket: terms.bucket.clone(),
            files: file.planned().files,
            bytes: file.planned().bytes,
            completed: tally.completed.files,
            failed: tally.failed.files,
            unknown: tally.unknown.files,
            left: tally.left(),
            skipped: tally.skipped,
            planned_at: file.created(),
            last_run,
            owner,
        })
    }
}

/// The transfers that lie in a folder, whatever they are called, by name. Folders within it aren't looked into.
///
/// # Errors
///
/// If the folder can't be read.
pub fn transfers_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        // A file that can't be read is none of ours, or belongs to somebody else.
        if path.is_file() && is_transfer(&path).unwrap_or(false) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn is_transfer(path: &Path) -> io::Result<bool> {
    let mut head = Vec::with_capacity(100);
    File::open(path)?.take(100).read_to_end(&mut head)?;
    Ok(is_transfer_head(&head))
}
