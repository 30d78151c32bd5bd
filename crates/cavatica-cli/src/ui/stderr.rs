//! Standard error: what people read while a command goes on.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstream::ColorChoice;
use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::fit;
use super::gate::shown;
use super::screen::line_above;
use super::terminal::{size, stderr};

/// A line behind a word of ours, which has a style. Lines that don't fit a terminal are broken, and hang by two columns.
pub(super) fn line(word: &str, style: Style, text: impl Display) {
    let text = shown(text);
    let (word, before) = match word {
        "" => (String::new(), 0),
        word => (format!("{style}{word}:{style:#} "), word.width() + 2),
    };
    write(&format!("{word}{}", fitted(&text, before)));
}

/// A line that is there to be copied: in one, however long.
pub(super) fn whole_line(text: impl Display) {
    write(&shown(text));
}

/// Not being able to say it is no reason to stop, and a terminal may go away before the program does.
#[expect(clippy::disallowed_methods, reason = "this is the owner")]
fn write(text: &str) {
    let plain = match anstream::AutoStream::choice(&stderr()) {
        ColorChoice::Never => anstream::adapter::strip_str(text).to_string(),
        _ => text.to_owned(),
    };
    if !line_above(&plain) {
        writeln!(anstream::stderr(), "{text}").ok();
    }
}

/// A line as it fits on standard error, where that is a terminal; it has something before it.
fn fitted(text: &str, before: usize) -> String {
    let stderr = stderr();
    if !stderr.is_terminal() {
        return text.to_owned();
    }
    let (width, _) = size();
    let blanks = text.len() - text.trim_start().len();
    let (indent, text) = text.split_at(blanks);
    let text = fit::wrapped(text, width, before + blanks, blanks + 2);
    format!("{indent}{text}")
}

/// Where the lines of `-v` go: each is an event of ours, and may name what isn't.
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        whole_line(String::from_utf8_lossy(event).trim_end());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
