//! Files that a plan leaves out, or is refused for, with their reasons.

use std::collections::BTreeMap;
use std::fmt;

use cavatica_exports::model::{File, FileId};
use serde::Serialize;

/// How many files are named for each kind of reason.
const NAMED: usize = 3;

/// A file that was selected and isn't planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unplanned {
    /// The file, if its id is known.
    pub file_id: Option<String>,
    /// Its path on the platform, or whatever names it.
    pub path: Option<String>,
    /// The manifest's line, where one names the file.
    pub line: Option<u64>,
    /// The name of the reason.
    pub kind: String,
    /// The reason in words.
    pub reason: String,
}

/// What names it, and its line.
impl fmt::Display for Unplanned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.path.as_deref().or(self.file_id.as_deref());
        f.write_str(name.unwrap_or("a file"))?;
        match self.line {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        }
    }
}

/// A few of each kind.
#[derive(Debug, Default)]
pub(super) struct Examples(BTreeMap<String, Vec<Unplanned>>);

impl Examples {
    pub(super) fn note(&mut self, file: impl FnOnce() -> Unplanned, kind: &str) {
        match self.0.get_mut(kind) {
            Some(known) if known.len() == NAMED => {}
            Some(known) => known.push(file()),
            None => {
                self.0.insert(kind.to_owned(), vec![file()]);
            }
        }
    }

    pub(super) fn into_list(self) -> Vec<Unplanned> {
        self.0.into_values().flatten().collect()
    }
}

/// What names a file that isn't planned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) id: Option<&'a FileId>,
    pub(super) path: Option<&'a str>,
    pub(super) file: Option<&'a File>,
    pub(super) line: Option<u64>,
}

impl Named<'_> {
    pub(super) fn unplanned(&self, kind: &str, reason: &str) -> Unplanned {
        Unplanned {
            file_id: self.id.map(FileId::to_string),
            path: self.path.map(str::to_owned),
            line: self.line,
            kind: kind.to_owned(),
            reason: reason.to_owned(),
        }
    }
}
