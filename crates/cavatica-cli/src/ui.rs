//! The only owner of standard output and standard error.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use cavatica_exports::model::text::visible_json;
use cavatica_report::Document;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use terminal_size::terminal_size_of;
use unicode_width::UnicodeWidthStr;

use crate::failure::Failure;

mod figures;
mod fit;
mod gate;
mod out;
mod screen;
mod stderr;
mod terminal;

pub(crate) use figures::{Bytes, Span};
pub(crate) use fit::wrapped;
pub(crate) use out::OnClosedPipe;
pub(crate) use screen::{Screen, ScreenLine};
pub(crate) use stderr::Log;
pub(crate) use terminal::{can_draw, for_child};

use gate::{Gated, shown};
use out::Out;
use terminal::{columns, terminal_is_unnamed};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// What is printed where: data on standard output, everything else on standard error.
#[derive(Debug)]
pub(crate) struct Ui {
    json: bool,
    /// How many columns standard output has, and the zone of the one who reads it; `None` if it isn't a terminal.
    terminal: Option<(usize, TimeZone)>,
    out: Out,
}

impl Ui {
    pub(crate) fn new(json: bool, color: clap::ColorChoice, on_closed_pipe: OnClosedPipe) -> Self {
        let choice = match color {
            clap::ColorChoice::Auto if terminal_is_unnamed() => anstream::ColorChoice::Never,
            clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
            clap::ColorChoice::Always => anstream::ColorChoice::Always,
            clap::ColorChoice::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        #[expect(clippy::disallowed_methods, reason = "this is the owner")]
        let stdout = io::stdout();
        let terminal = stdout.is_terminal().then(|| {
            let width = columns(terminal_size_of(&stdout));
            (width, TimeZone::system())
        });
        Ui {
            json,
            out: Out::new(on_closed_pipe, terminal.is_some()),
            terminal,
        }
    }

    /// Whether the command was stopped because nobody reads what it prints.
    pub(crate) fn has_stopped(&self) -> bool {
        self.out.has_stopped()
    }

    /// Whether data are printed as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether people look at the data.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal.is_some()
    }

    /// A line of data.
    pub(crate) fn line(&self, text: impl Display) -> io::Result<()> {
        writeln!(&self.out, "{}", shown(text))
    }

    /// A sentence of data, in several lines where a terminal has no room for it in one.
    pub(crate) fn sentence(&self, text: impl Display) -> io::Result<()> {
        self.hanging("", text, 2)
    }

    /// A text behind its lead, in as many lines as a terminal needs; they hang at `hang`.
    pub(crate) fn hanging(
        &self,
        lead: impl Display,
        text: impl Display,
        hang: usize,
    ) -> io::Result<()> {
        let (lead, mut text) = (shown(lead), shown(text));
        if let Some((width, _)) = &self.terminal {
            text = fit::wrapped(&text, *width, lead.width(), hang);
        }
        writeln!(&self.out, "{lead}{text}")
    }

    /// A line and its end, which gets a line of its own where a terminal has no room for both.
    pub(crate) fn line_with_end(&self, line: impl Display, end: impl Display) -> io::Result<()> {
        let (line, end) = (shown(line), shown(end));
        match &self.terminal {
            Some((width, _)) if line.width() + 2 + end.width() > *width => {
                let end = fit::middle(&end, width.saturating_sub(4));
                writeln!(&self.out, "{line}\n    {end}")
            }
            _ => writeln!(&self.out, "{line}  {end}"),
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
            Some((width, _)) => {
                let room = width.saturating_sub(before);
                fit::middle(&shown(text), room).into_owned().into()
            }
            None => text.into(),
        }
    }

    /// An object as one line of JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> io::Result<()> {
        let json = serde_json::to_string(&Document::new(value))?;
        writeln!(&self.out, "{}", visible_json(&json))
    }

    /// Data in a form of their own. What is written has to be flushed.
    pub(crate) fn data(&self) -> Box<dyn Write + '_> {
        let out = BufWriter::new(&self.out);
        if self.is_terminal() {
            Box::new(Gated::new(out))
        } else {
            Box::new(out)
        }
    }

    /// A text that is data as a whole.
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        let mut out = self.data();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Something to know while it goes on.
    pub(crate) fn note(&self, text: impl Display) {
        note(text);
    }

    /// Something that deserves a second thought.
    pub(crate) fn warn(&self, text: impl Display) {
        stderr::line("warning", WARNING, text);
    }

    /// A command to be copied: in one line, however long.
    pub(crate) fn command(&self, text: impl Display) {
        stderr::whole_line(format_args!("  {text}"));
    }

    /// Why something could not be done to its end.
    pub(crate) fn complaint(&self, failure: &Failure) {
        stderr::line("error", ERROR, &failure.message);
        for detail in &failure.details {
            note(format_args!("  {}: {}", detail.name, detail.message));
            if !detail.remedy.is_empty() {
                note(format_args!("    {}", detail.remedy));
            }
        }
        for cause in causes(failure) {
            note(format_args!("  caused by: {cause}"));
        }
        for hint in &failure.hints {
            stderr::line("hint", HINT, hint);
        }
    }

    /// Why the program stops. With `--json` the same as one document on standard output.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.complaint(failure);
        if self.json {
            self.json(&failure_document(failure)).ok();
        }
    }
}

/// A failure as programs read it.
pub(crate) fn failure_document(failure: &Failure) -> serde_json::Value {
    serde_json::json!({"error": {
        "message": failure.message,
        "details": failure.details,
        "causes": causes(failure),
        "hints": failure.hints,
        "exit": failure.exit as u8,
    }})
}

/// A time of day: in the reader's own zone where a terminal is read, else in UTC.
pub(crate) fn clock(at: Timestamp) -> String {
    if can_draw() {
        let at = at.to_zoned(TimeZone::system());
        at.strftime("%H:%M:%S").to_string()
    } else {
        at.strftime("%H:%M:%SZ").to_string()
    }
}

/// Something to know, from where there is no [`Ui`].
pub(crate) fn note(text: impl Display) {
    stderr::line("", Style::new(), text);
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
