//! Transfers that are named together: one, several, or a folder of them.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use cavatica_report::{Overview, Whole, WholeError, transfers_in};

use crate::failure::Failure;
use crate::hint;
use crate::ui::Ui;

/// The transfers that are meant.
pub(crate) struct NamedTransfers {
    /// What they are called together.
    pub(crate) name: String,
    pub(crate) paths: Vec<PathBuf>,
}

/// Every transfer that is named, and those in each folder that is named, once.
pub(crate) fn named(arguments: &[PathBuf]) -> Result<NamedTransfers, Failure> {
    let mut paths = Vec::new();
    for argument in arguments {
        if argument.is_dir() {
            paths.extend(in_folder(argument)?);
        } else {
            paths.push(argument.clone());
        }
    }
    let mut seen = HashSet::new();
    paths.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    let names = arguments.iter().map(|path| path.display().to_string());
    Ok(NamedTransfers {
        name: names.collect::<Vec<_>>().join(" "),
        paths,
    })
}

/// The same, for a list: what isn't there is told before anything else.
pub(crate) fn listed(arguments: &[PathBuf]) -> Result<NamedTransfers, Failure> {
    if let Some(missing) = arguments.iter().find(|argument| !argument.exists()) {
        let failure = Failure::usage(format!("{} can't be listed", missing.display()));
        return Err(failure.caused_by(io::Error::from(io::ErrorKind::NotFound)));
    }
    named(arguments)
}

/// The transfers in a folder.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let paths = transfers_in(folder).map_err(|error| {
        Failure::usage(format!("{} can't be listed", folder.display())).caused_by(error)
    })?;
    // Nobody types the `./` of the current folder.
    let short = |path: PathBuf| path.strip_prefix(".").map(Path::to_owned).unwrap_or(path);
    Ok(paths.into_iter().map(short).collect())
}

impl NamedTransfers {
    /// All of them as one. What isn't counted because it is told nowhere is named.
    pub(crate) fn open(&self, ui: &Ui) -> Result<Whole, Failure> {
        let whole = Whole::open(&self.name, &self.paths)?;
        for plan in whole.without_parts() {
            let split = Overview::of(plan)?.split_into;
            let words = split.map_or_else(String::new, |split| split.to_string());
            ui.note(format_args!(
                "{}: {words}; those that aren't named aren't counted here",
                plan.path().display()
            ));
        }
        Ok(whole)
    }

    /// Those that are told as one, each on its own.
    pub(crate) fn each(&self, ui: &Ui) -> Result<Vec<PathBuf>, Failure> {
        let whole = self.open(ui)?;
        let transfers = whole.transfers().iter();
        Ok(transfers.map(|one| one.path().to_owned()).collect())
    }

    /// What these of them are called.
    pub(crate) fn of(&self, paths: &[PathBuf]) -> String {
        match paths {
            [one] => one.display().to_string(),
            _ => self.name.clone(),
        }
    }

    /// As a word of a command line, where they are one folder or one transfer.
    pub(crate) fn word(&self) -> String {
        hint::path_word(Path::new(&self.name))
    }
}

impl From<WholeError> for Failure {
    fn from(error: WholeError) -> Self {
        let message = error.to_string();
        match error {
            WholeError::Journal(error) => error.into(),
            WholeError::None { .. } => Failure::usage(message)
                .hint("`cavatica plan --out NAME.transfer` makes one, `cavatica split` its parts"),
            WholeError::Different { .. } => Failure::usage(message)
                .hint("name them one by one; `cavatica transfers` lists those of a folder"),
            _ => Failure::usage(message),
        }
    }
}
