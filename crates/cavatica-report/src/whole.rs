//! One transfer, or several as one: the parts of a plan.

use std::path::{Path, PathBuf};

use cavatica_transfer::journal::{JournalError, TransferFile};

/// A transfer, or several that are told as one. They go to one volume, and all move or all copy.
#[derive(Debug)]
pub struct Whole {
    name: String,
    /// At least one.
    transfers: Vec<TransferFile>,
    /// Plans that were named and split. Their files are those of their parts.
    split: Vec<TransferFile>,
}

/// Why transfers can't be told as one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WholeError {
    /// One can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// None was named.
    #[error("there is no transfer in `{name}`")]
    None {
        /// What was named.
        name: String,
    },
    /// They aren't of a kind.
    #[error("`{}` and `{}` go to different volumes, or one moves and one copies: they can't be told as one", one.display(), other.display())]
    Different {
        /// The first transfer.
        one: PathBuf,
        /// One that is of another kind.
        other: PathBuf,
    },
}

impl Whole {
    /// A single one.
    pub fn of(transfer: TransferFile) -> Self {
        Whole {
            name: transfer.path().display().to_string(),
            transfers: vec![transfer],
            split: Vec::new(),
        }
    }

    /// Several under one name, parts in their order. A single one keeps its own name. A plan that was split is passed over
    /// beside others: its files are those of its parts.
    ///
    /// # Errors
    ///
    /// [`WholeError`] if one can't be read, they can't be told as one, or there is none that wasn't split.
    pub fn open(name: &str, paths: &[PathBuf]) -> Result<Self, WholeError> {
        let opened = paths.iter().map(|path| TransferFile::open(path));
        let opened: Vec<TransferFile> = opened.collect::<Result<_, _>>()?;
        let (split, mut transfers): (Vec<_>, Vec<_>) = opened
            .into_iter()
            .partition(|transfer| transfer.split().is_some());
        transfers.sort_by_key(|transfer| transfer.part().map(|part| part.number));
        let Some(one) = transfers.first() else {
            let plan = split.first();
            let error = plan.and_then(|plan| Some(plan.split()?.error(plan.path())));
            return Err(error.map_or_else(
                || WholeError::None {
                    name: name.to_owned(),
                },
                WholeError::Journal,
            ));
        };
        let kind = |transfer: &TransferFile| {
            let terms = transfer.terms();
            (terms.endpoint.clone(), terms.volume.clone(), terms.mode)
        };
        let other = transfers.iter().find(|other| kind(other) != kind(one));
        if let Some(other) = other {
            return Err(WholeError::Different {
                one: one.path().to_owned(),
                other: other.path().to_owned(),
            });
        }
        let is_single = paths.len() == 1;
        Ok(Whole {
            name: match is_single {
                true => one.path().display().to_string(),
                false => name.to_owned(),
            },
            transfers,
            split,
        })
    }

    /// Plans that were named and split, of whose parts not all are here: what they were to send isn't told in full.
    pub fn without_parts(&self) -> impl Iterator<Item = &TransferFile> {
        self.split.iter().filter(|plan| {
            plan.split().is_some_and(|split| {
                let whole = split.fingerprint();
                let parts = self.transfers.iter().filter_map(TransferFile::part);
                parts.filter(|part| part.whole == whole).count() < split.parts.len()
            })
        })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The transfers, one at least.
    pub fn transfers(&self) -> &[TransferFile] {
        &self.transfers
    }

    /// The transfers if there are several, and else nothing.
    pub fn parts(&self) -> &[TransferFile] {
        match self.transfers.as_slice() {
            [_] => &[],
            parts => parts,
        }
    }

    /// The first.
    pub(crate) fn first(&self) -> &TransferFile {
        &self.transfers[0]
    }

    /// What people call it.
    pub(crate) fn title(&self) -> String {
        let label = self.first().label();
        let same = |other: &TransferFile| other.label() == label;
        if let Some(label) = label.filter(|_| self.transfers.iter().all(same)) {
            return label.to_owned();
        }
        let name = Path::new(&self.name).file_name();
        name.map_or_else(
            || self.name.clone(),
            |name| name.to_string_lossy().into_owned(),
        )
    }
}
