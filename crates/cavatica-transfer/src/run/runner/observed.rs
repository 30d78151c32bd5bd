//! What the answers show of the platform, and what follows from it.

use std::time::Duration;

use cavatica_exports::model::ExportMode;
use cavatica_exports::model::bulk::BulkAnswer;
use cavatica_exports::model::job::StartedJob;
use cavatica_exports::transport::{Fetched, LimitsTold};

use super::Runner;
use super::answers::sent_as;
use crate::event::{Event, StopReason};
use crate::evidence::{Evidence, LATEST, Whereabouts};
use crate::journal::{Copying, Intent, Item, JournalError};
use crate::observe::{self, Belief, Came, Habit, Measure};
use crate::run::inquiry::Late;
use crate::run::{Ending, RunError};
use crate::state::{Failure, ItemId};

impl Runner<'_> {
    /// Heeds what was seen: lists that are late are waited for longer, and a move sends nothing to a platform that
    /// contradicts what it rests on.
    pub(super) fn heed(&mut self) -> Result<(), RunError> {
        self.expect_pages();
        let usual = self.options.timing.settle;
        // What is later than that isn't believed in: it is a contradiction.
        let settle = self.observed.seen.listed_after().min(usual * LATEST);
        if settle > self.timing.settle {
            self.timing.settle = settle;
            self.inquiry.lengthen(settle);
            (self.report)(Event::SettlingLengthened { settle });
        }
        if self.terms.mode == ExportMode::Move
            && !self.sender.is_held()
            && let Some(belief) = self.observed.seen.contradicted(&self.options.despite)
        {
            self.sender.hold();
            self.platform.client.withdraw_starts();
            (self.report)(Event::BeliefContradicted { belief });
            if self.tally.planned.files > 0 {
                let reason = StopReason::Contradicted;
                (self.report)(Event::SendingStopped { reason });
            }
        }
        Ok(())
    }

    /// How a run ends that came to its end: not well, if files are left that were not sent.
    pub(super) fn ended(&self, ending: Ending) -> Result<Ending, RunError> {
        let left = self.tally.planned.files;
        let belief = self.observed.seen.contradicted(&self.options.despite);
        match (belief, ending) {
            (Some(belief), Ending::NothingToDo | Ending::Finished)
                if self.sender.is_held() && left > 0 =>
            {
                Err(RunError::Contradicted { belief, left })
            }
            (Some(_) | None, ending) => Ok(ending),
        }
    }

    /// A belief was contradicted.
    pub(super) fn contradict(&mut self, belief: Belief) -> Result<(), RunError> {
        self.observed.seen().saw(belief.contradicted());
        self.heed()
    }

    pub(super) fn observe_start(
        &mut self,
        intent: &Intent,
        answer: &Fetched<BulkAnswer<StartedJob>>,
    ) {
        let volume = &self.terms.volume;
        let key = |item| sent_as(item, volume);
        let asked = intent.items.iter().map(key);
        let items = &answer.value.items;
        observe::bulk(self.observed.seen(), answer.status, items, asked);
    }

    /// A file was refused as it was sent.
    pub(super) fn observe_refusal(&mut self, item: ItemId, failure: &Failure) {
        observe::failed(self.observed.seen(), failure, Came::AtOnce);
        self.observe_sent_again(item, Some(failure));
    }

    /// A job failed. If it was to move its file, that tells where it is when it is sent again.
    pub(super) fn observe_failed_job(&mut self, item: ItemId, failure: &Failure) {
        observe::failed(self.observed.seen(), failure, Came::InJob);
        if self.terms.mode == ExportMode::Move {
            self.observed.failed_move(item);
        }
    }

    /// A file whose move may have failed before was taken, or refused.
    pub(super) fn observe_sent_again(&mut self, item: ItemId, refusal: Option<&Failure>) {
        if self.observed.had_failed(item) {
            self.observed.saw(observe::sent_again(refusal));
        }
    }

    /// A moved file has arrived.
    pub(super) fn observe_arrival(
        &mut self,
        place: &Whereabouts,
        item: &Item,
        late: Option<Duration>,
    ) -> Result<(), RunError> {
        let seen = self.observed.seen();
        observe::alias(seen, place, &item.location);
        let Some(late) = late else {
            seen.saw(Habit::AliasAtOnce);
            return Ok(());
        };
        seen.saw(Habit::AliasLate);
        seen.lasted(Measure::AliasAfter, late);
        if late > self.options.timing.settle * LATEST {
            self.contradict(Belief::AliasIsTrue)?;
        }
        Ok(())
    }

    /// An inquiry was answered.
    pub(super) fn observe_lists(
        &mut self,
        evidence: &Evidence,
        late: Option<Late>,
        found: usize,
    ) -> Result<(), RunError> {
        self.observed.saw(evidence.order.map(Habit::from));
        let Some(late) = late else {
            self.observed
                .saw((found > 0).then_some(Habit::ListedAtOnce));
            return Ok(());
        };
        let seen = self.observed.seen();
        seen.saw(Habit::ListedLate);
        seen.lasted(Measure::ListedAfter, late.at_most);
        // Within the first of them the call may still have been carried out.
        if late.at_least > self.options.timing.settle * (1 + LATEST) {
            self.contradict(Belief::ListInOrder)?;
        }
        self.heed()
    }

    /// A page of a folder was read, which another one follows.
    pub(super) fn observe_page(&mut self, entries: usize) {
        observe::page(self.observed.seen(), entries);
        self.expect_pages();
    }

    /// Pages aren't expected to be larger than those that were seen.
    fn expect_pages(&mut self) {
        let range = self.observed.seen.range(Measure::ScrollEntries);
        if let Some(entries) = range.and_then(|range| u64::try_from(range.greatest).ok()) {
            self.follower.granted(entries);
        }
    }

    /// What the platform does with the source of a copy.
    pub(super) fn observe_copy(&mut self, copying: Copying) {
        self.observed.saw(match copying {
            Copying::KeepsSource => Some(Habit::SourceKept),
            Copying::MovesSource => Some(Habit::SourceMoved),
            Copying::Untried => None,
        });
    }

    /// Keeps what was seen since the last time, if anything was.
    pub(super) fn note_observations(&mut self) -> Result<(), JournalError> {
        self.observe_clocks();
        if !self.observed.is_written {
            self.journal.note_observations(&self.observed.seen)?;
            self.observed.is_written = true;
        }
        Ok(())
    }

    /// Once a run, when there is something to tell: the clocks. What headers told of the limit, whenever they told more.
    fn observe_clocks(&mut self) {
        let told = self.platform.client.take_limits_told();
        if told != LimitsTold::default() {
            observe::limits(self.observed.seen(), &told);
        }
        let jobs = self.inquiry.clock.ahead();
        let date = self.platform.client.clock_ahead();
        if let (Some(jobs), Some(date), false) = (jobs, date, self.observed.noted_clocks) {
            self.observed.noted_clocks = true;
            let seen = self.observed.seen();
            seen.measured(Measure::JobClockAhead, jobs.as_secs());
            seen.measured(Measure::DateAhead, date.as_secs());
        }
    }
}
