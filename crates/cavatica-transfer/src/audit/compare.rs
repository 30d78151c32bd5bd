//! What the listed jobs of one file say of what the journal says of it. Pure: no network, no clock, no disk.

use cavatica_exports::model::{ExportId, ExportMode};
use jiff::Timestamp;

use super::disagreement::Disagreement;
use crate::evidence::JobClock;
use crate::state::{Doubt, Proof, State};

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not known to have ended.
    Live,
    Completed,
    Failed,
}

/// Where a job brings its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobPlace {
    Planned,
    Elsewhere {
        /// In words.
        place: String,
        /// Whether the file lies there now: then the job moved it. No field of a job says whether it moves or copies.
        moved: bool,
    },
}

/// A job of a planned file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditedJob {
    pub(crate) export: String,
    pub(crate) stage: Stage,
    pub(crate) place: JobPlace,
    pub(crate) started: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
}

/// What the jobs of a file are held against.
pub(crate) struct Books<'a> {
    pub(crate) mode: ExportMode,
    /// When the transfer was planned: jobs that ended before are earlier ones.
    pub(crate) planned: Timestamp,
    /// The clock that jobs are dated by.
    pub(crate) clock: JobClock,
    /// Whether the list is whole, so that what it doesn't show isn't there.
    pub(crate) whole: bool,
    /// Whether the list shows a job, of whatever file.
    pub(crate) shows: &'a dyn Fn(&ExportId) -> bool,
}

/// What was found of a file: what disagrees, in which words, and by which job.
pub(crate) type Complaint<'a> = (Disagreement, String, Option<&'a str>);

impl Books<'_> {
    /// Whether a job belongs to the time since the plan. `None` if it can't be told.
    fn is_since(&self, job: &AuditedJob, own: Option<&ExportId>) -> Option<bool> {
        if job.stage == Stage::Live || own.is_some_and(|own| own.as_str() == job.export) {
            return Some(true);
        }
        let ended = job.finished.or(job.started)?;
        let before = self.clock.is_before(ended, self.planned)?;
        Some(!before)
    }

    /// Compares where a file stands with its jobs.
    pub(crate) fn compare<'a>(
        &self,
        state: &State,
        jobs: &'a [AuditedJob],
    ) -> Option<Complaint<'a>> {
        let own = state.export();
        let here = || jobs.iter().filter(|job| job.place == JobPlace::Planned);
        let lives = |job: &&AuditedJob| job.stage != Stage::Failed;
        let since = |job: &&AuditedJob| self.is_since(job, own) == Some(true);
        let counted: Vec<&AuditedJob> = here().filter(lives).filter(since).collect();
        if let [first, second, ..] = counted[..] {
            let other = if own.is_some_and(|own| own.as_str() == first.export) {
                second
            } else {
                first
            };
            let ids: Vec<&str> = counted.iter().map(|job| job.export.as_str()).collect();
            let message = format!(
                "{} jobs to its place completed or still run, expected one: {}",
                ids.len(),
                ids.join(", ")
            );
            return Some((Disagreement::Doubled, message, Some(&other.export)));
        }
        self.elsewhere(state, jobs)
            .or_else(|| self.one(state, counted.first().copied(), jobs))
            .or_else(|| {
                let undated: Vec<&AuditedJob> = self.undated(own, jobs).collect();
                let message = "it isn't known whether its completed job was started before the transfer was planned: its times say too little, or no job of this transfer shows by which clock they are told";
                match (state, &undated[..]) {
                    // It lies in its place, and by a single job; whichever it was, none is too many.
                    (State::Completed { export: None, .. }, [_]) if counted.is_empty() => None,
                    (_, []) => None,
                    (_, [job, ..]) => Some((
                        Disagreement::Unclear,
                        message.to_owned(),
                        Some(&*job.export),
                    )),
                }
            })
    }

    /// Successful jobs to the planned place that may be earlier ones.
    fn undated<'a>(
        &self,
        own: Option<&ExportId>,
        jobs: &'a [AuditedJob],
    ) -> impl Iterator<Item = &'a AuditedJob> {
        jobs.iter().filter(move |job| {
            job.place == JobPlace::Planned
                && job.stage == Stage::Completed
                && self.is_since(job, own).is_none()
        })
    }

    /// A job that moves the file to another place. Copies are nobody's business, nor is it what became of a file that was
    /// copied.
    fn elsewhere<'a>(&self, state: &State, jobs: &'a [AuditedJob]) -> Option<Complaint<'a>> {
        // The journal may have called it failed just because of that.
        if self.mode == ExportMode::Copy || matches!(state, State::Failed { .. }) {
            return None;
        }
        jobs.iter().find_map(|job| {
            let JobPlace::Elsewhere { place, moved } = &job.place else {
                return None;
            };
            let told = match (job.stage, moved) {
                (Stage::Live, _) if !matches!(state, State::Completed { .. }) => {
                    "takes it, or a copy of it, to"
                }
                (Stage::Completed, true) if self.is_since(job, None) == Some(true) => "moved it to",
                (Stage::Live | Stage::Completed | Stage::Failed, _) => return None,
            };
            let message = format!(
                "the journal says {}, and job {} {told} {place}",
                state.name(),
                job.export
            );
            Some((Disagreement::Elsewhere, message, Some(&*job.export)))
        })
    }

    /// What disagrees where at most one job brought the file to its place, or still does.
    fn one<'a>(
        &self,
        state: &State,
        counted: Option<&'a AuditedJob>,
        jobs: &'a [AuditedJob],
    ) -> Option<Complaint<'a>> {
        match state {
            State::Completed { export: None, .. } => match counted {
                Some(job) if job.stage == Stage::Live => Some(live(state, job)),
                Some(_) => None,
                None => self.no_job(state, jobs),
            },
            State::Completed {
                export: Some(export),
                ..
            }
            | State::Accepted { export } => self.own(state, export, counted, jobs),
            State::Intended => None,
            State::Planned | State::Failed { .. } | State::Unknown { .. } => {
                let job = counted?;
                let own = state.export();
                let is_own = own.is_some_and(|own| own.as_str() == job.export);
                match (is_own, job.stage) {
                    (true, Stage::Live) => Some(live(state, job)),
                    // That is why it is unknown.
                    (true, _) if is_not_moved(state) => None,
                    (true, _) => Some(differs(state, job)),
                    (false, _) => {
                        let message = format!(
                            "the journal says {}, and job {} to its place {}",
                            state.name(),
                            job.export,
                            stands(job.stage)
                        );
                        Some((Disagreement::UnexpectedJob, message, Some(&*job.export)))
                    }
                }
            }
        }
    }

    /// The journal names a job.
    fn own<'a>(
        &self,
        state: &State,
        export: &ExportId,
        counted: Option<&'a AuditedJob>,
        jobs: &'a [AuditedJob],
    ) -> Option<Complaint<'a>> {
        let has_ended = matches!(state, State::Completed { .. });
        let own = jobs.iter().find(|job| job.export == export.as_str());
        let other = counted.filter(|job| job.export != export.as_str());
        match own {
            Some(job) if job.place == JobPlace::Planned => match (job.stage, other) {
                (Stage::Live, _) if has_ended => Some(live(state, job)),
                (Stage::Failed, _) if has_ended => Some(differs(state, job)),
                (Stage::Failed, Some(other)) => {
                    let message = format!(
                        "its job {export} failed, and job {}, which the journal doesn't know, {}",
                        other.export,
                        stands(other.stage)
                    );
                    Some((Disagreement::UnexpectedJob, message, Some(&*other.export)))
                }
                (Stage::Live | Stage::Completed | Stage::Failed, _) => None,
            },
            Some(job) => {
                let message = format!("the journal names job {export}, which is to another place");
                Some((Disagreement::WrongJob, message, Some(&*job.export)))
            }
            None if (self.shows)(export) => {
                let message = format!("the journal names job {export}, which is of another file");
                Some((Disagreement::WrongJob, message, None))
            }
            None => {
                let instead = other.map_or_else(String::new, |other| {
                    format!(
                        "; job {} to its place {}",
                        other.export,
                        stands(other.stage)
                    )
                });
                let message =
                    format!("the journal names job {export}, which isn't listed{instead}");
                Some((self.absent(Disagreement::NotInList), message, None))
            }
        }
    }

    /// Completed by its file, and no job since the plan brought it there.
    fn no_job<'a>(&self, state: &State, jobs: &[AuditedJob]) -> Option<Complaint<'a>> {
        if self.undated(None, jobs).next().is_some() {
            return None;
        }
        let by_word = matches!(
            state,
            State::Completed {
                proof: Proof::Word,
                ..
            }
        );
        let by = if by_word {
            "by somebody's word"
        } else {
            "by the file itself"
        };
        let message = format!(
            "the journal says completed, {by}, and no job since the plan that brought it there is listed"
        );
        Some((self.absent(Disagreement::MissingJob), message, None))
    }

    /// What isn't listed isn't there only if the list is whole.
    fn absent(&self, kind: Disagreement) -> Disagreement {
        if self.whole {
            kind
        } else {
            Disagreement::Unclear
        }
    }
}

/// Whether the job is known to have completed, and the file not to have become an alias.
fn is_not_moved(state: &State) -> bool {
    matches!(
        state,
        State::Unknown {
            doubt: Doubt::NotMoved,
            ..
        }
    )
}

fn live<'a>(state: &State, job: &'a AuditedJob) -> Complaint<'a> {
    let message = format!(
        "the journal says {}, and its job {} still runs",
        state.name(),
        job.export
    );
    (Disagreement::LiveJob, message, Some(&job.export))
}

fn differs<'a>(state: &State, job: &'a AuditedJob) -> Complaint<'a> {
    let message = format!(
        "the journal says {}, and its job {} {}",
        state.name(),
        job.export,
        stands(job.stage)
    );
    (Disagreement::StateDiffers, message, Some(&job.export))
}

fn stands(stage: Stage) -> &'static str {
    match stage {
        Stage::Live => "still runs",
        Stage::Completed => "completed",
        Stage::Failed => "failed",
    }
}

#[cfg(test)]
mod tests;
