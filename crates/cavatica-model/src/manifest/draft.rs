//! A row in the making: cells are taken one by one, and everything that is wrong with them is kept.

use std::borrow::Cow;

use serde_json::Value;

use super::cell::is_empty;
use super::cell::{
    is_none, is_number, open_or_none, pasted_address, stands_for_nothing, type_name,
};
use super::column::Column;
use super::header::Meanings;
use super::meaning::{Meaning, Wish};
use super::{Alias, Overwrite, Problem, Row, RowFault};
use crate::file::{FilePath, FileRef};
use crate::id::IdError;
use crate::visible::is_invisible;
use crate::{ExportProperties, Location, ProjectId, Tri, UnknownKeys};

/// What a cell holds.
pub(super) enum Cell<'a> {
    Empty,
    Null,
    Text(Cow<'a, str>),
    Json(Value),
}

/// Where a cell stands.
pub(super) struct CellPlace<'a> {
    pub(super) position: Option<usize>,
    pub(super) name: &'a str,
    pub(super) column: &'a Column,
}

/// A row in the making, with what is wrong so far.
pub(super) struct Draft {
    pub(super) row: Row,
    problems: Vec<Problem>,
    /// The columns that were there.
    pub(super) seen: Vec<Column>,
    /// What the column for the id held, where it was `OWNER/PROJECT:PATH`.
    by_path: Option<FilePath>,
    /// The columns whose cells are bad.
    bad: Vec<Column>,
    /// Whether `row.path` may have the name at its end.
    path_is_whole: bool,
}

impl Draft {
    pub(super) fn new(line: u64) -> Self {
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
                alias: None,
            },
            problems: Vec::new(),
            seen: Vec::new(),
            by_path: None,
            bad: Vec::new(),
            path_is_whole: false,
        }
    }

    pub(super) fn problem(
        &mut self,
        position: Option<usize>,
        name: &str,
        fault: RowFault,
        expected: &'static str,
        hint: Option<String>,
    ) {
        self.problems.push(Problem {
            position,
            column: Some(name.to_owned()),
            fault,
            expected,
            hint,
        });
    }

    fn object(&mut self, place: &CellPlace<'_>, fault: RowFault, hint: Option<String>) {
        self.bad.push(place.column.clone());
        self.problem(
            place.position,
            place.name,
            fault,
            place.column.expected(),
            hint,
        );
    }

    /// A cell under a header that is empty: most likely the row was shifted.
    pub(super) fn nameless(&mut self, position: usize, cell: &str) {
        if !is_empty(cell) {
            self.problems.push(Problem {
                position: Some(position),
                column: None,
                fault: RowFault::NoHeader(cell.to_owned()),
                expected: "no cell, or a name for its column",
                hint: None,
            });
        }
    }

    /// An object of several properties or fields that is given again.
    pub(super) fn part_twice(&mut self, key: &str) {
        self.problem(
            None,
            key,
            RowFault::Twice,
            "one object with all of them",
            None,
        );
    }

    pub(super) fn unclear(&mut self, key: &str, wish: Wish) {
        let hint = wish
            .instead
            .replace("the column", "it")
            .replace("name it", "call it");
        self.problem(
            None,
            key,
            RowFault::UnclearName(wish.asks),
            "another name, or none",
            Some(hint),
        );
    }

    pub(super) fn take_property(&mut self, key: &str, value: Value, meanings: &mut Meanings) {
        let hint = match meanings.get(key) {
            Meaning::Column(column) if column.is_property() => {
                self.take_json(key, &column, value);
                return;
            }
            Meaning::Wish(wish) => Some(format!("it could ask for {}", wish.asks)),
            Meaning::Column(_) | Meaning::Nothing => None,
        };
        let expected =
            "`sse_algorithm`, `sse_aws_kms_key_id`, `aws_canned_acl` or `aws_storage_class`";
        self.problem(None, key, RowFault::NotAProperty, expected, hint);
    }

    pub(super) fn take_json(&mut self, key: &str, column: &Column, value: Value) {
        let place = CellPlace {
            position: None,
            name: key,
            column,
        };
        if self.seen.iter().any(|seen| seen.says_the_same_as(column)) {
            self.object(&place, RowFault::Twice, None);
            return;
        }
        let cell = match value {
            Value::Null if column.is_property() => Cell::Null,
            Value::Null => Cell::Empty,
            Value::String(text) if is_empty(&text) => Cell::Empty,
            Value::String(text) => Cell::Text(text.into()),
            other => Cell::Json(other),
        };
        self.take(&place, cell);
    }

    pub(super) fn take(&mut self, place: &CellPlace<'_>, cell: Cell<'_>) {
        self.seen.push(place.column.clone());
        let text = match (cell, place.column) {
            (Cell::Empty, Column::Id) => {
                self.object(place, RowFault::Empty, None);
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
                self.object(place, RowFault::WrongType(type_name(&value)), None);
                return;
            }
        };
        if let Some(fault) = stands_for_nothing(place.column, &text) {
            if let Some(fault) = fault {
                self.object(place, fault, None);
            }
            return;
        }
        match place.column {
            Column::Id => match self.id(place, &text) {
                Some(FileRef::Id(id)) => self.row.id = Some(id),
                Some(FileRef::Path(path)) => self.by_path = Some(path),
                None => {}
            },
            Column::Project => self.row.project = self.id(place, &text),
            Column::Task => self.row.task = self.id(place, &text),
            Column::Name => self.name(place, text.into_owned()),
            Column::Path | Column::Folder => {
                self.path_is_whole = *place.column == Column::Path;
                self.path(place, &text);
            }
            Column::Location => self.location(place, &text),
            Column::Overwrite => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => self.row.overwrite = Some(Overwrite::Allow),
                "false" | "no" | "0" => self.row.overwrite = Some(Overwrite::Forbid),
                _ => self.object(place, RowFault::NotABoolean(text.into_owned()), None),
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
            Column::AliasBucket => self.alias().bucket = Some(text.into_owned()),
            Column::AliasLocation => self.alias().location = Some(text.into_owned()),
        }
    }

    fn alias(&mut self) -> &mut Alias {
        self.row.alias.get_or_insert_default()
    }

    fn id<T: std::str::FromStr<Err = IdError>>(
        &mut self,
        place: &CellPlace<'_>,
        text: &str,
    ) -> Option<T> {
        let text = text.trim();
        if is_number(text) {
            self.object(place, RowFault::ExcelNumber(text.to_owned()), None);
            return None;
        }
        if text.chars().any(is_invisible) && !text.contains(':') {
            let seen: String = text
                .chars()
                .filter(|letter| !is_invisible(*letter))
                .collect();
            let fault = RowFault::Id {
                text: text.to_owned(),
                reason: "it has a character that nobody sees",
            };
            self.object(place, fault, Some(format!("write `{seen}`")));
            return None;
        }
        match text.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                let fault = RowFault::Id {
                    text: text.to_owned(),
                    reason: error.fault(),
                };
                self.object(place, fault, pasted_address(place.column, text));
                None
            }
        }
    }

    fn name(&mut self, place: &CellPlace<'_>, text: String) {
        let reason = if text.contains('/') {
            "a name has no `/`; folders go into the column `path`"
        } else if text.chars().any(char::is_control) {
            "it has a control character"
        } else {
            self.row.name = Some(text);
            return;
        };
        self.object(place, RowFault::Name { text, reason }, None);
    }

    fn path(&mut self, place: &CellPlace<'_>, text: &str) {
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
                    self.object(place, RowFault::Location { text, fault }, None);
                }
            }
        }
    }

    fn location(&mut self, place: &CellPlace<'_>, text: &str) {
        if let Some(key) = Location::of_windows_path(text) {
            let hint = format!("write `{key}`");
            self.object(place, RowFault::WindowsPath(text.to_owned()), Some(hint));
            return;
        }
        match text.parse() {
            Ok(location) => self.row.location = Some(location),
            Err(error) => {
                let hint = pasted_address(place.column, text);
                for fault in error.faults() {
                    let (text, fault) = (text.to_owned(), *fault);
                    self.object(place, RowFault::Location { text, fault }, hint.clone());
                }
            }
        }
    }

    /// The row, with its path and name put in order.
    pub(super) fn finish(mut self, id_expected: bool) -> Result<Row, Vec<Problem>> {
        let has = |draft: &Draft, column: &Column| draft.seen.contains(column);
        if id_expected && !has(&self, &Column::Id) {
            self.lacks(&Column::Id);
        }
        if self.path_is_whole {
            split_name_off(&mut self.row);
        }
        if let Some(path) = self.by_path.take() {
            self.name_by(&path);
        } else if !id_expected {
            if self.row.project.is_none() && !self.bad.contains(&Column::Project) {
                self.lacks(&Column::Project);
            }
            let path_alone = has(&self, &Column::Path) && !has(&self, &Column::Name);
            let lacking = if path_alone {
                Column::Path
            } else {
                Column::Name
            };
            if self.row.name.is_none() && !self.bad.contains(&lacking) {
                self.lacks(&lacking);
            }
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        if self.row.id.is_none() {
            // It is looked for from the project's root.
            self.row.path.get_or_insert_default();
        }
        Ok(self.row)
    }

    fn lacks(&mut self, column: &Column) {
        let name = column.to_string();
        let place = CellPlace {
            position: None,
            name: &name,
            column,
        };
        self.object(&place, RowFault::Empty, None);
    }

    /// Takes project, folders and name from `OWNER/PROJECT:PATH`; what other cells say of them must be the same.
    fn name_by(&mut self, path: &FilePath) {
        let project = self.row.project.as_ref().map(ProjectId::as_str);
        for (column, said, meant) in [
            (Column::Project, project, path.project().as_str()),
            (Column::Path, self.row.path.as_deref(), path.folders()),
            (Column::Name, self.row.name.as_deref(), path.name()),
        ] {
            if let Some(said) = said.filter(|said| *said != meant) {
                let fault = RowFault::Contradicts {
                    text: said.to_owned(),
                    other: path.to_string(),
                };
                self.problems.push(Problem {
                    position: None,
                    column: Some(column.to_string()),
                    fault,
                    expected: "the same in both, or one of them alone",
                    hint: None,
                });
            }
        }
        self.row.project = Some(path.project().clone());
        self.row.path = Some(path.folders().to_owned());
        self.row.name = Some(path.name().to_owned());
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
