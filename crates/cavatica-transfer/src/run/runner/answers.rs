//! What comes back of calls that start exports.

use std::collections::HashMap;

use cavatica_exports::model::bulk::{BulkAnswer, ExportKey};
use cavatica_exports::model::error::StatusCode;
use cavatica_exports::model::job::{JobStanding, StartedJob};
use cavatica_exports::model::{ExportMode, Fate, FileId, VolumeId};
use cavatica_exports::transport::{Error, Fault, Fetched, Outcome};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::Runner;
use crate::event::{Event, Hindrance};
use crate::evidence::{AskError, Moments, SentBy, Whereabouts, moved_away, seen};
use crate::journal::{Change, Intent, IntentId, Item, Sent};
use crate::mutation::Mutation;
use crate::run::RunError;
use crate::run::inquiry::{Cause, Witness};
use crate::state::{Answer, Failure, Observation, Step};

/// Why an answer says nothing of some files.
struct Why {
    reason: Hindrance,
    words: String,
}

impl Why {
    fn of(error: &Error) -> Self {
        Why {
            reason: error.into(),
            words: error.to_string(),
        }
    }

    fn incomplete() -> Self {
        Why {
            reason: Hindrance::AnswerIncomplete,
            words: "the answer doesn't say".to_owned(),
        }
    }
}

impl Runner<'_> {
    pub(super) fn answered(
        &mut self,
        intent: Intent,
        began: Instant,
        fetched: &Fetched<BulkAnswer<StartedJob>>,
    ) -> Result<(), RunError> {
        self.observe_start(&intent, fetched);
        let (answer, request_id) = (&fetched.value, fetched.request_id.as_deref());
        let (sent, now, heard) = (intent.at, Instant::now(), self.platform_now());
        let files = intent.items.len();
        let whole = answer.items.len() == files;
        let key = |item| sent_as(item, &self.terms.volume);
        let fates = answer.by_request(intent.items.iter().map(key));
        let mut moments = Moments::default();
        let mut changes = Vec::with_capacity(files);
        let (mut lost, mut doubted, mut newest) = (Vec::new(), Vec::new(), None);
        let (mut accepted, mut refused) = (0, 0);
        for (item, fate) in intent.items.into_iter().zip(fates) {
            match fate {
                Fate::Accepted(job) => {
                    let job = JobStanding::from(*job);
                    let (started, finished) = moments.of(&job);
                    if let Some(started) = started {
                        self.inquiry.clock.learn(started, sent, heard);
                    }
                    newest = Some(job.id.clone());
                    accepted += 1;
                    self.observe_sent_again(item.id, None);
                    let address = self.address(&item.file, item.folder, item.attempt);
                    self.addresses.insert(item.id, address);
                    let job = seen(job, self.terms.mode, request_id);
                    changes.push(Change {
                        started,
                        finished,
                        ..Change::new(item.id, Step::Answer(Answer::Accepted(job)))
                    });
                }
                Fate::Refused(error) => {
                    refused += 1;
                    let failure = Failure::of(&error, request_id);
                    self.observe_refusal(item.id, &failure);
                    if self.may_have_been_taken(&item, &failure)? {
                        doubted.push((item, failure));
                    } else {
                        changes.extend(self.refused_item(item, intent.id, sent, failure)?);
                    }
                }
                Fate::Missing => lost.push(item),
            }
        }
        if let Some(export) = newest {
            self.follower.accepted(accepted, now);
            self.inquiry.witness(Witness {
                export,
                sent: began,
                at: intent.at,
            });
        }
        (self.report)(Event::BatchAnswered {
            files,
            accepted,
            refused,
        });
        // Smaller calls are for answers with gaps; errors and jobs without names come in calls of any size.
        if whole {
            self.sender.answered();
        } else {
            self.sender.lost(files);
        }
        self.doubt(doubted, intent.id, sent, now)?;
        if !lost.is_empty() {
            let intent = Intent {
                items: lost,
                ..intent
            };
            self.lost(intent, || Cause::Lost, Why::incomplete(), now)?;
        }
        self.saving.learn(changes);
        Ok(())
    }

    /// Whether a refusal may echo the very call that it answers, if that was carried out twice. For a copy it isn't believed to,
    /// nor where the plan saw the reason.
    fn may_have_been_taken(&mut self, item: &Item, failure: &Failure) -> Result<bool, RunError> {
        if self.terms.mode == ExportMode::Copy || !self.may_be_echo(failure, item.attempt) {
            return Ok(false);
        }
        let is_foretold =
            failure.code == Some(StatusCode::NOT_EXPORTABLE) && self.journal.is_warned(item.id)?;
        Ok(!is_foretold)
    }

    /// Files were refused that may have been taken all the same. A list need not show their jobs yet, so they settle like those
    /// whose answers were lost.
    fn doubt(
        &mut self,
        refused: Vec<(Item, Failure)>,
        call: IntentId,
        at: Timestamp,
        dead: Instant,
    ) -> Result<(), RunError> {
        if let Some((_, failure)) = refused.first() {
            (self.report)(Event::AnswersLost {
                files: refused.len(),
                reason: Hindrance::Refused,
                words: failure.to_string(),
            });
        }
        for (item, failure) in refused {
            let sent = Sent { item, call, at };
            self.ask(sent, SentBy::ThisRun, Cause::Refused(Some(failure)), dead)?;
        }
        Ok(())
    }

    /// A refusal that may be the echo of an earlier success of ours is looked into before it is recorded.
    fn refused_item(
        &mut self,
        item: Item,
        call: IntentId,
        at: Timestamp,
        failure: Failure,
    ) -> Result<Option<Change>, RunError> {
        let may_be_echo = self.may_be_echo(&failure, item.attempt);
        let change = Change::new(item.id, Step::Answer(Answer::Refused(failure)));
        if !may_be_echo {
            return Ok(Some(change));
        }
        // Any job since the plan may be the one that is echoed.
        let at = self.since_plan(at);
        let sent = Sent { item, call, at };
        self.ask(sent, SentBy::ThisRun, Cause::Echo(change), Instant::now())?;
        Ok(None)
    }

    /// Whether a refusal or failure could be the echo of our own success. For a first copy it can't: nothing of ours was
    /// ever there.
    pub(super) fn may_be_echo(&self, failure: &Failure, attempt: u32) -> bool {
        !Mutation::EchoNotLookedAt.is_on()
            && failure.may_be_own_success()
            && match self.terms.mode {
                ExportMode::Move => true,
                ExportMode::Copy => attempt > 1,
            }
    }

    /// Files are looked up whose answers say nothing of them, or no to all of them. No byte of their call moves from `dead`
    /// on.
    fn lost(
        &mut self,
        intent: Intent,
        cause: impl Fn() -> Cause,
        why: Why,
        dead: Instant,
    ) -> Result<(), RunError> {
        (self.report)(Event::AnswersLost {
            files: intent.items.len(),
            reason: why.reason,
            words: why.words,
        });
        let at = intent.at;
        for item in intent.items {
            let sent = Sent {
                item,
                call: intent.id,
                at,
            };
            self.ask(sent, SentBy::ThisRun, cause(), dead)?;
        }
        Ok(())
    }

    pub(super) fn not_answered(&mut self, intent: Intent, error: Error) -> Result<(), RunError> {
        let (now, files) = (Instant::now(), intent.items.len());
        match error.outcome() {
            Outcome::NotSent => {
                self.not_sent(&intent)?;
                if *error.fault() == Fault::Withdrawn {
                    return Ok(());
                }
                self.troubled(AskError::Call(error))
            }
            Outcome::Unknown => {
                self.sender.lost(files);
                let dead = now + self.byte_life();
                self.lost(intent, || Cause::Lost, Why::of(&error), dead)
            }
            Outcome::Throttled | Outcome::Maintenance if Mutation::NoBelieved.is_on() => {
                self.not_sent(&intent)?;
                self.troubled(AskError::Call(error))
            }
            // What hasn't left need not meet the same answer, and be in doubt as well.
            Outcome::Throttled => {
                self.platform.client.withdraw_starts();
                self.lost(intent, || Cause::Refused(None), Why::of(&error), now)
            }
            Outcome::Maintenance => {
                self.platform.client.withdraw_starts();
                self.lost(intent, || Cause::Refused(None), Why::of(&error), now)?;
                self.troubled(AskError::Call(error))
            }
            Outcome::Refused => {
                self.platform.client.withdraw_starts();
                self.outage.is_over();
                let blames_the_account = matches!(error.status(), Some(401 | 403 | 404));
                let failure = (files == 1 && !blames_the_account).then(|| failure_of(&error));
                let call = intent.id;
                let cause = || Cause::Refused(failure.clone());
                self.lost(intent, cause, Why::of(&error), now)?;
                if blames_the_account {
                    self.refused.get_or_insert((call, error));
                } else {
                    self.sender.refused(files);
                }
                Ok(())
            }
        }
    }

    /// Provably no byte of a call was sent.
    fn not_sent(&mut self, intent: &Intent) -> Result<(), RunError> {
        let unsent = |item: &Item| Change::new(item.id, Step::Answer(Answer::NotSent));
        self.record(intent.items.iter().map(unsent).collect())
    }

    /// A call was not sent, because not all of its files are on the platform any more.
    pub(super) fn withheld(
        &mut self,
        intent: Intent,
        result: Result<HashMap<FileId, Whereabouts>, AskError>,
    ) -> Result<(), RunError> {
        let places = match result {
            Ok(places) => places,
            Err(error) => {
                self.not_sent(&intent)?;
                return self.troubled(error);
            }
        };
        let unread = intent
            .items
            .iter()
            .find(|item| !places.contains_key(&item.file));
        let unread = unread.map(|item| item.file.clone());
        let step = |item: &Item| match places.get(&item.file) {
            Some(place) if place.is_at(&self.terms.volume, &item.location) => {
                Step::Observation(Observation::AliasAtDestination)
            }
            place => match place.and_then(moved_away) {
                Some(failure) => Step::Observation(Observation::MovedAway(failure)),
                None => Step::Answer(Answer::NotSent),
            },
        };
        let changes = intent
            .items
            .iter()
            .map(|item| Change::new(item.id, step(item)))
            .collect();
        self.record(changes)?;
        match unread {
            Some(file) => self.troubled(AskError::Unread { file }),
            None => {
                self.outage.is_over();
                self.sender.found_elsewhere();
                Ok(())
            }
        }
    }

    /// The moment of the plan, or a given one if that was earlier, with room for clocks that were wrong then.
    pub(super) fn since_plan(&self, at: Timestamp) -> Timestamp {
        let planned = self.journal.planned_at();
        let earliest = planned.saturating_sub(SignedDuration::from_mins(15));
        earliest.unwrap_or(planned).min(at)
    }

    /// The moment on the platform's clock, as far as that is known.
    pub(super) fn platform_now(&self) -> Timestamp {
        let (now, ahead) = (
            self.platform.client.now(),
            self.platform.client.clock_ahead(),
        );
        now.saturating_add(ahead.unwrap_or_default()).unwrap_or(now)
    }
}

pub(super) fn sent_as<'a>(item: &'a Item, volume: &'a VolumeId) -> ExportKey<'a> {
    ExportKey::new(&item.file, volume, &item.location)
}

fn failure_of(error: &Error) -> Failure {
    match error.api_error() {
        Some(api) => Failure::of(api, error.request_id()),
        None => Failure {
            code: None,
            status: error.status(),
            message: error.to_string(),
            request_id: error.request_id().map(str::to_owned),
        },
    }
}
