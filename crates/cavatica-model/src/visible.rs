//! Text that somebody else wrote, on a line of our own.

use std::fmt::{self, Display, Write};

/// The text with its control characters and everything else that nobody sees written out, as `\n` or `\u{200b}`, so that it
/// stays on its line, sends nothing to a terminal, and doesn't look like another text.
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
            if letter.is_control() || is_invisible(letter) {
                write!(f, "{}", letter.escape_default())?;
            } else {
                f.write_char(letter)?;
            }
        }
        Ok(())
    }
}

/// Whether a character takes no room of its own or only turns what stands beside it: the code points that Unicode lets
/// programs ignore when they draw a text, the marks of direction, the two separators and the interlinear ones.
/// <https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point>,
/// <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>
pub(crate) fn is_invisible(letter: char) -> bool {
    !letter.is_ascii()
        && matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn only_what_leaves_its_line_is_written_out() {
        let text = |text: &str| visible(text).to_string();
        assert_eq!(
            text("C:\\run1\\\"a\" (b)'s é.txt"),
            "C:\\run1\\\"a\" (b)'s é.txt"
        );
        assert_eq!(text("a\r\n\u{1b}[2Jb\u{9b}c"), "a\\r\\n\\u{1b}[2Jb\\u{9b}c");
        for hidden in [
            '\u{202e}',
            '\u{200b}',
            '\u{feff}',
            '\u{ad}',
            '\u{2028}',
            '\u{e0061}',
        ] {
            let shown = format!("txt.{}exe", hidden.escape_unicode());
            let name = format!("txt.{hidden}exe");
            assert_eq!(text(&name), shown);
        }
    }
}
