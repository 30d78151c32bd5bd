//! Where one file of a transfer stands, and every step it can take.
//!
//! This is the whole state machine, and the only one: the journal stores what [`State::step`] returns and nothing else
//! ever decides what follows what. `docs/reliability.md` draws it and says what is on disk in each state.

mod doubt;
mod failure;

pub use doubt::Doubt;
pub use failure::Failure;

use std::fmt;

use cavatica_exports::model::ExportId;

/// The number of a planned file within its transfer, in the order of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(pub i64);

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a file stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
        /// The job, if one is known.
        export: Option<ExportId>,
        /// What confirmed it.
        proof: Proof,
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

/// What confirmed that a file was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// The file itself: it is an alias of exactly the planned object.
    File,
    /// Its job alone. That is all there is to a copy; of a move it says less, and is shown.
    Job,
    /// Somebody who looked.
    Word,
}

impl Proof {
    /// The name that reports have for it; it doesn't change.
    pub fn name(self) -> &'static str {
        match self {
            Proof::File => "file",
            Proof::Job => "job",
            Proof::Word => "word",
        }
    }
}

/// What can happen to a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// We are about to send it. On disk before the first byte of it is on the wire.
    Intend,
    /// What the wire said about it.
    Answer(Answer),
    /// What a later look at the platform showed.
    Observation(Observation),
    /// The user, or the rule for transient failures, asks to try once more.
    Retry,
    /// The user asks to send a file whose outcome isn't known, though it may have been sent.
    Release,
    /// The user says what became of a file whose outcome can't be known from here.
    Word(Word),
}

/// What somebody says who looked for himself. It is counted apart for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// The object is there.
    Completed,
    /// It has failed, for this reason.
    Failed(Failure),
    /// Nothing of it was sent.
    NotSent,
}

/// What the wire said about a file that was sent. No answer at all is no step: the file stays intended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The platform has a job for it.
    Accepted(SeenJob),
    /// The platform refused this file.
    Refused(Failure),
    /// Provably no byte of it was sent.
    NotSent,
}

/// What a look at the platform showed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Observation {
    /// Our job.
    Job(SeenJob),
    /// The file is an alias of exactly the planned object: our own success.
    AliasAtDestination,
    /// It is proven that no job of ours exists, and the file is still there to be sent.
    Absent,
    /// The platform said that it took nothing of the call, and a look confirms it.
    NotTaken,
    /// It is proven that no job of ours exists, and somebody else moved or deleted the file meanwhile.
    MovedAway(Failure),
    /// The look couldn't settle it.
    Unclear(Doubt),
}

/// A job as the platform showed it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SeenJob {
    /// Its id.
    pub export: ExportId,
    /// How it stands.
    pub verdict: Verdict,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Queued, running, or in a state that this version doesn't know.
    Unfinished,
    /// The object lies in the bucket.
    Completed,
    /// It ended with an error.
    Failed(Failure),
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
            State::Completed { export, .. }
            | State::Failed { export, .. }
            | State::Unknown { export, .. } => export.as_ref(),
        }
    }

    /// Whether a run sends it again by itself, up to so many times: it failed in this attempt, in a way that passes by
    /// waiting.
    pub fn is_sent_again(&self, attempt: u32, max_attempts: u32) -> bool {
        let failure = self.failure();
        failure.is_some_and(|failure| failure.is_sent_again(attempt, max_attempts))
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
    /// Only a planned file can be intended. It comes back to planned if provably nothing was sent, if no job of ours
    /// exists, or if its failure is definite and somebody asked to retry: then nothing of an earlier sending is alive.
    /// Beside that only a person brings it back, by [`Step::Release`] or [`Word::NotSent`], and may have it sent twice.
    ///
    /// # Errors
    ///
    /// [`IllegalStep`] for everything else.
    pub fn step(self, step: Step) -> Result<State, IllegalStep> {
        match step {
            Step::Intend => self.intend(),
            Step::Answer(answer) => self.answer(answer),
            Step::Observation(observation) => self.observe(observation),
            Step::Retry => self.retry(),
            Step::Release => self.release(),
            Step::Word(word) => self.word(word),
        }
    }

    fn intend(self) -> Result<State, IllegalStep> {
        match self {
            State::Planned => Ok(State::Intended),
            State::Intended
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Failed { .. }
            | State::Unknown { .. } => Err(self.cannot(&Step::Intend)),
        }
    }

    fn answer(self, answer: Answer) -> Result<State, IllegalStep> {
        match (self, answer) {
            (State::Intended, Answer::Accepted(job)) => Ok(job.state()),
            (State::Intended, Answer::Refused(failure)) => Ok(State::Failed {
                export: None,
                failure,
            }),
            (State::Intended, Answer::NotSent) => Ok(State::Planned),
            (
                state @ (State::Planned
                | State::Accepted { .. }
                | State::Completed { .. }
                | State::Failed { .. }
                | State::Unknown { .. }),
                answer @ (Answer::Accepted(_) | Answer::Refused(_) | Answer::NotSent),
            ) => Err(state.cannot(&Step::Answer(answer))),
        }
    }

    fn observe(self, observation: Observation) -> Result<State, IllegalStep> {
        match (self, observation) {
            // Somebody did our work, or undid it, before we sent anything.
            (State::Planned, Observation::AliasAtDestination) => Ok(by_its_file(None)),
            (State::Planned, Observation::MovedAway(failure)) => Ok(moved_away(failure)),

            (State::Intended, Observation::Job(job)) => Ok(job.state()),
            (State::Intended, Observation::AliasAtDestination) => Ok(by_its_file(None)),
            (State::Intended, Observation::Absent | Observation::NotTaken) => Ok(State::Planned),
            (State::Intended, Observation::MovedAway(failure)) => Ok(moved_away(failure)),
            (State::Intended, Observation::Unclear(doubt)) => Ok(State::Unknown {
                export: None,
                doubt,
            }),

            // An accepted job isn't undone, and no other job can stand in for it.
            (State::Accepted { export }, Observation::Job(job)) if job.export == export => {
                Ok(job.state())
            }
            (State::Accepted { export }, Observation::AliasAtDestination) => {
                Ok(by_its_file(Some(export)))
            }
            (State::Accepted { export }, Observation::Unclear(doubt)) => Ok(State::Unknown {
                export: Some(export),
                doubt,
            }),

            (state, observation) => state.observe_later(observation),
        }
    }

    /// How an outcome gets better after the fact: a later look may find what an earlier one couldn't, and a failure may turn
    /// out to be the echo of our own success.
    fn observe_later(self, observation: Observation) -> Result<State, IllegalStep> {
        match (self, observation) {
            (State::Unknown { export: None, .. }, Observation::Job(job)) => Ok(job.state()),
            (
                State::Unknown {
                    export: Some(export),
                    ..
                },
                Observation::Job(job),
            ) if job.export == export => Ok(job.state()),
            (State::Unknown { export, .. }, Observation::AliasAtDestination) => {
                Ok(by_its_file(export))
            }
            (State::Unknown { export, .. }, Observation::Unclear(doubt)) => {
                Ok(State::Unknown { export, doubt })
            }
            (State::Unknown { export: None, .. }, Observation::Absent) => Ok(State::Planned),
            (State::Unknown { export: None, .. }, Observation::MovedAway(failure)) => {
                Ok(moved_away(failure))
            }
            (State::Failed { export, .. }, Observation::AliasAtDestination) => {
                Ok(by_its_file(export))
            }
            // A failed job may come back.
            (
                State::Failed {
                    export: Some(export),
                    ..
                },
                Observation::Job(job),
            ) if job.export == export => Ok(job.state()),
            (State::Failed { failure, .. }, Observation::Job(job))
                if failure.may_be_own_success() && job.verdict == Verdict::Completed =>
            {
                Ok(job.state())
            }

            (
                state @ (State::Planned
                | State::Intended
                | State::Accepted { .. }
                | State::Completed { .. }
                | State::Failed { .. }
                | State::Unknown { .. }),
                observation @ (Observation::Job(_)
                | Observation::AliasAtDestination
                | Observation::Absent
                | Observation::NotTaken
                | Observation::MovedAway(_)
                | Observation::Unclear(_)),
            ) => Err(state.cannot(&Step::Observation(observation))),
        }
    }

    fn retry(self) -> Result<State, IllegalStep> {
        match self {
            State::Failed { .. } => Ok(State::Planned),
            State::Planned
            | State::Intended
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Unknown { .. } => Err(self.cannot(&Step::Retry)),
        }
    }

    fn release(self) -> Result<State, IllegalStep> {
        match self {
            State::Unknown { .. } => Ok(State::Planned),
            State::Planned
            | State::Intended
            | State::Accepted { .. }
            | State::Completed { .. }
            | State::Failed { .. } => Err(self.cannot(&Step::Release)),
        }
    }

    /// What can be known from here is nobody's to say.
    fn word(self, word: Word) -> Result<State, IllegalStep> {
        match (self, word) {
            (State::Unknown { export, .. }, Word::Completed) => Ok(State::Completed {
                export,
                proof: Proof::Word,
            }),
            (State::Unknown { export, .. }, Word::Failed(failure)) => {
                Ok(State::Failed { export, failure })
            }
            (State::Unknown { .. }, Word::NotSent) => Ok(State::Planned),
            (
                state @ (State::Planned
                | State::Intended
                | State::Accepted { .. }
                | State::Completed { .. }
                | State::Failed { .. }),
                word @ (Word::Completed | Word::Failed(_) | Word::NotSent),
            ) => Err(state.cannot(&Step::Word(word))),
        }
    }

    fn cannot(&self, step: &Step) -> IllegalStep {
        IllegalStep {
            state: self.name(),
            step: step.name(),
        }
    }
}

/// Completed, as the file itself shows.
fn by_its_file(export: Option<ExportId>) -> State {
    State::Completed {
        export,
        proof: Proof::File,
    }
}

/// Not ours to send any more.
fn moved_away(failure: Failure) -> State {
    State::Failed {
        export: None,
        failure,
    }
}

impl SeenJob {
    fn state(self) -> State {
        let SeenJob { export, verdict } = self;
        match verdict {
            Verdict::Unfinished => State::Accepted { export },
            Verdict::Completed => State::Completed {
                export: Some(export),
                proof: Proof::Job,
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
            Step::Answer(Answer::NotSent) => "answer: not sent",
            Step::Observation(Observation::Job(_)) => "observation: job",
            Step::Observation(Observation::AliasAtDestination) => "observation: alias",
            Step::Observation(Observation::Absent) => "observation: absent",
            Step::Observation(Observation::NotTaken) => "observation: not taken",
            Step::Observation(Observation::MovedAway(_)) => "observation: moved away",
            Step::Observation(Observation::Unclear(_)) => "observation: unclear",
            Step::Retry => "retry",
            Step::Release => "release",
            Step::Word(_) => "word",
        }
    }
}

#[cfg(test)]
mod tests;
