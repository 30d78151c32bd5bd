//! Tables: a row for every file, as TSV, CSV or JSON lines.

use std::borrow::Cow;
use std::io::{self, Write};

use super::columns::Row;
use super::{ReportError, ReportFormat, Written, each_item, each_skipped};
use crate::journal::TransferFile;

pub(super) fn write(
    transfer: &TransferFile,
    format: ReportFormat,
    out: &mut dyn Write,
) -> Result<Written, ReportError> {
    let mut sheet = Sheet::new(format, out);
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
    fn new(format: ReportFormat, out: &'a mut dyn Write) -> Self {
        if format == ReportFormat::JsonLines {
            return Sheet::Lines(out);
        }
        if format == ReportFormat::Tsv {
            let writer = csv::WriterBuilder::new().delimiter(b'\t').from_writer(out);
            return Sheet::Cells(Box::new(writer), Formulas::Keep);
        }
        let crlf = csv::Terminator::CRLF;
        let writer = csv::WriterBuilder::new().terminator(crlf).from_writer(out);
        Sheet::Cells(Box::new(writer), Formulas::Disarm)
    }

    fn write(&mut self, row: Row<'_>) -> io::Result<()> {
        match self {
            Sheet::Lines(out) => {
                serde_json::to_writer(&mut *out, &row)?;
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
