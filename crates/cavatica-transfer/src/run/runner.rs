//! The loop: it owns the journal, decides, starts tasks, and takes in what they bring.
//!
//! What it decides by has walls: what is sent next ([`Sender`]), what is followed ([`Follower`]), what is in doubt
//! ([`Inquiry`]), what is not yet on disk ([`Saving`]), the first copy ([`CopyProof`]), and whether the platform can be
//! reached at all ([`Outage`]). Each says whether it has work left (`is_idle`), and those that wait for a moment when they want
//! to be asked again (`next_wake`). The files beside this one hold what the loop does with them.

mod answers;
mod inquiries;
mod observed;
mod opening;
mod pages;
mod phase;
mod readings;
mod record;
mod resume;
mod retries;

use std::collections::HashMap;
use std::time::Duration;

use cavatica_exports::Cavatica;
use cavatica_exports::model::ExportMode;
use cavatica_exports::transport::{Client, Error};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument, info_span};

use super::copy_proof::CopyProof;
use super::folders::Address;
use super::follower::Follower;
use super::inquiry::Inquiry;
use super::outage::Outage;
use super::retrying::Retrying;
use super::saving::Saving;
use super::sender::{Caution, Choice, Company, Room, Sender};
use super::stop::Stop;
use super::tasks::{self, Done};
use super::{Ending, RunError, RunOptions, RunReport, Timing};
use crate::event::{Event, StopReason};
use crate::evidence::{AskError, hindrance};
use crate::journal::{
    Change, Copying, IntentId, Journal, JournalError, Overwrite, Pick, Tally, Terms,
};
use crate::mutation::Mutation;
use crate::state::{ItemId, State, Step};
use phase::{Observed, Opening, Sending};

/// Runs a transfer, or takes it up where an earlier run left it.
///
/// Every start is preceded by an intent in the journal; a file whose answer is lost is looked up before anything is sent
/// again. What happens is told to `report` as it happens. [`Stop`] ends the run early without losing anything.
///
/// # Errors
///
/// [`RunError`] where the run can't go on; the journal then says how far it came, and it can be resumed.
pub async fn run(
    journal: &mut dyn Journal,
    client: &Client,
    options: &RunOptions,
    stop: &Stop,
    report: &mut (dyn FnMut(Event) + Send),
) -> Result<RunReport, RunError> {
    let began = Instant::now();
    if !journal.terms().is_at(client.endpoint()) {
        return Err(RunError::OtherTerms {
            what: "endpoint",
            planned: journal.terms().endpoint.clone(),
            given: client.endpoint().to_string(),
        });
    }
    let mut runner = Runner::new(journal, client, options, report)?;
    let span = info_span!("run", mode = runner.terms.mode.as_str());
    let outcome = runner.drive(stop).instrument(span).await;
    let (reconciled, requests) = (runner.inquiry.reconciled(), runner.requests());
    let tally = runner.tally;
    runner.note_requests()?;
    runner.commit()?;
    let ending = outcome?;
    debug_assert_eq!(tally, runner.journal.tally()?, "no file was miscounted");
    Ok(RunReport {
        ending,
        reconciled,
        requests,
        elapsed: began.elapsed(),
        tally,
    })
}

struct Runner<'a> {
    journal: &'a mut dyn Journal,
    platform: Cavatica,
    terms: Terms,
    options: &'a RunOptions,
    report: &'a mut (dyn FnMut(Event) + Send),
    tally: Tally,
    /// Requests that the client had made before this run.
    requests_before: u64,
    opening: Opening,
    sending: Sending,
    /// Why the run can't go on; it ends once the starts under way have been answered.
    fatal: Option<RunError>,
    /// A call that was refused as if nobody here might send anything: nothing is sent before it is known whether it was
    /// taken all the same.
    refused: Option<(IntentId, Error)>,
    /// All unfinished jobs are being read, because some of them aren't ours.
    sweeping: bool,
    swept: Option<Instant>,
    /// Where files lie whose acceptance isn't recorded yet; `None` for those that are followed by their ids.
    addresses: HashMap<ItemId, Option<Address>>,
    tasks: JoinSet<Done>,
    saving: Saving,
    sender: Sender,
    follower: Follower,
    inquiry: Inquiry,
    copy_proof: CopyProof,
    retrying: Retrying,
    outage: Outage,
    /// The options', with a settling time that fits how late the platform was seen to list jobs.
    timing: Timing,
    observed: Observed,
}

impl<'a> Runner<'a> {
    fn new(
        journal: &'a mut dyn Journal,
        client: &Client,
        options: &'a RunOptions,
        report: &'a mut (dyn FnMut(Event) + Send),
    ) -> Result<Self, RunError> {
        let terms = journal.terms().clone();
        let tally = journal.tally()?;
        let caution = match (terms.mode, terms.overwrite) {
            (ExportMode::Copy, _) => Caution::None,
            (ExportMode::Move, Overwrite::Forbidden) => Caution::First,
            (ExportMode::Move, Overwrite::Allowed) => Caution::All,
        };
        let alias_seen = tally.completed.files > 0;
        Ok(Runner {
            platform: Cavatica::new(match journal.guard() {
                Some(guard) => client.guarded(guard),
                None => client.clone(),
            }),
            options,
            report,
            requests_before: client.budget().sent,
            opening: Opening::Wanted,
            sending: Sending::On,
            fatal: None,
            refused: None,
            sweeping: false,
            swept: None,
            addresses: HashMap::new(),
            tasks: JoinSet::new(),
            saving: Saving::default(),
            sender: Sender::new(caution),
            follower: Follower::new(terms.mode, &options.timing, alias_seen, Instant::now()),
            inquiry: Inquiry::new(terms.mode, terms.volume.clone()),
            copy_proof: CopyProof::new(terms.mode, journal.copying()),
            retrying: Retrying::new(options.retry.clone()),
            outage: Outage::default(),
            timing: options.timing,
            observed: Observed::new(journal.observations()?),
            journal,
            terms,
            tally,
        })
    }

    async fn drive(&mut self, stop: &Stop) -> Result<Ending, RunError> {
        self.heed()?;
        self.take_up()?;
        if self.nothing_left() {
            return self.ended(Ending::NothingToDo);
        }
        if self.terms.mode == ExportMode::Copy && self.journal.copying() == Copying::MovesSource {
            return Err(RunError::CopyMoved { file: None });
        }
        loop {
            let now = Instant::now();
            if self.sending == Sending::On && !self.outage.is_on(now) {
                self.act(now)?;
            }
            if self.must_commit(now) {
                self.commit()?;
            }
            if let Some(ending) = self.ending(now) {
                return match self.fatal.take() {
                    Some(error) => Err(error),
                    None => self.ended(ending),
                };
            }
            let wake = self.next_wake(now);
            tokio::select! {
                biased;
                () = stop.asked(), if self.sending == Sending::On => self.stop_sending(StopReason::Asked),
                Some(done) = self.tasks.join_next() => self.take_in_all(done, stop)?,
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Takes in what this task brought back, and those that have ended meanwhile.
    fn take_in_all(&mut self, first: Result<Done, JoinError>, stop: &Stop) -> Result<(), RunError> {
        let mut next = Some(first);
        while let Some(done) = next.take() {
            match done {
                Ok(done) => self.take_in(done)?,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
            if !stop.is_asked() {
                next = self.tasks.try_join_next();
            }
        }
        // What is recorded may teach more.
        while !self.saving.has_learned_nothing() {
            let learned = self.saving.take_learned();
            self.record(learned)?;
        }
        Ok(())
    }

    /// Does what can be done now.
    fn act(&mut self, now: Instant) -> Result<(), RunError> {
        match self.opening {
            Opening::Done => {}
            Opening::UnderWay => return Ok(()),
            Opening::Wanted => {
                self.opening = Opening::UnderWay;
                let (platform, volume) = (self.platform.clone(), self.terms.volume.clone());
                self.spawn(tasks::open(platform, volume));
                return Ok(());
            }
        }
        self.retry(now)?;
        self.revisit()?;
        self.send(now)?;
        self.follow(now)?;
        self.inquire(now);
        self.tell_of_look(now);
        self.prove_copy()
    }

    fn send(&mut self, now: Instant) -> Result<(), RunError> {
        if self.sweeping || self.refused.is_some() || self.follower.doubts_aliases() {
            return Ok(());
        }
        if self.waits_for_errors() || !self.sender.is_worth_it(&self.room()) {
            return Ok(());
        }
        while let Some(choice) = self.sender.next(&self.room(), now) {
            let pick = match &choice {
                Choice::Fresh(count) => Pick::Fresh(*count),
                Choice::Again(ids) => Pick::These(ids),
            };
            let taken = self.journal.intend(pick, self.platform_now())?;
            if taken.files == 0 {
                self.sender.out_of_fresh();
                continue;
            }
            self.tally.shift(&State::Planned, &State::Intended, taken);
            self.sender.begun(&choice, taken);
            self.saving.intended();
        }
        Ok(())
    }

    fn room(&self) -> Room {
        let intended = usize::try_from(self.tally.intended.files).unwrap_or(usize::MAX);
        Room {
            most: self.options.max_in_flight,
            in_flight: self.follower.in_flight() + intended,
            alone: self.copy_proof.is_wanted(),
            doubts: self.inquiry.doubts(),
            idle: self.follower.is_idle() && self.inquiry.is_idle() && self.copy_proof.is_idle(),
        }
    }

    /// Brings to disk what was written, and only then sends what is intended.
    fn commit(&mut self) -> Result<(), RunError> {
        self.saving.saved();
        for intent in self.journal.commit()? {
            let overwrites = intent
                .items
                .iter()
                .any(|item| item.overwrite == Overwrite::Allowed);
            let careful =
                self.terms.mode == ExportMode::Move && (overwrites || self.sender.reads_first());
            let careful = careful && !Mutation::OverwriteBlind.is_on();
            let (platform, terms) = (self.platform.clone(), self.terms.clone());
            self.spawn(tasks::start(platform, terms, intent, careful));
        }
        Ok(())
    }

    /// Reads the source of the first copy again.
    fn prove_copy(&mut self) -> Result<(), RunError> {
        let Some(item) = self.copy_proof.begin() else {
            return Ok(());
        };
        for item in self.journal.items(&[item])? {
            self.spawn(tasks::read_source(self.platform.clone(), item.file));
        }
        Ok(())
    }

    /// Takes in what a task brought back. Only what the journal says ends the run at once: without one no answer can be kept.
    fn take_in(&mut self, done: Done) -> Result<(), RunError> {
        match self.handle(done) {
            Ok(()) => Ok(()),
            Err(error @ RunError::Journal(_)) => Err(error),
            Err(error) => {
                self.fatal.get_or_insert(error);
                self.stop_sending(StopReason::Trouble);
                Ok(())
            }
        }
    }

    fn handle(&mut self, done: Done) -> Result<(), RunError> {
        match done {
            Done::Opened {
                account,
                volume,
                unfinished,
            } => {
                let account = account.map(|account| account.value);
                self.opened(account, *volume, unfinished)
            }
            Done::Started {
                intent,
                began,
                result: Ok(answer),
            } => {
                self.sender.ended();
                self.outage.is_over();
                self.answered(intent, began, &answer)
            }
            Done::Started {
                intent,
                result: Err(error),
                ..
            } => {
                self.sender.ended();
                self.not_answered(intent, error)
            }
            Done::Withheld { intent, result } => {
                self.sender.ended();
                self.withheld(intent, result)
            }
            Done::Counted(result) => self.counted(result),
            Done::Swept(result) => self.swept(result),
            Done::Read(reading) => self.read(*reading),
            Done::Listed(page) => self.listed(*page),
            Done::Failures(result) => self.failures(result),
            Done::Revisited(revisited) => self.revisited(*revisited),
            Done::Inquired {
                asked,
                began,
                at,
                result,
            } => self.inquired(&asked, began, at, result),
            Done::SourceRead { file, result } => self.source_read(file, result),
        }
    }

    fn must_commit(&mut self, now: Instant) -> bool {
        self.saving.look(self.journal.is_saved(), now);
        let pause = self.tasks.is_empty() || self.sending != Sending::On;
        self.saving.is_due(now) || (pause && !self.saving.is_idle())
    }

    /// How long a byte of a call may move after the call was given up, or its program died.
    fn byte_life(&self) -> Duration {
        let known = self.platform.client.longest_byte_life();
        known.unwrap_or(self.timing.settle)
    }

    fn requests(&self) -> u64 {
        self.platform.client.budget().sent - self.requests_before
    }

    fn note_requests(&mut self) -> Result<(), JournalError> {
        let (requests, allowed) = (self.requests(), self.platform.client.budget().limit);
        self.journal
            .note_requests(requests, allowed, self.platform.client.now())?;
        self.note_observations()
    }

    fn nothing_left(&self) -> bool {
        self.sender.is_idle()
            && self.follower.is_idle()
            && self.inquiry.is_idle()
            && self.copy_proof.is_idle()
            && self.retrying.is_idle()
            && !self.sweeping
    }

    /// Whether nothing goes on but doubts, and what waits for them: the file that is to be their witness, or all but a first copy.
    fn is_quiet(&self) -> bool {
        let first_copy = self.copy_proof.is_wanted() && !self.inquiry.is_idle();
        let waits = self.sender.starting() == 0 && (self.waits_for_errors() || first_copy);
        (waits || self.sender.has_only_its_witness())
            && self.retrying.is_idle()
            && self.follower.is_idle()
            && self.copy_proof.is_idle()
    }

    fn ending(&self, now: Instant) -> Option<Ending> {
        match self.sending {
            Sending::On => self.nothing_left().then_some(Ending::Finished),
            Sending::Off(reason, deadline) => (self.sender.starting() == 0 || now >= deadline)
                .then_some(match reason {
                    StopReason::Asked | StopReason::Trouble | StopReason::Contradicted => {
                        Ending::Stopped
                    }
                    StopReason::TooManyErrors => Ending::TooManyErrors,
                }),
        }
    }

    fn next_wake(&self, now: Instant) -> Instant {
        if let Sending::Off(_, deadline) = self.sending {
            return deadline;
        }
        let wishes = [
            self.outage.next_wake().filter(|until| *until > now),
            self.sender.next_wake(self.company()),
            self.follower.next_wake(now),
            self.inquiry.next_wake(),
            self.inquiry.doubts().filter(|from| *from > now),
        ];
        // What is due and wasn't done waits for a task, whose end wakes us.
        let waits = !self.tasks.is_empty();
        let wishes = wishes.into_iter().flatten();
        let wishes = wishes.filter(|wish| *wish > now || !waits);
        let far = now + Duration::from_secs(3600);
        // While the platform can't be reached, nothing else makes sense.
        let earliest = self.outage.next_wake().unwrap_or(now).max(now);
        let wake = wishes.min().unwrap_or(far);
        let saved = self.saving.next_wake().unwrap_or(far);
        wake.max(earliest).min(saved)
    }

    /// Whether more files may fail, to be sent again with those that wait.
    fn company(&self) -> Company {
        if self.sender.sends() || !self.follower.is_idle() {
            Company::MayCome
        } else {
            Company::Complete
        }
    }

    fn stop_sending(&mut self, reason: StopReason) {
        if self.sending == Sending::On {
            self.sending = Sending::Off(reason, Instant::now() + self.timing.stop);
            self.platform.client.withdraw_starts();
            (self.report)(Event::SendingStopped { reason });
        }
    }

    /// What it logs stays below whoever called the run.
    fn spawn(&mut self, task: impl Future<Output = Done> + Send + 'static) {
        self.tasks.spawn(task.in_current_span());
    }

    /// The platform can't be reached: holds everything for a while, and gives up in the end.
    fn troubled(&mut self, error: AskError) -> Result<(), RunError> {
        let error = match error.refusal() {
            Ok(refused) => return Err(RunError::Refused(refused)),
            Err(error) => error,
        };
        let timing = &self.timing;
        let Some(pause) = self.outage.failed(Instant::now(), timing) else {
            return Err(RunError::Unreachable {
                patience: timing.patience,
                source: error.into(),
            });
        };
        (self.report)(Event::Paused {
            reason: hindrance(&error),
            words: error.to_string(),
            pause,
        });
        Ok(())
    }

    /// Lets failed files go again whose moment has come.
    fn retry(&mut self, now: Instant) -> Result<(), RunError> {
        let company = self.company();
        loop {
            let due = self.sender.due(now, company, 1_000);
            if due.is_empty() {
                return Ok(());
            }
            let retries = due.into_iter().map(|item| Change::new(item, Step::Retry));
            self.record(retries.collect())?;
        }
    }
}
