//! Pages for a browser: the report of a transfer, which can be forwarded, and the list of a folder's transfers.
//!
//! Everything is in the page, and it asks no other machine for anything. How large it is doesn't depend on the number of
//! files. It is readable without its script, which only filters the table and tells times in the reader's zone.

mod chart;
mod digest;
mod durations;
mod figures;
mod index;
mod parts;
mod requests;
mod sections;
mod table;
mod text;
mod timeline;
mod words;

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cavatica_transfer::journal::JournalError;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use self::digest::Digest;
use super::{Overview, ReportError, Standing, TroubleGroup, Whole, Written};

pub use index::{Listed, TOGETHER, index_page, page_link};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// How often a page that is served renews itself, in seconds.
const RENEWED_S: u32 = 5;

/// Where a page is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    /// From a file, by whoever it was handed to.
    File,
    /// From the program, which has a page of all transfers beside it.
    Live,
}

pub(super) fn write(whole: &Whole, out: &mut dyn Write) -> Result<Written, ReportError> {
    let (page, rows) = report(whole, Setting::File)?;
    writeln!(out, "{}", page.0)?;
    out.flush()?;
    Ok(Written {
        rows,
        ..Written::default()
    })
}

/// The report of a transfer as a page that the program serves: it renews itself while the transfer runs.
///
/// # Errors
///
/// If the transfer can't be read.
pub fn live_page(whole: &Whole) -> Result<String, JournalError> {
    Ok(report(whole, Setting::Live)?.0.into_string())
}

fn report(whole: &Whole, setting: Setting) -> Result<(Markup, u64), JournalError> {
    let overview = Overview::of_whole(whole)?;
    let parts = whole.parts().iter().map(Overview::of);
    let parts: Vec<Overview> = parts.collect::<Result<_, _>>()?;
    let troubles = TroubleGroup::read_all(whole.transfers())?;
    let digest = Digest::read(whole.transfers())?;
    let now = Timestamp::now();
    let renew = setting == Setting::Live && overview.state == Standing::Running;
    let body = html! {
        @if setting == Setting::Live { p.back { a href="./" { "All transfers of this folder" } } }
        (sections::header(&whole.title(), &overview, now))
        @if overview.state == Standing::Split {
            (sections::facts(whole, &overview, &digest))
        } @else {
            (sections::totals(&overview))
            (parts::table(&parts))
            (sections::troubles(&troubles))
            (figures::first(&digest, &overview))
            (sections::facts(whole, &overview, &digest))
            (sections::skipped(&digest))
            (table::files(whole, &digest, &overview))
            (sections::course(&digest))
        }
        (sections::footer(now))
    };
    let rows = overview.files + overview.skipped;
    Ok((shell(&whole.title(), renew, &body), rows))
}

/// The page may run its own script and use its own style, known by their hashes, and load nothing.
fn shell(title: &str, renew: bool, body: &Markup) -> Markup {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                @if renew { meta http-equiv="refresh" content=(RENEWED_S); }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (cavatica_model::text::visible(title).to_string()) " – transfer report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main { (body) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// How a content security policy names an inline style or script.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}
