//! Where one file of a transfer stands, and every step it can take.
//!
//! This is the whole state machine, and the only one: the journal stores what [`State::step`] returns and nothing else
//! ever decides what follows what. `docs/reliability.md` draws it and says what is on disk in each state.

use std::fmt;

use cavatica_exports::model::{ApiError, Class, ExportId, StatusCode, classify};

/// The number of a planned file within its transfer, in the order of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(pub i64);

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a file stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing of it is on the platform: it may be sent.
    Planned,
    /// An intent to send it is on disk. Whether it was sent, and accepted, only an answer or a look can tell.
    Intended,
    /// The platform has a job for it that isn't known to have ended.
    Accepted {
        /// The job.
        export: ExportId,
    },
    /// The platform confirmed that the object lies where it was to go.
    Completed {
        /// The job; `None` where the file's storage alone confirmed it.
        export: Option<ExportId>,
    },
    /// The platform refused it, or its job failed.
    Failed {
        /// The job, if there was one.
        export: Option<ExportId>,
        /// What the platform said.
        failure: Failure,
    },
    /// What became of it can't be known from here.
    Unknown {
        /// The job, if one is known.
        export: Option<ExportId>,
        /// Why it can't be known.
        doubt: Doubt,
    },
}

/// What can happen to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// We are about to send it. On disk before the first byte of it is on the wire.
    Intend,
    /// What the wire said about it.
    Answer(Answer),
    /// What a later look at the platform showed.
    Observation(Observation),
    /// The user, or the rule for transient failures, asks to try once more.
    Retry,
}

/// What the wire said about a file that was sent. No answer at all is no step: the file stays intended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The platform has a job for it.
    Accepted(SeenJob),
    /// The platform refused this file.
    Refused(Failure),
    /// Provably nothing was accepted: not sent, or the whole call refused.
    NotTaken,
}

/// What a look at the platform showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// Our job.
    Job(SeenJob),
    /// The file is an alias of exactly the planned object: our own success.
    AliasAtDestination,
    /// It is proven that no job of ours exists.
    Absent,
    /// The look couldn't settle it.
    Unclear(Doubt),
}

/// A job as the platform showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenJob {
    /// Its id.
    pub export: ExportId,
    /// How it stands.
    pub verdict: Verdict,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Queued, running, or in a state that this version doesn't know.
    Unfinished,
    /// The object lies in the bucket.
    Completed,
    /// It ended with an error.
    Failed(Failure),
}

/// What the platform said when it refused a file or failed its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The platform's number, if it gave one.
    pub code: Option<i64>,
    /// The HTTP status, embedded or of the call.
    pub status: Option<u16>,
    /// The platform's sentence.
    pub message: String,
    /// The id of the request that brought the news, for the platform's support.
    pub request_id: Option<String>,
}

impl Failure {
    /// What an error object says.
    pub fn of(error: &ApiError, request_id: Option<&str>) -> Self {
        Failure {
            code: error.code(),
            status: error.http_status(),
            message: error
                .message
                .value()
                .cloned()
                .unwrap_or_else(|| "no message".to_owned()),
            request_id: request_id.map(str::to_owned),
        }
    }

    fn api_error(&self) -> ApiError {
        let mut error = ApiError::default();
        if let Some(code) = self.code {
            error.code = code.into();
        }
        if let Some(status) = self.status {
            error.status = status.into();
        }
        error
    }

    /// Whether it is worth trying again without anybody changing anything.
    pub fn class(&self) -> Class {
        classify(&self.api_error())
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        self.api_error().advice()
    }

    /// What is known about its code.
    pub fn known(&self) -> Option<&'static StatusCode> {
        self.code.and_then(StatusCode::lookup)
    }

    /// Whether our own earlier success could be the reason: the file can't be exported because it is our alias already
    /// (9006), or the location is taken by our own object (9107).
    pub fn may_be_own_success(&self) -> bool {
        matches!(self.code, Some(9006 | 9107))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} (code {code})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Why the outcome of a file isn't known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// The list of our own jobs couldn't be read to its end.
    ListIncomplete,
    /// The list shows no job, but the file isn't what it was when it was planned.
    FileChanged,
    /// The job was accepted, but the platform shows a state that nobody knows, or doesn't show the job any more.
    JobUnclear,
}

impl Doubt {
    /// Every doubt, with the number it has in the journal.
    const ALL: [(i64, Doubt); 3] = [
        (1, Doubt::ListIncomplete),
        (2, Doubt::FileChanged),
        (3, Doubt::JobUnclear),
    ];

    /// The number it has in the journal; it doesn't change.
    pub(crate) fn number(self) -> i64 {
        match self {
            Doubt::ListIncomplete => 1,
            Doubt::FileChanged => 2,
            Doubt::JobUnclear => 3,
        }
    }

    /// The doubt of that number.
    pub(crate) fn of_number(number: i64) -> Option<Self> {
        Doubt::ALL
            .into_iter()
            .find_map(|(known, doubt)| (known == number).then_some(doubt))
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doubt::ListIncomplete => {
                "the answer was lost, and the list of your own export jobs couldn't be read to its end"
            }
            Doubt::FileChanged => {
                "the answer was lost, no job of ours is listed, and the file isn't what it was when it was planned"
            }
            Doubt::JobUnclear => {
                "the job was accepted, but the platform doesn't say whether it ended"
            }
        })
    }
}

/// A step that a file can't take from where it stands. It would mean that two programs run the same transfer, or a
/// fault in this one; nothing is recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a file that is {state} can't take the step `{step}`")]
pub struct IllegalStep {
    state: &'static str,
    step: &'static str,
}

impl State {
    /// The state in one word for reports and JSON; it doesn't change.
    pub fn name(&self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Intended => "intended",
            State::Accepted { .. } => "accepted",
            State::Completed { .. } => "completed",
            State::Failed { .. } => "failed",
            State::Unknown { .. } => "unknown",
        }
    }

    /// The job, if one is known.
    pub fn export(&self) -> Option<&ExportId> {
        match self {
            State::Planned | State::Intended => None,
            State::Accepted { export } => Some(export),
            State::Completed { export }
            | State::Failed { export, .. }
            | State::Unknown { export, .. } => export.as_ref(),
        }
    }

    /// What the platform said, if it failed.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            State::Failed { failure, .. } => Some(failure),
            State::Planned
            | State::Intended
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Unknown { .. } => None,
        }
    }

    /// The state after a step.
    ///
    /// Only a planned file can be intended, and a file comes back to planned in three ways only: provably nothing was
    /// taken, no job of ours exists, or its failure is definite and somebody asked to retry. So nothing is ever sent
    /// while an earlier sending may still be alive.
    ///
    /// # Errors
    ///
    /// [`IllegalStep`] for everything else.
    pub fn step(self, step: Step) -> Result<State, IllegalStep> {
        let illegal = |state: &State, step: &'static str| IllegalStep {
            state: state.name(),
            step,
        };
        let name = step.name();
        match (self, step) {
            (State::Planned, Step::Intend) => Ok(State::Intended),

            (State::Intended, Step::Answer(answer)) => Ok(match answer {
                Answer::Accepted(job) => job.state(),
                Answer::Refused(failure) => State::Failed {
                    export: None,
                    failure,
                },
                Answer::NotTaken => State::Planned,
            }),
            (State::Intended, Step::Observation(observation)) => Ok(match observation {
                Observation::Job(job) => job.state(),
                Observation::AliasAtDestination => State::Completed { export: None },
                Observation::Absent => State::Planned,
                Observation::Unclear(doubt) => State::Unknown {
                    export: None,
                    doubt,
                },
            }),

            (State::Accepted { export }, Step::Observation(observation)) => match observation {
                Observation::Job(job) if job.export == export => Ok(job.state()),
                Observation::AliasAtDestination => Ok(State::Completed {
                    export: Some(export),
                }),
                Observation::Unclear(doubt) => Ok(State::Unknown {
                    export: Some(export),
                    doubt,
                }),
                // An accepted job isn't undone, and no other job can stand in for it.
                Observation::Job(_) | Observation::Absent => {
                    Err(illegal(&State::Accepted { export }, name))
                }
            },

            // The next two are how an outcome gets better after the fact: a later look may find what an earlier one
            // couldn't, and a refusal may turn out to be the echo of our own success.
            (State::Unknown { export, doubt }, Step::Observation(observation)) => {
                match (export, observation) {
                    (None, Observation::Job(job)) => Ok(job.state()),
                    (Some(export), Observation::Job(job)) if job.export == export => {
                        Ok(job.state())
                    }
                    (export, Observation::AliasAtDestination) => Ok(State::Completed { export }),
                    (export, Observation::Unclear(doubt)) => Ok(State::Unknown { export, doubt }),
                    (None, Observation::Absent) => Ok(State::Planned),
                    (export @ Some(_), Observation::Job(_) | Observation::Absent) => {
                        Err(illegal(&State::Unknown { export, doubt }, name))
                    }
                }
            }
            (State::Failed { export, .. }, Step::Observation(Observation::AliasAtDestination)) => {
                Ok(State::Completed { export })
            }
            (State::Failed { .. }, Step::Retry) => Ok(State::Planned),

            (
                state @ (State::Planned | State::Completed { .. } | State::Failed { .. }),
                Step::Intend | Step::Answer(_) | Step::Observation(_) | Step::Retry,
            )
            | (
                state @ (State::Accepted { .. } | State::Unknown { .. }),
                Step::Intend | Step::Answer(_) | Step::Retry,
            )
            | (state @ State::Intended, Step::Intend | Step::Retry) => Err(illegal(&state, name)),
        }
    }
}

impl SeenJob {
    fn state(self) -> State {
        let SeenJob { export, verdict } = self;
        match verdict {
            Verdict::Unfinished => State::Accepted { export },
            Verdict::Completed => State::Completed {
                export: Some(export),
            },
            Verdict::Failed(failure) => State::Failed {
                export: Some(export),
                failure,
            },
        }
    }
}

impl Step {
    fn name(&self) -> &'static str {
        match self {
            Step::Intend => "intend",
            Step::Answer(Answer::Accepted(_)) => "answer: accepted",
            Step::Answer(Answer::Refused(_)) => "answer: refused",
            Step::Answer(Answer::NotTaken) => "answer: not taken",
            Step::Observation(Observation::Job(_)) => "observation: job",
            Step::Observation(Observation::AliasAtDestination) => "observation: alias",
            Step::Observation(Observation::Absent) => "observation: absent",
            Step::Observation(Observation::Unclear(_)) => "observation: unclear",
            Step::Retry => "retry",
        }
    }
}
