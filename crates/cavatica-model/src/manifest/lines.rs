//! Lines of a manifest, and the cells of a line.
//!
//! A quoted cell may hold line breaks. A quote that is opened by accident would then swallow the rest of the file, and with
//! it every further fault. So a record may go on for a few lines only, and a quote is read strictly: it closes before a
//! delimiter or the end of a line, nowhere else. Where that fails, the one line is bad and the next one is read as if
//! nothing had happened. That is why the cells are split here rather than by a CSV library, which reads on to the end.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};

use super::RowFault;

/// The longest line, in bytes; longer ones are bad rows and not kept in memory.
const MAX_LINE_BYTES: usize = 1 << 20;

/// The most lines that one record with line breaks in quotes may have.
const MAX_RECORD_LINES: usize = 32;

/// One line with its line break, or what there is instead.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) bytes: Result<Vec<u8>, RowFault>,
}

/// Lines of any length in bounded memory, with those that were looked at in advance.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: BufReader<R>,
    read: u64,
    ahead: VecDeque<Line>,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Lines {
            input: BufReader::with_capacity(1 << 16, input),
            read: 0,
            ahead: VecDeque::new(),
        }
    }

    /// The first bytes of what wasn't read yet, some of them at least.
    pub(super) fn begin(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    /// Gives a line back, to be read again.
    pub(super) fn put_back(&mut self, line: Line) {
        self.ahead.push_front(line);
    }

    /// How many lines were read so far.
    pub(super) fn number(&self) -> u64 {
        self.read
    }

    /// The next line, or `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        match self.ahead.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.read_line(),
        }
    }

    fn read_line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::with_capacity(128);
        let limit = MAX_LINE_BYTES as u64;
        self.input
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.read += 1;
        let too_long = bytes.len() == MAX_LINE_BYTES && bytes.last() != Some(&b'\n');
        if too_long {
            self.input.skip_until(b'\n')?;
        }
        Ok(Some(Line {
            number: self.read,
            bytes: if too_long {
                Err(RowFault::LineTooLong)
            } else {
                Ok(bytes)
            },
        }))
    }

    /// Goes on with a record whose quote is open at the end of `first`: the lines that follow are taken only if together
    /// they make a record of `cells` cells.
    pub(super) fn finish_record(
        &mut self,
        first: Vec<u8>,
        delimiter: u8,
        cells: usize,
    ) -> io::Result<Result<Vec<Cow<'static, str>>, Broken>> {
        let unclosed = split(&first, delimiter).err();
        let mut record = first;
        for used in 1..MAX_RECORD_LINES {
            if self.ahead.len() < used {
                match self.read_line()? {
                    Some(line) => self.ahead.push_back(line),
                    None => break,
                }
            }
            let Ok(bytes) = &self.ahead[used - 1].bytes else {
                break;
            };
            record.extend_from_slice(bytes);
            match split(&record, delimiter) {
                Ok(found) if found.len() == cells => {
                    let owned = |cell: Cow<'_, str>| Cow::Owned(cell.into_owned());
                    let found = found.into_iter().map(owned).collect();
                    self.ahead.drain(..used);
                    return Ok(Ok(found));
                }
                Err(broken)
                    if broken.fault == RowFault::UnclosedQuote && record.len() < MAX_LINE_BYTES => {
                }
                Ok(_) | Err(_) => break,
            }
        }
        Ok(Err(unclosed.unwrap_or(Broken {
            position: cells,
            fault: RowFault::UnclosedQuote,
        })))
    }
}

/// What is wrong with a cell that can't be read at all.
#[derive(Debug)]
pub(super) struct Broken {
    /// Which cell, counted from 1.
    pub(super) position: usize,
    pub(super) fault: RowFault,
}

/// The line without its line break.
pub(super) fn without_line_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The cells of a record (RFC 4180): a cell that begins with a quote ends with one, and a quote within it is doubled.
pub(super) fn split(record: &[u8], delimiter: u8) -> Result<Vec<Cow<'_, str>>, Broken> {
    let record = without_line_break(record);
    if let Ok(text) = std::str::from_utf8(record) {
        return split_text(text, delimiter);
    }
    let valid = record
        .utf8_chunks()
        .next()
        .map_or("", |chunk| chunk.valid());
    Err(Broken {
        position: split_text(valid, delimiter)
            .map_or_else(|broken| broken.position, |cells| cells.len()),
        fault: RowFault::NotUtf8,
    })
}

fn split_text(mut rest: &str, delimiter: u8) -> Result<Vec<Cow<'_, str>>, Broken> {
    let mut cells = Vec::with_capacity(8);
    loop {
        let position = cells.len() + 1;
        let broken = |fault| Broken { position, fault };
        let cell;
        (cell, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_cell(quoted).map_err(broken)?,
            None => {
                let end = rest.bytes().position(|byte| byte == delimiter);
                let (cell, rest) = rest.split_at(end.unwrap_or(rest.len()));
                (Cow::Borrowed(cell), rest)
            }
        };
        cells.push(cell);
        match rest.as_bytes().first() {
            None => return Ok(cells),
            Some(byte) if *byte == delimiter => rest = &rest[1..],
            Some(_) => return Err(broken(RowFault::TextAfterQuote)),
        }
    }
}

/// The cell up to its closing quote, and what follows.
fn quoted_cell(quoted: &str) -> Result<(Cow<'_, str>, &str), RowFault> {
    let mut cell = Cow::Borrowed("");
    let mut rest = quoted;
    loop {
        let (text, after) = rest.split_once('"').ok_or(RowFault::UnclosedQuote)?;
        cell += text;
        match after.strip_prefix('"') {
            Some(after) => {
                cell += "\"";
                rest = after;
            }
            None => return Ok((cell, after)),
        }
    }
}
