//! What is shown of a run while it goes on: a screen on a terminal, a line now and then on a pipe, a log for programs. All
//! read the same events, so they can't disagree.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use cavatica_exports::model::text::visible_json;
use cavatica_exports::transport::Client;
use cavatica_report::Document;
use cavatica_transfer::journal::Tally;
use cavatica_transfer::{Again, Event, Hindrance, StopReason};
use jiff::Timestamp;
use serde::Serialize;

use crate::args::Pace;
use crate::failure::Failure;
use crate::ui::{self, Bytes, Screen, ScreenLine, Span, Ui, counted};

mod line_pace;
mod progress;
mod waiting;

pub(crate) use waiting::{ClientWaits, wait_words};

use line_pace::LinePace;
use progress::Progress;
use waiting::WaitNote;

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
    waiting: WaitNote,
    client_waits: ClientWaits,
}

enum Display {
    Screen(Screen),
    Lines(LinePace),
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
        (client, client_waits): (Client, ClientWaits),
    ) -> Result<Self, Failure> {
        let log = match &pace.log_json {
            None => None,
            Some(path) => Some(open_log(path)?),
        };
        let display = if pace.draws() {
            Display::Screen(Screen::default())
        } else if pace.no_progress || ui.is_json() {
            Display::Nothing
        } else {
            Display::Lines(LinePace::begun())
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
            waiting: WaitNote::default(),
            client_waits,
        })
    }

    pub(crate) fn tell(&mut self, event: &Event) {
        self.write(event);
        self.say_what_happened(event);
        self.waiting.note(event, Timestamp::now());
        match event {
            Event::RunBegan { tally, .. } => self.note(tally, 0),
            Event::Tallied { tally, again } => self.note(tally, *again),
            Event::CopyGoesAlone | Event::Paused { .. } | Event::SendingStopped { .. } => {
                self.show();
            }
            _ => {}
        }
    }

    /// Shows the time that passes.
    pub(crate) fn tick(&mut self) {
        self.show();
    }

    fn note(&mut self, tally: &Tally, again: u64) {
        self.progress.note(self.began.elapsed(), tally, again);
        self.show();
    }

    pub(crate) fn finish(&mut self) {
        self.display = Display::Nothing;
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
            Display::Screen(_) | Display::Lines(_) => ui::note(text),
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
                Span(ahead.unsigned_abs())
            ),
            Event::SettlingLengthened { settle } => format!(
                "the platform lists jobs late: what is lost is waited for {} from now on",
                Span(*settle)
            ),
            Event::BeliefContradicted { belief } => {
                format!("{}: nothing further is moved", belief.seen())
            }
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
            Event::SendingStopped { reason } => stop_words(*reason)?.to_owned(),
            _ => return None,
        })
    }

    /// That the platform is away, what goes on there meanwhile, and when it is tried again.
    fn pause_words(&self, reason: Hindrance, words: &str, pause: Duration) -> String {
        let what = match reason {
            Hindrance::Unreachable => "can't reach the platform",
            Hindrance::Maintenance => "the platform is under maintenance",
            Hindrance::Throttled => "the limit on requests is used up",
            _ => "the platform gives no answer",
        };
        let there = going_on_there(&self.progress.tally);
        format!("{what}{there}; next try {} ({words})", clock_in(pause))
    }

    fn show(&mut self) {
        let now = self.began.elapsed();
        let is_due = match &mut self.display {
            Display::Nothing => false,
            Display::Lines(pace) => pace.is_due(now),
            Display::Screen(_) => true,
        };
        if !is_due {
            return;
        }
        let requests = format!(
            "{} requests left in the window",
            self.client.budget().remaining
        );
        let progress = &self.progress;
        let course = progress.course(now, self.limited);
        let waiting = self
            .waiting
            .words(&self.client_waits, progress, Timestamp::now());
        match &mut self.display {
            Display::Screen(screen) => {
                let mut lines = progress.screen(&self.title, course);
                lines.push(ScreenLine::Words(requests));
                if let Some(what) = waiting {
                    lines.push(ScreenLine::Words(format!("waiting for {what}")));
                }
                screen.show(&lines);
            }
            Display::Lines(_) => {
                let waiting = waiting.map(|what| format!("; waiting for {what}"));
                ui::note(format_args!(
                    "{} %, {} of {} ended: {}; {course}; {requests}{}",
                    progress.percent(),
                    progress.ended(),
                    progress.tally.total().files,
                    progress.counts(),
                    waiting.unwrap_or_default(),
                ));
            }
            Display::Nothing => {}
        }
    }
}

/// A transfer that somebody else runs, as it is seen from here.
pub(crate) struct Watched {
    title: String,
    began: Instant,
    progress: Progress,
    screen: Option<Screen>,
    pace: LinePace,
}

impl Watched {
    pub(crate) fn new(title: String) -> Self {
        Watched {
            title,
            began: Instant::now(),
            progress: Progress::default(),
            screen: ui::can_draw().then(Screen::default),
            pace: LinePace::default(),
        }
    }

    /// Shows how files stand; where there is no terminal, now and then.
    pub(crate) fn show(&mut self, tally: &Tally) {
        let now = self.began.elapsed();
        self.progress.note(now, tally, 0);
        let course = self.progress.course(now, false);
        match &mut self.screen {
            Some(screen) => screen.show(&self.progress.screen(&self.title, course)),
            None if self.pace.is_due(now) => {
                ui::note(format_args!(
                    "{} %: {}; {course}",
                    self.progress.percent(),
                    self.progress.counts()
                ));
            }
            None => {}
        }
    }
}

impl Progress {
    /// How many files stand where.
    fn counts(&self) -> String {
        let tally = &self.tally;
        let unknown = match tally.unknown.files {
            0 => String::new(),
            unknown => format!("{unknown} unknown, "),
        };
        let again = match self.again {
            0 => String::new(),
            again => format!("{again} to be tried again, "),
        };
        format!(
            "{} done, {} failed, {again}{unknown}{} running, {} left",
            tally.completed.files,
            tally.failed.files.saturating_sub(self.again),
            tally.accepted.files + tally.intended.files,
            tally.planned.files
        )
    }

    /// Bytes, their rate, how long it has taken, and how long it may still take.
    fn course(&self, now: Duration, limited: bool) -> String {
        let mut course = format!(
            "{} of {}",
            Bytes(self.tally.completed.bytes),
            Bytes(self.tally.total().bytes)
        );
        if let Some(rate) = self.bytes_per_second(now).filter(|rate| *rate >= 1.0) {
            course += &format!(", {}/s", Bytes(rate as u64));
        }
        course += &format!(", for {}", Span(now));
        if let Some(estimate) = self.estimate(now).filter(|_| !limited) {
            course += &format!(", {estimate}");
        }
        course
    }

    /// The lines that every screen has.
    fn screen(&self, title: &str, course: String) -> Vec<ScreenLine> {
        let (percent, total) = (self.percent(), self.tally.total().files);
        vec![
            ScreenLine::Name(title.to_owned()),
            ScreenLine::Bar(percent, format!("{percent} %, {} of {total}", self.ended())),
            ScreenLine::Words(self.counts()),
            ScreenLine::Words(course),
        ]
    }
}

/// What goes on while the platform is away.
pub(crate) fn going_on_there(tally: &Tally) -> String {
    match tally.intended.files + tally.accepted.files {
        0 => String::new(),
        1 => "; 1 export goes on there".to_owned(),
        flight => format!("; {flight} exports go on there"),
    }
}

/// The time of day after a pause.
fn clock_in(pause: Duration) -> String {
    ui::clock(Timestamp::now() + pause)
}

/// Why no more files are sent, in words, unless that was said.
fn stop_words(reason: StopReason) -> Option<&'static str> {
    match reason {
        // It was answered when it came.
        StopReason::Asked => None,
        StopReason::TooManyErrors => Some("as many files failed as were allowed to"),
        StopReason::Trouble => Some("the platform refuses, or can't be reached"),
        StopReason::Contradicted => Some("the platform contradicts what exactly once rests on"),
        _ => Some("the run can't go on"),
    }
}

/// Opens the log that was named.
fn open_log(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = appended(path).map_err(|error| {
        Failure::usage(format!("the log {} can't be written", path.display())).caused_by(error)
    })?;
    Ok(BufWriter::new(file))
}

/// A log goes on where it ended. A link isn't followed: in a folder that others write to it may lead to any file. Those of
/// the system stand for what is open already, as `/dev/fd/3` and `/dev/stderr` do.
fn appended(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    if !["/dev", "/proc"]
        .iter()
        .any(|system| path.starts_with(system))
    {
        use std::os::unix::fs::OpenOptionsExt;

        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(path)
}
