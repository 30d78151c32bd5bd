//! `cavatica audit`: whether the platform started what the journal says, and nothing else.

use std::io;
use std::time::{Duration, Instant};

use cavatica_exports::model::text::visible;
use cavatica_transfer::journal::JournalError;
use cavatica_transfer::{
    AuditError, AuditEvent, AuditLine, AuditPart, AuditReading, AuditSummary, Disagreement, Stop,
    audit,
};

use crate::api;
use crate::args::{self, Global};
use crate::command::several;
use crate::failure::{self, Exit, Failure};
use crate::interrupt::Listener;
use crate::ui::{Ui, counted};

/// How often a long list says how far it was read.
const TELL_EVERY: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: &args::Audit, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    // Before any request: a wrong path is told at once.
    let named = several::named(&args.transfers)?;
    let paths = named.each(ui)?;
    let found = api::credentials(global, ui)?;
    let client = api::client(global, found)?;
    let reading = if args.again {
        AuditReading::Anew
    } else {
        AuditReading::GoOn
    };
    let stop = Stop::new();
    let listener = {
        let stop = stop.clone();
        Listener::start(move |number| interrupted(number, &stop))?
    };
    let mut lines = AuditLines {
        ui,
        shows_progress: !args.no_progress && !ui.is_json(),
        told: Instant::now(),
        written: Ok(()),
    };
    let (mut summaries, mut others) = (Vec::new(), Vec::new());
    for path in &paths {
        let tell = &mut |event: AuditEvent| lines.tell(&event);
        match audit(path, &client, reading, &stop, tell).await {
            Ok(summary) => summaries.push(summary),
            // Only its own account sees its jobs.
            Err(AuditError::Journal(JournalError::OtherTerms {
                what: "account",
                planned,
                ..
            })) if paths.len() > 1 => {
                others.push(AuditPart::not_compared(path, planned));
            }
            Err(error) => return Err(failure::of_audit(error, path)),
        }
    }
    drop(listener);
    lines.written?;
    let exit = tell_all(&named.of(&paths), summaries, others, ui)?;
    Ok(exit)
}

/// One summary, and for several the account of the whole. Ends as the worst of them.
fn tell_all(
    name: &str,
    mut summaries: Vec<AuditSummary>,
    others: Vec<AuditPart>,
    ui: &Ui,
) -> Result<Exit, Failure> {
    if let ([_], []) = (summaries.as_slice(), others.as_slice()) {
        let summary = summaries.remove(0);
        show(&summary, ui)?;
        return Ok(verdict(&summary));
    }
    let exits = summaries.iter().map(verdict);
    let mut exit = exits.reduce(Exit::or_worse).unwrap_or(Exit::NothingToDo);
    for other in &others {
        exit = exit.or_worse(Exit::Unknown);
        ui.note(format_args!(
            "{} is account {}'s and wasn't audited: its jobs show to that account alone; audit it with that account's profile",
            other.transfer,
            visible(&other.account)
        ));
    }
    let Some(sum) = AuditSummary::sum(name, summaries, others) else {
        return Err(Failure::usage(format!(
            "no transfer of {name} is this account's: nothing was audited"
        ))
        .hint("use the profile of the account that ran them"));
    };
    show(&sum, ui)?;
    Ok(exit)
}

/// The first request to stop keeps what was read, the second ends the program.
fn interrupted(number: u32, stop: &Stop) {
    if number > 1 {
        std::process::exit(i32::from(Exit::Interrupted as u8));
    }
    stop.ask();
}

/// What is told while it goes on.
struct AuditLines<'a> {
    ui: &'a Ui,
    shows_progress: bool,
    told: Instant,
    /// Whether all lines so far could be written.
    written: io::Result<()>,
}

impl AuditLines<'_> {
    fn tell(&mut self, event: &AuditEvent) {
        match event {
            AuditEvent::Began {
                jobs,
                kept,
                requests,
                allowed,
            } => {
                let jobs = jobs.map_or_else(
                    || "the export jobs on the volume".to_owned(),
                    |jobs| counted(jobs, "export job"),
                );
                let kept = match kept {
                    0 => String::new(),
                    kept => format!(", of which {kept} were read before"),
                };
                self.ui.note(format_args!(
                    "reading {jobs}{kept}: {}; the limit allows {allowed} in 5 minutes",
                    counted(*requests, "request")
                ));
            }
            AuditEvent::PageRead { jobs, total }
                if self.shows_progress && self.told.elapsed() >= TELL_EVERY =>
            {
                self.told = Instant::now();
                self.ui.note(format_args!("{} read", of_all(*jobs, *total)));
            }
            AuditEvent::ReadingAgain { jobs, total } => self.ui.note(format_args!(
                "the list changed while it was read: {} came; it is read again",
                of_all(*jobs, *total)
            )),
            AuditEvent::Disagreed(kind, line) => self.disagreement(*kind, line),
            _ => {}
        }
    }

    fn disagreement(&mut self, kind: Disagreement, line: &AuditLine) {
        // What can't be written any more isn't: the last word is said all the same.
        if self.ui.is_json() || self.written.is_err() {
            return;
        }
        let key = visible(&line.location);
        self.written = self.ui.line(format_args!("{} {key}", kind.symbol()));
        let message = visible(&line.message);
        self.ui
            .note(format_args!("  {}: {} {message}", line.name, line.file_id));
    }
}

fn of_all(jobs: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{jobs} of {}", counted(total, "export job")),
        None => counted(jobs, "export job"),
    }
}

fn show(summary: &AuditSummary, ui: &Ui) -> io::Result<()> {
    if ui.is_json() {
        return ui.json(summary);
    }
    if !summary.audited {
        return ui.line(format_args!(
            "{}: nothing was sent, and account {} has no export job on the volume: there is nothing to audit",
            summary.transfer, summary.account
        ));
    }
    let totals: Vec<String> = Disagreement::ALL
        .into_iter()
        .map(Disagreement::name)
        .filter(|name| summary.totals[name] > 0)
        .map(|name| format!("{} {name}", summary.totals[name]))
        .collect();
    let totals = match totals.as_slice() {
        [] => String::new(),
        totals => format!(": {}", totals.join(", ")),
    };
    let verdict = match (summary.faults(), summary.complete) {
        _ if summary.agrees => "agree",
        (0, true) => "agree as far as can be told",
        (0, false) => "can't be compared to the end, for the list never came whole",
        (_, true) => "disagree",
        (_, false) => "disagree, and the list never came whole",
    };
    ui.sentence(format_args!(
        "{}: {} and {} of account {} {verdict}{totals}",
        summary.transfer,
        counted(summary.files, "file"),
        counted(summary.jobs, "job"),
        visible(&summary.account)
    ))?;
    for kind in Disagreement::ALL {
        if summary.totals[kind.name()] > 0 {
            ui.note(format_args!("{}: {}", kind.name(), kind.advice()));
        }
    }
    if summary.in_flight > 0 {
        ui.note(format_args!(
            "{} under way: run the transfer to its end, then audit it again",
            counted(summary.in_flight, "file")
        ));
    }
    ui.note("jobs that other accounts started don't show: they can't be audited from here");
    Ok(())
}

/// How the program ends: what is certain counts before what isn't known.
fn verdict(summary: &AuditSummary) -> Exit {
    if !summary.audited {
        Exit::NothingToDo
    } else if summary.faults() > 0 {
        Exit::SomeFailed
    } else if summary.agrees {
        Exit::Done
    } else {
        Exit::Unknown
    }
}
