//! `cavatica report`: what became of every file of a transfer.

use std::fs::Permissions;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

use cavatica_report::{ReportError, ReportFormat, Written, write_report};
use tempfile::NamedTempFile;

use crate::args;
use crate::command::several;
use crate::failure::{Exit, Failure};
use crate::ui::{Ui, counted};

pub(crate) fn run(args: &args::Report, ui: &Ui) -> Result<Exit, Failure> {
    let transfers = several::named(&args.transfers)?.open(ui)?;
    let format = format(args.format, ui)?;
    let written = match &args.out {
        Some(path) if path.as_os_str() != "-" => {
            let written = whole(path, |out| write_report(&transfers, format, out))?;
            let what = match format {
                ReportFormat::Html => "files",
                _ => "rows",
            };
            ui.note(format_args!(
                "{} {what} in {}",
                written.rows,
                path.display()
            ));
            written
        }
        None if format == ReportFormat::Html && ui.is_terminal() => {
            return Err(
                Failure::usage("a page for a browser is no text for a terminal")
                    .hint("name a file for it: --out report.html"),
            );
        }
        Some(_) | None => {
            let mut out = ui.data();
            let written = write_report(&transfers, format, &mut out)?;
            out.flush()?;
            written
        }
    };
    if written.altered_tags > 0 {
        ui.warn(format_args!(
            "respelt, shortened or left out, because S3 doesn't take them as they are: {}",
            counted(written.altered_tags, "tag")
        ));
    }
    if written.without_etag > 0 {
        ui.warn(format_args!(
            "no ETag is known of {}; `cavatica verify` looks at them and remembers it",
            counted(written.without_etag, "object")
        ));
    }
    Ok(Exit::Done)
}

fn format(named: Option<args::ReportFormat>, ui: &Ui) -> Result<ReportFormat, Failure> {
    use args::ReportFormat as Named;
    let format = match named {
        None if ui.is_json() => ReportFormat::JsonLines,
        None | Some(Named::Tsv) => ReportFormat::Tsv,
        Some(Named::Csv) => ReportFormat::Csv,
        Some(Named::Jsonl) => ReportFormat::JsonLines,
        Some(Named::Html) => ReportFormat::Html,
        Some(Named::Drs) => ReportFormat::Drs,
        Some(Named::Tags) => ReportFormat::Tags,
    };
    if ui.is_json() && !matches!(format, ReportFormat::JsonLines | ReportFormat::Tags) {
        return Err(
            Failure::usage("--json asks for JSON, and --format for something else")
                .hint("leave one of them out"),
        );
    }
    Ok(format)
}

/// Writes a new file that is there whole or not at all: it gets its name when everything is in it.
fn whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<Written, ReportError>,
) -> Result<Written, Failure> {
    let cant_be_made = |error: io::Error| {
        let failure = Failure::usage(format!("{} can't be made", path.display()));
        let failure = match error.kind() {
            ErrorKind::AlreadyExists => {
                failure.hint("a report overwrites nothing: choose another name, or remove the file")
            }
            _ => failure,
        };
        failure.caused_by(error)
    };
    // Said before the work rather than after it.
    if path.symlink_metadata().is_ok() {
        return Err(cant_be_made(ErrorKind::AlreadyExists.into()));
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    let file = new_file(folder).map_err(cant_be_made)?;
    let mut out = BufWriter::new(file);
    let written = write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)
        .map_err(|error| cant_be_made(error.error))?;
    Ok(written)
}

/// A file without its name yet. It is to be handed on, so it gets the rights that any new file gets, not those of a
/// temporary one.
#[cfg(unix)]
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

#[cfg(not(unix))]
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(folder)
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Journal(error) => error.into(),
            ReportError::Write(error) => error.into(),
            error => Failure::new(Exit::Other, error.to_string()),
        }
    }
}
