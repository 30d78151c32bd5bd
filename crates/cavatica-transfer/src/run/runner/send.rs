//! Sending: intents, answers, and what was lost.

use cavatica_exports::model::{BulkItem, ExportMode, StartedJob};
use cavatica_exports::transport::{Error, Outcome};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{BATCH, Echo, REFILL, Runner, STARTS, shift, to_usize, told};
use crate::event::Event;
use crate::item::{Answer, Failure, ItemId, State, Step};
use crate::journal::{Intent, Item, Move, Pick};
use crate::matching::{ItemAnswer, match_answer};
use crate::reconcile::{Moments, seen};
use crate::run::{AskError, RunError, tasks};

impl Runner<'_> {
    /// Lets failed files go again whose time has come.
    pub(super) fn release(&mut self, now: Instant) -> Result<(), RunError> {
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.later)
            .into_iter()
            .partition(|(due, _)| *due <= now);
        self.later = later;
        for chunk in due.chunks(1_000) {
            let moves = chunk
                .iter()
                .map(|(_, item)| Move::new(*item, Step::Retry))
                .collect();
            self.record(moves)?;
        }
        Ok(())
    }

    /// Whether anything may be sent at all right now, room apart.
    pub(super) fn may_send(&self) -> bool {
        // The first copy goes alone, until the platform was seen to keep its source.
        let alone = self.terms.mode == ExportMode::Copy && !self.journal.copy_proven();
        let quiet = self.starting == 0
            && self.idle()
            && self.questions.is_empty()
            && self.echoes.is_empty()
            && !self.proving
            && !self.looking
            && self.copy_completed.is_none();
        !alone || quiet
    }

    pub(super) fn send(&mut self, now: Instant) -> Result<(), RunError> {
        if self.starting > REFILL || self.room() < self.room_wanted() {
            return Ok(());
        }
        while self.starting < STARTS
            && self.hold.is_none_or(|hold| hold <= now)
            && (self.fresh_left > 0 || !self.again.is_empty())
            && self.may_send()
        {
            let alone = self.terms.mode == ExportMode::Copy && !self.journal.copy_proven();
            // Half a batch costs as much as a whole one, so room is waited for.
            let limit = if alone {
                1
            } else {
                self.batch_limit.min(self.options.max_in_flight.max(1))
            };
            if self.room() < limit {
                break;
            }
            let ids: Vec<ItemId>;
            let pick = if self.again.is_empty() {
                Pick::Fresh(limit.min(to_usize(self.fresh_left)))
            } else {
                let count = limit.min(self.again.len());
                ids = self.again.drain(..count).collect();
                Pick::These(&ids)
            };
            let intended = self.journal.intend(pick, Timestamp::now())?;
            if intended.files == 0 {
                self.fresh_left = 0;
                break;
            }
            if matches!(pick, Pick::Fresh(_)) {
                self.fresh_left = self.fresh_left.saturating_sub(intended.files);
            }
            shift(&mut self.tally, &State::Planned, &State::Intended, intended);
            self.starting += 1;
            self.intended = true;
        }
        Ok(())
    }

    /// How many more files may be in flight.
    fn room(&self) -> usize {
        let in_flight = self.jobs.len() + self.reading + to_usize(self.tally.intended.files);
        self.options.max_in_flight.saturating_sub(in_flight)
    }

    /// Room for several calls, which then cost one commit together, where as much as may be is in flight already.
    fn room_wanted(&self) -> usize {
        let left = to_usize(self.fresh_left) + self.again.len();
        (REFILL * BATCH)
            .min(self.options.max_in_flight / 2)
            .min(left)
    }

    /// Brings to disk what was written, and only then sends what is intended.
    pub(super) fn commit(&mut self) -> Result<(), RunError> {
        self.unsaved = None;
        self.intended = false;
        for intent in self.journal.commit()? {
            let (platform, terms) = (self.platform.clone(), self.terms.clone());
            self.tasks.spawn(tasks::start(platform, terms, intent));
        }
        Ok(())
    }

    pub(super) fn answered(
        &mut self,
        intent: Intent,
        items: Vec<BulkItem<StartedJob>>,
        request_id: Option<&str>,
    ) -> Result<(), RunError> {
        let now = Instant::now();
        let files = intent.items.len();
        let matched = match_answer(&intent.items, &self.terms.volume, items);
        let mut moments = Moments::default();
        let mut moves = Vec::with_capacity(files);
        let (mut lost, mut accepted, mut refused) = (Vec::new(), 0, 0);
        for (item, answer) in intent.items.into_iter().zip(matched.answers) {
            match answer {
                ItemAnswer::Accepted(job) => {
                    accepted += 1;
                    let times = moments.of(&job);
                    let step = Step::Answer(Answer::Accepted(seen(job, request_id)));
                    moves.push(told(item.id, step, times));
                }
                ItemAnswer::Refused(error) => {
                    refused += 1;
                    let failure = Failure::of(&error, request_id);
                    let own = self.may_be_echo(&failure, item.attempt);
                    let told = Move::new(item.id, Step::Answer(Answer::Refused(failure)));
                    if own {
                        self.echoes.push(Echo {
                            item,
                            export: None,
                            told,
                        });
                    } else {
                        moves.push(told);
                    }
                }
                ItemAnswer::Missing => lost.push(item),
            }
        }
        self.pace.sent(now);
        (self.report)(Event::BatchAnswered {
            files,
            accepted,
            refused,
        });
        if lost.is_empty() {
            self.batch_limit = BATCH.min(self.batch_limit * 2);
        } else {
            self.batch_limit = (files / 2).max(1);
            let reason = "the answer doesn't say".to_owned();
            self.lost(lost, intent.at, reason)?;
        }
        self.learned.append(&mut moves);
        Ok(())
    }

    /// Whether a refusal or failure could be the echo of our own success. For a first copy it can't: nothing of ours was
    /// ever there.
    pub(super) fn may_be_echo(&self, failure: &Failure, attempt: u32) -> bool {
        failure.may_be_own_success()
            && match self.terms.mode {
                ExportMode::Move => true,
                ExportMode::Copy => attempt > 1,
            }
    }

    pub(super) fn lost(
        &mut self,
        items: Vec<Item>,
        at: Timestamp,
        reason: String,
    ) -> Result<(), RunError> {
        let due = Instant::now() + self.options.timing.settle;
        (self.report)(Event::AnswersLost {
            files: items.len(),
            reason,
        });
        for item in items {
            self.ask(item, at, due)?;
        }
        Ok(())
    }

    pub(super) fn not_answered(&mut self, intent: Intent, error: Error) -> Result<(), RunError> {
        let not_taken = |intent: &Intent| -> Vec<Move> {
            let back = |item: &Item| Move::new(item.id, Step::Answer(Answer::NotTaken));
            intent.items.iter().map(back).collect()
        };
        match error.outcome() {
            Outcome::NotSent | Outcome::Throttled | Outcome::Maintenance => {
                self.record(not_taken(&intent))?;
                self.troubled(AskError::Call(error))
            }
            Outcome::Refused => {
                self.reached();
                // The whole call was refused, so nothing of it was accepted.
                if matches!(error.status(), Some(401 | 403 | 404)) {
                    self.record(not_taken(&intent))?;
                    return Err(RunError::Refused(error));
                }
                let [item] = &intent.items[..] else {
                    // Smaller calls find out whose fault it is.
                    self.batch_limit = (intent.items.len() / 2).max(1);
                    return self.record(not_taken(&intent));
                };
                let failure = match error.api_error() {
                    Some(api) => Failure::of(api, error.request_id()),
                    None => Failure {
                        code: None,
                        status: error.status(),
                        message: error.to_string(),
                        request_id: error.request_id().map(str::to_owned),
                    },
                };
                let told = Move::new(item.id, Step::Answer(Answer::Refused(failure.clone())));
                if self.may_be_echo(&failure, item.attempt) {
                    self.echoes.push(Echo {
                        item: item.clone(),
                        export: None,
                        told,
                    });
                    return Ok(());
                }
                self.record(vec![told])
            }
            Outcome::Unknown => {
                self.batch_limit = (intent.items.len() / 2).max(1);
                self.lost(intent.items, intent.at, error.to_string())
            }
        }
    }

    /// Reads the source of the first copy again.
    pub(super) fn prove(&mut self, now: Instant) -> Result<(), RunError> {
        if self.proving || self.hold.is_some_and(|hold| hold > now) {
            return Ok(());
        }
        let Some(item) = self.copy_completed else {
            return Ok(());
        };
        let items = self.journal.items(&[item])?;
        let [item] = &items[..] else {
            return Ok(());
        };
        self.proving = true;
        let (platform, file) = (self.platform.clone(), item.file.clone());
        self.tasks.spawn(tasks::read_source(platform, file));
        Ok(())
    }
}
