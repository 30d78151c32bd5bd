//! A row of a manifest, made of cells or of a JSON object; everything that is wrong with it is found at once.

use std::borrow::Cow;

use serde_json::Value;

use super::column::{Column, nearly_a_property};
use super::lines::{Broken, without_line_break};
use super::{Fault, Header, Overwrite, Problem, Row};
use crate::{ExportProperties, IdError, Location, Open, OpenName, Tri, UnknownKeys};

/// Whether a text has the shape of the platform's file ids: 24 hex digits.
pub(super) fn looks_like_file_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Problem {
    /// A problem of a cell that can't be read at all.
    pub(super) fn of_cell(broken: Broken, header: &Header) -> Self {
        let column = header.get(broken.position - 1);
        Problem {
            position: Some(broken.position),
            column: column.map(|(text, _)| text.clone()),
            expected: match broken.fault {
                Fault::NotUtf8 => "UTF-8; save the file again in that encoding",
                _ => "a quoted cell to end with a quote, and quotes in it to be doubled",
            },
            fault: broken.fault,
            hint: None,
        }
    }

    /// A problem of the line as a whole.
    pub(super) fn of_line(fault: Fault) -> Self {
        let expected = match &fault {
            Fault::CellCount { .. } => {
                "a cell for each column; cells that hold a separator must be quoted"
            }
            Fault::LineTooLong => "a row",
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
    // Spreadsheets write separators after the last column.
    while cells.len() > header.len() && cells.last().is_some_and(|cell| cell.is_empty()) {
        cells.pop();
    }
    if cells.len() != header.len() {
        return Err(vec![Problem::of_line(Fault::CellCount {
            cells: cells.len(),
            columns: header.len(),
        })]);
    }
    let mut draft = Draft::new(line);
    for (index, ((text, column), cell)) in header.iter().zip(cells).enumerate() {
        if let Some(column) = column {
            let place = Place {
                position: Some(index + 1),
                name: text,
                column,
            };
            let cell = if cell.chars().all(char::is_whitespace) {
                Cell::Empty
            } else {
                Cell::Text(cell)
            };
            draft.take(&place, cell);
        }
    }
    draft.finish(header.iter().any(|(_, column)| *column == Some(Column::Id)))
}

/// The row of a JSON object. `ignore` is told the keys that mean nothing.
pub(super) fn from_json(
    line: u64,
    bytes: &[u8],
    mut ignore: impl FnMut(&str),
) -> Result<Row, Vec<Problem>> {
    let object: serde_json::Map<String, Value> = serde_json::from_slice(without_line_break(bytes))
        .map_err(|error| {
            // Its own count of lines begins anew in every row and would only confuse.
            let message = error.to_string();
            let reason = message.split(" at line ").next().unwrap_or(&message);
            let reason = match error.column() {
                0 => reason.to_owned(),
                column => format!("{reason} at character {column}"),
            };
            vec![Problem::of_line(Fault::NotJson(reason))]
        })?;
    let mut draft = Draft::new(line);
    let mut seen: Vec<Column> = Vec::new();
    let mut has_id = false;
    for (key, value) in object {
        match (key.as_str(), value) {
            ("metadata", Value::Object(metadata)) => draft.row.metadata.extend(metadata),
            ("properties", Value::Object(properties)) => {
                for (key, value) in properties {
                    match Column::from_header(&key) {
                        Some(column) if column.is_property() => {
                            draft.take_json(&key, &column, value, &mut seen);
                        }
                        _ => draft.not_a_property(&key),
                    }
                }
            }
            (_, value) => match Column::from_header(&key) {
                Some(column) => {
                    has_id |= column == Column::Id;
                    draft.take_json(&key, &column, value, &mut seen);
                }
                None if nearly_a_property(&key).is_some() => draft.not_a_property(&key),
                None => ignore(&key),
            },
        }
    }
    // An object has no header: one without project and name was to have an id.
    let named = draft.row.project.is_some() && draft.row.name.is_some();
    draft.finish(has_id || !named)
}

/// What a cell holds.
enum Cell<'a> {
    Empty,
    Null,
    Text(Cow<'a, str>),
    Json(Value),
}

/// Where a cell stands.
struct Place<'a> {
    position: Option<usize>,
    name: &'a str,
    column: &'a Column,
}

/// A row in the making, with what is wrong so far.
struct Draft {
    row: Row,
    problems: Vec<Problem>,
    id_seen: bool,
}

impl Draft {
    fn new(line: u64) -> Self {
        Draft {
            row: Row {
                line,
                id: None,
                name: None,
                path: None,
                project: None,
                task: None,
                metadata: UnknownKeys::new(),
                location: None,
                overwrite: None,
                properties: ExportProperties::default(),
            },
            problems: Vec::new(),
            id_seen: false,
        }
    }

    fn object(&mut self, place: &Place<'_>, fault: Fault, hint: Option<String>) {
        self.problems.push(Problem {
            position: place.position,
            column: Some(place.name.to_owned()),
            fault,
            expected: place.column.expected(),
            hint,
        });
    }

    fn not_a_property(&mut self, key: &str) {
        self.problems.push(Problem {
            position: None,
            column: Some(key.to_owned()),
            fault: Fault::NotAProperty,
            expected: "`sse_algorithm`, `sse_aws_kms_key_id`, `aws_canned_acl` or `aws_storage_class`",
            hint: nearly_a_property(key).map(|meant| format!("perhaps `{meant}` was meant")),
        });
    }

    fn take_json(&mut self, key: &str, column: &Column, value: Value, seen: &mut Vec<Column>) {
        let place = Place {
            position: None,
            name: key,
            column,
        };
        if seen.contains(column) {
            self.object(&place, Fault::Twice, None);
            return;
        }
        seen.push(column.clone());
        let cell = match value {
            Value::Null if column.is_property() => Cell::Null,
            Value::Null => Cell::Empty,
            Value::String(text) if text.trim().is_empty() => Cell::Empty,
            Value::String(text) => Cell::Text(text.into()),
            other => Cell::Json(other),
        };
        self.take(&place, cell);
    }

    fn take(&mut self, place: &Place<'_>, cell: Cell<'_>) {
        if *place.column == Column::Id {
            self.id_seen = true;
        }
        let text = match (cell, place.column) {
            (Cell::Empty, Column::Id) => {
                self.object(place, Fault::Empty, None);
                return;
            }
            (Cell::Empty, _) => return,
            (Cell::Null, _) => "none".into(),
            (Cell::Text(text), _) => text,
            (Cell::Json(Value::Bool(allow)), Column::Overwrite) => {
                self.row.overwrite = Some(overwrite(allow));
                return;
            }
            (Cell::Json(value), Column::Metadata(field)) => {
                self.row.metadata.insert(field.clone(), value);
                return;
            }
            (Cell::Json(value), _) => {
                self.object(place, Fault::WrongType(type_name(&value)), None);
                return;
            }
        };
        match place.column {
            Column::Id => self.row.id = self.id(place, &text),
            Column::Project => self.row.project = self.id(place, &text),
            Column::Task => self.row.task = self.id(place, &text),
            Column::Name => self.name(place, text.into_owned()),
            Column::Path => self.path(place, &text),
            Column::Location => self.location(place, &text),
            Column::Overwrite => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => self.row.overwrite = Some(Overwrite::Allow),
                "false" | "no" | "0" => self.row.overwrite = Some(Overwrite::Forbid),
                _ => self.object(place, Fault::NotABoolean(text.into_owned()), None),
            },
            Column::SseAlgorithm => self.row.properties.sse_algorithm = open_or_none(&text),
            Column::CannedAcl => self.row.properties.aws_canned_acl = open_or_none(&text),
            Column::StorageClass => self.row.properties.aws_storage_class = open_or_none(&text),
            Column::KmsKey => {
                self.row.properties.sse_aws_kms_key_id = match text.trim() {
                    none if is_none(none) => Tri::Null,
                    key => Tri::Value(key.to_owned()),
                };
            }
            Column::Metadata(field) => {
                self.row
                    .metadata
                    .insert(field.clone(), Value::String(text.into_owned()));
            }
        }
    }

    fn id<T: std::str::FromStr<Err = IdError>>(
        &mut self,
        place: &Place<'_>,
        text: &str,
    ) -> Option<T> {
        let text = text.trim();
        match text.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                let fault = Fault::Id {
                    text: text.to_owned(),
                    reason: error.fault(),
                };
                self.object(place, fault, pasted_address(place.column, text));
                None
            }
        }
    }

    fn name(&mut self, place: &Place<'_>, text: String) {
        let reason = if text.contains('/') {
            "a name has no `/`; folders go into the column `path`"
        } else if text.chars().any(char::is_control) {
            "it has a control character"
        } else {
            self.row.name = Some(text);
            return;
        };
        self.object(place, Fault::Name { text, reason }, None);
    }

    fn path(&mut self, place: &Place<'_>, text: &str) {
        // Both `/run1/bam/` and `run1/bam` are written for the same folders, and `/` for none.
        let folders = text.strip_prefix('/').unwrap_or(text);
        let folders = folders.strip_suffix('/').unwrap_or(folders);
        if folders.is_empty() {
            self.row.path = Some(String::new());
            return;
        }
        match folders.parse::<Location>() {
            Ok(_) => self.row.path = Some(folders.to_owned()),
            Err(error) => {
                for fault in error.faults() {
                    let (text, fault) = (text.to_owned(), *fault);
                    self.object(place, Fault::Location { text, fault }, None);
                }
            }
        }
    }

    fn location(&mut self, place: &Place<'_>, text: &str) {
        if let Some(key) = Location::of_windows_path(text) {
            let hint = format!("write `{key}`");
            self.object(place, Fault::WindowsPath(text.to_owned()), Some(hint));
            return;
        }
        match text.parse() {
            Ok(location) => self.row.location = Some(location),
            Err(error) => {
                let hint = pasted_address(place.column, text);
                for fault in error.faults() {
                    let (text, fault) = (text.to_owned(), *fault);
                    self.object(place, Fault::Location { text, fault }, hint.clone());
                }
            }
        }
    }

    /// The row, with its path and name put in order.
    fn finish(mut self, id_expected: bool) -> Result<Row, Vec<Problem>> {
        if id_expected && !self.id_seen {
            let place = Place {
                position: None,
                name: "file_id",
                column: &Column::Id,
            };
            self.object(&place, Fault::Empty, None);
        }
        if !id_expected {
            for (column, there) in [
                (Column::Project, self.row.project.is_some()),
                (Column::Name, self.row.name.is_some()),
            ] {
                let name = column.to_string();
                let told = self.problems.iter().any(|problem| {
                    problem
                        .column
                        .as_deref()
                        .and_then(Column::from_header)
                        .is_some_and(|other| other == column)
                });
                if !there && !told {
                    let place = Place {
                        position: None,
                        name: &name,
                        column: &column,
                    };
                    self.object(&place, Fault::Empty, None);
                }
            }
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        split_name_off(&mut self.row);
        Ok(self.row)
    }
}

/// People write the path with the name at its end or without. With it, if the last part is the row's name, or if the row
/// has no name of its own but a path; then the name is taken off.
fn split_name_off(row: &mut Row) {
    let Some(path) = &row.path else { return };
    let (folders, last) = path.rsplit_once('/').unwrap_or(("", path));
    match &row.name {
        Some(name) if name == last => row.path = Some(folders.to_owned()),
        Some(_) => {}
        None if last.is_empty() => {}
        None => {
            row.name = Some(last.to_owned());
            row.path = Some(folders.to_owned());
        }
    }
}

fn overwrite(allow: bool) -> Overwrite {
    if allow {
        Overwrite::Allow
    } else {
        Overwrite::Forbid
    }
}

fn is_none(text: &str) -> bool {
    text.eq_ignore_ascii_case("none") || text.eq_ignore_ascii_case("null")
}

fn open_or_none<K: OpenName>(text: &str) -> Tri<Open<K>> {
    match text.trim() {
        none if is_none(none) => Tri::Null,
        name => Tri::Value(name.into()),
    }
}

fn type_name(value: &Value) -> &'static str {
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
fn pasted_address(column: &Column, text: &str) -> Option<String> {
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
