//! A run from its credentials to its last word.

use std::path::Path;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cavatica_exports::Account;
use cavatica_exports::model::ExportMode;
use cavatica_exports::transport::Client;
use cavatica_report::Summary;
use cavatica_transfer::journal::{
    Approval, Copying, Journal, Opening, SqliteJournal, TransferFile,
};
use cavatica_transfer::{Ending, RunError, RunOptions, Stop, run as run_transfer};
use jiff::Timestamp;
use tokio::time::MissedTickBehavior;

use super::on_end;
use crate::api;
use crate::args::{Global, Pace};
use crate::command::status;
use crate::copying::{self, Memory};
use crate::credentials::Environment;
use crate::failure::{self, Exit, Failure};
use crate::interrupt::Listener;
use crate::reporter::{ClientWaits, Reporter};
use crate::ui::{self, Ui};

/// A transfer that is ready to be run.
struct Opened {
    client: Client,
    waits: ClientWaits,
    journal: SqliteJournal,
    memory: Memory,
}

impl Opened {
    async fn new(
        transfer: &Path,
        approval: Approval,
        pace: &Pace,
        global: &Global,
        ui: &Ui,
    ) -> Result<Self, Failure> {
        // Before any request: a wrong path is told at once, and no other platform is shown the token.
        let planned = TransferFile::open(transfer)?;
        let environment = Environment::read();
        let found = api::credentials(global, ui)?;
        let endpoint = found.endpoint.to_string();
        planned.terms().must_be_at(transfer, &found.endpoint)?;
        let waits = ClientWaits::default();
        let client = api::client_for_run(global, found, pace, &waits, ui)?;
        let user = Account::new(client.clone()).user().await;
        let user = match user {
            Ok(user) => user.value,
            Err(error) => return Err(failure::not_begun(error, transfer, &planned.tally()?)),
        };
        let account = user.username.into_value().unwrap_or_default();
        planned.terms().must_be_of(transfer, &account)?;
        let opening = opening(&environment, ui).approved(approval);
        let mut journal = opening.open(transfer, Timestamp::now())?;
        let memory = Memory::of(&environment);
        if journal.terms().mode == ExportMode::Copy {
            match memory.copying(&endpoint, &account) {
                Copying::MovesSource => {
                    return Err(copying::refusal(journal.terms().volume.as_str()));
                }
                // A canary showed it since this transfer saw otherwise: its own first file shows it again.
                Copying::KeepsSource if journal.copying() == Copying::MovesSource => {
                    journal.note_copying(Copying::Untried)?;
                }
                Copying::KeepsSource | Copying::Untried => {}
            }
        }
        for unguarded in journal.unguarded() {
            ui.warn(unguarded);
        }
        Ok(Opened {
            client,
            waits,
            journal,
            memory,
        })
    }
}

/// How a transfer is opened to be written to.
pub(crate) fn opening(environment: &Environment, ui: &Ui) -> Opening {
    match &environment.state {
        Some(state) => Opening::default().locks_in(state.join("cavatica/locks")),
        None => {
            ui.warn(
                "a run of a copy of this transfer would not be noticed: neither XDG_STATE_HOME nor HOME is set",
            );
            Opening::default()
        }
    }
}

impl Pace {
    /// Whether a screen is drawn.
    pub(crate) fn draws(&self) -> bool {
        !self.no_progress && ui::can_draw()
    }

    pub(crate) fn options(&self) -> RunOptions {
        let mut options = RunOptions::default();
        options.max_errors = self.max_errors;
        options.despite = self.despite.clone();
        options.max_in_flight = self.max_in_flight;
        options.timing.settle = self.settle;
        options.timing.first_poll = self.poll;
        options
    }
}

/// What is to be done with a transfer.
pub(crate) struct Work<'w> {
    pub(crate) transfer: &'w Path,
    pub(crate) approval: Approval,
    pub(crate) pace: &'w Pace,
    pub(crate) options: &'w RunOptions,
}

impl Work<'_> {
    /// Does it, and tells whoever `--on-end` names how it ended, badly or well.
    pub(crate) async fn carry_out(
        self,
        global: &Global,
        ui: &Ui,
    ) -> Result<(Summary, Exit), Failure> {
        let (transfer, pace, options) = (self.transfer, self.pace, self.options);
        let opened = Opened::new(transfer, self.approval, pace, global, ui).await;
        let outcome = match opened {
            Ok(opened) => drive(opened, transfer, pace, options, ui).await,
            Err(failure) => Err(failure),
        };
        if let Some(command) = &pace.on_end {
            on_end::tell(command, transfer, &outcome, ui);
        }
        outcome
    }
}

/// Runs it to its end, or until Ctrl-C.
async fn drive(
    opened: Opened,
    transfer: &Path,
    pace: &Pace,
    options: &RunOptions,
    ui: &Ui,
) -> Result<(Summary, Exit), Failure> {
    let Opened {
        client,
        waits,
        mut journal,
        memory,
    } = opened;
    let stop = Stop::new();
    let listener = {
        let stop = stop.clone();
        Listener::start(move |number| interrupted(number, &stop))?
    };
    let title = format!("{} → {}", transfer.display(), journal.terms().volume);
    let limited = options.limit.is_some();
    let reporter = Reporter::open(pace, title, limited, ui, (client.clone(), waits))?;
    let reporter = Mutex::new(reporter);
    let mut tell = |event| locked(&reporter).tell(&event);
    let run = run_transfer(&mut journal, &client, options, &stop, &mut tell);
    let outcome = ticking(run, || locked(&reporter).tick()).await;
    locked(&reporter).finish();
    drop(listener);
    let terms = journal.terms().clone();
    drop(journal);
    if let Err(RunError::CopyMoved { .. }) = &outcome {
        memory.note(&terms.endpoint, &terms.account, Copying::MovesSource, ui);
    }
    let report = outcome.map_err(|error| failure::of_run(error, transfer))?;
    let summary = Summary::after(transfer, &report)?;
    let exit = match report.ending {
        Ending::NothingToDo if summary.overview.failed + summary.overview.unknown == 0 => {
            Exit::NothingToDo
        }
        Ending::NothingToDo | Ending::Finished => status::verdict(&summary),
        Ending::Stopped => match status::verdict(&summary) {
            Exit::Unknown => Exit::Unknown,
            _ => Exit::Interrupted,
        },
        Ending::TooManyErrors => status::verdict(&summary),
    };
    Ok((summary, exit))
}

/// Does the work, and calls `tick` every second meanwhile.
async fn ticking<T>(work: impl Future<Output = T>, tick: impl Fn()) -> T {
    let mut work = pin!(work);
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => tick(),
        }
    }
}

fn locked(reporter: &Mutex<Reporter>) -> MutexGuard<'_, Reporter> {
    reporter.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first request to stop ends the sending, the second the program.
fn interrupted(number: u32, stop: &Stop) {
    if number > 1 {
        std::process::exit(i32::from(Exit::Interrupted as u8));
    }
    ui::note(
        "stopping: nothing more is sent; jobs that the platform has accepted go on there. Once more to quit at once",
    );
    stop.ask();
}
