//! What is shown of a run while it goes on: a bar on a terminal, a line now and then on a pipe, a log for programs. All
//! read the same events, so they can't disagree.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::time::{Duration, Instant};

use cavatica_exports::transport::Client;
use cavatica_transfer::journal::Tally;
use cavatica_transfer::{Again, Event};
use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::args::Pace;
use crate::command::run::stop_words;
use crate::exit::Failure;
use crate::ui::{self, Ui};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// The most failures that are named while the run goes on; the last lines name them anyway.
const FAILURES_NAMED: u32 = 20;

/// Shows what happens.
pub(crate) struct Reporter {
    display: Display,
    log: Option<BufWriter<File>>,
    client: Client,
    began: Instant,
    /// Where this run began, for the rate: what earlier runs did says nothing about how long this one takes.
    first: Option<Tally>,
    named: u32,
}

enum Display {
    Bar(ProgressBar),
    Lines { last: Instant },
    Nothing,
}

impl Reporter {
    pub(crate) fn open(pace: &Pace, ui: &Ui, client: Client) -> Result<Self, Failure> {
        let log = match &pace.log_json {
            None => None,
            Some(path) => {
                let file = File::options().create(true).append(true).open(path);
                let file = file.map_err(|error| {
                    Failure::usage(format!("the log {} can't be written", path.display()))
                        .caused_by(error)
                })?;
                Some(BufWriter::new(file))
            }
        };
        let display = if pace.no_progress {
            Display::Nothing
        } else if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(0);
            bar.set_style(
                ProgressStyle::with_template("{bar:30} {pos}/{len} done, {msg}")
                    .expect("the template is fixed"),
            );
            Display::Bar(bar)
        } else if ui.is_json() {
            Display::Nothing
        } else {
            Display::Lines {
                last: Instant::now(),
            }
        };
        Ok(Reporter {
            display,
            log,
            client,
            began: Instant::now(),
            first: None,
            named: 0,
        })
    }

    pub(crate) fn tell(&mut self, event: &Event) {
        if let Some(log) = &mut self.log {
            let mut line = described(event);
            line["at"] = json!(Timestamp::now().to_string());
            // A log that can't be written is no reason to stop a transfer.
            writeln!(log, "{line}").and_then(|()| log.flush()).ok();
        }
        match event {
            Event::RunBegan { tally, resumed } => {
                self.first = Some(*tally);
                if *resumed {
                    self.say(&format!(
                        "going on: {} of {} files are done",
                        tally.completed.files,
                        tally.total().files
                    ));
                }
                self.progress(tally);
            }
            Event::Tallied { tally } => self.progress(tally),
            Event::AnswersLost { files, reason } => self.say(&format!(
                "{files} answers were lost ({reason}); nothing is sent again before the platform was asked"
            )),
            Event::Reconciled {
                found,
                absent,
                unknown,
            } => self.say(&format!(
                "asked the platform: {found} files were accepted, {absent} were not and are sent again, {unknown} can't be known"
            )),
            Event::FileFailed {
                file,
                location,
                failure,
                again,
                ..
            } => {
                self.named += 1;
                if self.named <= FAILURES_NAMED {
                    let again = match again {
                        Again::Later => "; it is tried again later",
                        Again::No => "",
                    };
                    self.say(&format!("failed: {file} {location}: {failure}{again}"));
                }
            }
            Event::FileUnclear {
                file,
                location,
                reason,
            } => self.say(&format!("unknown: {file} {location}: {reason}")),
            Event::Paused { reason, pause } => {
                self.say(&format!("waiting {} s: {reason}", pause.as_secs()));
            }
            Event::SendingStopped { reason } => self.say(stop_words(*reason)),
            _ => {}
        }
    }

    fn say(&self, text: &str) {
        match &self.display {
            Display::Bar(bar) => bar.suspend(|| ui::note(text)),
            Display::Lines { .. } => ui::note(text),
            Display::Nothing => {}
        }
    }

    fn progress(&mut self, tally: &Tally) {
        let total = tally.total();
        let done = tally.completed.files + tally.failed.files + tally.unknown.files;
        let earlier = self.first.map_or(0, |first| {
            first.completed.files + first.failed.files + first.unknown.files
        });
        let elapsed = self.began.elapsed();
        let mut words = format!(
            "{} in flight, {} failed, {} of {}",
            tally.accepted.files + tally.intended.files,
            tally.failed.files,
            HumanBytes(tally.completed.bytes),
            HumanBytes(total.bytes)
        );
        let now_done = done.saturating_sub(earlier);
        if now_done > 0 && tally.left() > 0 {
            let seconds = elapsed.as_secs_f64() * tally.left() as f64 / now_done as f64;
            if let Ok(left) = Duration::try_from_secs_f64(seconds) {
                words += &format!(", {} left", HumanDuration(left));
            }
        }
        let remaining = self.client.budget().remaining;
        words += &format!(", {remaining} requests left in the window");
        match &mut self.display {
            Display::Bar(bar) => {
                bar.set_length(total.files);
                bar.set_position(done);
                bar.set_message(words);
            }
            Display::Lines { last } => {
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    ui::note(format_args!("{done} of {} done, {words}", total.files));
                }
            }
            Display::Nothing => {}
        }
    }

    pub(crate) fn finish(self) {
        if let Display::Bar(bar) = self.display {
            bar.finish_and_clear();
        }
    }
}

/// An event as a JSON object.
fn described(event: &Event) -> Value {
    match event {
        Event::RunBegan { tally, resumed } => {
            json!({"event": "run_began", "resumed": resumed, "tally": tally})
        }
        Event::BatchAnswered {
            files,
            accepted,
            refused,
        } => {
            json!({"event": "batch_answered", "files": files, "accepted": accepted, "refused": refused})
        }
        Event::AnswersLost { files, reason } => {
            json!({"event": "answers_lost", "files": files, "reason": reason})
        }
        Event::Reconciled {
            found,
            absent,
            unknown,
        } => {
            json!({"event": "reconciled", "found": found, "absent": absent, "unknown": unknown})
        }
        Event::FilesCompleted { files, bytes } => {
            json!({"event": "files_completed", "files": files, "bytes": bytes})
        }
        Event::FileFailed {
            file,
            location,
            export,
            failure,
            again,
        } => json!({
            "event": "file_failed", "file_id": file, "location": location, "export_id": export,
            "code": failure.code, "message": failure.message, "class": failure.class().as_str(),
            "request_id": failure.request_id, "again": *again == Again::Later,
        }),
        Event::FileUnclear {
            file,
            location,
            reason,
        } => {
            json!({"event": "file_unclear", "file_id": file, "location": location, "reason": reason})
        }
        Event::Counted {
            unfinished,
            in_flight,
        } => {
            json!({"event": "counted", "unfinished": unfinished, "in_flight": in_flight})
        }
        Event::CopyProven => json!({"event": "copy_proven"}),
        Event::Paused { reason, pause } => {
            json!({"event": "paused", "reason": reason, "seconds": pause.as_secs_f64()})
        }
        Event::SendingStopped { reason } => {
            json!({"event": "sending_stopped", "reason": stop_words(*reason)})
        }
        Event::Tallied { tally } => json!({"event": "tallied", "tally": tally}),
        _ => json!({"event": "other"}),
    }
}
