//! How a transfer stands and what became of every file, for people, spreadsheets and the programs that come next.
//!
//! It reads what the engine wrote and asks nobody. Each fact is computed in one place: how a transfer stands as a whole
//! ([`Overview`], and with what needs attention [`Summary`]), and what is wrong with a file ([`Trouble`]).
//!
//! All forms read the same rows, so they agree: a row for every planned file, and one for every file that the plan left
//! out. They stream, and can be made while the transfer is being run. `docs/report.md` lists the columns.

#![warn(missing_docs)]

mod columns;
mod document;
mod drs;
mod html;
mod sheet;
mod standing;
mod summary;
mod tags;
mod trouble;

use std::io::{self, Write};

use cavatica_model::{VolumeId, expected_beginning};

pub use document::Document;
pub use html::{Listed, index_page, live_page, page_link};
pub use standing::{Overview, Seen, Standing, transfers_in};
pub use summary::{FAILURES_LISTED, FailureLine, Summary};
pub use trouble::{Trouble, TroubleGroup, TroubleKind, TroubledFile};

use cavatica_transfer::journal::{ItemRow, JournalError, SkippedRow, Terms, TransferFile};

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
    /// One page for a browser, with everything in it: totals, charts, failures, and the first thousand rows.
    Html,
    /// The manifest with which the objects are registered at CAVATICA's DRS server: completed files only, as CSV.
    Drs,
    /// A set of tags for each object, in the shape that `aws s3api put-object-tagging --cli-input-json` takes: completed
    /// files only, one JSON object per line.
    Tags,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that the report has a row for. A page counts all files, also those that its table has no room for.
    pub rows: u64,
    /// Tags that were respelt, shortened or left out, because S3 wouldn't take them as they are.
    pub altered_tags: u64,
    /// Objects of a DRS manifest whose ETag isn't known, because no look at the destination saw it.
    pub without_etag: u64,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The transfer can't be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The report can't be written.
    #[error("the report can't be written")]
    Write(#[from] io::Error),
    /// A list of objects needs the bucket's name, and the platform didn't tell it when the transfer was planned.
    #[error("the bucket behind volume {volume} isn't known, so its objects can't be named")]
    NoBucket {
        /// The volume.
        volume: VolumeId,
    },
}

/// Writes a report. Rows come in the order of the plan, the skipped files last. While the transfer is being run, each file
/// stands as it did when its row was read.
///
/// # Errors
///
/// [`ReportError`] if the transfer can't be read or the report can't be written.
pub fn write_report(
    transfer: &TransferFile,
    format: ReportFormat,
    out: &mut dyn Write,
) -> Result<Written, ReportError> {
    match format {
        ReportFormat::Tsv | ReportFormat::Csv | ReportFormat::JsonLines => {
            sheet::write(transfer, format, out)
        }
        ReportFormat::Html => html::write(transfer, out),
        ReportFormat::Drs => drs::write(transfer, out),
        ReportFormat::Tags => tags::write(transfer, out),
    }
}

/// Visits every planned file, in the order of the plan.
fn each_item<E: From<JournalError>>(
    transfer: &TransferFile,
    mut visit: impl FnMut(ItemRow) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = None;
    loop {
        let page = transfer.items(after)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.id);
        page.into_iter().try_for_each(&mut visit)?;
    }
}

/// Visits every file that the plan left out.
fn each_skipped<E: From<JournalError>>(
    transfer: &TransferFile,
    mut visit: impl FnMut(SkippedRow) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = 0;
    loop {
        let page = transfer.skipped(after)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
        page.into_iter().try_for_each(&mut visit)?;
    }
}

/// The key that is expected in the bucket, the volume's prefix included.
fn key(terms: &Terms, item: &ItemRow) -> String {
    expected_beginning(&terms.volume_prefix) + &item.location
}

/// The last part of a path.
fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The bucket, for those forms that can't do without.
fn bucket(terms: &Terms) -> Result<&str, ReportError> {
    terms
        .bucket
        .as_deref()
        .ok_or_else(|| ReportError::NoBucket {
            volume: terms.volume.clone(),
        })
}
