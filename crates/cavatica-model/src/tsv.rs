//! Cells of tab-separated values. A tab, a line break, a carriage return and a backslash are written as `\t`, `\n`, `\r` and
//! `\\`, and quotes mean nothing, so that each line is a row, and each tab a border, to any program.

use std::borrow::Cow;

/// Writes a cell.
///
/// ```
/// use cavatica_model::tsv;
///
/// assert_eq!(tsv::escaped("a\tb\\"), r"a\tb\\");
/// assert_eq!(tsv::unescaped(r"a\tb\\"), "a\tb\\");
/// ```
pub fn escaped(cell: &str) -> Cow<'_, str> {
    if !cell.contains(['\t', '\n', '\r', '\\']) {
        return cell.into();
    }
    let mut text = String::with_capacity(cell.len() + 8);
    for letter in cell.chars() {
        match letter {
            '\t' => text.push_str(r"\t"),
            '\n' => text.push_str(r"\n"),
            '\r' => text.push_str(r"\r"),
            '\\' => text.push_str(r"\\"),
            other => text.push(other),
        }
    }
    text.into()
}

/// Reads a cell. A backslash before anything else is one.
pub fn unescaped(cell: &str) -> Cow<'_, str> {
    if !cell.contains('\\') {
        return cell.into();
    }
    let mut text = String::with_capacity(cell.len());
    let mut letters = cell.chars();
    while let Some(letter) = letters.next() {
        let rest = letters.as_str();
        let meant = match (letter, rest.chars().next()) {
            ('\\', Some('t')) => Some('\t'),
            ('\\', Some('n')) => Some('\n'),
            ('\\', Some('r')) => Some('\r'),
            ('\\', Some('\\')) => Some('\\'),
            _ => None,
        };
        if meant.is_some() {
            letters.next();
        }
        text.push(meant.unwrap_or(letter));
    }
    text.into()
}
