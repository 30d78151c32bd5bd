//! The only owner of standard output and standard error.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use cavatica_transfer::Document;
use indicatif::MultiProgress;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use terminal_size::{Height, Width, terminal_size_of};
use unicode_width::UnicodeWidthStr;

use crate::exit::{Exit, Failure};

mod fit;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// What is printed where: data on standard output, everything else on standard error.
#[derive(Debug)]
pub(crate) struct Ui {
    json: bool,
    /// How many columns standard output has, and the zone of the one who reads it; `None` if it isn't a terminal.
    terminal: Option<(usize, TimeZone)>,
}

impl Ui {
    pub(crate) fn new(json: bool, color: clap::ColorChoice) -> Self {
        let choice = match color {
            clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
            clap::ColorChoice::Always => anstream::ColorChoice::Always,
            clap::ColorChoice::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        let stdout = io::stdout();
        let terminal = (stdout.is_terminal() && !json).then(|| {
            let width = columns(terminal_size_of(&stdout));
            (width, TimeZone::system())
        });
        Ui { json, terminal }
    }

    /// Whether data are printed as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// A line of data.
    pub(crate) fn line(&self, text: impl std::fmt::Display) -> io::Result<()> {
        writeln!(anstream::stdout(), "{text}")
    }

    /// A sentence of data, in several lines where a terminal has no room for it in one.
    pub(crate) fn sentence(&self, text: impl std::fmt::Display) -> io::Result<()> {
        self.line(self.wrapped(&text.to_string(), 0, 2))
    }

    /// What stands last on a line behind `before` columns, in as many lines as a terminal needs; they hang at `hang`.
    pub(crate) fn wrapped(&self, text: &str, before: usize, hang: usize) -> String {
        match &self.terminal {
            Some((width, _)) => fit::wrapped(text, *width, before, hang),
            None => text.to_owned(),
        }
    }

    /// A moment: in the reader's own time on a terminal, in UTC for everybody else.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        match &self.terminal {
            Some((_, zone)) => at
                .to_zoned(zone.clone())
                .strftime("%Y-%m-%d %H:%M")
                .to_string(),
            None => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }

    /// What stands last on a line behind `before` columns. Its middle is left out where a terminal has no room for it;
    /// programs get all of it.
    pub(crate) fn fit<'t>(&self, text: &'t str, before: usize) -> Cow<'t, str> {
        match &self.terminal {
            Some((width, _)) => fit::middle(text, width.saturating_sub(before)),
            None => text.into(),
        }
    }

    /// A line and its end, which gets a line of its own where a terminal has no room for both.
    pub(crate) fn with_end(&self, line: &str, end: &str) -> String {
        match &self.terminal {
            Some((width, _)) if line.width() + 2 + end.width() > *width => {
                format!("{line}\n    {}", self.fit(end, 4))
            }
            _ => format!("{line}  {end}"),
        }
    }

    /// An object as one line of JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, &Document::new(value))?;
        out.write_all(b"\n")
    }

    /// Something to know while it goes on.
    pub(crate) fn note(&self, text: impl std::fmt::Display) {
        note(text);
    }

    /// Something that deserves a second thought.
    pub(crate) fn warn(&self, text: impl std::fmt::Display) {
        let text = for_stderr(&text.to_string(), "warning: ".len());
        writeln!(anstream::stderr(), "{WARNING}warning:{WARNING:#} {text}").ok();
    }

    /// A command to be copied: in one line, however long.
    pub(crate) fn command(&self, text: impl std::fmt::Display) {
        writeln!(anstream::stderr(), "  {text}").ok();
    }

    /// Why something could not be done to its end.
    pub(crate) fn complaint(&self, failure: &Failure) {
        let mut err = anstream::stderr().lock();
        let mut say = |text: String| writeln!(err, "{text}").ok();
        let message = for_stderr(&failure.message, "error: ".len());
        say(format!("{ERROR}error:{ERROR:#} {message}"));
        for detail in &failure.details {
            say(for_stderr(
                &format!("  {}: {}", detail.name, detail.message),
                0,
            ));
            if !detail.remedy.is_empty() {
                say(for_stderr(&format!("    {}", detail.remedy), 0));
            }
        }
        for cause in causes(failure) {
            say(for_stderr(&format!("  caused by: {cause}"), 0));
        }
        for hint in &failure.hints {
            let hint = for_stderr(hint, "hint: ".len());
            say(format!("{HINT}hint:{HINT:#} {hint}"));
        }
    }

    /// Why the program stops. With `--json` the same as one document on standard output.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.complaint(failure);
        if self.json {
            let document = serde_json::json!({"error": {
                "message": failure.message,
                "details": failure.details,
                "causes": causes(failure),
                "hints": failure.hints,
                "exit": failure.exit as u8,
            }});
            self.json(&document).ok();
        }
    }
}

/// The bars that are drawn at the moment, if any.
static BARS: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// Has lines written above these bars from now on, or again just written.
pub(crate) fn draw_below(bars: Option<MultiProgress>) {
    *BARS.lock().unwrap_or_else(PoisonError::into_inner) = bars;
}

/// Something to know, from where there is no [`Ui`]. Not being able to say it is no reason to stop.
pub(crate) fn note(text: impl std::fmt::Display) {
    let text = for_stderr(&text.to_string(), 0);
    let write = || writeln!(anstream::stderr(), "{text}").ok();
    let bars = BARS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bars {
        Some(bars) => bars.suspend(write),
        None => write(),
    };
}

/// Lines as they fit on standard error, where that is a terminal; the first has something before it. What hangs is indented
/// by two columns more than its line.
fn for_stderr(text: &str, before: usize) -> String {
    let stderr = io::stderr();
    if !stderr.is_terminal() {
        return text.to_owned();
    }
    let width = columns(terminal_size_of(&stderr));
    let mut before = before;
    let lines = text.lines().map(|line| {
        let blanks = line.len() - line.trim_start().len();
        let first = std::mem::take(&mut before);
        let indent = " ".repeat(blanks);
        let line = fit::wrapped(&line[blanks..], width, first + blanks, blanks + 2);
        format!("{indent}{line}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// How wide a terminal is; 80 columns where it doesn't tell.
fn columns(size: Option<(Width, Height)>) -> usize {
    size.map_or(80, |(Width(columns), _)| usize::from(columns))
}

/// A count with its noun.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What lies behind a failure, the nearest first.
pub(crate) fn causes(failure: &Failure) -> Vec<String> {
    let first = failure
        .source
        .as_deref()
        .map(|source| source as &dyn std::error::Error);
    std::iter::successors(first, |error| error.source())
        .map(ToString::to_string)
        .collect()
}

/// A reader that went away, as in `| head`, has what it wanted.
pub(crate) fn is_closed_pipe(failure: &Failure) -> bool {
    failure.exit == Exit::Other
        && failure
            .source
            .as_deref()
            .and_then(|source| source.downcast_ref::<io::Error>())
            .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
