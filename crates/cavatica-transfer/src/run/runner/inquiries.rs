//! Asking what became of files whose fate isn't known.

use cavatica_exports::model::ExportMode;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::Runner;
use crate::event::Event;
use crate::evidence::{AskError, Asked, Effort, Evidence, Extent, LATEST, Question};
use crate::observe::Belief;
use crate::run::{RunError, tasks};

/// How far back a list must show the jobs that we know of. How long it keeps them isn't promised.
const LISTED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Of jobs in flight that a list must show, so many are held against it.
const SAMPLE: usize = 500;

impl Runner<'_> {
    pub(super) fn inquire(&mut self, now: Instant) {
        let quiet = self.is_quiet();
        let Some(questions) = self.inquiry.next(quiet, now) else {
            return;
        };
        let at = self.platform_now();
        // What was accepted before a witness must be listed as it is, and what was accepted long ago.
        let long_ago = now.checked_sub(self.timing.settle * LATEST);
        let witness = self
            .inquiry
            .newest_witness(None)
            .map(|witness| witness.sent);
        let in_flight = match (self.terms.mode, witness.max(long_ago)) {
            (ExportMode::Move, Some(before)) => self.follower.oldest(before, SAMPLE),
            (ExportMode::Move, None) | (ExportMode::Copy, _) => Vec::new(),
        };
        let asked = Asked {
            mode: self.terms.mode,
            volume: self.terms.volume.clone(),
            questions,
            effort: if quiet { Effort::Whole } else { Effort::Cheap },
            in_flight,
            clocks: self.inquiry.clocks(at),
        };
        self.spawn(tasks::inquire(self.platform.clone(), asked, now, at));
    }

    /// Says when lost answers are asked about, if that isn't known yet.
    pub(super) fn tell_of_look(&mut self, now: Instant) {
        if let Some((files, due)) = self.inquiry.next_look(now) {
            let wait = due - now;
            (self.report)(Event::LookDue { files, wait });
        }
    }

    pub(super) fn inquired(
        &mut self,
        asked: &Asked,
        began: Instant,
        at: Timestamp,
        result: Result<Evidence, AskError>,
    ) -> Result<(), RunError> {
        let evidence = match result {
            Ok(evidence) => evidence,
            Err(error) => {
                self.inquiry.not_answered();
                return self.troubled(error);
            }
        };
        self.outage.is_over();
        let clean = evidence.clean && self.shows_what_it_must(&asked.questions, &evidence, at)?;
        let timing = self.timing;
        let now = self.platform_now();
        let outcome =
            self.inquiry
                .answered(&asked.questions, &evidence, clean, began, now, &timing);
        self.observe_lists(&evidence, outcome.late, outcome.found)?;
        if outcome.found + outcome.absent + outcome.unknown > 0 {
            (self.report)(Event::Reconciled {
                found: outcome.found,
                absent: outcome.absent,
                unknown: outcome.unknown,
            });
        }
        for item in outcome.free {
            self.sender.again(item);
        }
        self.record(outcome.changes)?;
        // A call that was refused as if nobody here might send anything was taken all the same, or it wasn't.
        match &self.refused {
            Some((call, _)) if outcome.calls_found.binary_search(call).is_ok() => {
                self.refused = None;
                Ok(())
            }
            Some((call, _)) if outcome.calls_asked.contains(call) => {
                let (_, error) = self.refused.take().expect("it is there");
                Err(RunError::Refused(error))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether a whole list shows every job that it must: those that were sent before what is asked about, those before the
    /// newest job of ours that it shows, and those that were sent long ago.
    fn shows_what_it_must(
        &mut self,
        questions: &[Question],
        evidence: &Evidence,
        at: Timestamp,
    ) -> Result<bool, RunError> {
        if evidence.extent != Extent::Whole {
            return Ok(true);
        }
        let late = SignedDuration::try_from(self.timing.settle * LATEST);
        let long_ago = at.saturating_sub(late.unwrap_or(SignedDuration::MAX)).ok();
        let witness = self.inquiry.newest_witness(Some(evidence));
        let witness = witness.map(|witness| witness.at);
        // With newer ones, a list that is merely late would never do while answers go on being lost. What was sent in the
        // same millisecond, the finest that the journal tells apart, counts as before.
        let asked = questions.iter().map(|question| question.sent).min();
        let asked = asked.map(|sent| sent + SignedDuration::from_millis(1));
        let (Some(until), Ok(since)) = (
            witness.max(long_ago).max(asked),
            at.saturating_sub(LISTED_FOR),
        ) else {
            return Ok(true);
        };
        let mut missing = 0;
        self.journal.known_jobs(since..until, &mut |export| {
            missing += usize::from(!evidence.shows(export));
        })?;
        if missing > 0 && evidence.clean {
            self.look_for_the_forgotten(since, at, evidence)?;
        }
        Ok(missing == 0)
    }

    /// A whole list that misses jobs which were sent long ago, twice as long as a list may be late, contradicts that they are
    /// kept.
    fn look_for_the_forgotten(
        &mut self,
        since: Timestamp,
        at: Timestamp,
        evidence: &Evidence,
    ) -> Result<(), RunError> {
        let late = SignedDuration::try_from(self.timing.settle * (2 * LATEST));
        let Ok(until) = at.saturating_sub(late.unwrap_or(SignedDuration::MAX)) else {
            return Ok(());
        };
        let mut missing = 0;
        self.journal
            .known_jobs(since..until.max(since), &mut |export| {
                missing += usize::from(!evidence.shows(export));
            })?;
        if missing > 0 {
            self.contradict(Belief::JobsKept)?;
        }
        Ok(())
    }
}
