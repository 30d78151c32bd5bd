//! What is looked at before anything is sent, and who else is at work.

use std::collections::HashSet;

use cavatica_exports::model::account::User;
use cavatica_exports::model::{FileId, Volume};
use cavatica_exports::transport::{Error, Fetched};
use jiff::SignedDuration;
use tokio::time::Instant;

use super::Runner;
use super::phase::Opening;
use crate::event::Event;
use crate::evidence::{AskError, SentBy};
use crate::journal::{IntentId, Sent};
use crate::observe::Habit;
use crate::run::inquiry::Cause;
use crate::run::tasks::{self, Unfinished};
use crate::run::{RunError, changes_of};
use crate::state::ItemId;

/// Clocks that differ by more than this are told about.
const CLOCKS_AGREE: SignedDuration = SignedDuration::from_mins(3);

/// Of the requests that the limit allows, one in so many may be spent on jobs of others.
const FOR_OTHERS: u64 = 20;

impl Runner<'_> {
    pub(super) fn opened(
        &mut self,
        account: Result<User, Error>,
        volume: Result<Fetched<Volume>, Error>,
        unfinished: Result<Unfinished, AskError>,
    ) -> Result<(), RunError> {
        match account {
            Ok(user) => self.account_is_as_planned(user)?,
            Err(error) => {
                self.opening = Opening::Wanted;
                return self.troubled(AskError::Call(error));
            }
        }
        match volume {
            Ok(volume) => self.volume_is_as_planned(&volume.value)?,
            // Its bucket may be hidden from a member who may write to it all the same.
            Err(error) if error.status() == Some(403) => (self.report)(Event::VolumeUnseen {
                words: error.to_string(),
            }),
            Err(error) if matches!(error.status(), Some(401 | 404)) => {
                return Err(RunError::Refused(error));
            }
            Err(error) => {
                self.opening = Opening::Wanted;
                return self.troubled(AskError::Call(error));
            }
        }
        if let Err(error) = unfinished {
            self.opening = Opening::Wanted;
            return self.troubled(error);
        }
        self.opening = Opening::Done;
        self.outage.is_over();
        let ahead = self.platform.client.clock_ahead();
        if let Some(ahead) = ahead.filter(|ahead| ahead.abs() > CLOCKS_AGREE) {
            (self.report)(Event::ClocksDiffer { ahead });
        }
        // Jobs of an earlier run that have ended since would hide as many of others.
        self.notice_others(&unfinished.expect("it was looked at"), 0)
    }

    /// Export jobs are listed per account: another one's list says nothing about ours.
    fn account_is_as_planned(&self, user: User) -> Result<(), RunError> {
        let given = user.username.into_value().unwrap_or_default();
        if self.terms.account == given {
            return Ok(());
        }
        Err(RunError::OtherTerms {
            what: "account",
            planned: self.terms.account.clone(),
            given,
        })
    }

    /// The plan looked at the volume once, and that may be long ago.
    fn volume_is_as_planned(&self, volume: &Volume) -> Result<(), RunError> {
        let objections = volume.export_findings().objections;
        let changes = changes_of(&self.terms, volume);
        if changes.is_empty() && objections.is_empty() {
            return Ok(());
        }
        Err(RunError::VolumeChanged {
            volume: volume.id.clone(),
            changes,
            objections,
        })
    }

    pub(super) fn counted(&mut self, result: Result<Unfinished, AskError>) -> Result<(), RunError> {
        let now = Instant::now();
        let unfinished = match result {
            Ok(unfinished) => unfinished,
            Err(error) => {
                self.follower.not_counted(now);
                self.troubled(error)?;
                return Ok(self.note_requests()?);
            }
        };
        self.outage.is_over();
        // Without a total there is only reading.
        let total = unfinished.total.unwrap_or(0);
        (self.report)(Event::Counted {
            unfinished: total,
            in_flight: self.follower.in_flight(),
        });
        self.follower.counted(total, now);
        self.note_requests()?;
        let ours = self.tally.intended.files + self.follower.in_flight() as u64;
        self.notice_others(&unfinished, ours)
    }

    /// More unfinished jobs than ours mean that somebody else of this account is at work on the volume: a colleague, another
    /// transfer, or a copy of this one. It concerns us only where they are jobs of our files.
    fn notice_others(&mut self, unfinished: &Unfinished, ours: u64) -> Result<(), RunError> {
        self.observed.saw(unfinished.order.map(Habit::from));
        let total = unfinished.total.unwrap_or(unfinished.jobs.len() as u64);
        if total <= ours || self.sweeping {
            return Ok(());
        }
        let held = self.hold_files_of(unfinished)?;
        let affordable =
            total.div_ceil(100) * FOR_OTHERS <= self.platform.client.budget().allowance;
        let now = Instant::now();
        let window = self.timing.longest_poll;
        let lately = self.swept.is_some_and(|swept| now - swept < window);
        if !unfinished.are_all && (held > 0 || (affordable && !lately)) {
            self.sweeping = true;
            let (platform, volume) = (self.platform.clone(), self.terms.volume.clone());
            self.spawn(tasks::sweep(platform, volume));
        }
        Ok(())
    }

    pub(super) fn swept(&mut self, result: Result<Unfinished, AskError>) -> Result<(), RunError> {
        self.sweeping = false;
        self.swept = Some(Instant::now());
        match result {
            Ok(unfinished) => self.hold_files_of(&unfinished).map(drop),
            Err(error) => self.troubled(error),
        }
    }

    /// Keeps files from being sent that jobs of others are about. Answers how many.
    fn hold_files_of(&mut self, unfinished: &Unfinished) -> Result<usize, RunError> {
        let ours = self.follower.exports();
        let others = unfinished
            .jobs
            .iter()
            .filter(|(export, _)| !ours.contains(export));
        let files: HashSet<&FileId> = others.map(|(_, file)| file).collect();
        let mut files: Vec<FileId> = files.into_iter().cloned().collect();
        files.sort_unstable();
        let planned = self.journal.planned_items(&files)?;
        let ids: Vec<ItemId> = planned.into_iter().map(|(_, item)| item).collect();
        let ids: Vec<ItemId> = self.journal.set_aside(&ids)?;
        let ids: Vec<ItemId> = ids
            .into_iter()
            .filter(|id| !self.inquiry.is_open(*id))
            .collect();
        if ids.is_empty() {
            return Ok(0);
        }
        self.sender.forget(&ids);
        (self.report)(Event::FilesHeld { files: ids.len() });
        self.look_up_first(&ids)?;
        Ok(ids.len())
    }

    /// Files that are sent once no job of theirs is under way.
    pub(super) fn look_up_first(&mut self, ids: &[ItemId]) -> Result<(), RunError> {
        let (at, call) = (self.platform_now(), IntentId(0));
        for item in self.journal.items(ids)? {
            self.ask(
                Sent { item, call, at },
                SentBy::ThisRun,
                Cause::Held,
                Instant::now(),
            )?;
        }
        Ok(())
    }
}
