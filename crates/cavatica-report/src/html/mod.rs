//! One page for a browser, that can be forwarded: everything is in it, and it asks no other machine for anything.
//!
//! What it says is counted in one walk ([`digest`]); its size doesn't depend on the number of files. It is readable without its script, which only filters the table and tells times in the reader's zone.

mod chart;
mod digest;
mod durations;
mod figures;
mod page;
mod requests;
mod sections;
mod table;
mod timeline;
mod words;

use std::io::{self, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use self::digest::Digest;
use self::page::Page;
use super::{ReportError, Written};
use cavatica_transfer::journal::TransferFile;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub(super) fn write(transfer: &TransferFile, out: &mut dyn Write) -> Result<Written, ReportError> {
    let digest = Digest::read(transfer)?;
    let rows = digest.tally.total().files + digest.tally.skipped;
    let mut page = Page::new(out);
    head(&mut page, transfer)?;
    sections::header(&mut page, transfer, &digest)?;
    sections::totals(&mut page, &digest)?;
    sections::facts(&mut page, transfer, &digest)?;
    sections::troubles(&mut page, &digest)?;
    sections::skipped(&mut page, &digest)?;
    sections::course(&mut page, &digest)?;
    table::write(&mut page, transfer, &digest)?;
    sections::footer(&mut page, Timestamp::now())?;
    page.raw("</main><script>")?;
    page.raw(SCRIPT)?;
    page.raw("</script></body></html>\n")?;
    out.flush()?;
    Ok(Written {
        rows,
        ..Written::default()
    })
}

/// The page may run its own script and use its own style, known by their hashes, and load nothing.
fn head(page: &mut Page<'_>, transfer: &TransferFile) -> io::Result<()> {
    page.put(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">\
         <meta name=\"robots\" content=\"noindex\"><title>{} – transfer report</title><style>",
        &[&hash(STYLE), &hash(SCRIPT), &sections::title(transfer)],
    )?;
    page.raw(STYLE)?;
    page.raw("</style></head><body><main>")
}

/// How a content security policy names an inline style or script.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}
