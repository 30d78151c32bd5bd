//! Files whose fate isn't known: what is asked about them, and what follows from the answers.

mod echo;
#[cfg(feature = "proof")]
pub mod proof;
mod resolution;
mod unclear;

use std::collections::HashSet;
use std::time::Duration;

use cavatica_exports::model::{ExportId, ExportJob, ExportMode, ExportState, FileId, VolumeId};
use jiff::Timestamp;
use tokio::time::Instant;

use super::Timing;
use crate::evidence::{
    Clocks, Completed, Coverage, Evidence, Extent, JobClock, Moments, Question, Settled, Settling,
    Trace, Whereabouts, judge, moved_away, seen,
};
use crate::journal::{Change, IntentId};
use crate::mutation::Mutation;
pub(super) use resolution::{Late, Resolved};
use resolution::{Resolution, after_another};

use crate::state::{Answer, Doubt, Failure, ItemId, Observation, SeenJob, Step, Verdict};

/// The most files that one inquiry is about.
const PER_INQUIRY: usize = 2_000;

/// Why it isn't known what becomes of a file.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// Its answer was lost.
    Lost,
    /// The answer said no: presumably it was not taken. With what it said of this file, if it did: to be recorded once it is
    /// certain.
    Refused(Option<Failure>),
    /// What it was told may be the echo of an earlier success of ours: 9006 where the file is our alias already, 9107 where our
    /// own object is in the way. It is recorded once that is ruled out.
    Echo(Change),
    /// It was not sent, because somebody else's job of the same file is under way.
    Held,
}

impl Cause {
    pub(super) fn is_about_others(&self) -> bool {
        matches!(self, Cause::Echo(_) | Cause::Held)
    }
}

/// A file whose fate isn't known.
#[derive(Clone, Debug)]
struct Open {
    item: ItemId,
    /// The call that it was part of.
    call: IntentId,
    question: Question,
    cause: Cause,
    settling: Settling,
    completed: Completed,
    /// When the last whole list that did not show its job was begun.
    unlisted: Option<Instant>,
    /// When to look. `None`: reading the whole list is too dear while there is other work.
    due: Option<Instant>,
}

impl Open {
    /// Whether it was sent, and nobody knows whether it was taken.
    fn is_lost(&self) -> bool {
        matches!(self.cause, Cause::Lost | Cause::Refused(_))
    }

    /// How late its job was listed, if a whole list had not shown it before.
    fn listed_late(&mut self, trace: &Trace<'_>, shown: &Evidence, began: Instant) -> Option<Late> {
        let dead = self.settling.dead();
        match trace {
            Trace::Job(_) | Trace::Alias(Some(_)) => self.unlisted.map(|unlisted| Late {
                at_least: unlisted.saturating_duration_since(dead),
                at_most: began.saturating_duration_since(dead),
            }),
            Trace::Nothing if shown.extent == Extent::Whole && shown.clean && self.is_lost() => {
                self.unlisted = Some(began);
                None
            }
            Trace::Nothing | Trace::Alias(None) | Trace::Elsewhere(_) | Trace::Whose(_) => None,
        }
    }

    /// Others of its call were found, so that the call is still being carried out: what is left of it settles anew.
    fn begin_anew(&mut self, timing: &Timing) {
        if Mutation::SlowCallForgotten.is_on() {
            return;
        }
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

/// What is inquired about.
#[derive(Clone, Debug)]
pub(super) struct Inquiry {
    mode: ExportMode,
    volume: VolumeId,
    open: Vec<Open>,
    inquiring: bool,
    /// The clock that jobs are dated by, measured on those of this run, and of earlier ones.
    pub(super) clock: JobClock,
    pub(super) earlier_clock: JobClock,
    /// A job of each call that was accepted while something was in doubt.
    witnesses: Vec<Witness>,
    reconciled: u64,
    /// The next look that was told of.
    look_told: Option<(usize, Instant)>,
}

impl Inquiry {
    pub(super) fn new(mode: ExportMode, volume: VolumeId) -> Self {
        Inquiry {
            mode,
            volume,
            open: Vec::new(),
            inquiring: false,
            clock: JobClock::default(),
            earlier_clock: JobClock::default(),
            witnesses: Vec::new(),
            reconciled: 0,
            look_told: None,
        }
    }

    /// A file's fate isn't known. No byte of its call moves any more from the moment that it settles from.
    pub(super) fn ask(
        &mut self,
        item: ItemId,
        call: IntentId,
        question: Question,
        cause: Cause,
        settling: Settling,
    ) {
        let due = match cause {
            Cause::Lost | Cause::Refused(_) => settling.due(),
            Cause::Echo(_) | Cause::Held => settling.dead(),
        };
        self.open.push(Open {
            item,
            call,
            question,
            cause,
            settling,
            completed: Completed::none(),
            unlisted: None,
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
        if self.inquiring {
            return None;
        }
        let is_due = |open: &&Open| open.due.map_or(quiet, |due| due <= now);
        let due = self.open.iter().filter(is_due).take(PER_INQUIRY);
        let questions: Vec<Question> = due.map(|open| open.question.clone()).collect();
        self.inquiring = !questions.is_empty();
        self.inquiring.then_some(questions)
    }

    /// The platform lists late: what is in doubt is given more time.
    pub(super) fn lengthen(&mut self, settle: Duration) {
        for open in self.open.iter_mut().filter(|open| open.is_lost()) {
            open.settling.lengthen(settle);
            open.due = open.due.map(|due| due.max(open.settling.due()));
        }
    }

    /// The questions couldn't be asked.
    pub(super) fn not_answered(&mut self) {
        self.inquiring = false;
    }

    /// The questions were answered. `clean` says whether the lists show all that they must, `began` when the look did, and
    /// `now` the present, on the platform's clock.
    pub(super) fn answered(
        &mut self,
        asked: &[Question],
        evidence: &Evidence,
        clean: bool,
        began: Instant,
        now: Timestamp,
        timing: &Timing,
    ) -> Resolved {
        self.inquiring = false;
        let witness = self.newest_witness(Some(evidence));
        let coverage = Coverage {
            began,
            extent: evidence.extent,
            clean,
            witness: witness.map(|witness| witness.sent),
        };
        if let Some(told) = evidence.latest_date() {
            self.clock.learn_listed(told, now);
        }
        let clocks = self.clocks(now);
        let asked: HashSet<&FileId> = asked.iter().map(|question| &question.file).collect();
        let (answered, mut still_open): (Vec<Open>, Vec<Open>) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|open| asked.contains(&open.question.file));
        let judged: Vec<(Open, Trace<'_>)> = answered
            .into_iter()
            .map(|open| {
                let trace = judge(&open.question, self.mode, &self.volume, evidence, &clocks);
                (open, trace)
            })
            .collect();
        let calls_found = calls_found(&judged);
        let is_slow = |open: &Open| open.is_lost() && calls_found.binary_search(&open.call).is_ok();
        for open in still_open.iter_mut().filter(|open| is_slow(open)) {
            open.begin_anew(timing);
        }
        let mut outcome = Resolved::default();
        for (mut open, trace) in judged {
            outcome.calls_asked.push(open.call);
            let unseen = matches!(trace, Trace::Nothing | Trace::Whose(_));
            outcome.late = outcome.late.max(open.listed_late(&trace, evidence, began));
            let resolution = if unseen && is_slow(&open) {
                open.begin_anew(timing);
                Resolution::Open(open.due)
            } else {
                let place = evidence.whereabouts.get(&open.question.file);
                open.completed
                    .saw(&open.question, &self.volume, evidence, began);
                self.resolve(&mut open, trace, place, coverage, timing)
            };
            match resolution {
                Resolution::Open(due) => {
                    open.due = due;
                    still_open.push(open);
                }
                Resolution::Found(changes) => {
                    outcome.found += 1;
                    outcome.changes.extend(changes);
                }
                Resolution::Absent(changes) => {
                    outcome.absent += usize::from(!matches!(open.cause, Cause::Echo(_)));
                    outcome.changes.extend(changes);
                }
                Resolution::Unknown(changes) => {
                    outcome.unknown += 1;
                    outcome.changes.extend(changes);
                }
                Resolution::Free => outcome.free.push(open.item),
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

    /// What a trace means for a file, by the reason why it is in doubt.
    fn resolve(
        &self,
        open: &mut Open,
        trace: Trace<'_>,
        place: Option<&Whereabouts>,
        coverage: Coverage,
        timing: &Timing,
    ) -> Resolution {
        let id = open.item;
        let soon = Some(Instant::now() + timing.settle);
        let late = open.completed.must_show(coverage.began, timing.settle);
        let awaited = open.completed.may_show_later(coverage.began, timing.settle);
        let asked_for = coverage
            .began
            .saturating_duration_since(open.settling.dead());
        if asked_for >= timing.unclear_job
            && let Some(resolution) = Self::given_up(id, &trace, &open.cause)
        {
            return resolution;
        }
        match (trace, &open.cause) {
            (Trace::Alias(job), cause) => {
                let is_ours = matches!(cause, Cause::Lost | Cause::Refused(_));
                let known = job.filter(|_| is_ours).map(|job| self.job(id, job));
                let alias = Change::new(id, Step::Observation(Observation::AliasAtDestination));
                Resolution::Found(known.into_iter().chain([alias]).collect())
            }
            (Trace::Job(job), Cause::Lost | Cause::Refused(_)) => {
                Resolution::Found(vec![self.job(id, job)])
            }
            (Trace::Job(job), Cause::Echo(change)) => {
                self.echoed(id, &open.question, job, change, late, soon)
            }
            (Trace::Job(job), Cause::Held) => match job.state.known() {
                Some(ExportState::Failed) => Resolution::Free,
                Some(ExportState::Completed) if late => after_another(id, place, self.mode),
                Some(ExportState::Completed | ExportState::Pending | ExportState::Running)
                | None => Resolution::Open(soon),
            },
            (Trace::Elsewhere(_), Cause::Lost | Cause::Refused(_) | Cause::Held) => {
                Resolution::Open(soon)
            }
            // A completed job of a move shows on its file, by and by.
            (Trace::Whose(_), Cause::Echo(_) | Cause::Held)
                if self.mode == ExportMode::Move && !late =>
            {
                Resolution::Open(soon)
            }
            (Trace::Elsewhere(_) | Trace::Whose(_) | Trace::Nothing, Cause::Echo(change)) => {
                // A copy leaves no mark on its file: only the list can tell, once no job is under way.
                if self.mode == ExportMode::Copy && coverage.extent != Extent::Whole {
                    Resolution::Open(soon.filter(|_| matches!(trace, Trace::Elsewhere(_))))
                } else {
                    Resolution::Absent(vec![change.clone()])
                }
            }
            (Trace::Whose(_) | Trace::Nothing, Cause::Held) => {
                if place.is_none() && self.mode == ExportMode::Move {
                    Resolution::Open(soon)
                } else {
                    after_another(id, place, self.mode)
                }
            }
            // A completed job of a move shows on its file; one that doesn't was an earlier copy. An older one may have had this
            // one refused.
            (Trace::Whose(_), _) | (Trace::Nothing, Cause::Refused(Some(_)))
                if self.mode == ExportMode::Move && awaited =>
            {
                open.settling.saw_nothing(coverage);
                Resolution::Open(Some(open.settling.due()))
            }
            (trace @ (Trace::Whose(_) | Trace::Nothing), _) => {
                let whose = matches!(trace, Trace::Whose(_));
                self.unseen(open, whose, place, coverage)
            }
        }
    }

    /// No trace of the job of a call that may have been taken.
    fn unseen(
        &self,
        open: &mut Open,
        whose: bool,
        place: Option<&Whereabouts>,
        coverage: Coverage,
    ) -> Resolution {
        let id = open.item;
        let observed = |observation| vec![Change::new(id, Step::Observation(observation))];
        let is_gone = place == Some(&Whereabouts::Gone);
        let witnessed = match open.settling.saw_nothing(coverage) {
            // A copy leaves no mark, nor does a move whose file was deleted since: where the whole list is too dear, it is read
            // when there is nothing else to do.
            Settled::Open if coverage.extent == Extent::Unfinished => {
                return Resolution::Open(None);
            }
            Settled::Absent { .. } if coverage.extent == Extent::States && is_gone => {
                return Resolution::Open(None);
            }
            Settled::Open => return Resolution::Open(Some(open.settling.due())),
            Settled::Unknowable => {
                return Resolution::Unknown(observed(Observation::Unclear(Doubt::ListIncomplete)));
            }
            Settled::Absent { witnessed } => witnessed,
        };
        // Without the file, nothing tells whose job it was that brought it there.
        let cannot_tell = self.mode == ExportMode::Copy || is_gone;
        if whose && cannot_tell {
            return Resolution::Unknown(observed(Observation::Unclear(Doubt::WhoseJob)));
        }
        let gone = match (self.mode, place) {
            (ExportMode::Move, None) => return Resolution::Open(Some(open.settling.due())),
            (ExportMode::Move, Some(place)) => moved_away(place),
            (ExportMode::Copy, _) => None,
        };
        Resolution::Absent(match (gone, &open.cause) {
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

    /// From when on a start is a witness for everything that is in doubt, if anything is.
    pub(super) fn doubts(&self) -> Option<Instant> {
        self.open
            .iter()
            .filter(|open| open.is_lost())
            .map(|open| open.settling.witnessed_from())
            .max()
    }

    /// How many files were refused, unless a look shows that they were taken all the same.
    pub(super) fn presumed_failed(&self) -> u64 {
        let told = |open: &&Open| matches!(open.cause, Cause::Refused(Some(_)));
        self.open.iter().filter(told).count() as u64
    }

    /// Whether this file's fate isn't known.
    pub(super) fn is_open(&self, item: ItemId) -> bool {
        self.open.iter().any(|open| open.item == item)
    }

    /// How many files' answers were lost, and when the next of them are asked about, if that is news.
    pub(super) fn next_look(&mut self, now: Instant) -> Option<(usize, Instant)> {
        let lost = || self.open.iter().filter(|open| open.is_lost());
        let due = lost().filter_map(|open| open.due).min();
        let look = due
            .filter(|due| *due > now)
            .map(|due| (lost().count(), due));
        let told = std::mem::replace(&mut self.look_told, look);
        look.filter(|_| look != told)
    }

    pub(super) fn reconciled(&self) -> u64 {
        self.reconciled
    }

    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty() && !self.inquiring
    }

    pub(super) fn next_wake(&self) -> Option<Instant> {
        if self.inquiring {
            return None;
        }
        self.open.iter().filter_map(|open| open.due).min()
    }
}

/// The calls of which at least one file was found, in order.
fn calls_found(judged: &[(Open, Trace<'_>)]) -> Vec<IntentId> {
    let found = judged
        .iter()
        .filter(|(open, trace)| open.is_lost() && matches!(trace, Trace::Alias(_) | Trace::Job(_)));
    let mut calls: Vec<IntentId> = found.map(|(open, _)| open.call).collect();
    calls.sort_unstable();
    calls.dedup();
    calls
}

#[cfg(test)]
mod tests;
