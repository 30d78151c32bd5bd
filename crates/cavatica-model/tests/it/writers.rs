//! Tables as spreadsheets and statistics programs write them: each is read as it was meant, or refused with a line.

use cavatica_model::manifest::{Manifest, ManifestError, Overwrite, Row};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::strategies;

/// What somebody means to say of one file.
#[derive(Clone, Debug)]
struct Meant {
    id: String,
    name: Option<String>,
    location: Option<String>,
    overwrite: Option<bool>,
    notes: String,
}

/// A way of writing tables.
#[derive(Clone, Copy, Debug)]
struct Writer {
    separator: char,
    line_end: &'static str,
    encoding: Encoding,
    quotes: Quotes,
    /// What stands where there is nothing.
    nothing: &'static str,
    truth: [&'static str; 2],
    /// Whether each row begins with its number, under a header without a name.
    numbers: Option<Quotes>,
    /// Whether the first line names the separator.
    declares: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf8WithMark,
    Utf16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    WhereNeeded,
    Texts,
    All,
}

const PLAIN: Writer = Writer {
    separator: ',',
    line_end: "\n",
    encoding: Encoding::Utf8,
    quotes: Quotes::WhereNeeded,
    nothing: "",
    truth: ["false", "true"],
    numbers: None,
    declares: false,
};

/// The program, how it writes, and whether that is read.
const WRITERS: &[(&str, Writer, bool)] = &[
    ("polars write_csv", PLAIN, true),
    (
        "pandas to_csv(index=False)",
        Writer {
            truth: ["False", "True"],
            ..PLAIN
        },
        true,
    ),
    (
        "pandas to_csv",
        Writer {
            truth: ["False", "True"],
            numbers: Some(Quotes::WhereNeeded),
            ..PLAIN
        },
        true,
    ),
    (
        "R write.csv",
        Writer {
            quotes: Quotes::Texts,
            nothing: "NA",
            truth: ["FALSE", "TRUE"],
            numbers: Some(Quotes::All),
            ..PLAIN
        },
        true,
    ),
    (
        "R write.csv(row.names=FALSE, na=\"\")",
        Writer {
            quotes: Quotes::Texts,
            truth: ["FALSE", "TRUE"],
            ..PLAIN
        },
        true,
    ),
    (
        "readr write_tsv",
        Writer {
            separator: '\t',
            nothing: "NA",
            truth: ["FALSE", "TRUE"],
            ..PLAIN
        },
        true,
    ),
    (
        "Excel CSV UTF-8",
        Writer {
            encoding: Encoding::Utf8WithMark,
            line_end: "\r\n",
            truth: ["FALSE", "TRUE"],
            ..PLAIN
        },
        true,
    ),
    (
        "Excel CSV UTF-8 with sep=",
        Writer {
            encoding: Encoding::Utf8WithMark,
            line_end: "\r\n",
            declares: true,
            ..PLAIN
        },
        true,
    ),
    (
        "Excel text",
        Writer {
            separator: '\t',
            line_end: "\r\n",
            truth: ["FALSE", "TRUE"],
            ..PLAIN
        },
        true,
    ),
    (
        "Excel Unicode text",
        Writer {
            separator: '\t',
            line_end: "\r\n",
            encoding: Encoding::Utf16,
            ..PLAIN
        },
        false,
    ),
    (
        "Excel CSV in German",
        Writer {
            separator: ';',
            line_end: "\r\n",
            encoding: Encoding::Utf8WithMark,
            truth: ["FALSCH", "WAHR"],
            ..PLAIN
        },
        false,
    ),
    (
        "Excel CSV in German with sep=",
        Writer {
            separator: ';',
            line_end: "\r\n",
            declares: true,
            ..PLAIN
        },
        false,
    ),
    (
        "LibreOffice, all quoted",
        Writer {
            quotes: Quotes::All,
            ..PLAIN
        },
        true,
    ),
    (
        "Google Sheets",
        Writer {
            line_end: "\r\n",
            truth: ["FALSE", "TRUE"],
            ..PLAIN
        },
        true,
    ),
];

/// What becomes of a sheet besides its cells.
#[derive(Clone, Copy, Debug)]
struct Shape {
    blank_first: usize,
    blank_columns: usize,
    blank_last: usize,
    ends: bool,
}

impl Writer {
    fn cell(&self, text: &str, quotes: Quotes, is_text: bool) -> String {
        let needed = text.contains([self.separator, '"', '\n', '\r']);
        let quoted = match quotes {
            Quotes::WhereNeeded => needed,
            Quotes::Texts => is_text || needed,
            Quotes::All => true,
        };
        if quoted {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    }

    fn line(&self, number: Option<String>, cells: &[(String, bool)], shape: Shape) -> String {
        let number = self
            .numbers
            .zip(number)
            .map(|(quotes, number)| self.cell(&number, quotes, true));
        let cells = cells
            .iter()
            .map(|(text, is_text)| self.cell(text, self.quotes, *is_text));
        let blank = std::iter::repeat_n(String::new(), shape.blank_columns);
        let all: Vec<String> = number.into_iter().chain(cells).chain(blank).collect();
        all.join(&self.separator.to_string())
    }

    fn table(&self, header: [&str; 5], rows: &[Meant], shape: Shape) -> Vec<u8> {
        let mut lines = Vec::new();
        lines.extend(self.declares.then(|| format!("sep={}", self.separator)));
        let blank = || self.separator.to_string().repeat(4 + shape.blank_columns);
        lines.extend(std::iter::repeat_n(blank(), shape.blank_first));
        let names = header.map(|name| (name.to_owned(), true));
        lines.push(self.line(Some(String::new()), &names, shape));
        for (number, row) in (1..).zip(rows) {
            let or_nothing = |text: Option<&str>| match text {
                Some(text) => (text.to_owned(), true),
                None => (self.nothing.to_owned(), false),
            };
            let truth = row.overwrite.map(|yes| self.truth[usize::from(yes)]);
            let cells = [
                (row.id.clone(), true),
                or_nothing(row.name.as_deref()),
                (row.notes.clone(), true),
                or_nothing(row.location.as_deref()),
                (truth.unwrap_or(self.nothing).to_owned(), false),
            ];
            lines.push(self.line(Some(number.to_string()), &cells, shape));
        }
        lines.extend(std::iter::repeat_n(blank(), shape.blank_last));
        let mut text = lines.join(self.line_end);
        if shape.ends {
            text += self.line_end;
        }
        match self.encoding {
            Encoding::Utf8 => text.into_bytes(),
            Encoding::Utf8WithMark => format!("\u{feff}{text}").into_bytes(),
            Encoding::Utf16 => format!("\u{feff}{text}")
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        }
    }
}

impl Meant {
    fn is(&self, row: &Row) -> bool {
        let overwrite = self.overwrite.map(|yes| {
            if yes {
                Overwrite::Allow
            } else {
                Overwrite::Forbid
            }
        });
        row.id.as_ref().map(|id| id.as_str()) == Some(&self.id)
            && row.name == self.name
            && row.location.as_ref().map(|location| location.as_str()) == self.location.as_deref()
            && row.overwrite == overwrite
    }

    /// Whether a program that marks what isn't there left a mark that is no row's location, name or word.
    fn is_whole(&self) -> bool {
        self.name.is_some() && self.location.is_some() && self.overwrite.is_some()
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![strategies::segment(), "[a-zé,;\" ]{1,6}\\.bam"].prop_filter(
        "a name that a sheet can hold",
        |text| {
            let marks = ["NA", "nan", "None", "null"];
            strategies::is_seen(text)
                && !text.chars().any(char::is_control)
                && !marks.contains(&text.trim())
        },
    )
}

fn meant() -> impl Strategy<Value = Meant> {
    let location = vec(name(), 1..3).prop_map(|parts| parts.join("/"));
    let location = location.prop_filter("a location", |text| {
        text.parse::<cavatica_model::Location>().is_ok()
            && cavatica_model::Location::of_windows_path(text).is_none()
    });
    (
        "[0-9a-f]{23}[a-f]",
        option::of(name()),
        option::of(location),
        option::of(any::<bool>()),
        "[a-z,;\"\n ]{0,6}",
    )
        .prop_map(|(id, name, location, overwrite, notes)| Meant {
            id,
            name,
            location,
            overwrite,
            notes,
        })
}

fn shape() -> impl Strategy<Value = Shape> {
    (0_usize..3, 0_usize..3, 0_usize..3, any::<bool>()).prop_map(
        |(blank_first, blank_columns, blank_last, ends)| Shape {
            blank_first,
            blank_columns,
            blank_last,
            ends,
        },
    )
}

const HEADERS: &[[&str; 5]] = &[
    ["file_id", "name", "notes", "location", "overwrite"],
    ["File ID", "File Name", "Notes", "Location", "Overwrite"],
    ["id", "filename", "comment", "Destination", "OVERWRITE"],
    ["file-id", "file.name", "", "key", "over_write"],
];

proptest! {
    #[test]
    fn any_programs_table_is_read_as_it_was_meant_or_refused_with_a_line(
        rows in vec(meant(), 1..8),
        (program, writer, is_read) in select(WRITERS),
        header in select(&HEADERS[..3]),
        shape in shape(),
    ) {
        let table = writer.table(header, &rows, shape);
        let manifest = match Manifest::open("t.csv", &table[..]) {
            Ok(manifest) => manifest,
            Err(error) => {
                prop_assert!(!is_read, "{program}: {error}");
                let is_told = matches!(error, ManifestError::Foreign { .. } | ManifestError::Separator { .. });
                prop_assert!(is_told, "{program}: {error}");
                return Ok(());
            }
        };
        prop_assert!(is_read, "{program}");
        let read: Vec<_> = manifest.collect();
        prop_assert_eq!(read.len(), rows.len(), "{}", program);
        for (row, meant) in read.iter().zip(&rows) {
            match row {
                Ok(row) => prop_assert!(meant.is(row), "{program}: {row:?} for {meant:?}"),
                Err(error) => {
                    // What `NA` means in a column of names or locations only its author knows.
                    prop_assert!(!writer.nothing.is_empty() && !meant.is_whole(), "{program}: {error}");
                    let told = error.problems.iter().all(|problem| problem.position.is_some());
                    prop_assert!(told, "{program}: {error}");
                }
            }
        }
    }

    /// A cell that was shifted under a header without a name is never dropped.
    #[test]
    fn a_cell_without_a_header_is_refused_with_its_column(rows in vec(meant(), 1..4), quotes in select(&[Quotes::WhereNeeded, Quotes::All][..])) {
        let rows: Vec<Meant> = rows.into_iter().map(|row| Meant { notes: "shifted".to_owned(), ..row }).collect();
        let writer = Writer { quotes, ..PLAIN };
        let shape = Shape { blank_first: 0, blank_columns: 0, blank_last: 0, ends: true };
        let table = writer.table(HEADERS[3], &rows, shape);
        let read: Vec<_> = Manifest::open("t.csv", &table[..]).expect("a header").collect();
        for row in read {
            let error = row.expect_err("a shifted row");
            let positions: Vec<_> = error.problems.iter().map(|problem| problem.position).collect();
            prop_assert_eq!(positions, [Some(3)]);
        }
    }
}
