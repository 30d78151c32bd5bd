//! Taking up what earlier runs left.

use std::time::Duration;

use tokio::time::Instant;

use super::Runner;
use crate::event::Event;
use crate::evidence::{Question, SentBy, Settling};
use crate::journal::{Change, OpenItem, Overwrite, Sent};
use crate::mutation::Mutation;
use crate::run::RunError;
use crate::run::followed::Followed;
use crate::run::inquiry::Cause;
use crate::state::{Answer, Step};

impl Runner<'_> {
    pub(super) fn take_up(&mut self) -> Result<(), RunError> {
        let now = Instant::now();
        let (mut again, mut after) = (0, None);
        loop {
            let open = self.journal.open_items(after)?;
            let Some(last) = open.last() else { break };
            after = Some(last.id());
            for item in open {
                again += u64::from(matches!(item, OpenItem::Again(_)));
                self.take_up_one(item, now)?;
            }
        }
        self.learn_clock()?;
        let resumed = self.tally.total().files > self.tally.planned.files || again > 0;
        // What came back isn't fresh.
        let fresh = self.tally.planned.files.saturating_sub(again);
        let limit = if self.sends() {
            self.options.limit
        } else {
            Some(0)
        };
        let fresh = limit.map_or(fresh, |limit| limit.min(fresh));
        self.sender
            .allow_fresh(usize::try_from(fresh).unwrap_or(usize::MAX));
        (self.report)(Event::RunBegan {
            tally: self.tally,
            resumed,
        });
        if self.copy_proof.is_wanted() && fresh > 0 {
            if !resumed {
                self.begin_with_the_smallest()?;
            }
            (self.report)(Event::CopyGoesAlone);
        }
        Ok(())
    }

    /// All others wait for the first copy for as long as its job takes.
    fn begin_with_the_smallest(&mut self) -> Result<(), RunError> {
        let Some(smallest) = self.journal.smallest_fresh()? else {
            return Ok(());
        };
        let aside = self.journal.set_aside(&[smallest])?;
        self.sender.forget(&aside);
        aside.into_iter().for_each(|item| self.sender.again(item));
        Ok(())
    }

    /// A retry sends what failed, and nothing else.
    fn sends(&self) -> bool {
        self.options.retry.is_none()
    }

    fn take_up_one(&mut self, open: OpenItem, now: Instant) -> Result<(), RunError> {
        match open {
            OpenItem::Again(item) => {
                if self.sends() {
                    self.sender.again(item);
                }
            }
            OpenItem::Accepted(item) => {
                let address = self.address(&item.file, item.folder, item.attempt);
                let followed = Followed {
                    item: item.id,
                    export: item.export,
                    since: None,
                };
                self.follow_one(followed, address)?;
            }
            OpenItem::Transient(item, attempts)
                if self.sends() && attempts < self.options.max_attempts =>
            {
                self.retrying.failed_before(item);
                self.sender.later(now, Duration::ZERO, item);
            }
            OpenItem::Transient(..) => {}
            // The run that wrote the intent may have died a moment ago with the request on its way, so the settling begins
            // now, however old the intent is.
            OpenItem::Intended(sent) => {
                if Mutation::IntentForgotten.is_on() {
                    let unsent = Step::Answer(Answer::NotSent);
                    return self.record(vec![Change::new(sent.item.id, unsent)]);
                }
                let dead = now + self.byte_life();
                self.ask(*sent, SentBy::AnEarlierRun, Cause::Lost, dead)?;
            }
            OpenItem::Unknown(sent, None) => {
                self.ask(*sent, SentBy::AnEarlierRun, Cause::Lost, now)?;
            }
            OpenItem::Unknown(sent, Some(export)) => {
                self.follower.puzzle_once_more(sent.item.id, export, now);
            }
        }
        Ok(())
    }

    /// Asks what became of a file of which no byte moves any more from this moment on.
    pub(super) fn ask(
        &mut self,
        sent: Sent,
        run: SentBy,
        cause: Cause,
        dead: Instant,
    ) -> Result<(), RunError> {
        let Sent { item, call, at } = sent;
        let earlier = self.journal.known_exports(item.id)?;
        let settling = Settling::since(dead, self.timing.settle);
        let question = Question {
            file: item.file,
            location: item.location,
            sent: at,
            run,
            planned_free: self.terms.overwrite == Overwrite::Forbidden,
            earlier,
            others_count: cause.is_about_others(),
        };
        self.inquiry.ask(item.id, call, question, cause, settling);
        Ok(())
    }

    /// Measures the jobs' clock on the jobs of earlier runs.
    fn learn_clock(&mut self) -> Result<(), RunError> {
        for sample in self.journal.clock_samples()? {
            let clock = &mut self.inquiry.earlier_clock;
            clock.learn_later(sample.started, sample.sent);
        }
        Ok(())
    }
}
