//! Sends what a transfer planned, follows it to its end, and takes up what an earlier run left.
//!
//! One loop owns everything: it writes the journal, decides, and starts tasks that each make calls and bring back what
//! came of them. Sending, following and looking up lost answers go on side by side; the journal is written by nobody else.

mod copy_proof;
mod folders;
mod followed;
mod follower;
mod inquiry;
mod outage;
mod poll_schedule;
mod retrying;
mod runner;
mod saving;
mod sender;
mod stop;
mod stream;
mod tasks;
mod way;

#[cfg(feature = "proof")]
pub use inquiry::proof;
pub use retrying::{OverwriteAgain, Retry, UnknownFiles};
pub use runner::run;
pub use stop::Stop;
pub use stream::{RunStream, run_stream};
pub use way::Way;
pub(crate) use way::{LARGEST_PAGE, WORTH_A_COUNT};

use std::time::Duration;

use cavatica_exports::model::finding::Objection;
use cavatica_exports::model::{FileId, Volume, VolumeId};
use cavatica_exports::transport;

use crate::journal::{JournalError, Tally, Terms};
use crate::observe::Belief;

/// How a run behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunOptions {
    /// The most files that this run sends for the first time, to try a few before the rest. They are followed to their end.
    pub limit: Option<u64>,
    /// Sends these failed files again, and nothing else.
    pub retry: Option<Retry>,
    /// Stops sending once this many files have failed for good.
    pub max_errors: Option<u64>,
    /// The most files that are sent and not known to have ended. A bound on what one account queues on the platform; far
    /// above what the limit on requests lets through in an hour of long jobs unless it is set lower.
    pub max_in_flight: usize,
    /// How often one file is sent before a failure that passes by waiting counts for good.
    pub max_attempts: u32,
    /// How long things are waited for.
    pub timing: Timing,
    /// Moves go on although the platform was seen to contradict these beliefs.
    pub despite: Vec<Belief>,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            limit: None,
            retry: None,
            max_errors: None,
            max_in_flight: 100_000,
            max_attempts: 5,
            timing: Timing::default(),
            despite: Vec::new(),
        }
    }
}

/// How long things are waited for. The defaults suit the platform; tests want shorter ones.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Timing {
    /// After an answer was lost: how long the platform gets to carry the request out and list its jobs, before the absence
    /// of a job means anything. It begins when no byte of the request can move any more: after the client's
    /// [`longest_byte_life`](transport::Client::longest_byte_life), or where that isn't known, behind a proxy for instance,
    /// after another time as long as this.
    pub settle: Duration,
    /// The shortest wait between two questions after jobs.
    pub first_poll: Duration,
    /// The longest wait between two questions after jobs.
    pub longest_poll: Duration,
    /// How long a job may show a state that nobody knows, or not show at all; three looks are made in any case.
    pub unclear_job: Duration,
    /// How long to wait before a failed file is sent again; it doubles with every attempt.
    pub retry: Duration,
    /// How long to wait when the platform can't be reached; it doubles up to [`longest_poll`](Self::longest_poll).
    pub pause: Duration,
    /// How long the platform may be out of reach before the run gives up.
    pub patience: Duration,
    /// After a request to stop: how long to wait for answers that are under way.
    pub stop: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            settle: Duration::from_secs(60),
            first_poll: Duration::from_secs(5),
            longest_poll: Duration::from_secs(300),
            unclear_job: Duration::from_secs(1800),
            retry: Duration::from_secs(30),
            pause: Duration::from_secs(5),
            patience: Duration::from_secs(1800),
            stop: Duration::from_secs(10),
        }
    }
}

/// How a run ended, when nothing went wrong with the run itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// There was nothing to do.
    NothingToDo,
    /// Every file that this run was to send, or to follow, has its outcome. More are left only beyond
    /// [`RunOptions::limit`].
    Finished,
    /// Somebody asked to stop; it can be resumed.
    Stopped,
    /// As many files failed as were allowed to; it can be resumed.
    TooManyErrors,
}

/// What a run did.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RunReport {
    /// How it ended.
    pub ending: Ending,
    /// Files whose answers were lost and that were settled by asking the platform.
    pub reconciled: u64,
    /// Requests made.
    pub requests: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// How many files stood where at its end.
    pub tally: Tally,
}

/// What is different about a volume since the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VolumeDifference {
    /// What it is: its bucket, or its prefix.
    pub what: &'static str,
    /// What it was when the transfer was planned.
    pub planned: String,
    /// What it is now.
    pub found: String,
}

/// What is different about a volume since a transfer to it was planned. A bucket that isn't shown now, or wasn't then, can't be
/// compared.
pub(crate) fn changes_of(terms: &Terms, volume: &Volume) -> Vec<VolumeDifference> {
    let (Some(planned), Some(found)) = (&terms.bucket, volume.bucket()) else {
        return Vec::new();
    };
    let pairs = [
        ("bucket", planned.as_str(), found),
        ("prefix", &terms.volume_prefix, volume.prefix()),
    ];
    let different = pairs
        .into_iter()
        .filter(|(_, planned, found)| planned != found);
    let differences = different.map(|(what, planned, found)| VolumeDifference {
        what,
        planned: planned.to_owned(),
        found: found.to_owned(),
    });
    differences.collect()
}

pub(crate) fn what_changed(changes: &[VolumeDifference], objections: &[Objection]) -> String {
    let changes = changes.iter().map(|change| {
        let VolumeDifference {
            what,
            planned,
            found,
        } = change;
        format!("has another {what} than when the transfer was planned: `{found}`, not `{planned}`")
    });
    let objections = objections
        .iter()
        .map(|objection| format!("takes no exports now: {objection}"));
    changes.chain(objections).collect::<Vec<_>>().join("; it ")
}

/// Why a run could not go on. What was sent is in the journal; it can be resumed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The transfer's file can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The platform refuses the account or the volume as a whole.
    #[error("the platform refuses to start exports")]
    Refused(#[source] transport::Error),
    /// The client talks to another endpoint than the transfer was planned for, or its token is another account's.
    #[error("the transfer was planned for {what} `{planned}`, not for `{given}`")]
    OtherTerms {
        /// `endpoint` or `account`.
        what: &'static str,
        /// The one it was planned for.
        planned: String,
        /// The client's.
        given: String,
    },
    /// The platform could not be reached for too long.
    #[error("the platform could not be reached for {} s", patience.as_secs())]
    Unreachable {
        /// How long it was tried.
        patience: Duration,
        /// The last attempt.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The volume isn't what it was when the transfer was planned, or can't take exports now.
    #[error("volume {volume} {}", what_changed(.changes, .objections))]
    VolumeChanged {
        /// The volume.
        volume: VolumeId,
        /// What is different.
        changes: Vec<VolumeDifference>,
        /// What speaks against exporting to it now.
        objections: Vec<Objection>,
    },
    /// The first jobs of a move completed, but their files still lie on the platform, so that nothing can be told of the rest.
    #[error(
        "the job of file {file} completed, but the file still lies on the platform; no further file was sent"
    )]
    NotMoved {
        /// The file.
        file: FileId,
    },
    /// The platform was seen to contradict what *exactly once* rests on. What was sent was followed to its end; the rest of a
    /// move was not sent.
    #[error(
        "{}, which contradicts the belief `{belief}`; {left} files were not sent",
        .belief.seen()
    )]
    Contradicted {
        /// What was believed.
        belief: Belief,
        /// How many files were not sent.
        left: u64,
    },
    /// Copies were asked for, but the platform moved a file.
    #[error(
        "the platform moved {} although it was to be copied; no further file was sent",
        .file.as_ref().map_or_else(|| "a file of this transfer".to_owned(), |file| format!("file {file}"))
    )]
    CopyMoved {
        /// The file; `None` if an earlier run saw it.
        file: Option<FileId>,
    },
}
