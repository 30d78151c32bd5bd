//! The forms of a report, and what comes of writing one.

use std::io;

use cavatica_model::VolumeId;
use cavatica_transfer::journal::JournalError;

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
