//! A plan in parts: disjoint transfers of their own, for several accounts or hosts.

mod partition;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

pub use partition::SplitBy;
use partition::partition;

use crate::journal::{
    Approval, FileWeight, JournalError, Opening, Split, TransferFile, seal, stage, sync_folder,
};

/// How a plan is split.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SplitOptions {
    /// How many parts it gets, two at least.
    pub parts: usize,
    /// What they have as much of as each other.
    pub by: SplitBy,
    /// The folder that they are put into, each as `part-NUMBER.transfer`. It must not exist, or be empty.
    pub folder: PathBuf,
}

impl SplitOptions {
    /// So many parts of as many files each, in this folder.
    pub fn new(parts: usize, folder: impl Into<PathBuf>) -> Self {
        SplitOptions {
            parts,
            by: SplitBy::default(),
            folder: folder.into(),
        }
    }
}

/// What a plan was split into, in the shape that the program prints as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SplitReport {
    /// The transfer that was split. It doesn't run any more.
    pub transfer: String,
    /// The folder with the parts.
    pub folder: String,
    /// What a second person approves for all parts.
    pub fingerprint: String,
    /// The parts, by their numbers.
    pub parts: Vec<SplitPart>,
}

/// One part of a plan that was split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SplitPart {
    /// Its transfer.
    pub transfer: String,
    /// What a second person approves for this part alone.
    pub fingerprint: String,
    /// Its files.
    pub files: u64,
    /// Their bytes, as far as they are known.
    pub bytes: u64,
}

/// Why a plan was not split.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// The transfer's file, or the folder of the parts, can't be used; or something was sent already.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Parts aren't split again.
    #[error("transfer `{}` is part {number} of a plan already", path.display())]
    IsPart {
        /// The transfer's file.
        path: PathBuf,
        /// Which part.
        number: u64,
    },
    /// No part may be empty.
    #[error("a plan of {pieces} {what} can't be split into {parts} parts")]
    TooFew {
        /// How many files, or folders, there are.
        pieces: usize,
        /// `files` or `folders`.
        what: &'static str,
        /// How many parts were asked for.
        parts: usize,
    },
}

/// Splits a planned transfer of which nothing was sent into parts. The parts are disjoint and together the plan; each is a
/// transfer of its own, and the plan itself runs no more.
///
/// The folder of the parts appears when all of them are whole and the plan is marked. Where an earlier attempt died after
/// the mark, this one finishes it.
///
/// # Errors
///
/// [`SplitError`]; then there is no part, unless the plan was marked: the same call goes on from there.
pub fn split(
    path: &Path,
    opening: &Opening,
    options: &SplitOptions,
    now: Timestamp,
) -> Result<SplitReport, SplitError> {
    let whole = TransferFile::open(path)?;
    if let Some(part) = whole.part() {
        return Err(SplitError::IsPart {
            path: path.to_owned(),
            number: part.number,
        });
    }
    // Its name says whose it is: nobody else's is touched.
    let mut staging = options.folder.clone().into_os_string();
    staging.push(format!(".{}.unfinished", whole.id()));
    let staging = PathBuf::from(staging);
    if let Some(split) = whole.split() {
        if !staging.is_dir() {
            return Err(split.error(path).into());
        }
        show(split, &staging, &options.folder)?;
        return Ok(report(path, split, &options.folder));
    }
    if fs::read_dir(&options.folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(JournalError::Exists {
            path: options.folder.clone(),
        }
        .into());
    }
    let mut journal = opening
        .clone()
        .approved(Approval::AsPlanned)
        .open(path, now)?;
    journal.must_not_have_begun()?;
    let (items, weights) = journal.weights()?;
    let Some(ranges) = partition(&weights, options.parts, options.by) else {
        return Err(too_few(&weights, options));
    };
    let staged = Staging::make(staging)?;
    let mut parts = Vec::with_capacity(ranges.len());
    for range in ranges {
        let behind = items.get(range.end).copied();
        let behind = behind.unwrap_or(crate::state::ItemId(i64::MAX));
        let name = staged.path.join(file_name(parts.len() + 1));
        let ids = items[range.start]..behind;
        parts.push(stage(&name, &whole, &ids, parts.is_empty())?);
    }
    // Once the plan is marked, the parts are all that there is.
    sync_folder(&staged.path).map_err(cant(&staged.path, "brought to the disk"))?;
    let split = Split {
        parts,
        folder: std::path::absolute(&options.folder)
            .unwrap_or_else(|_| options.folder.clone())
            .display()
            .to_string(),
    };
    journal.mark_split(&split)?;
    show(&split, &staged.keep(), &options.folder)?;
    Ok(report(path, &split, &options.folder))
}

fn file_name(number: usize) -> String {
    format!("part-{number}.transfer")
}

fn too_few(weights: &[FileWeight], options: &SplitOptions) -> SplitError {
    let (pieces, what) = match options.by {
        SplitBy::Files | SplitBy::Bytes => (weights.len(), "files"),
        SplitBy::Folder => (partition::folders(weights), "folders"),
    };
    SplitError::TooFew {
        pieces,
        what,
        parts: options.parts,
    }
}

/// The folder of the parts while they are written. It is removed again unless it is kept.
struct Staging {
    path: PathBuf,
}

impl Staging {
    /// Makes it anew: what an attempt left behind that died before the plan was marked is worth nothing.
    fn make(path: PathBuf) -> Result<Self, JournalError> {
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(cant(&path, "removed")(error));
            }
            Ok(()) | Err(_) => {}
        }
        fs::create_dir(&path).map_err(cant(&path, "made"))?;
        Ok(Staging { path })
    }

    fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.path)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.path != Path::new("") {
            // Nothing more can be done about it. The next attempt removes it.
            fs::remove_dir_all(&self.path).ok();
        }
    }
}

/// Makes the parts transfers, and gives their folder its name.
fn show(split: &Split, staging: &Path, folder: &Path) -> Result<(), JournalError> {
    for number in 1..=split.parts.len() {
        seal(&staging.join(file_name(number)), number, split)?;
    }
    // A folder that isn't empty is never replaced.
    fs::rename(staging, folder).map_err(cant(folder, "made"))?;
    sync_folder(folder).map_err(cant(folder, "brought to the disk"))
}

fn cant(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io {
        path,
        doing,
        source,
    }
}

fn report(path: &Path, split: &Split, folder: &Path) -> SplitReport {
    let parts = split.parts.iter().enumerate();
    SplitReport {
        transfer: path.display().to_string(),
        folder: folder.display().to_string(),
        fingerprint: split.fingerprint().to_string(),
        parts: parts
            .map(|(index, part)| SplitPart {
                transfer: folder.join(file_name(index + 1)).display().to_string(),
                fingerprint: part.fingerprint.to_string(),
                files: part.files,
                bytes: part.bytes,
            })
            .collect(),
    }
}
