//! What is rehearsed, in which scenes, and what comes of it.

use std::time::Duration;

use cavatica_exports::ListError;
use cavatica_exports::model::destination::{LocationError, Prefix};
use cavatica_exports::model::finding::Rejected;
use cavatica_exports::model::{ExportId, ExportMode, FileId, Location, Volume, VolumeId};
use cavatica_exports::transport::Error;
use tokio::time::Instant;

use crate::observe::{Habits, OpenQuestion};

/// So many requests are enough for all steps, unless jobs are slow.
pub const MOST_REQUESTS: u64 = 30;

/// The questions that one file can answer. The others show in runs, and some in nothing but a test of the vendor's.
pub const REHEARSED: &[OpenQuestion] = &[
    OpenQuestion::StartStatus,
    OpenQuestion::CopyOnly,
    OpenQuestion::ListOrder,
    OpenQuestion::ListDelay,
    OpenQuestion::ObjectMetadata,
    OpenQuestion::ScrollPage,
    OpenQuestion::NotExportable,
    OpenQuestion::Occupied,
    OpenQuestion::FailedJob,
    OpenQuestion::ResetUnit,
    OpenQuestion::JobNames,
    OpenQuestion::JobState,
    OpenQuestion::JobTimes,
    OpenQuestion::AliasLocation,
    OpenQuestion::AliasDelay,
];

/// What is rehearsed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rehearsal {
    /// A file that can be spared.
    pub file: FileId,
    /// Where it goes.
    pub volume: VolumeId,
    /// The folder that the objects are put into; it should be empty.
    pub folder: Prefix,
    /// Whether the file is moved in the end.
    pub mode: ExportMode,
    /// The first wait for a job; each is three times as long as the one before. Two seconds unless set.
    pub first_wait: Duration,
    /// How many requests it may make; [`MOST_REQUESTS`] unless set.
    pub most_requests: u64,
}

impl Rehearsal {
    /// A rehearsal with this file, in this folder of the volume.
    pub fn new(file: FileId, volume: VolumeId, folder: Prefix, mode: ExportMode) -> Self {
        Rehearsal {
            file,
            volume,
            folder,
            mode,
            first_wait: Duration::from_secs(2),
            most_requests: MOST_REQUESTS,
        }
    }
}

/// A scene of a rehearsal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scene {
    /// Reads the account, the file and the volume, and whether the platform lets the one be exported to the other.
    Look,
    /// Asks for a thousand entries of the file's folder.
    Scroll,
    /// Copies the file.
    Copy,
    /// Copies it once more to the same place, without leave to overwrite.
    CopyAgain,
    /// Moves the file.
    Move,
    /// Exports the alias that it became, which the platform has to refuse.
    ExportAlias,
}

impl Scene {
    /// The scenes of a rehearsal, in their order.
    pub fn of(mode: ExportMode) -> &'static [Scene] {
        let all = &[
            Scene::Look,
            Scene::Scroll,
            Scene::Copy,
            Scene::CopyAgain,
            Scene::Move,
            Scene::ExportAlias,
        ];
        match mode {
            ExportMode::Copy => &all[..4],
            ExportMode::Move => all,
        }
    }

    /// What it does, in words.
    pub fn words(self) -> &'static str {
        match self {
            Scene::Look => "read the account, the file and the volume",
            Scene::Scroll => "ask for a thousand entries of the file's folder",
            Scene::Copy => "copy the file, and follow its job",
            Scene::CopyAgain => "copy it to the same place again, which has to fail",
            Scene::Move => "move the file, and follow its job",
            Scene::ExportAlias => "export its alias, which has to fail",
        }
    }
}

/// Something that a rehearsal left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// An object on the volume.
    Object(Location),
    /// There may be an object: the answer to its export was lost, or its job hasn't ended.
    PerhapsObject(Location),
    /// The file is an alias of this object now: whoever deletes the object deletes the file's only copy.
    OnlyCopy(Location),
}

/// What a rehearsal came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rehearsed {
    /// What was seen.
    pub seen: Habits,
    /// Whose token it was played with.
    pub account: Option<String>,
    /// The volume, if it was read.
    pub volume: Option<Volume>,
    /// What it left behind.
    pub left: Vec<Left>,
    /// Requests made.
    pub requests: u64,
    /// Why it ended before its last scene, if it did.
    pub halt: Option<Halt>,
}

/// Why a rehearsal went no further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Halt {
    /// Somebody asked to stop.
    #[error("it was stopped")]
    Stopped,
    /// It has made as many requests as it may.
    #[error("it has made all requests that it may")]
    OutOfRequests,
    /// The file can't be exported to the volume.
    #[error("the file can't be exported to the volume")]
    Rejected(#[source] Rejected),
    /// There is no room for a location in the folder.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// A job hasn't ended.
    #[error("job {export} takes longer than a rehearsal waits")]
    Unended {
        /// The job.
        export: ExportId,
    },
    /// The export that had to succeed failed.
    #[error("the export failed{}: {message}", .code.map_or_else(String::new, |code| format!(" with {code}")))]
    Failed {
        /// The platform's code.
        code: Option<i64>,
        /// What it said.
        message: String,
    },
    /// A bulk answer says nothing of its only item.
    #[error("the answer doesn't say what became of the export")]
    Unsaid,
    /// The file is no alias after its move has completed.
    #[error("the job of the move has completed, but the file is no alias")]
    NotMoved,
    /// A request failed.
    #[error("a request failed")]
    Call(#[from] Error),
    /// A list can't be read.
    #[error("a list can't be read")]
    List(#[from] ListError),
}

/// A job that a list didn't show.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotListed {
    pub(super) accepted: Instant,
}
