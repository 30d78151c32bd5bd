//! What is searched: who does what, and what may go wrong.

use cavatica_exports::model::ExportMode;

use crate::Belief;

/// What nobody changes while it is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) mode: ExportMode,
    pub(super) files: u8,
    /// Whether the plan allows that objects are overwritten.
    pub(super) overwrite: bool,
    /// What lies at the planned places to begin with.
    pub(super) occupied: Occupant,
    /// Whether the platform looks whether it can carry an item out when its job runs, and not at once.
    pub(super) looks_late: bool,
    /// How far the clock that jobs are dated by is ahead, in seconds; `None` where they tell no times.
    pub(super) ahead: Option<i64>,
    /// Whether the list of all jobs is too long to be read while there is other work.
    pub(super) long_list: bool,
    /// What may go wrong, and how often altogether.
    pub(super) faults: Faults,
    /// What isn't believed.
    pub(super) without: Option<Belief>,
}

impl Setting {
    pub(super) fn believes(&self, belief: Belief) -> bool {
        self.without != Some(belief)
    }

    pub(super) fn is_dated(&self) -> bool {
        self.ahead.is_some()
    }

    pub(super) fn is_move(&self) -> bool {
        self.mode == ExportMode::Move
    }
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// How often altogether.
    pub(super) most: u8,
    /// Answers: none, no, or one with gaps; and calls that can't be sent.
    pub(super) answers: bool,
    /// Deaths.
    pub(super) deaths: bool,
    /// A second run that begins while the first lives.
    pub(super) second: bool,
    /// A backup of the plan in the place of the transfer.
    pub(super) backup: bool,
    /// Other people who move the files.
    pub(super) others: bool,
    /// Jobs that fail, and a person who retries them.
    pub(super) jobs: bool,
}

/// What lies at the planned place of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Occupant {
    Nothing,
    /// It was there before us.
    Old,
    /// What this transfer was to bring.
    Ours,
}
