//! A row for every planned file, and for every file that the plan left out.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::item::State;
use crate::journal::{ItemRow, JournalError, SkippedRow, Terms, TransferFile};
use crate::summary::UNKNOWN_ADVICE;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// Tab-separated values with a header.
    Tsv,
    /// Comma-separated values after RFC 4180 with a header. A cell that a spreadsheet would take for a formula begins with
    /// an apostrophe.
    Csv,
    /// One JSON object per line.
    JsonLines,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The transfer can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The report can't be written.
    #[error("the report can't be written")]
    Write(#[source] io::Error),
}

/// One file of the report. Times are UTC; what isn't known is empty.
#[derive(Debug, Serialize)]
struct Row<'a> {
    file_id: &'a str,
    /// The last part of the path on the platform.
    name: &'a str,
    /// The path in its project.
    path: &'a str,
    project: &'a str,
    task: &'a str,
    /// The app that the task ran, where the transfer was planned by tasks.
    app: &'a str,
    /// The chosen fields, as JSON.
    metadata: &'a str,
    volume: &'a str,
    bucket: &'a str,
    /// The key in the bucket, the volume's prefix included.
    key: &'a str,
    size: Option<u64>,
    export_id: &'a str,
    /// `planned`, `intended`, `accepted`, `completed`, `failed`, `unknown` or `skipped`.
    state: &'static str,
    /// For failures: what the code says about trying again. For files left out: the kind of reason.
    class: &'a str,
    code: Option<i64>,
    message: &'a str,
    advice: &'static str,
    request_id: &'a str,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    attempts: u32,
}

/// Writes a row for every file, the planned ones first; returns how many. It streams, and can be done while the transfer
/// is being run: each row is as it was when its page was read.
///
/// # Errors
///
/// [`ReportError`] if the transfer can't be read or the report can't be written.
pub fn write_report(
    transfer: &TransferFile,
    format: ReportFormat,
    out: &mut dyn Write,
) -> Result<u64, ReportError> {
    let mut sheet = Sheet::new(format, out);
    let terms = transfer.terms();
    let mut rows = 0;
    let mut after = None;
    loop {
        let page = transfer.items(after)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        rows += page.len() as u64;
        for item in &page {
            sheet.item(terms, item).map_err(ReportError::Write)?;
        }
    }
    let mut after = 0;
    loop {
        let page = transfer.skipped(after)?;
        let Some(last) = page.last() else { break };
        after = last.id;
        rows += page.len() as u64;
        for skipped in &page {
            sheet.skipped(terms, skipped).map_err(ReportError::Write)?;
        }
    }
    sheet.finish().map_err(ReportError::Write)?;
    Ok(rows)
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
        match format {
            ReportFormat::JsonLines => Sheet::Lines(out),
            ReportFormat::Tsv => {
                let writer = csv::WriterBuilder::new().delimiter(b'\t').from_writer(out);
                Sheet::Cells(Box::new(writer), Formulas::Keep)
            }
            ReportFormat::Csv => {
                let crlf = csv::Terminator::CRLF;
                let writer = csv::WriterBuilder::new().terminator(crlf).from_writer(out);
                Sheet::Cells(Box::new(writer), Formulas::Disarm)
            }
        }
    }

    fn item(&mut self, terms: &Terms, item: &ItemRow) -> io::Result<()> {
        let path = item.path.as_deref().unwrap_or_default();
        let key = format!("{}{}", terms.volume_prefix, item.location);
        let mut row = Row {
            file_id: item.file.as_str(),
            name: name(path),
            path,
            project: item.project.as_deref().unwrap_or_default(),
            task: item.task.as_deref().unwrap_or_default(),
            app: item.app.as_deref().unwrap_or_default(),
            metadata: item.metadata.as_deref().unwrap_or_default(),
            volume: terms.volume.as_str(),
            bucket: terms.bucket.as_deref().unwrap_or_default(),
            key: &key,
            size: item.size,
            export_id: item.export().map_or("", |export| export.as_str()),
            state: item.state.name(),
            class: "",
            code: None,
            message: "",
            advice: "",
            request_id: "",
            started: item.started,
            finished: item.finished,
            attempts: item.attempts,
        };
        match &item.state {
            State::Planned | State::Intended | State::Accepted { .. } | State::Completed { .. } => {
                self.write(row)
            }
            State::Failed { failure, .. } => {
                row.class = failure.class().as_str();
                row.code = failure.code;
                row.message = &failure.message;
                row.advice = failure.advice();
                row.request_id = failure.request_id.as_deref().unwrap_or_default();
                self.write(row)
            }
            State::Unknown { doubt, .. } => {
                let message = doubt.to_string();
                row.message = &message;
                row.advice = UNKNOWN_ADVICE;
                self.write(row)
            }
        }
    }

    fn skipped(&mut self, terms: &Terms, skipped: &SkippedRow) -> io::Result<()> {
        let path = skipped.path.as_deref().unwrap_or_default();
        self.write(Row {
            file_id: skipped.file.as_ref().map_or("", |file| file.as_str()),
            name: name(path),
            path,
            project: skipped.project.as_deref().unwrap_or_default(),
            task: "",
            app: "",
            metadata: "",
            volume: terms.volume.as_str(),
            bucket: terms.bucket.as_deref().unwrap_or_default(),
            key: "",
            size: skipped.size,
            export_id: "",
            state: "skipped",
            class: &skipped.kind,
            code: None,
            message: &skipped.reason,
            advice: "",
            request_id: "",
            started: None,
            finished: None,
            attempts: 0,
        })
    }

    fn write(&mut self, row: Row<'_>) -> io::Result<()> {
        match self {
            Sheet::Lines(out) => {
                serde_json::to_writer(&mut *out, &row)?;
                out.write_all(b"\n")
            }
            Sheet::Cells(writer, Formulas::Keep) => Ok(writer.serialize(row)?),
            Sheet::Cells(writer, Formulas::Disarm) => {
                // The texts that somebody else wrote; the others can't begin like a formula.
                let [name, path, key, message] =
                    [row.name, row.path, row.key, row.message].map(disarmed);
                let (name, path, key, message) = (&*name, &*path, &*key, &*message);
                Ok(writer.serialize(Row {
                    name,
                    path,
                    key,
                    message,
                    ..row
                })?)
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

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A text that no spreadsheet takes for a formula.
fn disarmed(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
