//! Tables: a row for every file, as TSV, CSV or JSON lines.

use std::borrow::Cow;
use std::io::{self, Write};

use cavatica_model::text::visible_json;
use cavatica_model::tsv;
use serde::Serialize;

use super::columns::{NAMES, SheetRow};
use super::document::Document;
use crate::format::{ReportError, ReportFormat, Written};
use crate::rows::{each_item, each_skipped};
use cavatica_transfer::journal::TransferFile;

pub(super) fn write(
    transfers: &[TransferFile],
    format: ReportFormat,
    out: &mut dyn Write,
) -> Result<Written, ReportError> {
    let mut sheet = Sheet::new(format, out)?;
    let mut rows = 0;
    for transfer in transfers {
        let terms = transfer.terms();
        each_item(transfer, |item| {
            rows += 1;
            sheet
                .write(SheetRow::of_item(terms, &item))
                .map_err(ReportError::Write)
        })?;
        each_skipped(transfer, |skipped| {
            rows += 1;
            sheet
                .write(SheetRow::of_skipped(terms, &skipped))
                .map_err(ReportError::Write)
        })?;
    }
    sheet.finish()?;
    Ok(Written {
        rows,
        ..Written::default()
    })
}

enum Sheet<'a> {
    Cells(Box<csv::Writer<&'a mut dyn Write>>, Texts),
    Lines(&'a mut dyn Write),
}

/// How texts are written, so that whoever reads the sheet takes them for nothing else.
type Texts = fn(Cow<'_, str>) -> Cow<'_, str>;

impl<'a> Sheet<'a> {
    /// A sheet with its header, which is there even if no row follows.
    fn new(format: ReportFormat, out: &'a mut dyn Write) -> io::Result<Self> {
        let mut cells = csv::WriterBuilder::new();
        cells.has_headers(false);
        let texts: Texts = match format {
            ReportFormat::Csv => {
                cells.terminator(csv::Terminator::CRLF);
                harmless
            }
            ReportFormat::Tsv => {
                cells.delimiter(b'\t').quote_style(csv::QuoteStyle::Never);
                on_one_line
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
        Ok(Sheet::Cells(Box::new(writer), texts))
    }

    fn write(&mut self, row: SheetRow<'_>) -> io::Result<()> {
        match self {
            Sheet::Lines(out) => json_line(&Document::new(row), *out),
            Sheet::Cells(writer, texts) => Ok(writer.serialize(row.with_texts(*texts))?),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Sheet::Cells(mut writer, _) => writer.flush(),
            Sheet::Lines(out) => out.flush(),
        }
    }
}

/// A row of JSON lines. Names may be anything, and lines are looked at on terminals.
pub(super) fn json_line(row: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let line = serde_json::to_string(row)?;
    out.write_all(visible_json(&line).as_bytes())?;
    out.write_all(b"\n")
}

fn on_one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    if let Cow::Owned(escaped) = tsv::escaped(&text) {
        return escaped.into();
    }
    text
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
