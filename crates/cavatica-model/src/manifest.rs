//! Manifests: which files to export and where to, as people write them in spreadsheets and scripts.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;

use crate::{
    DestinationError, ExportProperties, FileFacts, FileId, Layout, Location, ProjectId, TaskId,
    UnknownKeys, tsv, visible,
};

mod check;
mod column;
mod fault;
mod lines;
mod row;

pub use check::{Finding, Severity, Summary, check};
pub use fault::{Fault, ManifestError, Problem, RowError};

use column::Column;
use lines::{Broken, Line, Lines, split, without_line_break};

/// How a manifest is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Cells separated by commas.
    Csv,
    /// Cells separated by tabs.
    Tsv,
    /// A JSON object per line.
    JsonLines,
}

/// Whether a row allows the platform to delete what is already at its location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overwrite {
    /// It may be deleted.
    Allow,
    /// It must stay; the export fails instead.
    Forbid,
}

/// One file of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The line on which it begins, counted from 1.
    pub line: u64,
    /// The file's id; `None` only in a manifest without such a column, which then has `project` and `name` in every row.
    pub id: Option<FileId>,
    /// The file's name, without folders.
    pub name: Option<String>,
    /// The folders that it lies in, from the project's root.
    pub path: Option<String>,
    /// The project that it belongs to.
    pub project: Option<ProjectId>,
    /// The task whose output it is.
    pub task: Option<TaskId>,
    /// The columns `metadata.FIELD`.
    pub metadata: UnknownKeys,
    /// Where it is to go, below the transfer's prefix. Where it isn't named, the template decides.
    pub location: Option<Location>,
    /// Whether something may be deleted for it; `None` leaves it to the transfer.
    pub overwrite: Option<Overwrite>,
    /// What to ask of S3 for it.
    pub properties: ExportProperties,
}

impl Row {
    /// What a template can use.
    pub fn facts(&self) -> FileFacts<'_> {
        FileFacts {
            id: self.id.as_ref(),
            name: self.name.as_deref(),
            path: self.path.as_deref(),
            project: self.project.as_ref(),
            task: self.task.as_ref(),
            metadata: Some(&self.metadata),
        }
    }

    /// Where the file goes: the prefix and then the location that the row names, or what the template makes.
    ///
    /// # Errors
    ///
    /// All reasons at once why there is no location.
    pub fn location(&self, layout: &Layout) -> Result<Location, DestinationError> {
        match &self.location {
            Some(named) => layout.location_as_named(named),
            None => layout.location(&self.facts()),
        }
    }
}

/// The rows of a manifest, good and bad, read one by one.
///
/// CSV, TSV and JSON lines are told apart by the first line. Quoting is that of RFC 4180, a byte-order mark and CRLF are
/// accepted. Columns stand in any order and are found by their names, in any letter case and with spaces, hyphens or
/// underscores: `file_id` (`id`, `file`), `name` (`file_name`), `path` (the folders), `project`, `task`, `location`
/// (`destination`, `key`), `overwrite`, the four export properties, and `metadata.FIELD` for templates. Other columns are
/// ignored, and [`ignored_columns`](Self::ignored_columns) says which.
///
/// A path may have the name at its end or not, if there is a column for the name; without one, its last part is the name.
/// An empty cell leaves something unsaid. For a property, `none` (in JSON: null) asks for none at all, which is something
/// else.
///
/// ```
/// use cavatica_model::manifest::Manifest;
///
/// let text = "File ID,Location\n567890abc8a5639cc6722063,run1/output.vcf\n,../output.vcf\n";
/// let rows: Vec<_> = Manifest::open("files.csv", text.as_bytes())?.collect();
/// assert_eq!(rows[0].as_ref().unwrap().location.as_ref().unwrap().as_str(), "run1/output.vcf");
///
/// let bad = rows[1].as_ref().unwrap_err();
/// assert_eq!((bad.line, bad.problems.len()), (3, 2));
/// assert!(bad.to_string().starts_with("files.csv line 3: column 1 `File ID` is empty; expected a file id"));
/// # Ok::<(), cavatica_model::manifest::ManifestError>(())
/// ```
#[derive(Debug)]
pub struct Manifest<R> {
    name: Arc<str>,
    format: Format,
    lines: Lines<R>,
    header: Header,
    ignored: Vec<String>,
    ended: bool,
}

/// The header of the lists that `cavatica files list --tsv` writes. Their cells are written as [`tsv`] says, without quotes.
pub const OWN_LIST: [&str; 3] = ["file_id", "path", "size"];

/// The columns of a CSV or TSV file; empty for JSON lines.
type Header = Vec<(String, Option<Column>)>;

/// The most names of unknown keys that are kept of a JSON manifest.
const KEPT_IGNORED: usize = 100;

/// Whether a column is there for its reader alone: our own lists of files say the size.
fn is_for_people(header: &str) -> bool {
    let header = header.trim();
    header.is_empty() || header.eq_ignore_ascii_case("size")
}

impl<R: Read> Manifest<R> {
    /// Reads the header. `name` is how messages call the manifest.
    ///
    /// # Errors
    ///
    /// If the header can't be understood, so that no row can be either.
    pub fn open(name: impl Into<Arc<str>>, input: R) -> Result<Self, ManifestError> {
        let name = name.into();
        let mut lines = Lines::new(input);
        let manifest = |format, header: Header, lines| Manifest {
            name: Arc::clone(&name),
            format,
            lines,
            ignored: header
                .iter()
                .filter(|(text, column)| column.is_none() && !is_for_people(text))
                .map(|(text, _)| text.clone())
                .collect(),
            header,
            ended: false,
        };
        let read = |source| ManifestError::Read {
            manifest: Arc::clone(&name),
            source,
        };
        let broken = |problem| ManifestError::BrokenHeader {
            manifest: Arc::clone(&name),
            problem: Box::new(problem),
        };
        let broken_cell = |cell: Broken| broken(Problem::of_cell(cell, &Header::new()));

        let Some(first) = lines.next().map_err(read)? else {
            return Err(ManifestError::Empty {
                manifest: Arc::clone(&name),
            });
        };
        let mut bytes = first
            .bytes
            .map_err(|fault| broken(Problem::of_line(fault)))?;
        let other = |encoding| ManifestError::Encoding {
            manifest: Arc::clone(&name),
            encoding,
        };
        if bytes.starts_with(b"PK\x03\x04") {
            return Err(other("an Excel workbook; export the sheet as CSV"));
        }
        // A header has no NULs in UTF-8; in UTF-16 every second byte is one, with a byte-order mark or without.
        let mark = [&b"\xff\xfe"[..], b"\xfe\xff"];
        if bytes.contains(&0) || mark.iter().any(|mark| bytes.starts_with(mark)) {
            return Err(other(
                "UTF-16, as some spreadsheets write it; save it again as UTF-8",
            ));
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        if bytes.trim_ascii_start().starts_with(b"{") {
            lines.put_back(Line {
                number: first.number,
                bytes: Ok(bytes),
            });
            return Ok(manifest(Format::JsonLines, Vec::new(), lines));
        }
        if without_line_break(&bytes).contains(&b'\r') {
            return Err(ManifestError::LineEndings {
                manifest: Arc::clone(&name),
            });
        }
        let (format, delimiter) = if bytes.contains(&b'\t') {
            (Format::Tsv, b'\t')
        } else {
            (Format::Csv, b',')
        };
        let header = split(&bytes, delimiter).map_err(broken_cell)?;
        let header = self::header(&name, header)?;
        Ok(manifest(format, header, lines))
    }

    /// How it is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The columns, or keys of JSON objects read so far, that mean nothing here.
    pub fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }

    /// The next line that isn't blank, as a row.
    fn next_row(&mut self) -> std::io::Result<Option<Result<Row, RowError>>> {
        loop {
            let Some(Line { number, bytes }) = self.lines.next()? else {
                return Ok(None);
            };
            let problems = match bytes {
                Ok(bytes) if self.is_blank(&bytes) => continue,
                Ok(bytes) => {
                    let row = match self.format {
                        Format::Csv => self.cells(bytes, b',', number)?,
                        Format::Tsv => self.cells(bytes, b'\t', number)?,
                        Format::JsonLines => {
                            let mut ignored = std::mem::take(&mut self.ignored);
                            let row = row::from_json(number, &bytes, |key| {
                                if ignored.len() < KEPT_IGNORED
                                    && !is_for_people(key)
                                    && !ignored.iter().any(|known| known == key)
                                {
                                    ignored.push(key.to_owned());
                                }
                            });
                            self.ignored = ignored;
                            row
                        }
                    };
                    match row {
                        Ok(row) => return Ok(Some(Ok(row))),
                        Err(problems) => problems,
                    }
                }
                Err(fault) => vec![Problem::of_line(fault)],
            };
            return Ok(Some(Err(self.row_error(number, problems))));
        }
    }

    /// Whether a line has nothing in it, or only the separators that spreadsheets leave in empty rows.
    fn is_blank(&self, line: &[u8]) -> bool {
        let separators = self.format != Format::JsonLines;
        line.iter()
            .all(|byte| byte.is_ascii_whitespace() || (separators && *byte == b','))
    }

    fn cells(
        &mut self,
        bytes: Vec<u8>,
        delimiter: u8,
        number: u64,
    ) -> std::io::Result<Result<Row, Vec<Problem>>> {
        if self.is_own_list()
            && let Ok(line) = std::str::from_utf8(without_line_break(&bytes))
        {
            let cells = line.split('\t').map(tsv::unescaped).collect();
            return Ok(row::from_cells(number, &self.header, cells));
        }
        let cells = match split(&bytes, delimiter) {
            Err(broken) if broken.fault == Fault::UnclosedQuote => {
                self.lines
                    .finish_record(bytes, delimiter, self.header.len())?
            }
            cells => cells,
        };
        Ok(match cells {
            Ok(cells) => row::from_cells(number, &self.header, cells),
            Err(broken) => Err(vec![Problem::of_cell(broken, &self.header)]),
        })
    }

    /// Whether our own program wrote it, as it still is.
    fn is_own_list(&self) -> bool {
        let header = self.header.iter().map(|(text, _)| text.as_str());
        self.format == Format::Tsv && header.eq(OWN_LIST)
    }

    fn row_error(&self, line: u64, problems: Vec<Problem>) -> RowError {
        RowError {
            manifest: Arc::clone(&self.name),
            line,
            problems,
        }
    }
}

impl<R: Read> Iterator for Manifest<R> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_row().unwrap_or_else(|error| {
            self.ended = true;
            let problem = Problem::of_line(Fault::Read(error.to_string()));
            Some(Err(self.row_error(self.lines.number() + 1, vec![problem])))
        });
        self.ended |= next.is_none();
        next
    }
}

/// Finds the meaning of each column, and out whether the columns suffice.
fn header(manifest: &Arc<str>, texts: Vec<Cow<'_, str>>) -> Result<Header, ManifestError> {
    let manifest = Arc::clone(manifest);
    let header: Header = texts
        .into_iter()
        .map(|text| {
            let column = Column::from_header(&text);
            (text.into_owned(), column)
        })
        .collect();
    for (position, (text, column)) in header.iter().enumerate() {
        let Some(column) = column else {
            if let Some(meant) = column::nearly_a_property(text) {
                return Err(ManifestError::Misspelled {
                    manifest,
                    position: position + 1,
                    found: text.trim().to_owned(),
                    meant,
                });
            }
            continue;
        };
        let earlier = header[..position]
            .iter()
            .position(|(_, other)| other.as_ref() == Some(column));
        if let Some(earlier) = earlier {
            return Err(ManifestError::TwoColumns {
                manifest,
                meaning: column.to_string(),
                positions: (earlier + 1, position + 1),
            });
        }
    }
    let has = |wanted: Column| {
        header
            .iter()
            .any(|(_, column)| column.as_ref() == Some(&wanted))
    };
    if has(Column::Id) || (has(Column::Project) && has(Column::Name)) {
        return Ok(header);
    }
    if let [(only, None)] = &header[..] {
        for (mark, separator) in [(';', "semicolons"), ('|', "vertical bars")] {
            if only.contains(mark) {
                return Err(ManifestError::Separator {
                    manifest,
                    separator,
                });
            }
        }
    }
    if header
        .iter()
        .any(|(text, _)| row::looks_like_file_id(text.trim()))
    {
        return Err(ManifestError::NoHeader { manifest });
    }
    let found: Vec<String> = header
        .iter()
        .take(20)
        .map(|(text, _)| format!("`{}`", visible(text)))
        .collect();
    Err(ManifestError::NoFileColumn {
        manifest,
        found: found.join(", "),
    })
}
