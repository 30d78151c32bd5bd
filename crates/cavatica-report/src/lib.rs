//! How a transfer stands and what became of every file, for people, spreadsheets and the programs that come next.
//!
//! It reads what the engine wrote and asks nobody. Each fact is computed in one place: how a transfer stands as a whole
//! ([`Overview`], and with what needs attention [`Summary`]), and what is wrong with a file ([`Trouble`]).
//!
//! All forms read the same rows, so they agree: a row for every planned file, and one for every file that the plan left
//! out. They stream, and can be made while the transfer is being run. `docs/report.md` lists the columns.

#![warn(missing_docs)]

mod columns;
mod contract;
mod document;
mod drs;
mod format;
mod html;
mod rows;
mod sheet;
mod standing;
mod summary;
mod tags;
mod trouble;
mod whole;

use std::io::Write;

pub use contract::{Contract, HabitLine, MeasureLine, QuestionLine};
pub use document::Document;
pub use format::{ReportError, ReportFormat, Written};
pub use html::{Listed, TOGETHER, index_page, live_page, page_link};
pub use standing::{Overview, PartNumber, Seen, SplitInto, Standing, transfers_in};
pub use summary::{FAILURES_LISTED, FailureLine, Summary};
pub use trouble::{Trouble, TroubleGroup, TroubleKind, TroubledFile};
pub use whole::{Whole, WholeError};

/// Writes a report, of several transfers as of one. Rows come in the order of the plan, the skipped files of each last. While the transfer is being run, each file
/// stands as it did when its row was read.
///
/// # Errors
///
/// [`ReportError`] if the transfer can't be read or the report can't be written.
pub fn write_report(
    whole: &Whole,
    format: ReportFormat,
    out: &mut dyn Write,
) -> Result<Written, ReportError> {
    let transfers = whole.transfers();
    match format {
        ReportFormat::Tsv | ReportFormat::Csv | ReportFormat::JsonLines => {
            sheet::write(transfers, format, out)
        }
        ReportFormat::Html => html::write(whole, out),
        ReportFormat::Drs => drs::write(transfers, out),
        ReportFormat::Tags => tags::write(transfers, out),
    }
}
