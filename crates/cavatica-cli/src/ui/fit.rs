//! Text that fits.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// So narrow that shortened text would say nothing.
const LEAST: usize = 8;

/// The text within `room` columns: ids and paths differ at their ends, so what is left out is the middle.
pub(super) fn middle(text: &str, room: usize) -> Cow<'_, str> {
    if text.width() <= room || room < LEAST {
        return text.into();
    }
    let tail = (room - 1) / 2;
    let head = prefix(text.chars(), room - 1 - tail);
    let tail: String = prefix(text.chars().rev(), tail).chars().rev().collect();
    format!("{head}…{tail}").into()
}

/// The text in lines of no more than `room` columns, broken between words; the first line has `before` columns less, and
/// the others begin with `hang` blanks. What stands in backticks is there to be copied, and stays on one line.
pub(crate) fn wrapped(text: &str, room: usize, before: usize, hang: usize) -> String {
    let mut wrapped = String::with_capacity(text.len());
    let mut column = before;
    for (index, word) in words(text).into_iter().enumerate() {
        let width = word.width();
        if index == 0 {
            column += width;
        } else if column + 1 + width > room {
            wrapped.push('\n');
            wrapped.extend(std::iter::repeat_n(' ', hang));
            column = hang + width;
        } else {
            wrapped.push(' ');
            column += 1 + width;
        }
        wrapped.push_str(word);
    }
    wrapped
}

/// The words of a text, a command in backticks being one.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '`' => quoted = !quoted,
            ' ' if !quoted => {
                words.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&text[start..]);
    words
}

/// The first characters that take no more than `room` columns.
fn prefix(characters: impl Iterator<Item = char>, room: usize) -> String {
    let mut taken = 0;
    characters
        .take_while(|character| {
            taken += character.width().unwrap_or(0);
            taken <= room
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_never_in_a_command() {
        let text = "look at it with `cavatica status t.transfer`, then run it";
        assert_eq!(
            wrapped(text, 30, 6, 2),
            "look at it with\n  `cavatica status t.transfer`,\n  then run it"
        );
        assert_eq!(wrapped(text, 80, 6, 2), text);
        // What fits nowhere begins a line all the same, and two blanks stay two.
        assert_eq!(
            wrapped("a  /a/very/long/path b", 10, 0, 2),
            "a \n  /a/very/long/path\n  b"
        );
        assert_eq!(wrapped("", 10, 0, 2), "");
    }

    #[test]
    fn the_middle_is_left_out() {
        assert_eq!(
            middle("results/run1/calls.vcf", 22),
            "results/run1/calls.vcf"
        );
        assert_eq!(
            middle("results/run1/calls.vcf", 21),
            "results/ru…/calls.vcf"
        );
        assert_eq!(
            middle("results/run1/calls.vcf", 4),
            "results/run1/calls.vcf"
        );
        // Wide characters take two columns.
        assert_eq!(middle("結果結果結果結果", 9), "結果…結果");
        assert_eq!(middle("結果結果結果結果", 9).width(), 9);
    }
}
