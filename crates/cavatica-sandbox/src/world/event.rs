//! Everything that can happen to a world. A world is what its events made it.

use cavatica_model::{ExportMode, ExportProperties, Tri};
use serde::{Deserialize, Serialize};

use super::seed::{Permissions, VolumeChange, VolumeSeed, WorldSeed};
use crate::clock::Millis;
use crate::wire::refusal::Code;

/// The name of the first account.
pub(crate) const USER: &str = "sandbox";

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The world began; always first and only once.
    Seeded(Box<WorldSeed>),
    /// An export was accepted.
    Started(Start),
    /// A job left the queue.
    Running { job: u32 },
    /// The object lies on the volume.
    Completed {
        job: u32,
        at: Millis,
        size: u64,
        etag: String,
    },
    /// A job ended without an object.
    Failed {
        job: u32,
        at: Millis,
        code: Code,
        /// The storage's own words, where it has some.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// Something other than an export put an object on a volume.
    ObjectPut {
        volume: u32,
        location: String,
        size: u64,
        etag: String,
        at: Millis,
    },
    /// An object was deleted, by a job that was allowed to overwrite it or by something else.
    ObjectRemoved {
        volume: u32,
        location: String,
        job: Option<u32>,
    },
    /// A start that may overwrite deleted an object, and was then refused.
    ObjectDeletedByStart { volume: u32, location: String },
    /// What was to follow a job's completion has come; the job says what.
    Settled { job: u32 },
    /// Somebody deleted a file.
    FileRemoved { file: u32 },
    /// Somebody added a file, whose bytes are made from the seed.
    FileAdded {
        parent: u32,
        name: String,
        size: u64,
        at: Millis,
    },
    /// Somebody renamed a file or moved it to another folder, where it is the first.
    FileMoved {
        file: u32,
        parent: u32,
        name: String,
    },
    /// A file was archived or restored, became a copy of a public one or one's own.
    FileMarked {
        file: u32,
        archived: bool,
        public_copy: bool,
    },
    /// A volume was mounted after the world began.
    VolumeMounted { seed: Box<VolumeSeed>, at: Millis },
    /// A volume was taken away; what lies in its bucket stays.
    VolumeRemoved { volume: u32 },
    /// Somebody may do other things on a volume, or nothing any more.
    VolumeMember {
        volume: u32,
        username: String,
        permissions: Option<Permissions>,
    },
    /// A volume was activated or deactivated, opened for writing or closed, or mounted differently.
    VolumeChanged {
        volume: u32,
        change: Box<VolumeChange>,
        at: Millis,
    },
}

/// An accepted export. The moments at which it will run and end are settled when it is accepted, so that the seed alone
/// decides them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) file: u32,
    pub(crate) volume: u32,
    pub(crate) location: Box<str>,
    pub(crate) mode: ExportMode,
    pub(crate) overwrite: bool,
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub(crate) properties: Tri<Box<ExportProperties>>,
    pub(crate) at: Millis,
    pub(crate) runs_at: Millis,
    pub(crate) ends_at: Millis,
    /// The code that it is doomed to fail with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) doom: Option<Code>,
    /// What is odd about its completion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) twist: Option<Twist>,
    #[serde(default)]
    pub(crate) by: By,
}

/// What is odd about a job's completion. Spans are counted from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Twist {
    /// The file doesn't become an alias.
    KeepFile,
    /// Nor is there an object.
    Hollow,
    /// The file becomes an alias so many milliseconds later.
    LateAlias(Millis),
    /// Somebody deletes the file so many milliseconds later.
    LoseFile(Millis),
}

impl Twist {
    /// How long after its completion something is left to happen.
    pub(crate) fn settles_after(self) -> Option<Millis> {
        match self {
            Twist::LateAlias(after) | Twist::LoseFile(after) => Some(after),
            Twist::KeepFile | Twist::Hollow => None,
        }
    }
}

/// Who started an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// A client of the sandbox, with the first account.
    #[default]
    Client,
    /// A client of the sandbox, with this account.
    ClientOf(Box<str>),
    /// Somebody else of the first account: another program, another computer.
    SameAccount,
    /// Somebody else, of another account; its jobs show only if the sandbox serves it.
    OtherAccount(Box<str>),
}

impl By {
    /// A client with an account.
    pub(crate) fn client(account: &str) -> Self {
        match account {
            USER => By::Client,
            other => By::ClientOf(other.into()),
        }
    }

    pub(crate) fn is_client(&self) -> bool {
        matches!(self, By::Client | By::ClientOf(_))
    }

    pub(crate) fn account(&self) -> &str {
        match self {
            By::Client | By::SameAccount => USER,
            By::ClientOf(name) | By::OtherAccount(name) => name,
        }
    }
}
