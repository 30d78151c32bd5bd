//! Files whose fate isn't known: what is asked about them, and what follows from the answers.

use std::collections::HashMap;

use cavatica_exports::model::{ExportId, ExportJob, ExportMode, ExportState, VolumeId};
use jiff::Timestamp;
use tokio::time::Instant;

use super::Timing;
use crate::evidence::{
    Clocks, Evidence, Finding, JobClock, Look, Moments, Question, Reach, Settled, Settling,
    Whereabouts, judge, seen,
};
use crate::journal::{Change, IntentId};
use crate::state::{Answer, Doubt, Failure, ItemId, Observation, SeenJob, Step, Verdict};

/// The most files that one look is about.
const LOOK: usize = 2_000;

/// Why it isn't known what becomes of a file.
#[derive(Debug)]
pub(super) enum Cause {
    /// Its answer was lost.
    Lost,
    /// The answer said no to the whole call: presumably nothing was taken. With what it said, if this file was all of the call
    /// and to blame.
    Refused(Option<Failure>),
    /// It was refused, or its job failed, in a way that may be the echo of our own success: 9006 where the file is our alias
    /// already, 9107 where our own object is in the way. It is recorded once that is ruled out.
    Echo(Change),
    /// It was not sent, because somebody else's job of the same file is under way.
    Held,
}

/// A file whose fate isn't known.
#[derive(Debug)]
struct Open {
    question: Question,
    cause: Cause,
    settling: Settling,
    /// When to look. `None`: reading the whole list is too dear while there is other work.
    due: Option<Instant>,
}

impl Open {
    /// Whether it was sent, and nobody knows whether it was taken.
    fn is_lost(&self) -> bool {
        matches!(self.cause, Cause::Lost | Cause::Refused(_))
    }

    /// Others of its call were found, so that the call is still being carried out: what is left of it settles anew.
    fn begin_anew(&mut self, timing: &Timing) {
        self.settling = Settling::of_slow_call(Instant::now(), timing.settle);
        self.due = Some(self.settling.due());
    }
}

/// A job of ours that was accepted while something was in doubt.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    pub(super) export: ExportId,
    /// When it was sent.
    pub(super) sent: Instant,
    /// The same moment on the platform's clock.
    pub(super) at: Timestamp,
}

/// What became of one file.
enum Told {
    /// Still open: to be looked at again at this moment, or when there is nothing else to do.
    Open(Option<Instant>),
    Found(Vec<Change>),
    Absent(Vec<Change>),
    Unknown(Vec<Change>),
    /// It may be sent now.
    Free,
}

/// What an inquiry brought.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) changes: Vec<Change>,
    pub(super) found: usize,
    pub(super) absent: usize,
    pub(super) unknown: usize,
    /// Held files that may be sent.
    pub(super) free: Vec<ItemId>,
    /// Calls of which at least one file was found.
    pub(super) calls_found: Vec<IntentId>,
    /// Calls that were asked about.
    pub(super) calls_asked: Vec<IntentId>,
}

/// What is inquired about.
#[derive(Debug)]
pub(super) struct Inquiry {
    mode: ExportMode,
    volume: VolumeId,
    open: Vec<Open>,
    looking: bool,
    /// The clock that jobs are dated by, measured on those of this run, and of earlier ones.
    pub(super) clock: JobClock,
    pub(super) earlier_clock: JobClock,
    /// A job of each call that was accepted while something was in doubt.
    witnesses: Vec<Witness>,
    reconciled: u64,
}

impl Inquiry {
    pub(super) fn new(mode: ExportMode, volume: VolumeId) -> Self {
        Inquiry {
            mode,
            volume,
            open: Vec::new(),
            looking: false,
            clock: JobClock::default(),
            earlier_clock: JobClock::default(),
            witnesses: Vec::new(),
            reconciled: 0,
        }
    }

    /// A file's fate isn't known. No byte of its call moves any more from the moment that it settles from.
    pub(super) fn ask(&mut self, question: Question, cause: Cause, settling: Settling) {
        let due = match cause {
            Cause::Lost | Cause::Refused(_) => settling.due(),
            Cause::Echo(_) | Cause::Held => settling.dead(),
        };
        self.open.push(Open {
            question,
            cause,
            settling,
            due: Some(due),
        });
    }

    /// A call was accepted: what a list shows of it, it shows of all that was sent before.
    pub(super) fn witness(&mut self, witness: Witness) {
        if !self.open.is_empty() {
            self.witnesses.push(witness);
        }
    }

    /// The newest witness that lists show, or of all if none is given.
    pub(super) fn newest_witness(&self, shown_by: Option<&Evidence>) -> Option<&Witness> {
        let shown = |witness: &&Witness| {
            shown_by.is_none_or(|evidence| evidence.shows(witness.export.as_str()))
        };
        let shown = self.witnesses.iter().filter(shown);
        shown.max_by_key(|witness| witness.sent)
    }

    /// The questions to ask now. `quiet` says that there is nothing else to do.
    pub(super) fn next(&mut self, quiet: bool, now: Instant) -> Option<Vec<Question>> {
        if self.looking {
            return None;
        }
        let is_due = |open: &&Open| open.due.map_or(quiet, |due| due <= now);
        let due = self.open.iter().filter(is_due).take(LOOK);
        let questions: Vec<Question> = due.map(|open| open.question.clone()).collect();
        self.looking = !questions.is_empty();
        self.looking.then_some(questions)
    }

    /// The questions couldn't be asked.
    pub(super) fn not_answered(&mut self) {
        self.looking = false;
    }

    /// The questions were answered. `clean` says whether the lists show all that they must, `began` when the look did, and
    /// `now` the same moment on the platform's clock.
    pub(super) fn answered(
        &mut self,
        asked: &[Question],
        evidence: &Evidence,
        clean: bool,
        began: Instant,
        now: Timestamp,
        timing: &Timing,
    ) -> Outcome {
        self.looking = false;
        let witness = self.newest_witness(Some(evidence));
        let look = Look {
            began,
            reach: evidence.reach,
            clean,
            witness: witness.map(|witness| witness.sent),
        };
        let clocks = self.clocks(now);
        let asked: HashMap<ItemId, &Question> = asked
            .iter()
            .map(|question| (question.id(), question))
            .collect();
        let (answered, mut still_open): (Vec<Open>, Vec<Open>) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|open| asked.contains_key(&open.question.id()));
        let judged: Vec<(Open, Finding<'_>)> = answered
            .into_iter()
            .map(|open| {
                let finding = judge(&open.question, self.mode, &self.volume, evidence, &clocks);
                (open, finding)
            })
            .collect();
        let found = |(open, finding): &&(Open, Finding<'_>)| {
            open.is_lost() && matches!(finding, Finding::Alias(_) | Finding::Job(_))
        };
        let mut calls_found: Vec<IntentId> = judged
            .iter()
            .filter(found)
            .map(|(open, _)| open.question.call)
            .collect();
        calls_found.sort_unstable();
        calls_found.dedup();
        let is_slow =
            |open: &Open| open.is_lost() && calls_found.binary_search(&open.question.call).is_ok();
        for open in still_open.iter_mut().filter(|open| is_slow(open)) {
            open.begin_anew(timing);
        }
        let mut outcome = Outcome::default();
        for (mut open, finding) in judged {
            outcome.calls_asked.push(open.question.call);
            let unseen = matches!(finding, Finding::Nothing | Finding::Whose(_));
            let told = if unseen && is_slow(&open) {
                open.begin_anew(timing);
                Told::Open(open.due)
            } else {
                let place = evidence.whereabouts.get(&open.question.item.file);
                self.tell(&mut open, finding, place, look, timing)
            };
            match told {
                Told::Open(due) => {
                    open.due = due;
                    still_open.push(open);
                }
                Told::Found(changes) => {
                    outcome.found += 1;
                    outcome.changes.extend(changes);
                }
                Told::Absent(changes) => {
                    outcome.absent += usize::from(!matches!(open.cause, Cause::Echo(_)));
                    outcome.changes.extend(changes);
                }
                Told::Unknown(changes) => {
                    outcome.unknown += 1;
                    outcome.changes.extend(changes);
                }
                Told::Free => outcome.free.push(open.question.id()),
            }
        }
        outcome.calls_found = calls_found;
        self.open = still_open;
        if self.open.is_empty() {
            self.witnesses.clear();
        }
        self.reconciled += (outcome.found + outcome.absent + outcome.unknown) as u64;
        outcome
    }

    pub(super) fn clocks(&self, now: Timestamp) -> Clocks {
        Clocks {
            this_run: self.clock,
            earlier_runs: self.earlier_clock,
            now,
        }
    }

    /// What a finding means for a file, by the reason why it is in doubt.
    fn tell(
        &self,
        open: &mut Open,
        finding: Finding<'_>,
        place: Option<&Whereabouts>,
        look: Look,
        timing: &Timing,
    ) -> Told {
        let id = open.question.id();
        let soon = Some(Instant::now() + timing.settle);
        let late = look.began >= open.settling.latest();
        match (finding, &open.cause) {
            (Finding::Alias(job), cause) => {
                let is_ours = matches!(cause, Cause::Lost | Cause::Refused(_));
                let known = job.filter(|_| is_ours).map(|job| self.job(id, job));
                let alias = Change::new(id, Step::Observation(Observation::AliasAtDestination));
                Told::Found(known.into_iter().chain([alias]).collect())
            }
            (Finding::Job(job), Cause::Lost | Cause::Refused(_)) => {
                Told::Found(vec![self.job(id, job)])
            }
            (Finding::Job(job), Cause::Echo(told)) => self.echoed(id, job, told, late, soon),
            (Finding::Job(job), Cause::Held) => match job.state.known() {
                Some(ExportState::Failed) => Told::Free,
                Some(ExportState::Completed) if late => after_another(id, place, self.mode),
                Some(ExportState::Completed | ExportState::Pending | ExportState::Running)
                | None => Told::Open(soon),
            },
            (Finding::Elsewhere(_), Cause::Lost | Cause::Refused(_) | Cause::Held) => {
                Told::Open(soon)
            }
            (Finding::Elsewhere(_) | Finding::Whose(_) | Finding::Nothing, Cause::Echo(told)) => {
                // A copy leaves no mark on its file: only the list can tell.
                if self.mode == ExportMode::Copy && look.reach != Reach::Whole {
                    Told::Open(None)
                } else {
                    Told::Absent(vec![told.clone()])
                }
            }
            (Finding::Whose(_) | Finding::Nothing, Cause::Held) => {
                if place.is_none() && self.mode == ExportMode::Move {
                    Told::Open(soon)
                } else {
                    after_another(id, place, self.mode)
                }
            }
            // A completed job of a move shows on its file; one that doesn't was an earlier copy.
            (Finding::Whose(_), _) if self.mode == ExportMode::Move && !late => {
                open.settling.saw_nothing(look);
                Told::Open(Some(open.settling.due()))
            }
            (finding @ (Finding::Whose(_) | Finding::Nothing), _) => {
                let whose = matches!(finding, Finding::Whose(_));
                self.unseen(open, whose, place, look)
            }
        }
    }

    /// Our own success may be what a refusal echoes.
    fn echoed(
        &self,
        id: ItemId,
        job: &ExportJob,
        told: &Change,
        late: bool,
        soon: Option<Instant>,
    ) -> Told {
        match (job.state.known(), self.mode) {
            (Some(ExportState::Completed), ExportMode::Copy) => {
                let failed = matches!(told.step, Step::Observation(_)).then(|| told.clone());
                Told::Found(failed.into_iter().chain([self.job(id, job)]).collect())
            }
            (Some(ExportState::Failed), _) => Told::Absent(vec![told.clone()]),
            (Some(ExportState::Completed), ExportMode::Move) if late => {
                Told::Absent(vec![told.clone()])
            }
            // Under way, or completed and not yet shown by its file.
            (
                Some(ExportState::Completed | ExportState::Pending | ExportState::Running) | None,
                _,
            ) => Told::Open(soon),
        }
    }

    /// No trace of the job of a call that may have been taken.
    fn unseen(
        &self,
        open: &mut Open,
        whose: bool,
        place: Option<&Whereabouts>,
        look: Look,
    ) -> Told {
        let id = open.question.id();
        let observed = |observation| vec![Change::new(id, Step::Observation(observation))];
        let witnessed = match open.settling.saw_nothing(look) {
            // A copy leaves no mark: where the whole list is too dear, it is read when there is nothing else to do.
            Settled::Open if look.reach == Reach::Unfinished => return Told::Open(None),
            Settled::Open => return Told::Open(Some(open.settling.due())),
            Settled::Unknowable => {
                return Told::Unknown(observed(Observation::Unclear(Doubt::ListIncomplete)));
            }
            Settled::Absent { witnessed } => witnessed,
        };
        if whose && self.mode == ExportMode::Copy {
            return Told::Unknown(observed(Observation::Unclear(Doubt::WhoseJob)));
        }
        let gone = match (self.mode, place) {
            (ExportMode::Move, None) => return Told::Open(Some(open.settling.due())),
            (ExportMode::Move, Some(place)) => place.moved_away(),
            (ExportMode::Copy, _) => None,
        };
        Told::Absent(match (gone, &open.cause) {
            (Some(failure), _) => observed(Observation::MovedAway(failure)),
            (None, Cause::Refused(Some(failure))) => {
                let answer = Answer::Refused(failure.clone());
                vec![Change::new(id, Step::Answer(answer))]
            }
            (None, Cause::Refused(None)) if witnessed => observed(Observation::NotTaken),
            (None, _) => observed(Observation::Absent),
        })
    }

    fn job(&self, id: ItemId, job: &ExportJob) -> Change {
        let standing = job.clone().into();
        let (started, finished) = Moments::default().of(&standing);
        let job: SeenJob = seen(standing, self.mode, None);
        Change {
            started,
            finished: finished.filter(|_| job.verdict != Verdict::Unfinished),
            ..Change::new(id, Step::Observation(Observation::Job(job)))
        }
    }

    /// When the bytes of the newest call in doubt are dead, if any is.
    pub(super) fn doubts(&self) -> Option<Instant> {
        self.open
            .iter()
            .filter(|open| open.is_lost())
            .map(|open| open.settling.dead())
            .max()
    }

    /// Whether this file's fate isn't known.
    pub(super) fn is_open(&self, item: ItemId) -> bool {
        self.open.iter().any(|open| open.question.id() == item)
    }

    pub(super) fn reconciled(&self) -> u64 {
        self.reconciled
    }

    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty() && !self.looking
    }

    pub(super) fn next_wake(&self) -> Option<Instant> {
        if self.looking {
            return None;
        }
        self.open.iter().filter_map(|open| open.due).min()
    }
}

/// Somebody else's job of a file that we plan has ended.
fn after_another(id: ItemId, place: Option<&Whereabouts>, mode: ExportMode) -> Told {
    match (mode, place.and_then(Whereabouts::moved_away)) {
        (ExportMode::Move, Some(failure)) => {
            let observation = Observation::MovedAway(failure);
            Told::Absent(vec![Change::new(id, Step::Observation(observation))])
        }
        (ExportMode::Move | ExportMode::Copy, _) => Told::Free,
    }
}
