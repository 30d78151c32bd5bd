//! What happened, for whoever shows it: a bar, a line now and then, a log. As JSON it holds names and numbers; the sentences
//! beside them are for people, and aren't written.

use std::time::Duration;

use cavatica_exports::model::{ExportId, FileId, Location};
use cavatica_exports::transport::{Error, Outcome};
use jiff::SignedDuration;
use serde::{Serialize, Serializer};

use crate::journal::Tally;
use crate::observe::Belief;
use crate::run::Way;
use crate::state::{Doubt, Failure};

/// What happened during a run, in the past tense.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The transfer was opened. With a tally, so that counts start where the last run ended.
    RunBegan {
        /// How many files stand where.
        tally: Tally,
        /// Whether an earlier run had begun it.
        resumed: bool,
    },
    /// The first copy goes alone: the rest follows once the platform is seen to keep its source.
    CopyGoesAlone,
    /// A bulk call was answered.
    BatchAnswered {
        /// Files in it.
        files: usize,
        /// Accepted files.
        accepted: usize,
        /// Refused files.
        refused: usize,
    },
    /// It isn't known what became of files that were sent; they will be looked up before anything is sent again.
    AnswersLost {
        /// How many files.
        files: usize,
        /// Why.
        reason: Hindrance,
        /// The same in words.
        #[serde(skip)]
        words: String,
    },
    /// The platform will be asked what became of such files, unless that is known before.
    LookDue {
        /// How many files.
        files: usize,
        /// In how long.
        #[serde(rename = "seconds", serialize_with = "in_seconds")]
        wait: Duration,
    },
    /// Files whose answers were lost were found again, or proven absent.
    Reconciled {
        /// Found on the platform: they are not sent again.
        found: usize,
        /// Proven absent: they are sent again.
        absent: usize,
        /// It can't be known.
        unknown: usize,
    },
    /// Files reached their destination, as the platform confirmed.
    FilesCompleted {
        /// How many.
        files: usize,
        /// Their bytes.
        bytes: u64,
    },
    /// A file failed.
    FileFailed {
        /// The file.
        #[serde(rename = "file_id")]
        file: FileId,
        /// Where it was to go.
        location: Location,
        /// Its job, if there was one.
        #[serde(rename = "export_id")]
        export: Option<ExportId>,
        /// What the platform said.
        #[serde(flatten)]
        failure: Failure,
        /// Whether it will be tried again by itself.
        #[serde(serialize_with = "is_later")]
        again: Again,
    },
    /// The outcome of a file can't be known from here.
    FileUnclear {
        /// The file.
        #[serde(rename = "file_id")]
        file: FileId,
        /// Where it was to go.
        location: Location,
        /// Why.
        reason: Doubt,
    },
    /// The volume could not be compared with the one that was planned for: the account may not see it.
    VolumeUnseen {
        /// Why, in words.
        #[serde(skip)]
        words: String,
    },
    /// The platform's clock and ours are far apart.
    ClocksDiffer {
        /// How far the platform's clock is ahead.
        #[serde(rename = "platform_ahead_s", serialize_with = "in_whole_seconds")]
        ahead: SignedDuration,
    },
    /// Somebody else's jobs of files that this transfer plans are under way: these files wait for the end of those jobs.
    FilesHeld {
        /// How many files.
        files: usize,
    },
    /// Failed files were read again, and are sent again.
    FilesRetried {
        /// How many files.
        files: usize,
    },
    /// A job was listed later than the settling time: that is longer from now on.
    SettlingLengthened {
        /// How long it is now.
        #[serde(rename = "seconds", serialize_with = "in_seconds")]
        settle: Duration,
    },
    /// The platform was seen to contradict what *exactly once* rests on.
    BeliefContradicted {
        /// What was believed.
        #[serde(serialize_with = "by_name")]
        belief: Belief,
    },
    /// The platform was asked how many jobs are unfinished.
    Counted {
        /// Unfinished jobs on the volume, all of the account's.
        unfinished: u64,
        /// Ours that are not known to have ended.
        in_flight: usize,
    },
    /// It was decided how the files of a folder are followed.
    FolderFollowed(FolderDecision),
    /// The platform kept the source of the first copy, so the rest may follow.
    CopyProven,
    /// The platform can't be reached, or is being maintained.
    Paused {
        /// Why.
        reason: Hindrance,
        /// The same in words.
        #[serde(skip)]
        words: String,
        /// For how long.
        #[serde(rename = "seconds", serialize_with = "in_seconds")]
        pause: Duration,
    },
    /// No more files are sent.
    SendingStopped {
        /// Why.
        reason: StopReason,
    },
    /// How many files stand where, after any change.
    Tallied {
        /// The counts.
        tally: Tally,
        /// Of the failed files, those that the run tries again by itself.
        again: u64,
    },
}

/// How the moved files of a folder are followed, and by what it was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FolderDecision {
    /// The folder.
    #[serde(rename = "folder_id")]
    pub folder: FileId,
    /// How many files of the plan lie in it.
    pub planned: u64,
    /// How many entries it had when it was planned, if it was listed.
    pub entries: Option<u64>,
    /// How its files are read.
    #[serde(flatten)]
    pub way: Way,
}

/// Whether a failed file is tried again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It is, after a while.
    Later,
    /// It isn't.
    No,
}

/// What keeps a run from the platform, or took an answer away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Hindrance {
    /// There is no way to the platform: nothing was sent.
    Unreachable,
    /// No answer came, or none that can be read.
    NoAnswer,
    /// An answer came that doesn't say what became of each file.
    AnswerIncomplete,
    /// The limit on requests was met.
    Throttled,
    /// The platform is under maintenance.
    Maintenance,
    /// The platform said no.
    Refused,
}

impl From<&Error> for Hindrance {
    fn from(error: &Error) -> Self {
        match error.outcome() {
            Outcome::NotSent => Hindrance::Unreachable,
            Outcome::Unknown => Hindrance::NoAnswer,
            Outcome::Throttled => Hindrance::Throttled,
            Outcome::Maintenance => Hindrance::Maintenance,
            Outcome::Refused => Hindrance::Refused,
        }
    }
}

fn is_later<S: Serializer>(again: &Again, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(*again == Again::Later)
}

fn in_seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_secs_f64())
}

fn by_name<S: Serializer>(belief: &Belief, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(belief.name())
}

fn in_whole_seconds<S: Serializer>(
    span: &SignedDuration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(span.as_secs())
}

/// Why no more files are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StopReason {
    /// Somebody asked.
    Asked,
    /// As many files failed as were allowed to.
    TooManyErrors,
    /// The platform refuses or can't be reached; the run ends with an error.
    Trouble,
    /// The platform was seen to contradict what *exactly once* rests on; what was sent is followed to its end.
    Contradicted,
}
