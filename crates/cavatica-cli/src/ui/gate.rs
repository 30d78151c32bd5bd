//! The gate between what others wrote and a terminal.
//!
//! Names, messages, states and labels come from the platform, from S3, from files and from other users, and may hold
//! anything. All that is printed passes here as a line without borders of its own, so nothing has to be remembered where
//! text is put together: only `ui` begins new lines and sets colours, behind the gate.

use std::fmt::Display;
use std::io::{self, Write};

use cavatica_exports::model::text::visible;

/// A line as it may be shown.
pub(super) fn shown(text: impl Display) -> String {
    visible(&text.to_string()).to_string()
}

/// Data on their way to a terminal: their lines and tabs are their own, everything else is shown.
pub(super) struct Gated<W: Write> {
    out: W,
    /// The beginning of a line whose end hasn't come.
    line: Vec<u8>,
}

impl<W: Write> Gated<W> {
    pub(super) fn new(out: W) -> Self {
        Gated {
            out,
            line: Vec::new(),
        }
    }

    fn show(&mut self, lines: &[u8]) -> io::Result<()> {
        for line in String::from_utf8_lossy(lines).split_inclusive('\n') {
            // CSV ends its lines in two characters.
            let text = line.trim_end_matches('\n');
            let text = text.strip_suffix('\r').unwrap_or(text);
            let (line, end) = line.split_at(text.len());
            let cells: Vec<_> = line.split('\t').map(shown).collect();
            write!(self.out, "{}{end}", cells.join("\t"))?;
        }
        Ok(())
    }
}

impl<W: Write> Write for Gated<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if let Some(end) = self.line.iter().rposition(|byte| *byte == b'\n') {
            let rest = self.line.split_off(end + 1);
            let lines = std::mem::replace(&mut self.line, rest);
            self.show(&lines)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        self.show(&line)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::Gated;

    #[test]
    fn data_keep_their_lines_and_tabs_and_nothing_else() {
        let mut out = Vec::new();
        let mut gated = Gated::new(&mut out);
        // In small pieces, so that characters are cut in two.
        for byte in "é\t\u{9b}2J\r\na\rb\nlast \u{1b}[m".bytes() {
            gated.write_all(&[byte]).expect("memory takes it");
        }
        gated.flush().expect("memory takes it");
        let out = String::from_utf8(out).expect("it is text");
        assert_eq!(out, "é\t\\u{9b}2J\r\na\\rb\nlast \\u{1b}[m");
    }
}
