//! Writing down what was learned, and what follows from it.

use cavatica_exports::model::ExportMode;
use tokio::time::Instant;

use super::{Runner, shift};
use crate::event::{Again, Event, StopReason};
use crate::item::State;
use crate::journal::{Count, Move, Recorded};
use crate::run::RunError;

impl Runner<'_> {
    /// Records what was learned and draws the consequences: the journal's word on where each file stands now is the only
    /// one that counts.
    pub(super) fn record(&mut self, moves: Vec<Move>) -> Result<(), RunError> {
        if moves.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        self.unsaved.get_or_insert(now);
        let (mut completed, mut bytes) = (0, 0);
        for Recorded {
            item,
            before,
            after,
            size,
            attempt,
        } in self.journal.record(moves)?
        {
            let one = Count {
                files: 1,
                bytes: size,
            };
            shift(&mut self.tally, &before, &after, one);
            match after {
                State::Planned => self.again.push_back(item),
                State::Intended => {}
                State::Accepted { export } => self.jobs.push_back((item, export)),
                State::Completed { .. } => {
                    completed += 1;
                    bytes += size;
                    if self.terms.mode == ExportMode::Copy && !self.journal.copy_proven() {
                        self.copy_completed = Some(item);
                    }
                }
                State::Failed { export, failure } => {
                    let transient =
                        failure.class().passes_by_waiting() && attempt < self.options.max_attempts;
                    let again = if transient {
                        let wait = self.options.timing.retry * (1 << (attempt.clamp(1, 8) - 1));
                        self.later.push((now + wait, item));
                        Again::Later
                    } else {
                        Again::No
                    };
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
                State::Unknown { doubt, .. } => {
                    for item in self.journal.items(&[item])? {
                        (self.report)(Event::FileUnclear {
                            file: item.file,
                            location: item.location,
                            reason: doubt.to_string(),
                        });
                    }
                }
            }
        }
        if completed > 0 {
            (self.report)(Event::FilesCompleted {
                files: completed,
                bytes,
            });
        }
        (self.report)(Event::Tallied { tally: self.tally });
        let failed = self
            .tally
            .failed
            .files
            .saturating_sub(self.later.len() as u64);
        if self
            .options
            .max_errors
            .is_some_and(|most| failed >= most.max(1))
        {
            self.stop_sending(StopReason::TooManyErrors);
        }
        Ok(())
    }
}
