//! `cavatica run`: sends what was planned, or goes on where an earlier run stopped.

use std::path::Path;

use cavatica_exports::Account;
use cavatica_exports::model::ExportMode;
use cavatica_exports::transport::Client;
use cavatica_report::Summary;
use cavatica_transfer::journal::{
    Approval, Copying, Journal, Opening, SqliteJournal, TransferFile,
};
use cavatica_transfer::{
    Ending, RunError, RunOptions, Stop, StopReason, Timing, run as run_transfer,
};
use jiff::Timestamp;

use crate::api;
use crate::args::{self, Global, Pace};
use crate::command::status;
use crate::copying::{self, Memory};
use crate::credentials::Environment;
use crate::exit::{Exit, Failure};
use crate::hint;
use crate::interrupt::Listener;
use crate::reporter::Reporter;
use crate::ui::{self, Ui};

pub(crate) async fn run(args: &args::Run, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let approval = approval(args)?;
    let opened = Opened::new(&args.transfer, approval, &args.pace, global, ui).await?;
    let options = RunOptions {
        limit: args.limit,
        ..args.pace.options()
    };
    let (summary, exit) = drive(opened, &args.transfer, &args.pace, &options, ui).await?;
    status::show(&summary, ui)?;
    if args.limit.is_some() && summary.overview.left > 0 {
        ui.note(format_args!(
            "{} left for the next run, as --limit says",
            ui::counted(summary.overview.left, "file")
        ));
    }
    say_how_it_ended(&args.transfer, exit, ui);
    Ok(exit)
}

/// Says what an exit code alone would leave people to look up: that nothing was left, or how to go on.
pub(crate) fn say_how_it_ended(transfer: &Path, exit: Exit, ui: &Ui) {
    if exit == Exit::NothingToDo {
        ui.note("nothing was left to do");
    }
    if exit == Exit::Interrupted {
        ui.note(format_args!(
            "interrupted; `cavatica run {} --yes` goes on from here",
            hint::path_word(transfer)
        ));
    }
}

/// Nothing is sent without a word: `--yes`, or the fingerprint that somebody looked at.
fn approval(args: &args::Run) -> Result<Approval, Failure> {
    let file = TransferFile::open(&args.transfer)?;
    match args.consent.approve {
        Some(approved) => Ok(Approval::Of(approved)),
        // A transfer that is taken up again shall be on its way at once, with a million files too.
        None if args.consent.yes && !file.runs()?.is_empty() => Ok(Approval::NotAsked),
        // A plan that was changed after it was written isn't what a `--yes` is about.
        None if args.consent.yes => Ok(Approval::AsPlanned),
        None => Err(Failure::usage(format!(
            "nothing was sent: say --yes, or --approve {}",
            file.fingerprint()
        ))
        .hint(match file.terms().mode {
            ExportMode::Move => {
                "the transfer moves: the platform's copies will be deleted, which can't be undone"
            }
            ExportMode::Copy => "the transfer copies: the platform keeps its copies",
        })
        .hint(format!(
            "`cavatica status {}` shows what it holds",
            hint::path_word(&args.transfer)
        ))),
    }
}

/// A transfer that is ready to be run.
pub(crate) struct Opened {
    client: Client,
    pub(crate) journal: SqliteJournal,
    memory: Memory,
}

impl Opened {
    pub(crate) async fn new(
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
        planned.terms().must_be_at(transfer, &endpoint)?;
        let client = api::client_for_run(global, found, pace, ui)?;
        let user = Account::new(client.clone()).user().await?.value;
        let account = user.username.into_value().unwrap_or_default();
        let mut opening = Opening::default().approved(approval);
        match &environment.state {
            Some(state) => opening = opening.locks_in(state.join("cavatica/locks")),
            None => ui.warn(
                "a run of a copy of this transfer would not be noticed: neither XDG_STATE_HOME nor HOME is set",
            ),
        }
        let mut journal = opening.open(transfer, &endpoint, &account, Timestamp::now())?;
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
            journal,
            memory,
        })
    }
}

impl Pace {
    pub(crate) fn options(&self) -> RunOptions {
        RunOptions {
            max_errors: self.max_errors,
            max_in_flight: self.max_in_flight,
            timing: Timing {
                settle: self.settle,
                first_poll: self.poll,
                ..Timing::default()
            },
            ..RunOptions::default()
        }
    }
}

/// Runs it to its end, or until Ctrl-C.
pub(crate) async fn drive(
    opened: Opened,
    transfer: &Path,
    pace: &Pace,
    options: &RunOptions,
    ui: &Ui,
) -> Result<(Summary, Exit), Failure> {
    let Opened {
        client,
        mut journal,
        memory,
    } = opened;
    let stop = Stop::new();
    let listener = {
        let stop = stop.clone();
        Listener::start(move |number| interrupted(number, &stop))?
    };
    let mut reporter = Reporter::open(pace, ui, client.clone())?;
    let outcome = run_transfer(&mut journal, &client, options, &stop, &mut |event| {
        reporter.tell(&event);
    })
    .await;
    reporter.finish();
    drop(listener);
    let terms = journal.terms().clone();
    drop(journal);
    if let Err(RunError::CopyMoved { .. }) = &outcome {
        memory.note(&terms.endpoint, &terms.account, Copying::MovesSource, ui);
    }
    let report = outcome.map_err(|error| of_run(error, transfer))?;
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

fn of_run(error: RunError, transfer: &Path) -> Failure {
    let again = format!(
        "nothing is lost; `cavatica run {} --yes` goes on from here",
        hint::path_word(transfer)
    );
    let message = error.to_string();
    match error {
        RunError::Journal(error) => error.into(),
        RunError::Refused(error) => Failure::from(error).hint(again),
        RunError::Unreachable { source, .. } => {
            Failure::new(Exit::Interrupted, message).caused_by(source).hint(again)
        }
        RunError::CopyMoved { .. } => Failure::new(Exit::SomeFailed, message).hint(
            "the platform ignored `copy_only`, which is remembered; plan the transfer with --move if that is what you want",
        ),
        RunError::VolumeChanged { volume, .. } => Failure::usage(message)
            .hint("nothing further was sent; where the volume is as it should be now, plan the transfer anew")
            .hint(format!(
                "`cavatica volumes get {}` shows it",
                hint::shell_word(volume.as_str())
            )),
        RunError::NotMoved { .. } => Failure::new(Exit::Unknown, message)
            .hint("look at the file and its job before anything else is moved")
            .hint(again),
        _ => Failure::new(Exit::Other, message).hint(again),
    }
}

/// Why no more files are sent, in words.
pub(crate) fn stop_words(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Asked => "asked to stop",
        StopReason::TooManyErrors => "as many files failed as were allowed to",
        StopReason::Trouble => "the platform refuses, or can't be reached",
    }
}
