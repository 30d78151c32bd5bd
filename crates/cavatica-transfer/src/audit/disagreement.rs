//! The ways in which the list and the journal can disagree about a file, with their names and what to do about each.

use cavatica_exports::model::finding::Reason;

/// What is wrong with a file, the worst first. A file is told once, by the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disagreement {
    /// Several jobs since the plan brought it to its place, or still do.
    Doubled,
    /// A job since the plan moves it, or moved it, to another place.
    Elsewhere,
    /// A job since the plan brought it to its place, or still does, and the journal knows none.
    UnexpectedJob,
    /// Its job ended otherwise than the journal says.
    StateDiffers,
    /// Its job still runs, and the journal says that it ended.
    LiveJob,
    /// The journal names a job that the list shows for another file or place.
    WrongJob,
    /// The journal names a job that the list doesn't show.
    NotInList,
    /// It is completed, and no successful job is listed.
    MissingJob,
    /// What the list shows may be an earlier job, or the list isn't whole. That is no fault.
    Unclear,
}

impl Disagreement {
    /// All of them, the worst first.
    pub const ALL: [Disagreement; 9] = [
        Disagreement::Doubled,
        Disagreement::Elsewhere,
        Disagreement::UnexpectedJob,
        Disagreement::StateDiffers,
        Disagreement::LiveJob,
        Disagreement::WrongJob,
        Disagreement::NotInList,
        Disagreement::MissingJob,
        Disagreement::Unclear,
    ];

    /// A stable name.
    pub fn name(self) -> &'static str {
        match self {
            Disagreement::Doubled => "doubled",
            Disagreement::Elsewhere => "elsewhere",
            Disagreement::UnexpectedJob => "unexpected-job",
            Disagreement::StateDiffers => "state-differs",
            Disagreement::LiveJob => "live-job",
            Disagreement::WrongJob => "wrong-job",
            Disagreement::NotInList => "not-in-list",
            Disagreement::MissingJob => "missing-job",
            Disagreement::Unclear => "unclear",
        }
    }

    /// One character: `+` a job too many, `-` one too few, `*` another one, `!` not to be told.
    pub fn symbol(self) -> char {
        match self {
            Disagreement::Doubled | Disagreement::Elsewhere | Disagreement::UnexpectedJob => '+',
            Disagreement::StateDiffers | Disagreement::LiveJob | Disagreement::WrongJob => '*',
            Disagreement::NotInList | Disagreement::MissingJob => '-',
            Disagreement::Unclear => '!',
        }
    }

    /// What to do next.
    pub fn advice(self) -> &'static str {
        Reason::lookup(self.name()).map_or("", |reason| reason.advice)
    }
}
