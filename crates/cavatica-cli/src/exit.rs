//! How the program ends: the only place where a kind of failure becomes an exit code.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::path::Path;

use cavatica_exports::model::finding::{Objection, Rejected};
use cavatica_exports::transport::{self, Effect, Fault, Outcome};
use cavatica_exports::{ListError, WaitError};
use cavatica_transfer::Fingerprint;
use cavatica_transfer::journal::JournalError;

use crate::hint;

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

    /// Whether something isn't there that the call doesn't name.
    pub(crate) fn is_missing(&self) -> bool {
        self.message == NO_SUCH_THING
    }

    /// Names what isn't there, where only the caller knows what it asked for.
    #[must_use]
    pub(crate) fn naming(mut self, thing: &str) -> Self {
        if self.is_missing() {
            self.message = no(thing);
        }
        self
    }

    /// One export that the platform did not take, and provably did not start.
    pub(crate) fn not_started(error: transport::Error) -> Self {
        let refused = *error.outcome() == Outcome::Refused;
        let failure = Failure::from(error);
        match failure.exit {
            Exit::Other if refused => Failure {
                exit: Exit::SomeFailed,
                message: "the platform refused the export".to_owned(),
                ..failure
            },
            _ => failure,
        }
    }

    /// The objections to one export.
    pub(crate) fn objections(what: &str, rejected: &Rejected) -> Self {
        let mut failure = Failure::usage(format!("{what} was not started, nothing was sent"));
        failure.details = rejected.objections().iter().map(Detail::from).collect();
        if failure
            .details
            .iter()
            .any(|detail| detail.name.starts_with("volume-"))
        {
            failure = failure.hint(hint::VOLUMES);
        }
        failure
    }
}

impl From<transport::Error> for Failure {
    fn from(error: transport::Error) -> Self {
        let is_start = error.effect() == Effect::Start;
        let missing = missing(&error).map(|thing| no(&thing));
        let (exit, message) = match error.outcome() {
            Outcome::NotSent => (Exit::Other, "the platform can't be reached"),
            Outcome::Refused if error.status() == Some(401) => {
                (Exit::Denied, "the platform doesn't accept the token")
            }
            Outcome::Refused if is_denial(&error) => {
                (Exit::Denied, "the platform doesn't allow this")
            }
            Outcome::Refused if *error.fault() == Fault::NoSuchCall => (Exit::Refused, NOT_THE_API),
            Outcome::Refused if error.status() == Some(404) => {
                // What was looked up before anything is sent was named by the user.
                let exit = if is_start { Exit::Other } else { Exit::Refused };
                (exit, missing.as_deref().unwrap_or(NO_SUCH_THING))
            }
            Outcome::Refused => (Exit::Other, "the platform refused this"),
            Outcome::Throttled => (Exit::Other, "the limit on requests is used up"),
            Outcome::Maintenance => (Exit::Other, "the platform is under maintenance"),
            Outcome::Unknown if is_start => (
                Exit::Unknown,
                "it isn't known whether the export was started",
            ),
            Outcome::Unknown => (Exit::Other, "the platform gave no answer that can be read"),
        };
        let hints = hint::of_call(&error);
        Failure {
            source: Some(Box::new(error)),
            hints,
            ..Failure::new(exit, message)
        }
    }
}

/// What is said of something that isn't there, where the call doesn't name it.
const NO_SUCH_THING: &str = "the platform has no such thing, or doesn't show it to you";

fn no(thing: &str) -> String {
    format!("the platform has no {thing}, or doesn't show it to you")
}

/// What is said where something answers that doesn't know the call.
const NOT_THE_API: &str = "this address answers, but it isn't the API: it ends in `/v2`";

/// What the platform says isn't there, as far as the call's path names it.
fn missing(error: &transport::Error) -> Option<String> {
    let path = error.path();
    let first = |rest: &str| rest.split('/').next().unwrap_or_default().to_owned();
    Some(if let Some(rest) = path.strip_prefix("/storage/volumes/") {
        let id: Vec<_> = rest.split('/').take(2).collect();
        format!("volume `{}`", id.join("/"))
    } else if let Some(rest) = path.strip_prefix("/storage/exports/") {
        format!("export job `{}`", first(rest))
    } else if let Some(rest) = path.strip_prefix("/files/") {
        format!("file `{}`", first(rest))
    } else if let Some(rest) = path.strip_prefix("/tasks/") {
        format!("task `{}`", first(rest))
    } else {
        return None;
    })
}

/// Whether the token or the account's rights are at fault. The platform also answers 403 for files that can't be exported
/// by anybody (code 9006).
fn is_denial(error: &transport::Error) -> bool {
    let code = error.api_error().and_then(|error| error.code());
    match error.status() {
        Some(401) => true,
        Some(403) => code != Some(9006),
        _ => false,
    }
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Call(error) => error.into(),
            _ => Failure::new(Exit::Other, error.to_string()),
        }
    }
}

/// A path that can be no transfer, because nothing or a folder is there.
fn no_transfer(path: &Path) -> Option<Failure> {
    let shown = path.display();
    if !path.exists() {
        return Some(
            Failure::usage(format!("there is no transfer `{shown}`"))
                .hint("`cavatica transfers` lists those in this folder"),
        );
    }
    path.is_dir().then(|| {
        let word = hint::path_word(path);
        Failure::usage(format!("`{shown}` is a folder; expected a transfer's file"))
            .hint(format!("`cavatica transfers {word}` lists those in it"))
    })
}

/// A plan that was changed after it was written isn't what a `--yes` is about.
fn changed(path: &Path, planned: &Fingerprint, found: &Fingerprint) -> Failure {
    let transfer = hint::path_word(path);
    Failure::usage(format!(
        "nothing was sent: the plan was changed after it was written; its fingerprint was {planned} and is {found}"
    ))
    .hint(format!("`cavatica report {transfer}` lists what it holds now"))
    .hint(format!(
        "plan it anew, or approve of the change with `cavatica run {transfer} --approve {found}`"
    ))
}

/// A plan whose parts run in its place.
fn split(error: &JournalError, folder: &str) -> Failure {
    let hint = match Path::new(folder).exists() {
        true => format!(
            "`cavatica status {}` shows how they stand; run each of them",
            hint::path_word(Path::new(folder))
        ),
        false => "they were moved, or the splitting was broken off: then the same `cavatica split` finishes it".to_owned(),
    };
    Failure::usage(error.to_string()).hint(hint)
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        match &error {
            JournalError::Sqlite { path, doing, .. } | JournalError::Io { path, doing, .. }
                if *doing == "opened" =>
            {
                if let Some(failure) = no_transfer(path) {
                    return failure;
                }
            }
            JournalError::NotATransfer { path } => {
                if let Some(failure) = no_transfer(path) {
                    return failure;
                }
            }
            JournalError::Changed {
                path,
                planned,
                found,
            } => return changed(path, planned, found),
            JournalError::Split { folder, .. } => return split(&error, folder),
            JournalError::NotApproved { found, .. } => {
                return Failure::usage(format!(
                    "nothing was sent: the transfer's fingerprint is {found}, not the approved one"
                ))
                .hint("look at the plan again, or plan it anew");
            }
            _ => {}
        }
        let hint = match &error {
            full if full.is_out_of_space() => Some(
                "make room on the disk, or in your quota, and give the same command again; what was sent is found again",
            ),
            fixed if fixed.is_read_only() => {
                Some("put the transfer into a folder where you may write")
            }
            JournalError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
                Some("the folder isn't there: make it first, or name another")
            }
            JournalError::NotATransfer { .. } => Some(
                "`cavatica plan --out T.transfer` writes a transfer, from a list of files with `--manifest FILE`",
            ),
            JournalError::Exists { .. } => Some(
                "choose another name; `cavatica status` shows what a transfer holds, and `cavatica run` goes on with it",
            ),
            JournalError::Held { .. } => Some("wait until it has ended, or stop it there"),
            JournalError::BeingPlanned { .. } => Some("wait until it has ended, or stop it there"),
            JournalError::NoLocks { .. } => Some(
                "keep the transfer on a local disk: without locks nothing would keep a second run out",
            ),
            JournalError::Superseded { .. } => {
                Some("let that run end, and see that no third one is started")
            }
            JournalError::Replaced { .. } => Some(
                "put the file back where it was, and run it again: what was sent is found again. A backup that was put in its place doesn't know what was sent since",
            ),
            JournalError::NotRegular { .. } => {
                Some("see who put it there; remove it if it isn't needed")
            }
            JournalError::OtherTerms { .. } => {
                Some("use the profile that it was planned with, or plan it anew")
            }
            JournalError::Damaged { .. } => {
                Some("take it from a backup, or plan it anew with `--existing skip`")
            }
            JournalError::Unfinished { .. } => Some("remove the file and plan again"),
            JournalError::Begun { .. } => Some(
                "run it to its end with the account that it is of: `cavatica status` shows how it stands",
            ),
            JournalError::Taken { .. } => Some("run it with that account's profile"),
            JournalError::TooNew { .. } => Some("use the newest version of this program"),
            _ => None,
        };
        let exit = match &error {
            JournalError::Io { .. } | JournalError::Sqlite { .. } => Exit::Other,
            JournalError::Superseded { .. } | JournalError::Replaced { .. } => Exit::Interrupted,
            _ => Exit::Refused,
        };
        let held = match &error {
            JournalError::Held { owner, .. } => Some(Detail {
                name: "held".to_owned(),
                message: format!("{owner} runs it"),
                remedy: String::new(),
            }),
            _ => None,
        };
        Failure {
            details: held.into_iter().collect(),
            hints: hint.into_iter().map(str::to_owned).collect(),
            source: error.source().map(|source| source.to_string().into()),
            ..Failure::new(exit, error.to_string())
        }
    }
}

impl From<WaitError> for Failure {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Call(error) => error.into(),
            WaitError::TimedOut { ref jobs, .. } => {
                let ids = jobs.iter().map(|job| hint::shell_word(job.id.as_str()));
                let ids: Vec<_> = ids.collect();
                Failure::new(Exit::Unknown, error.to_string()).hint(format!(
                    "the platform goes on; look again with `cavatica jobs wait {}`",
                    ids.join(" ")
                ))
            }
            _ => Failure::new(Exit::Unknown, error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::new(Exit::Other, "the operating system refused").caused_by(error)
    }
}
