//! What is shown of a run while it goes on: a screen on a terminal, a line now and then on a pipe, a log for programs. All
//! read the same events, so they can't disagree.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use cavatica_exports::model::visible_json;
use cavatica_exports::transport::Client;
use cavatica_report::Document;
use cavatica_transfer::{Again, Event, Hindrance, StopReason};
use indicatif::{HumanBytes, HumanDuration};
use jiff::Timestamp;
use serde::Serialize;

use crate::args::Pace;
use crate::exit::Failure;
use crate::ui::{self, Screen, ScreenLine, Ui, counted};

mod progress;

use progress::Progress;

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// The most failures that are named while the run goes on; `status` counts them all.
const FAILURES_NAMED: u32 = 20;

/// Shows what happens.
pub(crate) struct Reporter {
    display: Display,
    log: Option<BufWriter<File>>,
    client: Client,
    /// What runs, and where to.
    title: String,
    began: Instant,
    progress: Progress,
    named: u32,
    /// Whether `--limit` ends the run before everything is sent: then nobody knows how long it takes.
    limited: bool,
    /// What is waited for, and until when, if that is known.
    waiting: Option<(String, Option<Instant>)>,
}

enum Display {
    Screen(Screen),
    Lines { last: Instant },
    Nothing,
}

/// A line of the log.
#[derive(Serialize)]
struct Logged<'e> {
    #[serde(flatten)]
    event: &'e Event,
    at: Timestamp,
}

impl Reporter {
    pub(crate) fn open(
        pace: &Pace,
        title: String,
        limited: bool,
        ui: &Ui,
        client: Client,
    ) -> Result<Self, Failure> {
        let log = match &pace.log_json {
            None => None,
            Some(path) => Some(open_log(path)?),
        };
        let display = if pace.no_progress {
            Display::Nothing
        } else if ui::can_draw() {
            Display::Screen(Screen::new())
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
            title,
            began: Instant::now(),
            progress: Progress::default(),
            named: 0,
            limited,
            waiting: None,
        })
    }

    pub(crate) fn tell(&mut self, event: &Event) {
        self.write(event);
        self.say_what_happened(event);
        match event {
            Event::RunBegan { tally, .. } | Event::Tallied { tally } => {
                self.progress.note(self.began.elapsed(), tally);
                self.show();
            }
            Event::CopyGoesAlone => {
                self.wait_for("the first copy, which goes alone".to_owned(), None);
            }
            Event::CopyProven => self.waiting = None,
            Event::Paused { pause, .. } => {
                let what = format!("the platform; next try {}", clock_in(*pause));
                self.wait_for(what, Some(Instant::now() + *pause));
            }
            _ => {}
        }
    }

    /// Shows the time that passes.
    pub(crate) fn tick(&mut self) {
        self.waiting
            .take_if(|(_, until)| until.is_some_and(|until| Instant::now() >= until));
        if let Display::Screen(_) = self.display {
            self.show();
        }
    }

    pub(crate) fn finish(&mut self) {
        if let Display::Screen(screen) = &self.display {
            screen.clear();
        }
    }

    fn wait_for(&mut self, what: String, until: Option<Instant>) {
        self.waiting = Some((what, until));
        self.show();
    }

    fn write(&mut self, event: &Event) {
        let Some(file) = &mut self.log else { return };
        let logged = Logged {
            event,
            at: Timestamp::now(),
        };
        // A log that can't be written is no reason to stop a transfer.
        let line = serde_json::to_string(&Document::new(logged)).expect("an event is plain data");
        writeln!(file, "{}", visible_json(&line))
            .and_then(|()| file.flush())
            .ok();
    }

    fn say(&self, text: &str) {
        match &self.display {
            Display::Screen(_) | Display::Lines { .. } => ui::note(text),
            Display::Nothing => {}
        }
    }

    fn say_what_happened(&mut self, event: &Event) {
        if let Event::FileFailed { .. } = event {
            self.named += 1;
            if self.named == FAILURES_NAMED + 1 {
                self.say("further failures aren't named here; `cavatica status` counts them all");
            }
            if self.named > FAILURES_NAMED {
                return;
            }
        }
        if let Some(words) = self.words(event) {
            self.say(&words);
        }
    }

    /// What is said of an event to people.
    fn words(&self, event: &Event) -> Option<String> {
        Some(match event {
            Event::RunBegan {
                tally,
                resumed: true,
            } => format!(
                "going on: {} of {} done",
                tally.completed.files,
                counted(tally.total().files, "file")
            ),
            Event::CopyGoesAlone => "the first copy goes alone: the rest follows once the platform is seen to keep its source".to_owned(),
            Event::CopyProven => "the platform kept the source of the first copy: the rest follows".to_owned(),
            Event::AnswersLost { files, words, .. } => format!(
                "no answer about {} ({words}); nothing is sent again before the platform was asked",
                counted(*files as u64, "file")
            ),
            Event::Reconciled {
                found,
                absent,
                unknown,
            } => format!(
                "asked the platform: {found} accepted, {absent} not accepted and sent again, {unknown} not to be known"
            ),
            Event::FileFailed {
                file,
                location,
                failure,
                again,
                ..
            } => {
                let again = match again {
                    Again::Later => "; it is tried again later",
                    Again::No => "",
                };
                format!("failed: {file} {location}: {failure}{again}")
            }
            Event::FileUnclear {
                file,
                location,
                reason,
            } => format!("unknown: {file} {location}: {reason}"),
            Event::VolumeUnseen { words } => format!(
                "the volume could not be compared with the one that was planned for: {words}"
            ),
            Event::ClocksDiffer { ahead } => format!(
                "this computer's clock and the platform's differ by {}: set this one right",
                HumanDuration(ahead.unsigned_abs())
            ),
            Event::FilesHeld { files } => format!(
                "{}: export jobs of the same files are under way elsewhere; nothing is sent before they have ended",
                counted(*files as u64, "file")
            ),
            Event::FilesRetried { files } => format!(
                "sent again: {}",
                counted(*files as u64, "failed file")
            ),
            Event::Paused {
                reason,
                words,
                pause,
            } => self.pause_words(*reason, words, *pause),
            Event::SendingStopped { reason } => stop_words(*reason).to_owned(),
            _ => return None,
        })
    }

    /// That the platform is away, what goes on there meanwhile, and when it is tried again.
    fn pause_words(&self, reason: Hindrance, words: &str, pause: Duration) -> String {
        let what = match reason {
            Hindrance::Unreachable => "can't reach the platform",
            Hindrance::Maintenance => "the platform is under maintenance",
            Hindrance::Throttled => "the limit on requests is used up",
            Hindrance::NoAnswer | Hindrance::AnswerIncomplete | Hindrance::Refused => {
                "the platform gives no answer"
            }
        };
        let flight = self.progress.tally.intended.files + self.progress.tally.accepted.files;
        let there = match flight {
            0 => String::new(),
            1 => "; 1 export goes on there".to_owned(),
            flight => format!("; {flight} exports go on there"),
        };
        format!("{what}{there}; next try {} ({words})", clock_in(pause))
    }

    fn show(&mut self) {
        match &mut self.display {
            Display::Nothing => return,
            Display::Lines { last } => {
                if last.elapsed() < LINE_EVERY {
                    return;
                }
                *last = Instant::now();
            }
            Display::Screen(_) => {}
        }
        let tally = &self.progress.tally;
        let (ended, total) = (self.progress.ended(), tally.total());
        let percent = self.progress.percent();
        let counts = format!(
            "{} done, {} failed, {}{} running, {} left",
            tally.completed.files,
            tally.failed.files,
            match tally.unknown.files {
                0 => String::new(),
                unknown => format!("{unknown} unknown, "),
            },
            tally.accepted.files + tally.intended.files,
            tally.planned.files
        );
        let requests = format!(
            "{} requests left in the window",
            self.client.budget().remaining
        );
        let course = self.course();
        match &self.display {
            Display::Screen(screen) => {
                let mut lines = vec![
                    ScreenLine::Name(self.title.clone()),
                    ScreenLine::Bar(percent, format!("{percent} %, {ended} of {}", total.files)),
                    ScreenLine::Words(counts),
                    ScreenLine::Words(course),
                    ScreenLine::Words(requests),
                ];
                if let Some((what, _)) = &self.waiting {
                    lines.push(ScreenLine::Words(format!("waiting for {what}")));
                }
                screen.show(&lines);
            }
            Display::Lines { .. } => ui::note(format_args!(
                "{percent} %, {ended} of {} ended: {counts}; {course}; {requests}",
                total.files
            )),
            Display::Nothing => {}
        }
    }

    /// Bytes, their rate, how long it has taken, and how long it may still take.
    fn course(&self) -> String {
        let (tally, now) = (&self.progress.tally, self.began.elapsed());
        let mut course = format!(
            "{} of {}",
            HumanBytes(tally.completed.bytes),
            HumanBytes(tally.total().bytes)
        );
        if let Some(rate) = self.progress.bytes_per_second(now) {
            course += &format!(", {}/s", HumanBytes(rate as u64));
        }
        course += &format!(
            ", for {}",
            HumanDuration(Duration::from_secs(now.as_secs()))
        );
        let estimate = self.progress.estimate(now).filter(|_| !self.limited);
        if let Some(estimate) = estimate {
            course += &format!(", {estimate}");
        }
        course
    }
}

/// The time of day after a pause.
fn clock_in(pause: Duration) -> String {
    ui::clock(Timestamp::now() + pause)
}

/// Why no more files are sent, in words.
fn stop_words(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Asked => "asked to stop",
        StopReason::TooManyErrors => "as many files failed as were allowed to",
        StopReason::Trouble => "the platform refuses, or can't be reached",
    }
}

/// Opens the log that was named.
fn open_log(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = appended(path).map_err(|error| {
        Failure::usage(format!("the log {} can't be written", path.display())).caused_by(error)
    })?;
    Ok(BufWriter::new(file))
}

/// A log goes on where it ended. A link is never followed: in a folder that others write to it may lead to any file.
fn appended(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(path)
}
