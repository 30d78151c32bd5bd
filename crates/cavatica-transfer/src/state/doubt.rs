//! Why an outcome can't be known.

use std::fmt;

use serde::{Serialize, Serializer};

#[cfg(doc)]
use super::Observation;

/// Why the outcome of a file isn't known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// The list of our own jobs doesn't show all that it must: it proves no absence.
    ListIncomplete,
    /// The list shows no job, but the file isn't what it was when it was planned. Earlier versions ended so what is now
    /// [`Observation::MovedAway`].
    FileChanged,
    /// The file's job, or somebody else's beside a call that was lost, shows a state that nobody knows.
    JobUnclear,
    /// The job is said to have completed, but the file to be moved still lies on the platform.
    NotMoved,
    /// A completed job of the same file to the same place is listed, and it can't be told whether it is this transfer's.
    WhoseJob,
    /// The job was accepted, but the platform doesn't show it any more.
    JobGone,
}

impl Doubt {
    /// Every doubt, with the number it has in the journal.
    const ALL: [(i64, Doubt); 6] = [
        (1, Doubt::ListIncomplete),
        (2, Doubt::FileChanged),
        (3, Doubt::JobUnclear),
        (4, Doubt::NotMoved),
        (5, Doubt::WhoseJob),
        (6, Doubt::JobGone),
    ];

    /// The number it has in the journal; it doesn't change.
    pub(crate) fn number(self) -> i64 {
        let known = Doubt::ALL.into_iter().find(|(_, doubt)| *doubt == self);
        known.expect("every doubt has a number").0
    }

    /// The doubt of that number.
    pub(crate) fn of_number(number: i64) -> Option<Self> {
        Doubt::ALL
            .into_iter()
            .find_map(|(known, doubt)| (known == number).then_some(doubt))
    }
}

impl Doubt {
    /// Its name, as `cavatica explain` knows it; it doesn't change.
    pub fn name(self) -> &'static str {
        match self {
            Doubt::ListIncomplete => "list-incomplete",
            Doubt::FileChanged => "file-changed",
            Doubt::JobUnclear => "job-unclear",
            Doubt::NotMoved => "not-moved",
            Doubt::WhoseJob => "whose-job",
            Doubt::JobGone => "job-gone",
        }
    }
}

impl Serialize for Doubt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doubt::ListIncomplete => {
                "the answer was lost, and the list of your own export jobs doesn't show all that it must"
            }
            Doubt::FileChanged => {
                "the answer was lost, no job of ours is listed, and the file isn't what it was when it was planned"
            }
            Doubt::JobUnclear => {
                "the file has an export job of which the platform doesn't say whether it ended"
            }
            Doubt::JobGone => "the job was accepted, but the platform doesn't show it any more",
            Doubt::NotMoved => {
                "the platform says that the job completed, but the file still lies on the platform"
            }
            Doubt::WhoseJob => {
                "the answer was lost, and a completed job of the same file to the same place may be this one or an earlier one"
            }
        })
    }
}
