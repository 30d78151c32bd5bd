//! What *exactly once* rests on, each by its name: the same in the model, the simulation and `docs/reliability.md`.

use std::fmt;
use std::str::FromStr;

/// Something that nobody promised and that the engine can't find out for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Belief {
    /// No byte of a call moves after its longest life, once the call was given up, its program died, or another run of the transfer began;
    /// and what has arrived by then is carried out, or begun to show, within a settling time.
    RequestsDie,
    /// What a job list shows of later jobs it shows of earlier ones; without a witness, it shows everything after four settling times.
    ListInOrder,
    /// A job of the last day stays in the list, and can be read by its id.
    JobsKept,
    /// What the file system has synced is there after a loss of power.
    SyncedStays,
    /// A transfer has one journal, or a copy or backup begins where it sees the other's jobs: those under way in the list, completed ones on their files.
    OneDisk,
    /// A file that becomes an alias keeps its id.
    FileKeepsId,
    /// An alias of the planned object means that the object is there, and a completed move shows it within four settling times.
    AliasIsTrue,
    /// Jobs are listed per account, and nobody else moves our files from the moment in which we send them until their jobs have ended.
    OneAccount,
    /// All answers have their `Date` from one clock, and all jobs are dated by one, whether right or wrong.
    OneClock,
}

impl Belief {
    /// All of them, in the order in which the documentation tells them.
    pub const ALL: [Belief; 9] = [
        Belief::RequestsDie,
        Belief::ListInOrder,
        Belief::JobsKept,
        Belief::SyncedStays,
        Belief::OneDisk,
        Belief::FileKeepsId,
        Belief::AliasIsTrue,
        Belief::OneAccount,
        Belief::OneClock,
    ];

    /// The name by which it is switched off.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Belief::RequestsDie => "requests-die",
            Belief::ListInOrder => "list-in-order",
            Belief::JobsKept => "jobs-kept",
            Belief::SyncedStays => "synced-stays",
            Belief::OneDisk => "one-disk",
            Belief::FileKeepsId => "file-keeps-id",
            Belief::AliasIsTrue => "alias-is-true",
            Belief::OneAccount => "one-account",
            Belief::OneClock => "one-clock",
        }
    }
}

impl fmt::Display for Belief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Belief {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|belief| belief.name() == name)
            .ok_or_else(|| {
                format!("no belief is called `{name}`; `cargo xtask simulate --beliefs` lists them")
            })
    }
}
