//! The beginning of a manifest: how it is written, and what its columns mean.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use super::cell::looks_like_file_id;
use super::column::Column;
use super::foreign::Foreign;
use super::json::Pairs;
use super::lines::{Broken, Line, Lines, split, without_line_break};
use super::meaning::{Meaning, meaning};
use super::{Format, ManifestError, Problem, UnclearColumn};
use crate::text::visible;

/// The columns of a CSV or TSV file; none for JSON lines.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) columns: Vec<(String, Meaning)>,
}

impl Header {
    pub(super) fn has(&self, wanted: &Column) -> bool {
        self.columns
            .iter()
            .any(|(_, meaning)| matches!(meaning, Meaning::Column(column) if column == wanted))
    }
}

/// What names mean, each judged once, and those that mean nothing.
#[derive(Debug, Default)]
pub(super) struct Meanings {
    known: HashMap<String, Meaning>,
    ignored: Vec<String>,
}

/// The most names of keys that are kept of a JSON manifest.
const KEPT_NAMES: usize = 100;

impl Meanings {
    pub(super) fn of(header: &Header) -> Self {
        let nothing = header
            .columns
            .iter()
            .filter(|(_, meaning)| *meaning == Meaning::Nothing);
        let mut meanings = Meanings::default();
        nothing.for_each(|(name, _)| meanings.ignore(name));
        meanings
    }

    pub(super) fn ignored(&self) -> &[String] {
        &self.ignored
    }

    pub(super) fn get(&mut self, name: &str) -> Meaning {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let found = meaning(name);
        if found == Meaning::Nothing {
            self.ignore(name);
        }
        if self.known.len() < KEPT_NAMES {
            self.known.insert(name.to_owned(), found.clone());
        }
        found
    }

    fn ignore(&mut self, name: &str) {
        // Our own lists of files say the size for their reader.
        let is_for_people = name.trim().is_empty() || name.trim().eq_ignore_ascii_case("size");
        if !is_for_people
            && self.ignored.len() < KEPT_NAMES
            && !self.ignored.iter().any(|known| known == name)
        {
            self.ignored.push(name.to_owned());
        }
    }
}

/// Whether a line has nothing in it, or only the separators and quotes that spreadsheets leave in empty rows.
pub(super) fn is_blank(line: &[u8]) -> bool {
    let hidden = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
    line.iter().all(hidden)
        || line.iter().all(|byte| hidden(byte) || *byte == b'"')
            && split(line, b',').is_ok_and(|cells| cells.iter().all(|cell| cell.trim().is_empty()))
}

/// Reads as far as the header, or to the first JSON object.
pub(super) fn read<R: Read>(
    manifest: &Arc<str>,
    lines: &mut Lines<R>,
) -> Result<(Format, Header), ManifestError> {
    let unreadable = |source| ManifestError::Read {
        manifest: Arc::clone(manifest),
        source,
    };
    let foreign = |what| ManifestError::Foreign {
        manifest: Arc::clone(manifest),
        what,
    };
    if let Some(what) = Foreign::of(lines.begin().map_err(unreadable)?) {
        return Err(foreign(what));
    }
    let mut declared = None;
    loop {
        let Some(Line { number, bytes }) = lines.next().map_err(unreadable)? else {
            return Err(ManifestError::Empty {
                manifest: Arc::clone(manifest),
            });
        };
        let start = Start {
            manifest,
            line: number,
        };
        let mut bytes = bytes.map_err(|fault| start.broken(Problem::of_line(fault)))?;
        while bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        // A pipe may have shown too little of it at first.
        if let Some(what) = Foreign::of(&bytes) {
            return Err(foreign(what));
        }
        if is_blank(&bytes) {
            continue;
        }
        if bytes.trim_ascii_start().starts_with(b"{") {
            let whole = serde_json::from_slice::<Pairs<'_>>(&bytes);
            let more = lines.next().map_err(unreadable)?;
            let goes_on = more.is_some();
            more.into_iter().for_each(|line| lines.put_back(line));
            match whole {
                Err(error) if error.is_eof() && goes_on => {
                    return Err(foreign(Foreign::PrettyJson));
                }
                Ok(Pairs(pairs)) if is_own_report(pairs.iter().map(|(key, _)| key.as_str())) => {
                    return Err(start.own_report());
                }
                Ok(_) | Err(_) => {}
            }
            lines.put_back(Line {
                number,
                bytes: Ok(bytes),
            });
            return Ok((Format::JsonLines, Header::default()));
        }
        if without_line_break(&bytes).contains(&b'\r') {
            return Err(ManifestError::LineEndings {
                manifest: Arc::clone(manifest),
            });
        }
        if let Some(separator) = declared_separator(&bytes) {
            declared = Some(start.separator(separator)?);
            continue;
        }
        let (format, delimiter) = match declared {
            Some(b'\t') => (Format::Tsv, b'\t'),
            None if bytes.contains(&b'\t') => (Format::Tsv, b'\t'),
            Some(_) | None => (Format::Csv, b','),
        };
        let names = split(&bytes, delimiter)
            .map_err(|cell: Broken| start.broken(Problem::of_cell(cell, &Header::default())))?;
        return Ok((format, start.header(names)?));
    }
}

/// The separator that Excel reads from a first line such as `sep=;`.
fn declared_separator(line: &[u8]) -> Option<u8> {
    let line = without_line_break(line);
    let line = line
        .strip_prefix(b"\"")
        .and_then(|line| line.strip_suffix(b"\""))
        .unwrap_or(line);
    match line.strip_prefix(b"sep=") {
        Some([separator]) => Some(*separator),
        _ => None,
    }
}

/// Whether these are columns of our own report, which a list of files for a plan doesn't have.
fn is_own_report<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    let marks = ["file_id", "key", "export_id", "state", "attempts"];
    let found: Vec<&str> = names
        .map(str::trim)
        .filter(|name| marks.contains(name))
        .collect();
    marks.iter().all(|mark| found.contains(mark))
}

/// The line on which a manifest begins.
struct Start<'m> {
    manifest: &'m Arc<str>,
    line: u64,
}

impl Start<'_> {
    fn broken(&self, problem: Problem) -> ManifestError {
        ManifestError::BrokenHeader {
            manifest: Arc::clone(self.manifest),
            line: self.line,
            problem: Box::new(problem),
        }
    }

    fn own_report(&self) -> ManifestError {
        ManifestError::OwnReport {
            manifest: Arc::clone(self.manifest),
        }
    }

    /// The separator, if it is one that is read.
    fn separator(&self, byte: u8) -> Result<u8, ManifestError> {
        let separator = match byte {
            b',' | b'\t' => return Ok(byte),
            b';' => "semicolons",
            b'|' => "vertical bars",
            _ => "something else",
        };
        Err(ManifestError::Separator {
            manifest: Arc::clone(self.manifest),
            line: self.line,
            separator,
        })
    }

    /// Finds the meaning of each column, and out whether the columns suffice.
    fn header(&self, names: Vec<Cow<'_, str>>) -> Result<Header, ManifestError> {
        if is_own_report(names.iter().map(|name| &**name)) {
            return Err(self.own_report());
        }
        if let [only] = &names[..] {
            let mut marks = [b';', b'|'].into_iter();
            let mark = marks.find(|mark| only.contains(char::from(*mark)));
            mark.map_or(Ok(b','), |mark| self.separator(mark))?;
        }
        let header = Header {
            columns: names
                .into_iter()
                .map(|name| {
                    let meaning = meaning(&name);
                    (name.into_owned(), meaning)
                })
                .collect(),
        };
        self.refuse_unclear(&header)?;
        let has_path = header.has(&Column::Name) || header.has(&Column::Path);
        if header.has(&Column::Id) || (header.has(&Column::Project) && has_path) {
            return Ok(header);
        }
        Err(self.no_file(&header))
    }

    /// Refuses columns that could ask for something in other words, and two that say the same.
    fn refuse_unclear(&self, header: &Header) -> Result<(), ManifestError> {
        let mut unclear = Vec::new();
        let mut seen: Vec<(usize, &Column)> = Vec::new();
        for (position, (name, meaning)) in (1..).zip(&header.columns) {
            let column = match meaning {
                Meaning::Column(column) => column,
                Meaning::Nothing => continue,
                Meaning::Wish(wish) => {
                    unclear.push(UnclearColumn {
                        position,
                        found: name.trim().to_owned(),
                        asks: wish.asks,
                        instead: wish.instead,
                    });
                    continue;
                }
            };
            let earlier = seen
                .iter()
                .find(|(_, other)| other.says_the_same_as(column));
            if let Some((earlier, _)) = earlier {
                return Err(ManifestError::TwoColumns {
                    manifest: Arc::clone(self.manifest),
                    line: self.line,
                    meaning: column.to_string(),
                    positions: (*earlier, position),
                });
            }
            seen.push((position, column));
        }
        if unclear.is_empty() {
            return Ok(());
        }
        Err(ManifestError::Unclear {
            manifest: Arc::clone(self.manifest),
            line: self.line,
            columns: unclear,
        })
    }

    /// Why no column tells which file is meant, as far as that can be seen.
    fn no_file(&self, header: &Header) -> ManifestError {
        let names = || header.columns.iter().map(|(name, _)| name.trim());
        if names().any(looks_like_file_id) {
            return ManifestError::NoHeader {
                manifest: Arc::clone(self.manifest),
                line: self.line,
            };
        }
        let found: Vec<String> = names()
            .take(20)
            .map(|name| format!("`{}`", visible(name)))
            .collect();
        ManifestError::NoFileColumn {
            manifest: Arc::clone(self.manifest),
            line: self.line,
            found: found.join(", "),
        }
    }
}
