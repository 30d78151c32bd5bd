//! Manifests: which files to export and where to, as people write them in spreadsheets and scripts.

use std::io::Read;
use std::sync::Arc;

use crate::tsv;

mod cell;
mod check;
mod column;
mod contradiction;
mod draft;
mod entry;
mod fault;
mod foreign;
mod header;
mod json;
mod lines;
mod meaning;
mod row;
mod warning;

pub use check::{Finding, Severity, Summary, check};
pub use entry::{Alias, Format, Overwrite, Row};
pub use fault::{ManifestError, Problem, RowError, RowFault, UnclearColumn};
pub use foreign::Foreign;
pub use warning::RowWarning;

use header::{Header, Meanings};
use lines::{Line, Lines, split, without_line_break};

/// The rows of a manifest, good and bad, read one by one.
///
/// CSV, TSV and JSON lines are told apart by the first line that isn't blank. Quoting is that of RFC 4180, a byte-order
/// mark and CRLF are accepted. Columns stand in any order and are found by their names, whatever their letter case and
/// whatever stands between the words: `file_id` (`id`, `file`), `name` (`file_name`), `path`, `folder`, `project`, `task`,
/// `location` (`destination`, `key`), `overwrite`, the four export properties, and `metadata.FIELD` for templates. A name
/// that could ask for encryption, an ACL, a storage class, a destination or overwriting in other words is an error; other
/// columns are ignored, and [`ignored_columns`](Self::ignored_columns) says which.
///
/// A file is named by its id, by `OWNER/PROJECT:PATH` in the same column, or by project and path or name. A path may have
/// the name at its end or not, if there is a column for the name; without one, its last part is the name.
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
    /// What the keys of JSON objects mean, as far as they were seen.
    meanings: Meanings,
    ended: bool,
}

/// The header of the lists that `cavatica files list --tsv` writes. Their cells are written as [`tsv`] says, without quotes.
pub const OWN_LIST: [&str; 3] = ["file_id", "path", "size"];

impl<R: Read> Manifest<R> {
    /// Reads the header. `name` is how messages call the manifest.
    ///
    /// # Errors
    ///
    /// If the header can't be understood, so that no row can be either.
    pub fn open(name: impl Into<Arc<str>>, input: R) -> Result<Self, ManifestError> {
        let name = name.into();
        let mut lines = Lines::new(input);
        let (format, header) = header::read(&name, &mut lines)?;
        Ok(Manifest {
            name,
            format,
            lines,
            meanings: Meanings::of(&header),
            header,
            ended: false,
        })
    }

    /// How it is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The columns, or keys of JSON objects read so far, that mean nothing here.
    pub fn ignored_columns(&self) -> &[String] {
        self.meanings.ignored()
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
                        Format::JsonLines => row::from_json(number, &bytes, &mut self.meanings),
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
        match self.format {
            Format::JsonLines => line.trim_ascii().is_empty(),
            Format::Csv | Format::Tsv => header::is_blank(line),
        }
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
            Err(broken) if broken.fault == RowFault::UnclosedQuote => {
                self.lines
                    .finish_record(bytes, delimiter, self.header.columns.len())?
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
        let header = self.header.columns.iter().map(|(text, _)| text.as_str());
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
            let problem = Problem::of_line(RowFault::Read(error.to_string()));
            Some(Err(self.row_error(self.lines.number() + 1, vec![problem])))
        });
        self.ended |= next.is_none();
        next
    }
}
