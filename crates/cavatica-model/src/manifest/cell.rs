//! What the text of a cell says, whatever its row.

use serde_json::Value;

use super::RowFault;
use super::column::Column;
use crate::Tri;
use crate::visible::is_invisible;
use crate::wire::{Open, OpenName};

/// What programs write where there is nothing: R, pandas and Python, SQL, and Excel with its errors.
const NOTHING: [&str; 17] = [
    "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "NaT", "None", "NULL", "null", "#N/A", "#NULL!",
    "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!",
];

/// Whether a text only says that there is nothing, and what is wrong with that. For a property, `none` asks for none.
pub(super) fn stands_for_nothing(column: &Column, text: &str) -> Option<Option<RowFault>> {
    let text = text.trim();
    if !NOTHING.contains(&text) {
        return None;
    }
    match column {
        Column::Metadata(_) => None,
        property if property.is_property() && is_none(text) => None,
        Column::Task | Column::AliasBucket | Column::AliasLocation => Some(None),
        _ => Some(Some(RowFault::NotAvailable(text.to_owned()))),
    }
}

/// Whether an id is none any more but a number in a spreadsheet's way of writing, in any language: `5.67891E+23`, or the
/// fifteen digits that are kept and zeros behind them.
pub(super) fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((number, exponent)) = text.split_once(['e', 'E']) {
        let (whole, part) = number.split_once(['.', ',']).unwrap_or((number, "0"));
        let exponent = exponent.strip_prefix(['+', '-']);
        return digits(whole) && digits(part) && exponent.is_some_and(digits);
    }
    text.len() == 24 && digits(text) && text.ends_with("000000000")
}

pub(super) fn is_none(text: &str) -> bool {
    text.eq_ignore_ascii_case("none") || text.eq_ignore_ascii_case("null")
}

pub(super) fn open_or_none<K: OpenName>(text: &str) -> Tri<Open<K>> {
    match text.trim() {
        none if is_none(none) => Tri::Null,
        name => Tri::Value(name.into()),
    }
}

pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What was meant where somebody pasted a web or S3 address.
pub(super) fn pasted_address(column: &Column, text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let parts: Vec<&str> = rest
        .split(['/', '?', '#'])
        .filter(|part| !part.is_empty())
        .collect();
    // The website writes .../u/OWNER/PROJECT/files/ID.
    let after = |word: &str| {
        parts
            .iter()
            .position(|part| *part == word)
            .map(|at| &parts[at + 1..])
    };
    match column {
        Column::Location if scheme.eq_ignore_ascii_case("s3") => {
            Some("leave out `s3://` and the bucket: the volume stands for them".to_owned())
        }
        Column::Project => match after("u")? {
            [owner, name, ..] => Some(format!(
                "a web address was pasted; the project id in it is `{owner}/{name}`"
            )),
            _ => None,
        },
        Column::Id => match after("files")? {
            [id, ..] => Some(format!(
                "a web address was pasted; the file id in it is `{id}`"
            )),
            _ => None,
        },
        _ => None,
    }
}

/// Whether nobody would see anything in a cell.
pub(super) fn is_empty(cell: &str) -> bool {
    cell.chars()
        .all(|letter| letter.is_whitespace() || is_invisible(letter))
}

/// Whether a text has the shape of the platform's file ids: 24 hex digits.
pub(super) fn looks_like_file_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
