//! Text that somebody else wrote, on a line of our own.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// The text with its control and invisible characters written out, so that it stays on its line, sends nothing to a
/// terminal, and looks like nothing that it isn't.
///
/// Everything else is left as it is, backslashes and quotes included: names are copied from what is shown. A name that
/// holds such a sequence itself can't be told apart; programs read JSON.
///
/// ```
/// use cavatica_model::text::visible;
///
/// assert_eq!(visible("it's 1\n2.txt").to_string(), "it's 1\\n2.txt");
/// ```
pub fn visible(text: &str) -> impl Display + '_ {
    Visible(text)
}

struct Visible<'t>(&'t str);

impl Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(is_hidden) {
            let (plain, hidden) = rest.split_at(at);
            f.write_str(plain)?;
            let mut letters = hidden.chars();
            for escaped in letters.next().into_iter().flat_map(char::escape_default) {
                f.write_char(escaped)?;
            }
            rest = letters.as_str();
        }
        f.write_str(rest)
    }
}

/// The same JSON, with hidden characters as `\uXXXX`: it can be shown on a terminal, and reads back as what it was.
///
/// JSON itself has such characters in strings only, and wants the first of them escaped anyway.
pub fn visible_json(json: &str) -> Cow<'_, str> {
    let stands_in_string = |letter: char| is_hidden(letter) && !letter.is_ascii_whitespace();
    if !json.contains(stands_in_string) {
        return json.into();
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for letter in json.chars() {
        if stands_in_string(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(escaped, "\\u{unit:04x}").expect("a string takes any text");
            }
        } else {
            escaped.push(letter);
        }
    }
    escaped.into()
}

/// Whether a character shows nothing of itself: controls, separators of lines, marks that turn the direction of the text
/// behind them, and all that is ignored where it can't be drawn.
///
/// Source: `Default_Ignorable_Code_Point` of <https://www.unicode.org/Public/16.0.0/ucd/DerivedCoreProperties.txt>, and
/// <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>, which is part of it.
fn is_hidden(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control();
    }
    letter.is_control() || is_invisible(letter)
}

/// Whether a character takes no room of its own, or only turns what stands beside it.
pub(crate) fn is_invisible(letter: char) -> bool {
    !letter.is_ascii()
        && matches!(
            letter,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::{visible, visible_json};

    #[test]
    fn only_what_hides_is_written_out() {
        let text = |text| visible(text).to_string();
        assert_eq!(
            text("C:\\run1\\\"a\" (b)'s é 結果.txt"),
            "C:\\run1\\\"a\" (b)'s é 結果.txt"
        );
        assert_eq!(text("a\r\n\u{1b}[2Jb\u{9b}c"), "a\\r\\n\\u{1b}[2Jb\\u{9b}c");
        assert_eq!(text("txt.\u{202e}exe"), "txt.\\u{202e}exe");
        assert_eq!(
            text("a\u{200b}b\u{feff}\u{ad}\u{2028}\u{e0041}"),
            "a\\u{200b}b\\u{feff}\\u{ad}\\u{2028}\\u{e0041}"
        );
    }

    #[test]
    fn json_reads_back_as_what_it_was() {
        let hostile = "a\r\n\u{1b}\u{7f}\u{9b}\u{202e}\u{200b}\u{e0041}\"\\é";
        let json = serde_json::to_string_pretty(&[hostile, "plain"]).expect("it is text");
        let shown = visible_json(&json);
        assert_eq!(
            visible(&shown.replace('\n', "")).to_string(),
            shown.replace('\n', "")
        );
        let back: [String; 2] = serde_json::from_str(&shown).expect("it is JSON");
        assert_eq!(back, [hostile, "plain"]);
    }
}
