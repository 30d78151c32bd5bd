//! A row of a manifest, made of cells or of a JSON object; everything that is wrong with it is found at once.

use std::borrow::Cow;

use super::cell::is_empty;
use super::column::Column;
use super::draft::{Cell, CellPlace, Draft};
use super::header::{Header, Meanings};
use super::json::Pairs;
use super::lines::{Broken, without_line_break};
use super::meaning::Meaning;
use super::{Problem, Row, RowFault};

impl Problem {
    /// A problem of a cell that can't be read at all.
    pub(super) fn of_cell(broken: Broken, header: &Header) -> Self {
        let column = header.columns.get(broken.position - 1);
        Problem {
            position: Some(broken.position),
            column: column.map(|(text, _)| text.clone()),
            expected: match broken.fault {
                RowFault::NotUtf8 => "UTF-8; save the file again in that encoding",
                _ => "a quoted cell to end with a quote, and quotes in it to be doubled",
            },
            fault: broken.fault,
            hint: None,
        }
    }

    /// A problem of the line as a whole.
    pub(super) fn of_line(fault: RowFault) -> Self {
        let expected = match &fault {
            RowFault::CellCount { .. } => {
                "a cell for each column; cells that hold a separator must be quoted"
            }
            RowFault::LineTooLong => "a row",
            _ => {
                "an object such as {\"file_id\": \"567890abc8a5639cc6722063\", \"location\": \"run1/output.vcf\"}"
            }
        };
        Problem {
            position: None,
            column: None,
            fault,
            expected,
            hint: None,
        }
    }
}

/// The row of a line of cells.
pub(super) fn from_cells(
    line: u64,
    header: &Header,
    mut cells: Vec<Cow<'_, str>>,
) -> Result<Row, Vec<Problem>> {
    let columns = &header.columns;
    // Spreadsheets write separators after the last column.
    while cells.len() > columns.len() && cells.last().is_some_and(|cell| is_empty(cell)) {
        cells.pop();
    }
    if cells.len() != columns.len() {
        return Err(vec![Problem::of_line(RowFault::CellCount {
            cells: cells.len(),
            columns: columns.len(),
        })]);
    }
    let mut draft = Draft::new(line);
    for (index, ((name, meaning), cell)) in columns.iter().zip(cells).enumerate() {
        match meaning {
            Meaning::Column(column) => {
                let place = CellPlace {
                    position: Some(index + 1),
                    name,
                    column,
                };
                let cell = if is_empty(&cell) {
                    Cell::Empty
                } else {
                    Cell::Text(cell)
                };
                draft.take(&place, cell);
            }
            Meaning::Nothing if is_empty(name) && !is_row_number(index, &cell) => {
                draft.nameless(index + 1, &cell);
            }
            // A header with a wish in it isn't taken.
            Meaning::Nothing | Meaning::Wish(_) => {}
        }
    }
    draft.finish(header.has(&Column::Id))
}

/// Whether a cell is one of the numbers that R and pandas write before each row, under a header without a name.
fn is_row_number(index: usize, cell: &str) -> bool {
    index == 0 && cell.bytes().all(|byte| byte.is_ascii_digit())
}

/// The row of a JSON object.
pub(super) fn from_json(
    line: u64,
    bytes: &[u8],
    meanings: &mut Meanings,
) -> Result<Row, Vec<Problem>> {
    let not_json = |error| vec![not_json(&error)];
    let Pairs(pairs) = serde_json::from_slice(without_line_break(bytes)).map_err(not_json)?;
    let mut draft = Draft::new(line);
    let mut parts: Vec<String> = Vec::new();
    for (key, raw) in pairs {
        let is_object = raw.get().starts_with('{');
        let part = key.trim().to_ascii_lowercase();
        match part.as_str() {
            "metadata" | "properties" if parts.contains(&part) => draft.part_twice(&key),
            "metadata" if is_object => {
                let Pairs(fields) = serde_json::from_str(raw.get()).map_err(not_json)?;
                for (field, raw) in fields {
                    let value = serde_json::from_str(raw.get()).map_err(not_json)?;
                    draft.take_json(&field, &Column::Metadata(field.clone()), value);
                }
                parts.push(part);
            }
            "properties" if is_object => {
                let Pairs(properties) = serde_json::from_str(raw.get()).map_err(not_json)?;
                for (key, raw) in properties {
                    let value = serde_json::from_str(raw.get()).map_err(not_json)?;
                    draft.take_property(&key, value, meanings);
                }
                parts.push(part);
            }
            "properties" if raw.get() == "null" => {}
            _ => match meanings.get(&key) {
                Meaning::Column(column) => {
                    let value = serde_json::from_str(raw.get()).map_err(not_json)?;
                    draft.take_json(&key, &column, value);
                }
                Meaning::Wish(wish) => draft.unclear(&key, wish),
                Meaning::Nothing => {}
            },
        }
    }
    // An object has no header: one that doesn't name its file by project and path was to have an id.
    let named =
        draft.row.project.is_some() && (draft.row.name.is_some() || draft.row.path.is_some());
    let has_id = draft.seen.contains(&Column::Id);
    draft.finish(has_id || !named)
}

fn not_json(error: &serde_json::Error) -> Problem {
    // Its own count of lines begins anew in every row and would only confuse.
    let message = error.to_string();
    let reason = message.split(" at line ").next().unwrap_or(&message);
    let reason = match error.column() {
        0 => reason.to_owned(),
        column => format!("{reason} at character {column}"),
    };
    Problem::of_line(RowFault::NotJson(reason))
}
