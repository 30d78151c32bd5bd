//! What can be wrong with a manifest and its rows, said so that the cell can be found and put right.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::Foreign;
use crate::destination::LocationFault;
use crate::finding::Reason;
use crate::text::visible;

/// What is wrong with a line or one of its cells.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowFault {
    /// A cell that must hold something holds nothing.
    #[error("is empty")]
    Empty,
    /// The id is malformed.
    #[error("is `{}`: {reason}", visible(.text))]
    Id {
        /// The cell.
        text: String,
        /// Why it is no id.
        reason: &'static str,
    },
    /// The location can't be one.
    #[error("is `{}`: {fault}", visible(.text))]
    Location {
        /// The cell.
        text: String,
        /// One of the reasons; a location with several faults has several of these.
        fault: LocationFault,
    },
    /// The name or path can't be one.
    #[error("is `{}`: {reason}", visible(.text))]
    Name {
        /// The cell.
        text: String,
        /// Why not.
        reason: &'static str,
    },
    /// Backslashes where S3 needs `/`.
    #[error("is `{}`: it looks like a Windows path", visible(.0))]
    WindowsPath(String),
    /// Neither true nor false.
    #[error("is `{}`: it is neither true nor false", visible(.0))]
    NotABoolean(String),
    /// A mark by which some program says that there is nothing.
    #[error("is `{}`, which some programs write where there is nothing", visible(.0))]
    NotAvailable(String),
    /// An id that was turned into a number.
    #[error("is `{}`: a number, most likely made by Excel, which loses the last digits of ids", visible(.0))]
    ExcelNumber(String),
    /// A cell of a column that has no name.
    #[error("holds `{}` under an empty header", visible(.0))]
    NoHeader(String),
    /// It says something else than another cell of the row.
    #[error("is `{}`, but the row's file is `{}`", visible(.text), visible(.other))]
    Contradicts {
        /// The cell.
        text: String,
        /// What another cell says.
        other: String,
    },
    /// A key of a JSON object that could ask for something, in words that aren't ours.
    #[error("could ask for {0}")]
    UnclearName(&'static str),
    /// A JSON value of another type.
    #[error("is {0}")]
    WrongType(&'static str),
    /// Two keys of a JSON object mean the same.
    #[error("is given twice")]
    Twice,
    /// A key of a JSON object is to be a property and isn't. Taken for nothing, it would leave out what was asked of S3.
    #[error("means nothing")]
    NotAProperty,
    /// A quote is opened and not closed.
    #[error("opens a quote that is never closed")]
    UnclosedQuote,
    /// Text follows a closing quote.
    #[error("has text after its closing quote")]
    TextAfterQuote,
    /// More or fewer cells than the header has.
    #[error("there are {cells} cells, but the header has {columns}")]
    CellCount {
        /// Cells of the line.
        cells: usize,
        /// Columns of the header.
        columns: usize,
    },
    /// Bytes that are no text.
    #[error("is not UTF-8")]
    NotUtf8,
    /// A line of more than a mebibyte.
    #[error("the line is longer than a mebibyte")]
    LineTooLong,
    /// A line of a JSON manifest that is no object.
    #[error("the line is no JSON object: {0}")]
    NotJson(String),
    /// The manifest can't be read any further.
    #[error("the manifest can't be read any further: {0}")]
    Read(String),
}

impl RowFault {
    /// A name for programs and filters; it doesn't change.
    pub fn name(&self) -> &'static str {
        self.reason().name
    }

    /// What it means in general, whatever the row.
    pub fn reason(&self) -> &'static Reason {
        match self {
            RowFault::Empty => &Reason::EMPTY,
            RowFault::Id { .. } => &Reason::ID,
            RowFault::Location { .. } => &Reason::LOCATION,
            RowFault::Name { .. } => &Reason::NAME,
            RowFault::WindowsPath(_) => &Reason::WINDOWS_PATH,
            RowFault::NotABoolean(_) => &Reason::NOT_A_BOOLEAN,
            RowFault::NotAvailable(_) => &Reason::NOT_AVAILABLE,
            RowFault::ExcelNumber(_) => &Reason::EXCEL_NUMBER,
            RowFault::NoHeader(_) => &Reason::NO_HEADER,
            RowFault::Contradicts { .. } => &Reason::CONTRADICTS,
            RowFault::UnclearName(_) => &Reason::UNCLEAR_NAME,
            RowFault::WrongType(_) => &Reason::WRONG_TYPE,
            RowFault::Twice => &Reason::TWICE,
            RowFault::NotAProperty => &Reason::NOT_A_PROPERTY,
            RowFault::UnclosedQuote => &Reason::UNCLOSED_QUOTE,
            RowFault::TextAfterQuote => &Reason::TEXT_AFTER_QUOTE,
            RowFault::CellCount { .. } => &Reason::CELL_COUNT,
            RowFault::NotUtf8 => &Reason::NOT_UTF8,
            RowFault::LineTooLong => &Reason::LINE_TOO_LONG,
            RowFault::NotJson(_) => &Reason::NOT_JSON,
            RowFault::Read(_) => &Reason::READ,
        }
    }
}

/// One thing that is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Which column, counted from 1; `None` for the line as a whole and for JSON lines.
    pub position: Option<usize>,
    /// The column as the manifest names it; `None` for the line as a whole.
    pub column: Option<String>,
    /// What is wrong.
    pub fault: RowFault,
    /// What should stand there.
    pub expected: &'static str,
    /// What was probably meant.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.position, &self.column) {
            (Some(position), Some(column)) => {
                write!(f, "column {position} `{}` ", visible(column))?;
            }
            (Some(position), None) => write!(f, "column {position} ")?,
            (None, Some(column)) => write!(f, "`{}` ", visible(column))?,
            (None, None) => {}
        }
        write!(f, "{}; expected {}", self.fault, self.expected)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// A bad row: which one, and everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowError {
    /// The manifest's name.
    pub manifest: Arc<str>,
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// Everything that is wrong with it, at least one thing.
    pub problems: Vec<Problem>,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}: ", self.manifest, self.line)?;
        for (position, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if position > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for RowError {}

/// A column that could ask for something, in words that aren't ours.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnclearColumn {
    /// The column, counted from 1.
    pub position: usize,
    /// Its name.
    pub found: String,
    /// What it could ask for.
    pub asks: &'static str,
    /// How to ask for it here.
    pub instead: &'static str,
}

impl fmt::Display for UnclearColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (position, found) = (self.position, visible(&self.found));
        write!(f, "column {position} `{found}` could ask for {}", self.asks)
    }
}

fn joined(columns: &[UnclearColumn]) -> String {
    let columns: Vec<String> = columns.iter().map(UnclearColumn::to_string).collect();
    columns.join(", ")
}

/// Why a manifest can't be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Its bytes can't be read.
    #[error("{manifest} can't be read")]
    Read {
        /// The manifest's name.
        manifest: Arc<str>,
        /// Why not.
        source: io::Error,
    },
    /// There is no header.
    #[error("{manifest} is empty; expected a header such as `file_id,location`")]
    Empty {
        /// The manifest's name.
        manifest: Arc<str>,
    },
    /// It is written in a way that isn't read.
    #[error("{manifest} is {what}; expected CSV, TSV or JSON lines in UTF-8")]
    Foreign {
        /// The manifest's name.
        manifest: Arc<str>,
        /// What it is.
        what: Foreign,
    },
    /// It is a report of a transfer: the prefixes stand in its keys already, and what was done is among its rows.
    #[error("{manifest} is a report of a transfer, no list of files to plan")]
    OwnReport {
        /// The manifest's name.
        manifest: Arc<str>,
    },
    /// Its lines end in a way that nothing has written for twenty years but some spreadsheets.
    #[error(
        "{manifest}: lines end in carriage returns alone; save it again with ordinary line ends"
    )]
    LineEndings {
        /// The manifest's name.
        manifest: Arc<str>,
    },
    /// The header line is broken.
    #[error("{manifest} line {line}: {problem}")]
    BrokenHeader {
        /// The manifest's name.
        manifest: Arc<str>,
        /// The header's line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: Box<Problem>,
    },
    /// The columns are separated by something else.
    #[error(
        "{manifest} line {line}: columns seem to be separated by {separator}; expected commas or tabs"
    )]
    Separator {
        /// The manifest's name.
        manifest: Arc<str>,
        /// The header's line, counted from 1.
        line: u64,
        /// By what.
        separator: &'static str,
    },
    /// Columns could ask for something, in words that aren't ours. Passed over, they would leave out what was asked for.
    #[error("{manifest} line {line}: {}", joined(.columns))]
    Unclear {
        /// The manifest's name.
        manifest: Arc<str>,
        /// The header's line, counted from 1.
        line: u64,
        /// Which, at least one.
        columns: Vec<UnclearColumn>,
    },
    /// Two columns mean the same.
    #[error("{manifest} line {line}: columns {} and {} both mean `{meaning}`", .positions.0, .positions.1)]
    TwoColumns {
        /// The manifest's name.
        manifest: Arc<str>,
        /// The header's line, counted from 1.
        line: u64,
        /// What they mean.
        meaning: String,
        /// Which they are, counted from 1.
        positions: (usize, usize),
    },
    /// No column tells which file is meant.
    #[error(
        "{manifest} line {line}: no column tells which file is meant; expected `file_id` (or `id`), or `project` with `path` or `name`, but found {found}"
    )]
    NoFileColumn {
        /// The manifest's name.
        manifest: Arc<str>,
        /// The header's line, counted from 1.
        line: u64,
        /// The columns that are there.
        found: String,
    },
    /// The first line is a row.
    #[error(
        "{manifest} line {line} looks like a row; expected a header such as `file_id,location` before it"
    )]
    NoHeader {
        /// The manifest's name.
        manifest: Arc<str>,
        /// The header's line, counted from 1.
        line: u64,
    },
}
