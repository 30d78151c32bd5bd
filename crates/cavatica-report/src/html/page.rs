//! Writing markup so that nothing from outside can become markup.

use std::fmt::{self, Display, Write as _};
use std::io;

/// A page that is being written. Templates are part of this program; whatever else comes in is text and is escaped.
pub(super) struct Page<'a> {
    out: &'a mut dyn io::Write,
}

impl<'a> Page<'a> {
    pub(super) fn new(out: &'a mut dyn io::Write) -> Self {
        Page { out }
    }

    /// Markup as it stands.
    pub(super) fn raw(&mut self, markup: &'static str) -> io::Result<()> {
        self.out.write_all(markup.as_bytes())
    }

    /// Markup with a value for each `{}`. A value may stand in a text or in a quoted attribute, never in a tag's or
    /// attribute's name, a style or a script.
    pub(super) fn put(
        &mut self,
        template: &'static str,
        values: &[&dyn Display],
    ) -> io::Result<()> {
        let mut parts = template.split("{}");
        let first = parts.next().unwrap_or_default();
        self.out.write_all(first.as_bytes())?;
        let mut values = values.iter();
        for part in parts {
            let value = values.next().expect("a value for each gap of the template");
            write!(self.out, "{}", Escaped(*value))?;
            self.out.write_all(part.as_bytes())?;
        }
        assert!(values.next().is_none(), "a gap for each value: {template}");
        Ok(())
    }
}

/// Shows a value as text that is markup nowhere, and that looks like what it is: characters which are invisible or turn
/// the writing direction around are spelt out.
struct Escaped<'a>(&'a dyn Display);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(f), "{}", self.0)
    }
}

struct Escaper<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl fmt::Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match c {
            '&' => self.0.write_str("&amp;"),
            '<' => self.0.write_str("&lt;"),
            '>' => self.0.write_str("&gt;"),
            '"' => self.0.write_str("&quot;"),
            '\'' => self.0.write_str("&#39;"),
            c if c.is_control() || turns_direction(c) => {
                write!(self.0, "\u{27e8}U+{:04X}\u{27e9}", u32::from(c))
            }
            c => self.0.write_char(c),
        })
    }
}

/// The characters that order others from right to left or back.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn put(value: &str) -> String {
        let mut out = Vec::new();
        Page::new(&mut out)
            .put("[{}]", &[&value])
            .expect("memory is writable");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_name_that_lies_is_seen_through() {
        assert_eq!(
            put("cod.\u{202e}fdp.exe\n"),
            "[cod.\u{27e8}U+202E\u{27e9}fdp.exe\u{27e8}U+000A\u{27e9}]"
        );
    }

    proptest! {
        /// No text ends the text or the attribute that it stands in, and none is lost.
        #[test]
        fn text_stays_text(text in "[&<>\"'a;#{}\\-/!\u{e9}]*|\\PC*") {
            let page = put(&text);
            let inner = &page[1..page.len() - 1];
            prop_assert!(!inner.contains(['<', '>', '"', '\'']));
            let read = inner
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            if !text.chars().any(|c| c.is_control() || turns_direction(c)) {
                prop_assert_eq!(read, text);
            }
        }
    }
}
