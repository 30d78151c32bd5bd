//! The journal in one SQLite file. Nothing outside of this module knows SQL.

mod by_file;
mod codec;
mod connection;
mod draft;
mod fence;
mod folders;
mod handle;
mod header;
mod held;
mod history;
mod inode;
mod job_list;
mod keys;
mod lock;
mod names;
mod observed;
mod open;
mod opening;
mod part;
mod planned_rows;
mod portion;
mod read;
mod reckoning;
mod regular;
mod rows;
mod schema;
mod seen_files;
mod seen_folders;
mod splitting;
mod steps;
mod troubled;
mod unfinished;
mod verification;
mod words;

pub use draft::{Draft, PlannedFile, SkippedFile};
pub use held::SqliteJournal;
pub use history::{Pulse, SkippedKind};
pub(crate) use job_list::{JobList, Listed, PlannedPlaces};
pub use lock::Unguarded;
pub use opening::{Approval, Opening};
pub use part::{Part, PartOfPlan, Split};
pub use read::TransferFile;
pub use rows::{ItemRow, RunRow, SkippedRow, Verified};
pub use schema::is_transfer_head;
pub(crate) use seen_files::SeenFiles;
pub(crate) use splitting::{FileWeight, seal, stage};
pub use troubled::{Looked, TroubledItem};
pub(crate) use unfinished::sync_folder;
pub use verification::Verification;

use header::TransferId;

// What every journal speaks of.
use super::{
    AcceptedItem, Change, Changed, ClockSample, Copying, Count, Failed, Folder, FolderId, Intent,
    IntentId, Item, Journal, JournalError, OpenItem, Overwrite, Owner, Pick, Sent, Tally, Terms,
    folder, owner,
};
