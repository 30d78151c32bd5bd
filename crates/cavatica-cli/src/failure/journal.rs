//! A transfer's file that can't be used, or that doesn't hold what was approved.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::path::Path;

use cavatica_transfer::Fingerprint;
use cavatica_transfer::journal::JournalError;

use super::{Detail, Exit, Failure};
use crate::hint;

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

/// A transfer whose half is elsewhere. A program must not guess whether it is a newer or an older one.
fn left_journal(error: &JournalError, name: &Path, journal: &Path, belongs: &Path) -> Failure {
    let failure = Failure::new(Exit::Refused, error.to_string());
    if name.exists() {
        let name = hint::path_word(name);
        return failure.hint(format!(
            "`cavatica status {name}` makes it whole; a copy that was made before that is none, so copy it again"
        ));
    }
    let (journal, belongs) = (hint::path_word(journal), hint::path_word(belongs));
    failure
        .hint(format!(
            "if the transfer was only moved: `mv -n {journal} {belongs}`"
        ))
        .hint(
            "if it is an older copy, the newest one is the one to go on with: look for that first",
        )
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        in_full(&error).unwrap_or_else(|| Failure {
            details: details(&error),
            hints: advice(&error).into_iter().map(str::to_owned).collect(),
            source: error.source().map(|source| source.to_string().into()),
            ..Failure::new(exit(&error), error.to_string())
        })
    }
}

/// What has words of its own.
fn in_full(error: &JournalError) -> Option<Failure> {
    match error {
        JournalError::Sqlite { path, .. } | JournalError::Io { path, .. }
            if error.is_of_opening() =>
        {
            no_transfer(path)
        }
        JournalError::NotATransfer { path } => no_transfer(path),
        JournalError::Changed {
            path,
            planned,
            found,
        } => Some(changed(path, planned, found)),
        JournalError::Split { folder, .. } => Some(split(error, folder)),
        JournalError::LeftJournal {
            name,
            journal,
            belongs,
            ..
        } => Some(left_journal(error, name, journal, belongs)),
        JournalError::NotApproved { found, .. } => Some(
            Failure::usage(format!(
                "nothing was sent: the transfer's fingerprint is {found}, not the approved one"
            ))
            .hint("look at the plan again, or plan it anew"),
        ),
        _ => None,
    }
}

fn exit(error: &JournalError) -> Exit {
    match error {
        JournalError::Io { .. } | JournalError::Sqlite { .. } => Exit::Other,
        JournalError::Superseded { .. } | JournalError::Replaced { .. } => Exit::Interrupted,
        _ => Exit::Refused,
    }
}

fn details(error: &JournalError) -> Vec<Detail> {
    match error {
        JournalError::Held { owner, .. } => vec![Detail {
            name: "held".to_owned(),
            message: format!("{owner} runs it"),
            remedy: String::new(),
        }],
        _ => Vec::new(),
    }
}

fn advice(error: &JournalError) -> Option<&'static str> {
    Some(match error {
        full if full.is_out_of_space() => {
            "make room on the disk, or in your quota, and give the same command again; what was sent is found again"
        }
        fixed if fixed.is_read_only() => "put the transfer into a folder where you may write",
        JournalError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
            "the folder isn't there: make it first, or name another"
        }
        JournalError::NotATransfer { .. } => {
            "`cavatica plan --out T.transfer` writes a transfer, from a list of files with `--manifest FILE`"
        }
        JournalError::Exists { .. } => {
            "choose another name; `cavatica status` shows what a transfer holds, and `cavatica run` goes on with it"
        }
        JournalError::Held { .. } => "wait until it has ended, or stop it there",
        JournalError::BeingPlanned { .. } => "wait until it has ended, or stop it there",
        JournalError::NoLocks { .. } => {
            "keep the transfer on a local disk: without locks nothing would keep a second run out"
        }
        JournalError::Superseded { .. } => "let that run end, and see that no third one is started",
        JournalError::Replaced { .. } => {
            "put the file back where it was, and run it again: what was sent is found again. A backup that was put in its place doesn't know what was sent since"
        }
        JournalError::ManyNames { .. } => {
            "remove all names (hard links) but one, run it under that one, and link it again afterwards"
        }
        JournalError::NotRegular { .. } => "see who put it there; remove it if it isn't needed",
        JournalError::OtherTerms { .. } => {
            "use the profile that it was planned with, or plan it anew"
        }
        JournalError::Damaged { .. } => {
            "take it from a backup, or plan it anew with `--existing skip`"
        }
        JournalError::Unfinished { .. } => "remove the file and plan again",
        JournalError::Begun { .. } => {
            "run it to its end with the account that it is of: `cavatica status` shows how it stands"
        }
        JournalError::Taken { .. } => "run it with that account's profile",
        JournalError::TooNew { .. } => "use the newest version of this program",
        _ => return None,
    })
}
