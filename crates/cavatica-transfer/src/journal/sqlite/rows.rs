//! What is read of a transfer, row by row.

use cavatica_exports::model::{ExportId, FileId};
use jiff::Timestamp;

use crate::state::{ItemId, State};
use crate::verify::{Against, Finding, Untold};

/// A planned file with everything that the transfer knows about it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ItemRow {
    /// Its number.
    pub id: ItemId,
    /// The file.
    pub file: FileId,
    /// Where it goes, the transfer's prefix included.
    pub location: String,
    /// Its whole path on the platform, if known.
    pub path: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Its project.
    pub project: Option<String>,
    /// The task that made it.
    pub task: Option<String>,
    /// The app that this task ran, where the plan asked for the task.
    pub app: Option<String>,
    /// The chosen metadata as a JSON object.
    pub metadata: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Why somebody said what became of it, where the platform didn't.
    pub said: Option<String>,
    /// The name of the reason why the plan warned of it.
    pub warned: Option<String>,
    /// How often it was sent.
    pub attempts: u32,
    /// When the intent of its newest attempt was written, just before it was sent.
    pub intended: Option<Timestamp>,
    /// When the platform queued its job.
    pub started: Option<Timestamp>,
    /// When its job ended.
    pub finished: Option<Timestamp>,
    /// What the newest look at the destination saw of it.
    pub verified: Option<Verified>,
}

/// What a look at the destination saw of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// What it came to.
    pub finding: Finding,
    /// When the look began.
    pub at: Timestamp,
    /// What was looked at.
    pub against: Against,
    /// Bytes of the object, if it was there and its size was told; else what was planned.
    pub size: Option<u64>,
    /// Whose size wasn't told, so that an object that was there could be found by its key alone.
    pub size_untold: Option<Untold>,
    /// The newest ETag that was ever seen of it, without quotes.
    pub etag: Option<String>,
}

impl ItemRow {
    /// The job, if one is known.
    pub fn export(&self) -> Option<&ExportId> {
        self.state.export()
    }
}

/// A file that was selected and isn't sent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SkippedRow {
    /// Its number among the skipped.
    pub id: i64,
    /// The file, if its id is known.
    pub file: Option<FileId>,
    /// Its path, or whatever names it.
    pub path: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Its project.
    pub project: Option<String>,
    /// The kind of reason.
    pub kind: String,
    /// The reason in words.
    pub reason: String,
}

/// One run of a transfer: who, when, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunRow {
    /// The host's name.
    pub host: String,
    /// The process id.
    pub process: u32,
    /// The program's version.
    pub version: String,
    /// When it began.
    pub started: Timestamp,
    /// When it last wrote.
    pub seen: Timestamp,
    /// Requests made.
    pub requests: u64,
}
