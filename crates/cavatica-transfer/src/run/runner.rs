//! The loop.

mod follow;
mod record;
mod resume;
mod send;
mod settle;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use cavatica_exports::model::ExportId;
use cavatica_exports::transport::Client;
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::pace::{Action, Pace, Spacing};
use super::stop::Stop;
use super::tasks::Done;
use super::{AskError, Ending, RunError, RunOptions, RunReport};
use crate::event::{Event, StopReason};
use crate::item::{ItemId, State, Step};
use crate::journal::{Count, Item, Journal, JournalError, Move, Tally, Terms};
use crate::platform::Platform;
use crate::reconcile::{Question, Times, Whereabouts};

/// The most starts that are under way at once. The limit on requests allows three or four calls a second; a start takes a
/// second or two.
const STARTS: usize = 16;

/// With more starts than this under way no more are sent: those that follow then come together, and cost one commit.
const REFILL: usize = STARTS / 2;

/// How long what was learned may wait for its sync, together with what comes after it. Lost with the machine, it is asked
/// for again.
const LINGER: Duration = Duration::from_secs(1);

/// The most readings of jobs that are under way at once.
const READS: usize = 3;

/// The most files of one bulk call.
const BATCH: usize = 100;

/// The most files that one look is about.
const LOOK: usize = 2_000;

/// How often a look that settled nothing is repeated.
const LOOKS: u32 = 3;

/// How often a job must have shown nothing that is understood, besides for how long, before it is given up: one answer with a
/// gap in it, after a long pause, says little.
const UNCLEAR_LOOKS: u32 = 3;

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
    let mut runner = Runner::new(journal, client, options, report)?;
    let outcome = runner.drive(stop).await;
    let (reconciled, requests, tally) = (runner.reconciled, runner.requests(), runner.tally);
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

/// A question with the moment from which asking makes sense.
#[derive(Debug)]
struct Pending {
    question: Question,
    /// `None`: reading the whole list is too dear while there is other work.
    due: Option<Instant>,
    looks: u32,
}

/// A refusal or failure that may be the echo of our own success: 9006 where the file is our alias already, 9107 where our
/// own object is in the way. It is recorded once that is ruled out.
#[derive(Debug)]
struct Echo {
    item: Item,
    /// The job that failed, if there was one.
    export: Option<ExportId>,
    told: Move,
}

/// A job that shows nothing that is understood.
#[derive(Clone, Copy, Debug)]
struct Unclear {
    since: Instant,
    looks: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    On,
    Off(StopReason, Instant),
}

struct Runner<'a> {
    journal: &'a mut dyn Journal,
    platform: Platform,
    terms: Terms,
    options: &'a RunOptions,
    report: &'a mut (dyn FnMut(Event) + Send),
    tally: Tally,
    /// Requests that the client had made before this run.
    requests_before: u64,
    sending: Sending,
    /// Why the run can't go on; it ends once the starts under way have been answered.
    fatal: Option<RunError>,
    tasks: JoinSet<Done>,

    /// Files that came back and may be sent again.
    again: VecDeque<ItemId>,
    /// Files that failed in a way that passes by waiting.
    later: Vec<(Instant, ItemId)>,
    /// How many files that were never sent this run may still send.
    fresh_left: u64,
    starting: usize,
    batch_limit: usize,
    /// Not before this moment is anything sent.
    hold: Option<Instant>,
    /// Since when the platform can't be reached, and how often that was seen.
    trouble: Option<(Instant, u32)>,

    /// Jobs not known to have ended; those read least recently come first.
    jobs: VecDeque<(ItemId, ExportId)>,
    pace: Pace,
    counting: bool,
    reads: usize,
    reading: usize,
    unclear: HashMap<ItemId, Unclear>,

    questions: Vec<Pending>,
    echoes: Vec<Echo>,
    looking: bool,
    reconciled: u64,

    /// Answers and observations that came together.
    learned: Vec<Move>,
    /// Since when something is written that isn't on disk.
    unsaved: Option<Instant>,
    /// Whether intents are among it: nothing is sent before they are on disk.
    intended: bool,

    /// A copy whose source is being read again, to see that it still lies on the platform.
    proving: bool,
    copy_completed: Option<ItemId>,
}

impl<'a> Runner<'a> {
    fn new(
        journal: &'a mut dyn Journal,
        client: &Client,
        options: &'a RunOptions,
        report: &'a mut (dyn FnMut(Event) + Send),
    ) -> Result<Self, RunError> {
        let now = Instant::now();
        let terms = journal.terms().clone();
        let tally = journal.tally()?;
        let spacing = Spacing {
            first: options.timing.first_poll,
            longest: options.timing.longest_poll,
        };
        Ok(Runner {
            journal,
            platform: Platform::new(client),
            terms,
            options,
            report,
            tally,
            requests_before: client.budget().sent,
            sending: Sending::On,
            fatal: None,
            tasks: JoinSet::new(),
            again: VecDeque::new(),
            later: Vec::new(),
            fresh_left: tally.planned.files,
            starting: 0,
            batch_limit: BATCH,
            hold: None,
            trouble: None,
            jobs: VecDeque::new(),
            pace: Pace::new(spacing, now),
            counting: false,
            reads: 0,
            reading: 0,
            unclear: HashMap::new(),
            questions: Vec::new(),
            echoes: Vec::new(),
            looking: false,
            reconciled: 0,
            learned: Vec::new(),
            unsaved: None,
            intended: false,
            proving: false,
            copy_completed: None,
        })
    }

    async fn drive(&mut self, stop: &Stop) -> Result<Ending, RunError> {
        self.take_up()?;
        if self.nothing_left() {
            return Ok(Ending::NothingToDo);
        }
        loop {
            let now = Instant::now();
            if self.sending == Sending::On {
                self.release(now)?;
                self.send(now)?;
                self.follow(now);
                self.look(now);
                self.prove(now)?;
            }
            if self.must_commit(now) {
                self.commit()?;
            }
            if let Some(ending) = self.ending(now) {
                return match self.fatal.take() {
                    Some(error) => Err(error),
                    None => Ok(ending),
                };
            }
            let wake = self.next_wake(now);
            tokio::select! {
                biased;
                () = stop.asked(), if self.sending == Sending::On => self.stop_sending(StopReason::Asked),
                Some(done) = self.tasks.join_next() => {
                    let mut next = Some(done);
                    while let Some(done) = next.take() {
                        match done {
                            Ok(done) => self.take_in(done)?,
                            Err(error) => std::panic::resume_unwind(error.into_panic()),
                        }
                        if !stop.is_asked() {
                            next = self.tasks.try_join_next();
                        }
                    }
                    let learned = std::mem::take(&mut self.learned);
                    self.record(learned)?;
                }
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Takes in what a task brought back. Only what the journal says ends the run at once.
    fn take_in(&mut self, done: Done) -> Result<(), RunError> {
        match self.handle(done) {
            Ok(()) => Ok(()),
            // Without a journal no answer can be kept.
            Err(error @ RunError::Journal(_)) => Err(error),
            Err(error) => {
                self.fatal.get_or_insert(error);
                self.stop_sending(StopReason::Trouble);
                Ok(())
            }
        }
    }

    fn requests(&self) -> u64 {
        self.platform.client.budget().sent - self.requests_before
    }

    /// Whether what is written has to be brought to disk now. It is the syncs that cost, so what needn't be there at once
    /// waits a little for more.
    fn must_commit(&self, now: Instant) -> bool {
        let lingered = self.unsaved.is_some_and(|since| now - since >= LINGER);
        self.intended || lingered || self.tasks.is_empty() || self.sending != Sending::On
    }

    fn note_requests(&mut self) -> Result<(), JournalError> {
        self.unsaved.get_or_insert_with(Instant::now);
        let (requests, allowed) = (self.requests(), self.platform.client.budget().limit);
        self.journal
            .note_requests(requests, allowed, Timestamp::now())
    }

    fn nothing_left(&self) -> bool {
        self.fresh_left == 0
            && self.again.is_empty()
            && self.later.is_empty()
            && self.starting == 0
            && self.idle()
            && self.questions.is_empty()
            && self.echoes.is_empty()
            && !self.looking
            && !self.proving
            && self.copy_completed.is_none()
    }

    /// Whether there are no jobs to follow.
    fn idle(&self) -> bool {
        self.jobs.is_empty() && self.reads == 0
    }

    /// Whether nothing goes on but questions.
    fn only_questions(&self) -> bool {
        let sendable = (self.fresh_left > 0 || !self.again.is_empty()) && self.may_send();
        !sendable && self.starting == 0 && self.idle() && self.later.is_empty()
    }

    fn ending(&self, now: Instant) -> Option<Ending> {
        match self.sending {
            Sending::On => self.nothing_left().then_some(Ending::Finished),
            Sending::Off(reason, deadline) => {
                (self.starting == 0 || now >= deadline).then_some(match reason {
                    StopReason::Asked | StopReason::Trouble => Ending::Stopped,
                    StopReason::TooManyErrors => Ending::TooManyErrors,
                })
            }
        }
    }

    fn next_wake(&self, now: Instant) -> Instant {
        let far = now + Duration::from_secs(3600);
        let mut wake = self.unsaved.map_or(far, |since| since + LINGER);
        if let Sending::Off(_, deadline) = self.sending {
            return deadline;
        }
        let mut by = |moment: Instant| wake = wake.min(moment.max(now));
        if !self.jobs.is_empty()
            && !self.counting
            && let Action::Wait(until) = self.pace.action(self.jobs.len(), now)
        {
            by(until);
        }
        if !self.looking {
            for pending in &self.questions {
                pending.due.into_iter().for_each(&mut by);
            }
        }
        for (due, _) in &self.later {
            by(*due);
        }
        if let Some(hold) = self.hold
            && hold > now
        {
            by(hold);
        }
        wake
    }

    fn stop_sending(&mut self, reason: StopReason) {
        if self.sending == Sending::On {
            self.sending = Sending::Off(reason, Instant::now() + self.options.timing.stop);
            (self.report)(Event::SendingStopped { reason });
        }
    }

    fn handle(&mut self, done: Done) -> Result<(), RunError> {
        match done {
            Done::Started { intent, result } => {
                self.starting -= 1;
                match result {
                    Ok(answer) => {
                        self.reached();
                        self.answered(intent, answer.value.items, answer.request_id.as_deref())
                    }
                    Err(error) => self.not_answered(intent, error),
                }
            }
            Done::Counted(result) => {
                self.counting = false;
                let now = Instant::now();
                match result {
                    Ok(unfinished) => {
                        self.reached();
                        // Without a total there is only reading.
                        let unfinished = unfinished.unwrap_or(0);
                        (self.report)(Event::Counted {
                            unfinished,
                            in_flight: self.jobs.len(),
                        });
                        self.pace.counted(unfinished, self.jobs.len(), now);
                    }
                    Err(error) => {
                        self.pace.failed(now);
                        self.troubled(error)?;
                    }
                }
                self.note_requests()?;
                Ok(())
            }
            Done::Read { jobs, result } => self.read(jobs, result),
            Done::Looked {
                questions,
                reach,
                result,
            } => self.looked(questions, reach, result),
            Done::SourceRead { file, result } => {
                self.proving = false;
                match result {
                    Ok(Some(Whereabouts::Platform)) => {
                        self.journal.prove_copy()?;
                        self.copy_completed = None;
                        (self.report)(Event::CopyProven);
                        Ok(())
                    }
                    Ok(Some(Whereabouts::Volume { .. } | Whereabouts::Gone)) => {
                        Err(RunError::CopyMoved { file })
                    }
                    // It could not be read this time.
                    Ok(None) => {
                        self.hold = Some(Instant::now() + self.options.timing.pause);
                        Ok(())
                    }
                    Err(error) => self.troubled(error),
                }
            }
        }
    }

    fn reached(&mut self) {
        self.trouble = None;
        self.hold = None;
    }

    /// The platform can't be reached: holds everything for a while, and gives up in the end.
    fn troubled(&mut self, error: AskError) -> Result<(), RunError> {
        if error.is_refusal() {
            return Err(match error {
                AskError::Call(error)
                | AskError::List(cavatica_exports::ListError::Call(error)) => {
                    RunError::Refused(error)
                }
                AskError::List(cavatica_exports::ListError::Endless { .. }) => {
                    RunError::Unreachable {
                        patience: Duration::ZERO,
                        source: error.into(),
                    }
                }
            });
        }
        let now = Instant::now();
        let timing = &self.options.timing;
        let (since, times) = self.trouble.unwrap_or((now, 0));
        if now - since >= timing.patience {
            return Err(RunError::Unreachable {
                patience: timing.patience,
                source: error.into(),
            });
        }
        self.trouble = Some((since, times + 1));
        let pause = (timing.pause * (1 << times.min(10))).min(timing.longest_poll);
        self.hold = Some(now + pause);
        (self.report)(Event::Paused {
            reason: error.to_string(),
            pause,
        });
        Ok(())
    }
}

/// A step with the times that a job tells.
fn told(item: ItemId, step: Step, (started, finished): Times) -> Move {
    Move {
        started,
        finished,
        ..Move::new(item, step)
    }
}

fn shift(tally: &mut Tally, before: &State, after: &State, moved: Count) {
    let from = tally.of_mut(before);
    from.files = from.files.saturating_sub(moved.files);
    from.bytes = from.bytes.saturating_sub(moved.bytes);
    let to = tally.of_mut(after);
    to.files += moved.files;
    to.bytes += moved.bytes;
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
