//! Text that somebody else wrote, on a line of our own.

use std::fmt::{self, Display, Write};

/// The text with its control characters written out, so that it stays on its line and sends nothing to a terminal.
///
/// Everything else is left as it is, backslashes and quotes included: names are copied from what is shown. A name that
/// holds such a sequence itself can't be told apart; programs read JSON.
///
/// ```
/// use cavatica_model::visible;
///
/// assert_eq!(visible("it's 1\n2.txt").to_string(), "it's 1\\n2.txt");
/// ```
pub fn visible(text: &str) -> impl Display + '_ {
    Visible(text)
}

struct Visible<'t>(&'t str);

impl Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            if letter.is_control() || is_direction(letter) {
                write!(f, "{}", letter.escape_default())?;
            } else {
                f.write_char(letter)?;
            }
        }
        Ok(())
    }
}

/// Marks that turn the direction of the text behind them, so that a line shows what it doesn't say.
/// <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn only_what_leaves_its_line_is_written_out() {
        let text = |text| visible(text).to_string();
        assert_eq!(
            text("C:\\run1\\\"a\" (b)'s é.txt"),
            "C:\\run1\\\"a\" (b)'s é.txt"
        );
        assert_eq!(text("a\r\n\u{1b}[2Jb\u{9b}c"), "a\\r\\n\\u{1b}[2Jb\\u{9b}c");
        assert_eq!(text("txt.\u{202e}exe"), "txt.\\u{202e}exe");
    }
}
