//! How a transfer stands as a whole: one account, whoever asks.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cavatica_model::{ExportMode, VolumeId};
use cavatica_transfer::journal::{
    Count, JournalError, Looked, Owner, Tally, TransferFile, is_transfer_head,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::rows::attempts_of_run;
use crate::whole::Whole;

/// How a transfer stands, in the shape that the program prints as JSON.
///
/// `completed + failed + unknown + left` are all files of the plan; those in flight are among the left.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overview {
    /// The transfer's file.
    pub transfer: String,
    /// The name that its user gave it.
    pub label: Option<String>,
    /// Which part of a plan it is, if that was split.
    pub part: Option<PartNumber>,
    /// How it stands as a whole.
    pub state: Standing,
    /// What became of it, if it was split. Then it has no files to count: they are its parts'.
    pub split_into: Option<SplitInto>,
    /// What was asked for, in words.
    pub selection: String,
    /// What becomes of the platform's copies.
    pub mode: ExportMode,
    /// The account that runs it; several are named with commas between them.
    pub account: String,
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
    /// Their bytes, as far as they are known.
    pub completed_bytes: u64,
    /// Files that the platform refused or failed.
    pub failed: u64,
    /// Files of which the outcome can't be known.
    pub unknown: u64,
    /// Files of which somebody said what became of them, because the platform didn't: they are counted above, too.
    pub by_word: u64,
    /// Files that are neither completed, nor failed, nor unknown.
    pub left: u64,
    /// Of those left, files that were sent, or may have been.
    pub in_flight: u64,
    /// Files that the plan left out.
    pub skipped: u64,
    /// When it was planned.
    pub planned_at: Timestamp,
    /// When a run last wrote to it.
    pub last_run: Option<Timestamp>,
    /// Who runs it now.
    pub owner: Option<Owner>,
    /// What the newest looks at the destination saw; `None` if nobody looked.
    pub verified: Option<Seen>,
    /// The counts with their bytes.
    #[serde(skip)]
    pub tally: Tally,
    /// What the looks at the destination saw.
    #[serde(skip)]
    looked: Looked,
    /// Whether a run left anything behind.
    #[serde(skip)]
    has_begun: bool,
}

/// Which part of a plan a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PartNumber {
    /// From 1 on.
    pub number: u64,
    /// How many there are.
    pub of: u64,
}

/// Where the files of a plan are that was split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SplitInto {
    /// How many parts there are.
    pub parts: u64,
    /// The folder that they were put into.
    pub folder: String,
    /// Their files.
    pub files: u64,
    /// Their bytes, as far as they are known.
    pub bytes: u64,
}

impl fmt::Display for SplitInto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SplitInto {
            parts,
            folder,
            files,
            ..
        } = self;
        write!(
            f,
            "its {files} files are those of {parts} parts in `{folder}`, which run in its place"
        )
    }
}

/// What the newest looks at the destination saw of the files that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// When the newest began.
    pub at: Timestamp,
    /// What it looked at.
    pub against: &'static str,
    /// Objects as they were to be.
    pub same: u64,
    /// Of those, objects of which only the key was found right, because a size wasn't told.
    pub by_key_alone: u64,
    /// Objects that aren't there.
    pub missing: u64,
    /// Objects that are there, and aren't what was exported.
    pub differs: u64,
    /// Objects that couldn't be looked at.
    pub unread: u64,
    /// Files that arrived and were not looked at.
    pub not_looked_at: u64,
}

/// How a transfer stands as a whole: the worst that is true of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It was split into parts, which run in its place.
    Split,
    /// A program runs it now.
    Running,
    /// Nothing of it was sent.
    Planned,
    /// Files are left, and nothing runs it.
    Unfinished,
    /// Every file has ended, and of some that arrived the object is missing or another one.
    Differs,
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
            Standing::Split => "split",
            Standing::Running => "running",
            Standing::Planned => "planned",
            Standing::Unfinished => "unfinished",
            Standing::Differs => "differs",
            Standing::Unknown => "unknown",
            Standing::Failed => "failed",
            Standing::Done => "done",
        }
    }

    fn of(tally: &Tally, looked: &Looked, is_running: bool, has_begun: bool) -> Self {
        if is_running {
            Standing::Running
        } else if !has_begun {
            Standing::Planned
        } else if tally.left() > 0 {
            Standing::Unfinished
        } else if looked.wrong() > 0 {
            Standing::Differs
        } else if tally.unknown.files > 0 {
            Standing::Unknown
        } else if tally.failed.files > 0 {
            Standing::Failed
        } else {
            Standing::Done
        }
    }
}

impl Overview {
    /// How one transfer stands, also while it is being run.
    ///
    /// # Errors
    ///
    /// If the transfer can't be read.
    pub fn read(path: &Path) -> Result<Self, JournalError> {
        Overview::of(&TransferFile::open(path)?)
    }

    /// The same of a transfer that is open.
    ///
    /// # Errors
    ///
    /// If the transfer can't be read.
    pub fn of(file: &TransferFile) -> Result<Self, JournalError> {
        let owner = file.owner();
        let split_into = file.split().map(|split| SplitInto {
            parts: split.parts.len() as u64,
            folder: split.folder.clone(),
            files: file.planned().files,
            bytes: file.planned().bytes,
        });
        let (planned, tally) = match split_into {
            None => (file.planned(), tally(file)?),
            Some(_) => Default::default(),
        };
        let (terms, looked) = (file.terms(), file.looked()?);
        let last_run = file.runs()?.iter().map(|run| run.seen).max();
        // A run of a plan without files leaves nothing behind.
        let has_begun = file.has_begun()? || (last_run.is_some() && planned.files == 0);
        let state = match split_into {
            Some(_) => Standing::Split,
            None => Standing::of(&tally, &looked, owner.is_some(), has_begun),
        };
        let part = file.part().map(|part| PartNumber {
            number: part.number,
            of: part.of,
        });
        Ok(Overview {
            transfer: file.path().display().to_string(),
            label: file.label().map(str::to_owned),
            part,
            state,
            split_into,
            selection: file.selection().to_owned(),
            mode: terms.mode,
            account: terms.account.clone(),
            volume: terms.volume.clone(),
            bucket: terms.bucket.clone(),
            files: planned.files,
            bytes: planned.bytes,
            completed: tally.completed.files,
            completed_bytes: tally.completed.bytes,
            failed: tally.failed.files,
            unknown: tally.unknown.files,
            by_word: file.said_by_word()?,
            left: tally.left(),
            in_flight: tally.intended.files + tally.accepted.files,
            skipped: tally.skipped,
            planned_at: file.created(),
            last_run,
            owner,
            verified: Seen::of(&looked, tally.completed),
            tally,
            looked,
            has_begun,
        })
    }

    /// How several stand together; of a single one as it stands.
    ///
    /// # Errors
    ///
    /// If one can't be read.
    pub fn of_whole(whole: &Whole) -> Result<Self, JournalError> {
        let each = whole.transfers().iter().map(Overview::of);
        let mut each: Vec<Overview> = each.collect::<Result<_, _>>()?;
        if each.len() == 1 {
            return Ok(each.remove(0));
        }
        Ok(Overview::sum(whole.name(), each))
    }

    fn sum(name: &str, each: Vec<Overview>) -> Self {
        let all: BTreeSet<&str> = each.iter().map(|one| one.account.as_str()).collect();
        let account = all.into_iter().collect::<Vec<_>>().join(", ");
        let mut each = each.into_iter();
        let first = each.next().expect("one transfer at least");
        let mut sum = each.fold(first, |mut sum, one| {
            sum.label
                .take_if(|label| Some(&*label) != one.label.as_ref());
            if sum.selection != one.selection {
                sum.selection = "several plans".to_owned();
            }
            sum.bucket
                .take_if(|bucket| Some(&*bucket) != one.bucket.as_ref());
            sum.files += one.files;
            sum.bytes += one.bytes;
            sum.by_word += one.by_word;
            sum.planned_at = sum.planned_at.min(one.planned_at);
            sum.last_run = sum.last_run.max(one.last_run);
            sum.owner = sum.owner.or(one.owner);
            sum.tally = sum.tally.plus(&one.tally);
            sum.looked = sum.looked.plus(&one.looked);
            sum.has_begun |= one.has_begun;
            sum
        });
        sum.transfer = name.to_owned();
        sum.account = account;
        sum.part = None;
        sum.state = Standing::of(&sum.tally, &sum.looked, sum.owner.is_some(), sum.has_begun);
        sum.verified = Seen::of(&sum.looked, sum.tally.completed);
        sum.completed = sum.tally.completed.files;
        sum.completed_bytes = sum.tally.completed.bytes;
        sum.failed = sum.tally.failed.files;
        sum.unknown = sum.tally.unknown.files;
        sum.left = sum.tally.left();
        sum.in_flight = sum.tally.intended.files + sum.tally.accepted.files;
        sum.skipped = sum.tally.skipped;
        sum
    }

    /// Objects that aren't there, or aren't what was exported.
    pub fn wrong(&self) -> u64 {
        self.verified
            .as_ref()
            .map_or(0, |seen| seen.missing + seen.differs)
    }
}

fn tally(file: &TransferFile) -> Result<Tally, JournalError> {
    match attempts_of_run(file) {
        Some(most) => file.tally_until(most),
        None => file.tally(),
    }
}

impl Seen {
    fn of(looked: &Looked, completed: Count) -> Option<Self> {
        let (at, against) = looked.newest?;
        Some(Seen {
            at,
            against: against.name(),
            same: looked.same,
            by_key_alone: looked.by_key_alone,
            missing: looked.missing,
            differs: looked.differs,
            unread: looked.unread,
            not_looked_at: completed.files.saturating_sub(looked.files()),
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
