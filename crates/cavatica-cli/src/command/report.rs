//! `cavatica report`: a row for every file of a transfer.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use cavatica_transfer::journal::TransferFile;
use cavatica_transfer::{ReportError, ReportFormat, write_report};

use crate::args;
use crate::exit::{Exit, Failure};
use crate::ui::Ui;

pub(crate) fn run(args: &args::Report, ui: &Ui) -> Result<Exit, Failure> {
    let transfer = TransferFile::open(&args.transfer)?;
    let format = match args.format {
        _ if ui.is_json() => ReportFormat::JsonLines,
        args::ReportFormat::Tsv => ReportFormat::Tsv,
        args::ReportFormat::Csv => ReportFormat::Csv,
        args::ReportFormat::Jsonl => ReportFormat::JsonLines,
    };
    let Some(path) = &args.out else {
        let mut out = BufWriter::new(io::stdout().lock());
        write_report(&transfer, format, &mut out)?;
        return Ok(Exit::Done);
    };
    let file = File::create_new(path).map_err(|error| {
        Failure::usage(format!("{} can't be made", path.display())).caused_by(error)
    })?;
    let mut out = BufWriter::new(file);
    let rows = write_report(&transfer, format, &mut out)?;
    out.flush()?;
    ui.note(format_args!("{rows} rows in {}", path.display()));
    Ok(Exit::Done)
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Journal(error) => error.into(),
            ReportError::Write(error) => error.into(),
        }
    }
}
