//! How many files stand where.

use serde::Serialize;

use crate::state::State;

/// How many files stand where. `planned + in flight + completed + failed + unknown` are all files of the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tally {
    /// To be sent.
    pub planned: Count,
    /// Intended: sent, or about to be.
    pub intended: Count,
    /// Accepted: with a job that isn't known to have ended.
    pub accepted: Count,
    /// Confirmed by the platform.
    pub completed: Count,
    /// Refused or failed.
    pub failed: Count,
    /// Not known.
    pub unknown: Count,
    /// Left out of the plan, with a reason each.
    pub skipped: u64,
}

/// Files and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Files.
    pub files: u64,
    /// Their bytes, as far as they are known.
    pub bytes: u64,
}

impl Count {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Count) -> Count {
        Count {
            files: self.files.saturating_add(other.files),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl Tally {
    /// All files of the plan.
    pub fn total(&self) -> Count {
        let parts = [
            self.planned,
            self.intended,
            self.accepted,
            self.completed,
            self.failed,
            self.unknown,
        ];
        parts.into_iter().fold(Count::default(), Count::plus)
    }

    /// The counts of two transfers together.
    #[must_use]
    pub fn plus(&self, other: &Tally) -> Tally {
        Tally {
            planned: self.planned.plus(other.planned),
            intended: self.intended.plus(other.intended),
            accepted: self.accepted.plus(other.accepted),
            completed: self.completed.plus(other.completed),
            failed: self.failed.plus(other.failed),
            unknown: self.unknown.plus(other.unknown),
            skipped: self.skipped.saturating_add(other.skipped),
        }
    }

    /// Takes files from where they stood to where they stand.
    pub(crate) fn shift(&mut self, before: &State, after: &State, moved: Count) {
        let from = self.of_mut(before);
        from.files = from.files.saturating_sub(moved.files);
        from.bytes = from.bytes.saturating_sub(moved.bytes);
        let to = self.of_mut(after);
        to.files += moved.files;
        to.bytes += moved.bytes;
    }

    /// The count that a file in this state belongs to.
    pub fn of_mut(&mut self, state: &State) -> &mut Count {
        match state {
            State::Planned => &mut self.planned,
            State::Intended => &mut self.intended,
            State::Accepted { .. } => &mut self.accepted,
            State::Completed { .. } => &mut self.completed,
            State::Failed { .. } => &mut self.failed,
            State::Unknown { .. } => &mut self.unknown,
        }
    }

    /// Files that are neither completed, nor failed, nor unknown.
    pub fn left(&self) -> u64 {
        let started = self.intended.files.saturating_add(self.accepted.files);
        self.planned.files.saturating_add(started)
    }
}
