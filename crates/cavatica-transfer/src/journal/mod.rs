//! The transfer's memory: what was planned, what we were about to do, what came back.
//!
//! A plan is written ([`Draft`]) and read ([`TransferFile`]) as one file, `T.transfer`, whose terms and files never change
//! once it is finished. Running knows nothing of files: it goes through [`Journal`] alone, and [`SqliteJournal`] keeps
//! that in the same file. Nothing outside of this module knows SQL.
//!
//! # Another journal
//!
//! Several hosts or accounts that share a transfer need a journal on a server. It implements [`Journal`], takes the planned
//! files over from the file's own journal ([`Journal::items`]), and is handed to [`run`](crate::run()). A test does so with
//! one in memory.
//!
//! # Locking
//!
//! One program at a time may run a transfer. It holds the operating system's locks, which the system itself releases when
//! the program dies, however it dies:
//!
//! * on one byte of the transfer itself, so that another name of the same file (a link, a deleted lock file) lets nobody in.
//!   Linux only; it lies outside of what SQLite locks, and no handle that is closed releases it;
//! * on `T.transfer.lock`, which says who holds it and keeps older programs out;
//! * on a file named by the transfer's id in a folder of the user's ([`Opening::locks_in`]), so that a copy on the same
//!   machine lets nobody in.
//!
//! Where a file system has no such locks the journal says so ([`SqliteJournal::unguarded`]) and goes on. A look at the
//! destination ([`Verification`]) writes what it saw and holds the first two: what it compares with must not change
//! meanwhile. Others may read the transfer at any time, and ask who holds it without taking any lock.
//!
//! Locks may fail, and files may be put back from a backup. So each run has a number, and the newest must be its own with
//! every commit and again before anything is sent ([`Journal::still_mine`]); so must the file of that name.
//!
//! # Trust
//!
//! A transfer is data, whoever it comes from. Its tables must be exactly those that the migrations make, so that nothing in
//! it runs (no trigger, no view) or stands for something else; SQLite is told to run nothing all the same. What it counts
//! is checked, and never decides how much memory is taken. Only regular files are opened, and nothing beside them is
//! written through a link.
//!
//! # Compatibility
//!
//! The schema's version stands in SQLite's `user_version`; a newer version is refused, an older one is brought up to
//! date in one exclusive transaction. Numbers that stand for states and the like never change their meaning.
//!
//! # Filesystems
//!
//! Home folders are network mounts: no write-ahead log (it needs shared memory), a rollback journal instead. While nothing
//! writes, the transfer is this one file and can be copied. What a commit wrote survives the loss of power: the folder is
//! synced after the rollback journal is deleted (`synchronous=EXTRA`), or the journal could come back and undo an intent
//! that was sent. Truncating the journal instead would cost as many syncs, and leave a second file behind.
//!
//! A plan is written as `T.transfer.unfinished` and gets its name when it is whole and on the disk. A file system without
//! locks is refused then already: no run would be kept out of another's way.
//!
//! # Performance
//!
//! One commit for a few bulk calls, together with the answers to those before them. A commit is five syncs: two of the
//! rollback journal, one of the transfer, two of the folder. A million files take under 300 MB;
//! locations are kept without the transfer's prefix, ids of 24 hex digits as 12 bytes, repeated texts once.

mod error;
mod folder;
mod owner;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tally;
mod terms;

pub use error::JournalError;
pub use folder::{Folder, FolderId, FolderSize};
pub use owner::Owner;
#[cfg(feature = "sqlite")]
pub use sqlite::*;
pub use tally::{Count, Tally};
pub use terms::{Overwrite, Terms};

use std::ops::Range;

use cavatica_exports::transport::Guard;

use cavatica_exports::model::{ExportId, ExportProperties, FileId, Location, Tri};
use jiff::Timestamp;

use crate::observe::Habits;
use crate::state::{Failure, ItemId, State, Step};

/// A file as it is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Its number.
    pub id: ItemId,
    /// The file.
    pub file: FileId,
    /// Where it goes, the transfer's prefix included.
    pub location: Location,
    /// Bytes, if the platform told.
    pub size: Option<u64>,
    /// Whether an object that is already there may be deleted.
    pub overwrite: Overwrite,
    /// What to ask of S3.
    pub properties: Tri<ExportProperties>,
    /// How often it was sent, this time included once it is intended.
    pub attempt: u32,
    /// The folder that it lies in, if the plan knows.
    pub folder: Option<FolderId>,
}

/// The number of an intent: one bulk call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IntentId(pub i64);

/// Files that are about to be sent in one call. It is on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// Its number.
    pub id: IntentId,
    /// When it was written, on the platform's clock as far as that was known.
    pub at: Timestamp,
    /// The files, at least one.
    pub items: Vec<Item>,
}

/// Which files to send next.
#[derive(Clone, Copy, Debug)]
pub enum Pick<'a> {
    /// Up to so many that no intent ever named, in the order of the plan.
    Fresh(usize),
    /// Exactly these; each must be planned.
    These(&'a [ItemId]),
}

/// One file's step, to be recorded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The file.
    pub item: ItemId,
    /// What happened.
    pub step: Step,
    /// When the platform queued its job, if it told.
    pub started: Option<Timestamp>,
    /// When its job ended, if it told.
    pub finished: Option<Timestamp>,
}

impl Change {
    /// A step without times.
    pub fn new(item: ItemId, step: Step) -> Self {
        Change {
            item,
            step,
            started: None,
            finished: None,
        }
    }
}

/// A file whose step was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The file.
    pub item: ItemId,
    /// Where it stood.
    pub before: State,
    /// Where it stands.
    pub after: State,
    /// Its bytes; 0 if unknown.
    pub size: u64,
    /// How often it was sent.
    pub attempt: u32,
}

/// A file of which it isn't known whether the platform took it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The file as it was sent.
    pub item: Item,
    /// The call that it was part of.
    pub call: IntentId,
    /// When the intent was written, on the platform's clock as far as that was known.
    pub at: Timestamp,
}

/// What the platform said of the beginning of a job of ours, and when we sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSample {
    /// When the job was queued, as the platform tells.
    pub started: Timestamp,
    /// When its intent was written, on the platform's clock as far as that was known.
    pub sent: Timestamp,
}

/// A file that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The file as it would be sent.
    pub item: Item,
    /// Its job, if there was one.
    pub export: Option<ExportId>,
    /// What the platform said.
    pub failure: Failure,
}

/// What the platform does with the sources of copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copying {
    /// Nobody has seen it.
    Untried,
    /// It keeps them.
    KeepsSource,
    /// It ignores that they are to be kept.
    MovesSource,
}

/// An accepted file, as far as following needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct AcceptedItem {
    /// Its number.
    pub id: ItemId,
    /// The file.
    pub file: FileId,
    /// The folder that it lies in, if the plan knows.
    pub folder: Option<FolderId>,
    /// How often it was sent.
    pub attempt: u32,
    /// Its job.
    pub export: ExportId,
}

/// A file that is neither at its start nor at its end, as found when a run begins.
#[derive(Clone, Debug, PartialEq)]
pub enum OpenItem {
    /// Sent, or not: nobody knows yet.
    Intended(Box<Sent>),
    /// Its job isn't known to have ended.
    Accepted(AcceptedItem),
    /// Nobody knew at the end of the last run. With the job, if one is known.
    Unknown(Box<Sent>, Option<ExportId>),
    /// It came back, or was set aside: to be sent.
    Again(ItemId),
    /// It failed in a way that passes by waiting, this many attempts ago.
    Transient(ItemId, u32),
}

impl OpenItem {
    /// Its number.
    pub fn id(&self) -> ItemId {
        match self {
            OpenItem::Intended(sent) | OpenItem::Unknown(sent, _) => sent.item.id,
            OpenItem::Accepted(item) => item.id,
            OpenItem::Again(id) | OpenItem::Transient(id, _) => *id,
        }
    }
}

/// What the engine needs of a transfer's memory.
///
/// What is written takes effect with [`commit`](Self::commit), all of it or nothing. Until then it is seen by this journal
/// alone, and an error undoes it. The engine commits before it sends, and else once a second, because it is the syncs that
/// cost.
///
/// A second kind of journal, shared by several hosts, has to keep the same promises; above all that
/// [`intend`](Self::intend) gives a file to one caller only. What it may do without has a body here, and so has whatever is added
/// later; nothing has that *exactly once* rests on.
pub trait Journal: Send {
    /// What the transfer is.
    fn terms(&self) -> &Terms;

    /// How many files stand where.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn tally(&mut self) -> Result<Tally, JournalError>;

    /// The files behind a given one that are neither at their start nor at their end: some of them, in the order of the plan, so
    /// that not all have to be in memory at once. None behind the last.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn open_items(&mut self, after: Option<ItemId>) -> Result<Vec<OpenItem>, JournalError>;

    /// Takes files that may be sent and writes the intent to send them; [`commit`](Self::commit) hands it out. Answers how
    /// many there are: none if no file is left.
    ///
    /// # Errors
    ///
    /// If the journal can't be read or written; then no file is taken.
    fn intend(&mut self, pick: Pick<'_>, at: Timestamp) -> Result<Count, JournalError>;

    /// Records answers and observations, all or none. Answers where the files stand now, in the order of the changes.
    ///
    /// # Errors
    ///
    /// [`JournalError::Illegal`] if a file can't take its step from where it stands, and everything that can go wrong with
    /// writing; then nothing is recorded.
    fn record(&mut self, changes: Vec<Change>) -> Result<Vec<Changed>, JournalError>;

    /// Whether there is nothing to commit: not even a transaction that was begun and wrote nothing.
    fn is_saved(&self) -> bool;

    /// Brings to disk what was written since the last commit, and hands out the intents among it: what may be sent from now
    /// on.
    ///
    /// When this returns, they survive the death of the program and of the machine.
    ///
    /// # Errors
    ///
    /// If they can't be brought to disk, for instance because it is full; then nothing may be sent, and what was written
    /// since the last commit is undone.
    fn commit(&mut self) -> Result<Vec<Intent>, JournalError>;

    /// Checks that no other run has taken the transfer over, by a fresh read. It is cheap, and asked with every commit and
    /// once more immediately before the bytes of a start go out.
    ///
    /// # Errors
    ///
    /// [`JournalError::Superseded`] or [`JournalError::Replaced`]; then nothing more may be sent.
    fn still_mine(&mut self) -> Result<(), JournalError>;

    /// What says, immediately before the bytes of a start leave, whether they may: as [`still_mine`](Self::still_mine), from
    /// wherever they leave. `None` where nobody else can take the transfer over.
    fn guard(&self) -> Option<Guard>;

    /// The files with these numbers, in the same order.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn items(&mut self, ids: &[ItemId]) -> Result<Vec<Item>, JournalError>;

    /// A folder that files of the plan lie in; `None` if there is none of that number. A journal that knows no folders has its
    /// files followed by their ids, with more requests.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn folder(&mut self, _: FolderId) -> Result<Option<Folder>, JournalError> {
        Ok(None)
    }

    /// The jobs of this file's earlier attempts.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn known_exports(&mut self, item: ItemId) -> Result<Vec<ExportId>, JournalError>;

    /// Whether the plan warned that this file is likely to be refused.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn is_warned(&mut self, item: ItemId) -> Result<bool, JournalError>;

    /// Up to a hundred failed files behind a given one, in the order of the plan.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn failed(&mut self, after: Option<ItemId>) -> Result<Vec<Failed>, JournalError>;

    /// Lets these files overwrite again, if the plan lets them, though a sending of theirs was lost.
    ///
    /// # Errors
    ///
    /// If the journal can't be written.
    fn allow_overwrite(&mut self, ids: &[ItemId]) -> Result<(), JournalError>;

    /// When the transfer was planned, on the clock of the machine that planned it.
    fn planned_at(&self) -> Timestamp;

    /// Keeps those of these files that are planned from being [fresh](Pick::Fresh) any longer: they aren't sent before
    /// they are named. Answers which.
    ///
    /// # Errors
    ///
    /// If the journal can't be read or written.
    fn set_aside(&mut self, ids: &[ItemId]) -> Result<Vec<ItemId>, JournalError>;

    /// The smallest file that is [fresh](Pick::Fresh), as far as sizes are known: it is the first where one goes alone. A
    /// journal that doesn't know keeps to the order of the plan.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn smallest_fresh(&mut self) -> Result<Option<ItemId>, JournalError> {
        Ok(None)
    }

    /// Which of these files the transfer plans, with their numbers there.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn planned_items(&mut self, files: &[FileId]) -> Result<Vec<(FileId, ItemId)>, JournalError>;

    /// The jobs of this transfer whose intents were written at these moments.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn known_jobs(
        &mut self,
        sent: Range<Timestamp>,
        each: &mut dyn FnMut(&str),
    ) -> Result<(), JournalError>;

    /// What some of the newest jobs say of the platform's clock. A journal that keeps no times has none.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn clock_samples(&mut self) -> Result<Vec<ClockSample>, JournalError> {
        Ok(Vec::new())
    }

    /// What the platform was seen to do with the sources of copies.
    fn copying(&self) -> Copying;

    /// Remembers what the platform does with the sources of copies.
    ///
    /// # Errors
    ///
    /// If the journal can't be written.
    fn note_copying(&mut self, copying: Copying) -> Result<(), JournalError>;

    /// What runs before this one, and looks at the destination, saw of the platform.
    ///
    /// # Errors
    ///
    /// If the journal can't be read.
    fn observations(&mut self) -> Result<Habits, JournalError>;

    /// Keeps what was seen of the platform so far, in the place of what was seen before.
    ///
    /// # Errors
    ///
    /// If the journal can't be written.
    fn note_observations(&mut self, seen: &Habits) -> Result<(), JournalError>;

    /// Notes the requests that this run made so far, how many five minutes allow, and that the run is still there: for whoever
    /// looks on. A journal that nobody looks at does nothing.
    ///
    /// # Errors
    ///
    /// If the journal can't be written.
    fn note_requests(&mut self, _: u64, _: u64, _: Timestamp) -> Result<(), JournalError> {
        Ok(())
    }
}
