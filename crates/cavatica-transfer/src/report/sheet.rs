//! Tables: a row for every file, as TSV, CSV or JSON lines.

use std::borrow::Cow;
use std::io::{self, Write};

use super::columns::{NAMES, Row};
use super::document::Document;
use super::{ReportError, ReportFormat, Written, each_item, each_skipped};
use crate::journal::TransferFile;

pub(super) fn write(
    transfer: &TransferFile,
    format: ReportFormat,
    out: &mut dyn Write,
) -> Result<Written, ReportError> {
    let mut sheet = Sheet::new(format, out)?;
    let terms = transfer.terms();
    let mut rows = 0;
    each_item(transfer, |item| {
        rows += 1;
        sheet
            .write(Row::of_item(terms, &item))
            .map_err(ReportError::Write)
    })?;
    each_skipped(transfer, |skipped| {
        rows += 1;
        sheet
            .write(Row::of_skipped(terms, &skipped))
            .map_err(ReportError::Write)
    })?;
    sheet.finish()?;
    Ok(Written {
        rows,
        ..Written::default()
    })
}

enum Sheet<'a> {
    Cells(Box<csv::Writer<&'a mut dyn Write>>, Formulas),
    Lines(&'a mut dyn Write),
}

/// What to do with cells that a spreadsheet would take for formulas.
#[derive(Clone, Copy)]
enum Formulas {
    Disarm,
    Keep,
}

impl<'a> Sheet<'a> {
    /// A sheet with its header, which is there even if no row follows.
    fn new(format: ReportFormat, out: &'a mut dyn Write) -> io::Result<Self> {
        let mut cells = csv::WriterBuilder::new();
        cells.has_headers(false);
        let formulas = match format {
            ReportFormat::Csv => {
                cells.terminator(csv::Terminator::CRLF);
                Formulas::Disarm
            }
            ReportFormat::Tsv => {
                cells.delimiter(b'\t');
                Formulas::Keep
            }
            ReportFormat::JsonLines
            | ReportFormat::Html
            | ReportFormat::Drs
            | ReportFormat::Tags => {
                return Ok(Sheet::Lines(out));
            }
        };
        let mut writer = cells.from_writer(out);
        writer.write_record(NAMES)?;
        Ok(Sheet::Cells(Box::new(writer), formulas))
    }

    fn write(&mut self, row: Row<'_>) -> io::Result<()> {
        match self {
            Sheet::Lines(out) => {
                serde_json::to_writer(&mut *out, &Document::new(row))?;
                out.write_all(b"\n")
            }
            Sheet::Cells(writer, Formulas::Keep) => Ok(writer.serialize(row)?),
            Sheet::Cells(writer, Formulas::Disarm) => {
                Ok(writer.serialize(row.with_texts(harmless))?)
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Sheet::Cells(mut writer, _) => writer.flush(),
            Sheet::Lines(out) => out.flush(),
        }
    }
}

/// The text so that no spreadsheet takes it for a formula, in its full-width forms neither.
fn harmless(text: Cow<'_, str>) -> Cow<'_, str> {
    let formula = [
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ];
    if text.starts_with(formula) {
        format!("'{text}").into()
    } else {
        text
    }
}
