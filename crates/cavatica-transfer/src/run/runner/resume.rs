//! Taking up what earlier runs left.

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Pending, Runner, UNCLEAR_LOOKS, Unclear};
use crate::event::Event;
use crate::journal::{Item, OpenItem};
use crate::reconcile::Question;
use crate::run::RunError;

impl Runner<'_> {
    pub(super) fn take_up(&mut self) -> Result<(), RunError> {
        let now = Instant::now();
        for open in self.journal.open_items()? {
            match open {
                OpenItem::Again(item) => self.again.push_back(item),
                OpenItem::Accepted(item, export) => self.jobs.push_back((item, export)),
                OpenItem::Transient(item, attempts) if attempts < self.options.max_attempts => {
                    self.later.push((now, item));
                }
                OpenItem::Transient(..) => {}
                OpenItem::Intended(item, intended) => {
                    // The run that wrote the intent may have died a moment ago with the request on its way, so the
                    // settling begins now, however old the intent is.
                    self.ask(*item, intended, now + self.options.timing.settle)?;
                }
                // It has settled before it was given up.
                OpenItem::Unknown(item, intended, None) => self.ask(*item, intended, now)?,
                OpenItem::Unknown(item, _, Some(export)) => {
                    // One look is enough: the last run waited for it already.
                    if let Some(long_ago) = now.checked_sub(self.options.timing.unclear_job) {
                        let unclear = Unclear {
                            since: long_ago,
                            looks: UNCLEAR_LOOKS - 1,
                        };
                        self.unclear.insert(item.id, unclear);
                    }
                    self.jobs.push_back((item.id, export));
                }
            }
        }
        let resumed = self.tally.total().files > self.tally.planned.files || !self.again.is_empty();
        // What came back isn't fresh.
        let again = self.again.len() as u64;
        let fresh = self.tally.planned.files.saturating_sub(again);
        self.fresh_left = self.options.limit.map_or(fresh, |limit| limit.min(fresh));
        (self.report)(Event::RunBegan {
            tally: self.tally,
            resumed,
        });
        Ok(())
    }

    pub(super) fn ask(
        &mut self,
        item: Item,
        intended: Timestamp,
        due: Instant,
    ) -> Result<(), RunError> {
        let earlier = if item.attempt > 1 {
            self.journal.known_exports(item.id)?
        } else {
            Vec::new()
        };
        self.questions.push(Pending {
            question: Question {
                item,
                intended,
                export: None,
                earlier,
            },
            due: Some(due),
            looks: 0,
        });
        Ok(())
    }
}
