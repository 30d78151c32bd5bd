//! The manifest with which objects are registered at CAVATICA's DRS server.
//!
//! The columns and their spelling are those that the INCLUDE project's registration program reads:
//! <https://github.com/include-dcc/include-app-drs-registration>, `README.md` section 2 and `entrypoint.py`. It takes other
//! columns along. It means to read tabs by default, but compares the wrong argument and so reads commas, whatever it is
//! told; the manifest is therefore CSV. MD5 and SHA-1, which it knows too, aren't known here.

use std::io::Write;

use serde::Serialize;

use crate::format::{ReportError, Written};
use crate::rows::{bucket, each_item, key};
use cavatica_transfer::journal::TransferFile;
use cavatica_transfer::state::State;

/// One object. Nothing is disarmed for spreadsheets: a key that was changed would register another object.
#[derive(Serialize)]
struct DrsObject<'a> {
    #[serde(rename = "Bucket")]
    bucket: &'a str,
    #[serde(rename = "Key")]
    key: &'a str,
    #[serde(rename = "Size")]
    size: Option<u64>,
    /// Of objects that a look at the destination saw.
    #[serde(rename = "ETag")]
    etag: &'a str,
    file_id: &'a str,
    project: &'a str,
    task: &'a str,
    app: &'a str,
}

pub(super) fn write(
    transfers: &[TransferFile],
    out: &mut dyn Write,
) -> Result<Written, ReportError> {
    let known = transfers.iter().map(|transfer| bucket(transfer.terms()));
    known.collect::<Result<Vec<_>, _>>()?;
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(out);
    let mut written = Written::default();
    let header = [
        "Bucket", "Key", "Size", "ETag", "file_id", "project", "task", "app",
    ];
    writer.write_record(header).map_err(std::io::Error::from)?;
    for transfer in transfers {
        let terms = transfer.terms();
        let bucket = bucket(terms)?;
        each_item(transfer, |item| {
            if !matches!(item.state, State::Completed { .. }) {
                return Ok(());
            }
            written.rows += 1;
            let etag = item.verified.as_ref().and_then(|seen| seen.etag.as_deref());
            written.without_etag += u64::from(etag.is_none());
            let object = DrsObject {
                bucket,
                key: &key(terms, &item),
                size: item.size,
                etag: etag.unwrap_or_default(),
                file_id: item.file.as_str(),
                project: item.project.as_deref().unwrap_or_default(),
                task: item.task.as_deref().unwrap_or_default(),
                app: item.app.as_deref().unwrap_or_default(),
            };
            let line = writer.serialize(object).map_err(std::io::Error::from);
            line.map_err(ReportError::Write)
        })?;
    }
    writer.flush()?;
    Ok(written)
}
