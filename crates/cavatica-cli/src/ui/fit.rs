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
