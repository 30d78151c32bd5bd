//! The ways in which the list and the journal can disagree about a file, with their names and what to do about each.

/// What is wrong with a file, the worst first. A file is told once, by the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
        match self {
            Disagreement::Doubled => {
                "read both jobs with `cavatica jobs get`, and find out what else sends these files: another program, a copy of this transfer, a person. If nothing does, send `cavatica support` to the developers"
            }
            Disagreement::Elsewhere => {
                "ask who started that job; the next run waits for it, and then says what became of the file"
            }
            Disagreement::UnexpectedJob => {
                "run the transfer again: it asks the platform before it sends. If the transfer came from a backup, this is what was sent since"
            }
            Disagreement::StateDiffers => {
                "read the job with `cavatica jobs get`, and look whether the object is there with `cavatica verify`"
            }
            Disagreement::LiveJob => "wait for the job with `cavatica jobs wait`, then audit again",
            Disagreement::WrongJob => {
                "read the job with `cavatica jobs get`, and look whether the object is there with `cavatica verify`"
            }
            Disagreement::NotInList => {
                "read the job with `cavatica jobs get`: where it is still there the list isn't whole, so audit again; else the platform has forgotten it, and `cavatica verify` says whether the object is there"
            }
            Disagreement::MissingJob => {
                "another account may have brought the file there, whose jobs don't show here; `cavatica verify` says whether the object is there"
            }
            Disagreement::Unclear => {
                "audit again with --again; what stays unclear, `cavatica verify` and `cavatica jobs get` show"
            }
        }
    }
}
