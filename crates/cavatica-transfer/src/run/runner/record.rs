//! Writing down what was learned, and what follows from it.

use std::collections::HashMap;

use tokio::time::Instant;

use super::Runner;
use crate::event::{Again, Event, StopReason};
use crate::journal::{Change, Changed, Count};
use crate::run::RunError;
use crate::run::inquiry::Inquiry;
use crate::run::sender::wait_after;
use crate::state::{Doubt, Failure, ItemId, State, Step};

impl Runner<'_> {
    /// Records what was learned and draws the consequences: the journal's word on where each file stands now is the only
    /// one that counts.
    pub(super) fn record(&mut self, changes: Vec<Change>) -> Result<(), RunError> {
        if changes.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        let mut completed = Count::default();
        let recorded = self.journal.record(changes)?;
        // A file may take two steps at once: it was accepted, and has arrived. What follows, follows from the last.
        let places = recorded.iter().enumerate();
        let last: HashMap<ItemId, usize> = places
            .map(|(place, changed)| (changed.item, place))
            .collect();
        for (place, changed) in recorded.into_iter().enumerate() {
            let one = Count {
                files: 1,
                bytes: changed.size,
            };
            self.tally.shift(&changed.before, &changed.after, one);
            if matches!(changed.after, State::Completed { .. }) {
                completed.files += 1;
                completed.bytes += changed.size;
            }
            if last[&changed.item] == place {
                self.follow_up(changed, now)?;
            }
        }
        if completed.files > 0 {
            (self.report)(Event::FilesCompleted {
                files: usize::try_from(completed.files).unwrap_or(usize::MAX),
                bytes: completed.bytes,
            });
        }
        let again = self.sender.waiting() as u64;
        (self.report)(Event::Tallied {
            tally: self.tally,
            again,
        });
        if self.has_too_many_errors(|_| 0) {
            self.stop_sending(StopReason::TooManyErrors);
        }
        Ok(())
    }

    /// Whether nothing is sent before it is known what became of refused files: with them, as many would have failed as may.
    pub(super) fn waits_for_errors(&self) -> bool {
        self.has_too_many_errors(Inquiry::presumed_failed)
    }

    fn has_too_many_errors(&self, presumed: fn(&Inquiry) -> u64) -> bool {
        self.options.max_errors.is_some_and(|most| {
            let again = self.sender.waiting() as u64;
            let failed = self.tally.failed.files.saturating_sub(again);
            failed + presumed(&self.inquiry) >= most.max(1)
        })
    }

    fn follow_up(&mut self, changed: Changed, now: Instant) -> Result<(), RunError> {
        let Changed {
            item,
            after,
            attempt,
            ..
        } = changed;
        match after {
            State::Planned if self.retrying.take_failed_before(item) => {
                self.look_up_first(&[item])?
            }
            State::Planned => self.sender.again(item),
            State::Intended => {}
            State::Accepted { export } => self.follow_accepted(item, export, now)?,
            State::Completed { .. } => self.copy_proof.completed(item),
            State::Failed { export, failure } => {
                let again = self.again(item, &failure, attempt, now);
                for item in self.journal.items(&[item])? {
                    (self.report)(Event::FileFailed {
                        file: item.file,
                        location: item.location,
                        export: export.clone(),
                        failure: failure.clone(),
                        again,
                    });
                }
            }
            State::Unknown { doubt, .. } if self.retries(doubt) => {
                self.saving.learn([Change::new(item, Step::Release)]);
            }
            State::Unknown { doubt, .. } => {
                for item in self.journal.items(&[item])? {
                    (self.report)(Event::FileUnclear {
                        file: item.file,
                        location: item.location,
                        reason: doubt,
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether a file is sent again of which nothing is seen, because the user asked for it.
    fn retries(&self, doubt: Doubt) -> bool {
        let retry = self.retrying.retry();
        retry.is_some_and(|retry| retry.releases(doubt))
    }

    /// A failure that passes by waiting is tried again.
    fn again(&mut self, item: ItemId, failure: &Failure, attempt: u32, now: Instant) -> Again {
        if !failure.is_sent_again(attempt, self.options.max_attempts) {
            return Again::No;
        }
        let wait = wait_after(attempt, self.timing.retry);
        self.sender.later(now, wait, item);
        Again::Later
    }
}
