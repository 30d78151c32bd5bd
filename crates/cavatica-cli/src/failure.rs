//! How the program ends: the only place where a kind of failure becomes an exit code. Each family of errors has a file of
//! its own below, where it is told what happened, to what, and what to do next.

use std::error::Error as StdError;

use cavatica_exports::Missing;
use cavatica_exports::model::ProjectId;
use cavatica_exports::model::finding::{Objection, Rejected};

use crate::hint;

mod audit;
mod call;
mod journal;
mod nearest;
mod plan;
mod run;
pub(crate) mod usage;
mod verify;

pub(crate) use audit::of_audit;
pub(crate) use nearest::{first_pages, nearest, with_nearest};
pub(crate) use run::{not_begun, of_run};

/// How the program ends. The worst one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Done = 0,
    /// Anything that has no code of its own.
    Other = 1,
    /// Bad usage, or refused before anything was sent.
    Refused = 2,
    /// Some items failed.
    SomeFailed = 3,
    /// There was nothing to do.
    NothingToDo = 4,
    /// Credentials or permission.
    Denied = 5,
    /// Interrupted; it can be resumed.
    Interrupted = 6,
    /// The outcome of some items isn't known.
    Unknown = 7,
}

impl Exit {
    /// The one that counts where several are true. That one had nothing to do says nothing about another.
    pub(crate) fn or_worse(self, other: Exit) -> Exit {
        let order = [
            Exit::NothingToDo,
            Exit::Done,
            Exit::Other,
            Exit::Refused,
            Exit::Denied,
            Exit::SomeFailed,
            Exit::Interrupted,
            Exit::Unknown,
        ];
        let place = |exit: &Exit| order.iter().position(|other| other == exit);
        [self, other].into_iter().max_by_key(place).unwrap_or(self)
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(exit as u8)
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// What happened, to what.
    pub(crate) message: String,
    /// Single reasons, where there are several.
    pub(crate) details: Vec<Detail>,
    pub(crate) source: Option<Box<dyn StdError + Send + Sync>>,
    /// What to do next.
    pub(crate) hints: Vec<String>,
    /// What isn't there, if that is why.
    pub(crate) absent: Option<Box<Absent>>,
}

/// Something that the user named and that isn't there.
#[derive(Debug)]
pub(crate) enum Absent {
    /// What a call of the platform named.
    Thing(Missing),
    /// The entry of a project at a path, as far as it was followed.
    Entry(ProjectId, String),
}

/// One of several reasons.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Detail {
    /// A stable name.
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl From<&Objection> for Detail {
    fn from(objection: &Objection) -> Self {
        Detail {
            name: objection.name().to_owned(),
            message: objection.to_string(),
            remedy: objection.advice().to_owned(),
        }
    }
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Failure {
            exit,
            message: message.into(),
            details: Vec::new(),
            source: None,
            hints: Vec::new(),
            absent: None,
        }
    }

    /// Bad usage that the argument parser can't see.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure::new(Exit::Refused, message)
    }

    #[must_use]
    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// A temporary file that can't be made.
    pub(crate) fn no_temporary_file(error: std::io::Error) -> Self {
        let folder = std::env::temp_dir();
        let text = format!("no temporary file can be made in {}", folder.display());
        Failure::new(Exit::Other, text)
            .caused_by(error)
            .hint("set TMPDIR to a folder where you may write")
    }

    /// The objections to one export.
    pub(crate) fn objections(what: &str, rejected: &Rejected) -> Self {
        let mut failure = Failure::usage(format!("{what} was not started, nothing was sent"));
        let objections = rejected.objections();
        failure.details = objections.iter().map(Detail::from).collect();
        let is_of_volume = |objection: &Objection| {
            matches!(
                objection,
                Objection::VolumeReadOnly { .. } | Objection::VolumeInactive
            )
        };
        if objections.iter().any(is_of_volume) {
            failure = failure.hint(hint::VOLUMES);
        }
        failure
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::new(Exit::Other, "the operating system refused").caused_by(error)
    }
}
