//! What is shown of a run while it goes on: bars on a terminal, a line now and then on a pipe, a log for programs. All
//! read the same events, so they can't disagree.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use cavatica_exports::model::visible_json;
use cavatica_exports::transport::Client;
use cavatica_report::Document;
use cavatica_transfer::journal::Tally;
use cavatica_transfer::{Again, Event};
use indicatif::{HumanBytes, HumanDuration};
use jiff::Timestamp;
use serde_json::json;

use crate::args::Pace;
use crate::command::run::stop_words;
use crate::exit::Failure;
use crate::ui::{self, Bars, Ui, counted};

mod log;

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
    Bars(Bars),
    Lines { last: Instant },
    Nothing,
}

impl Reporter {
    pub(crate) fn open(pace: &Pace, ui: &Ui, client: Client) -> Result<Self, Failure> {
        let log = match &pace.log_json {
            None => None,
            Some(path) => {
                let file = appended(path).map_err(|error| {
                    Failure::usage(format!("the log {} can't be written", path.display()))
                        .caused_by(error)
                })?;
                Some(BufWriter::new(file))
            }
        };
        let display = if pace.no_progress {
            Display::Nothing
        } else if ui::can_draw() {
            Display::Bars(Bars::new())
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
        if let Some(file) = &mut self.log {
            let mut line = log::described(event);
            line["at"] = json!(Timestamp::now().to_string());
            // A log that can't be written is no reason to stop a transfer.
            let line = serde_json::to_string(&Document::new(line)).expect("an event is plain data");
            writeln!(file, "{}", visible_json(&line))
                .and_then(|()| file.flush())
                .ok();
        }
        match event {
            Event::RunBegan { tally, resumed } => {
                self.first = Some(*tally);
                if *resumed {
                    self.say(&format!(
                        "going on: {} of {} done",
                        tally.completed.files,
                        counted(tally.total().files, "file")
                    ));
                }
                self.progress(tally);
            }
            Event::Tallied { tally } => self.progress(tally),
            Event::AnswersLost { files, reason } => self.say(&format!(
                "no answer about {} ({reason}); nothing is sent again before the platform was asked",
                counted(*files as u64, "file")
            )),
            Event::Reconciled {
                found,
                absent,
                unknown,
            } => self.say(&format!(
                "asked the platform: {found} accepted, {absent} not accepted and sent again, {unknown} not to be known"
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
            Event::VolumeUnseen { reason } => self.say(&format!(
                "the volume could not be compared with the one that was planned for: {reason}"
            )),
            Event::ClocksDiffer { ahead } => self.say(&format!(
                "this computer's clock and the platform's differ by {}: set this one right",
                HumanDuration(ahead.unsigned_abs())
            )),
            Event::FilesHeld { files } => self.say(&format!(
                "{}: export jobs of the same files are under way elsewhere; nothing is sent before they have ended",
                counted(*files as u64, "file")
            )),
            Event::FilesRetried { files } => self.say(&format!(
                "sent again: {}",
                counted(*files as u64, "failed file")
            )),
            Event::Paused { reason, pause } => {
                self.say(&format!("waiting {} s: {reason}", pause.as_secs()));
            }
            Event::SendingStopped { reason } => self.say(stop_words(*reason)),
            _ => {}
        }
    }

    fn say(&self, text: &str) {
        match &self.display {
            Display::Bars(_) | Display::Lines { .. } => ui::note(text),
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
            words += &format!(
                ", {:.1} files/s",
                now_done as f64 / elapsed.as_secs_f64().max(0.1)
            );
            if let Ok(left) = Duration::try_from_secs_f64(seconds) {
                words += &format!(", {} left", HumanDuration(left));
            }
        }
        let remaining = self.client.budget().remaining;
        let requests = format!("{remaining} requests left in the window");
        match &mut self.display {
            Display::Bars(bars) => bars.show(tally, words, requests),
            Display::Lines { last } => {
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    ui::note(format_args!(
                        "{done} of {} done, {words}, {requests}",
                        total.files
                    ));
                }
            }
            Display::Nothing => {}
        }
    }

    pub(crate) fn finish(self) {
        if let Display::Bars(bars) = self.display {
            bars.clear();
        }
    }
}

/// A log goes on where it ended. A link is never followed: in a folder that others write to it may lead to any file.
fn appended(path: &std::path::Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(path)
}
