//! All transfers of a folder on one page, for `cavatica page`.

use cavatica_transfer::journal::JournalError;
use jiff::Timestamp;
use maud::{Markup, html};

use super::sections::{bar, footer, verdict};
use super::text::{outside, prose};
use super::words::{Bytes, FileCount, Moment, Number, Share};
use crate::Overview;

/// A transfer of the folder.
#[derive(Debug)]
pub struct Listed {
    /// What it is called, and its page is asked for by.
    pub name: String,
    /// How it stands, or why it can't be read.
    pub overview: Result<Overview, JournalError>,
}

/// How the page of all transfers as one is asked for. No link of a file looks like that.
pub const TOGETHER: &str = "~together";

/// The page of a folder, or of what else was named: every transfer with how far it is, and all of them as one where they can
/// be told so. It renews itself.
pub fn index_page(place: &str, together: Option<&Overview>, transfers: &[Listed]) -> String {
    let now = Timestamp::now();
    let body = html! {
        header {
            p.kicker { "Transfers" }
            h1 { (outside(place)) }
            p.note { "As of " (Moment(now)) " UTC; this page renews itself, reads the folder and changes nothing." }
        }
        @if transfers.is_empty() {
            p { "There is no transfer here. " code { "cavatica plan --out NAME.transfer" } " makes one." }
        }
        @if let Some(all) = together { (account(all, "All of them together", &format!("./{TOGETHER}"))) }
        @for listed in transfers { (entry(listed)) }
        (footer(now))
    };
    super::shell("Transfers", true, &body).into_string()
}

fn entry(listed: &Listed) -> Markup {
    let overview = match &listed.overview {
        Ok(overview) => overview,
        Err(error) => {
            return html! { section.entry { h2 { (outside(&listed.name)) } p { (outside(error)) } } };
        }
    };
    let name = match (&overview.label, overview.part) {
        (Some(label), Some(part)) => format!("{label}, part {} of {}", part.number, part.of),
        (Some(label), None) => label.clone(),
        (None, _) => listed.name.clone(),
    };
    account(overview, &name, &page_link(&listed.name))
}

/// How far one is, or all are, with the way to the page about it.
fn account(overview: &Overview, name: &str, link: &str) -> Markup {
    let (class, mark, word) = verdict(overview);
    html! {
        section.entry {
            h2 { a href=(link) { (outside(name)) } }
            p.verdict.(class) {
                span.mark aria-hidden="true" { (mark) } " " strong { (word) } ": "
                @if let Some(split) = &overview.split_into { (prose(split)) "." } @else { (counts(overview)) }
            }
            @if overview.split_into.is_none() { (bar(overview)) }
        }
    }
}

fn counts(overview: &Overview) -> Markup {
    html! {
        (Share(overview.completed, overview.files)) " arrived, "
        (Number(overview.completed)) " of " (FileCount(overview.files)) ", "
        (Bytes::of(overview.completed_bytes)) " of " (Bytes::of(overview.bytes))
        @for (count, word) in [
            (overview.wrong(), "missing or changed"), (overview.failed, "failed"), (overview.unknown, "unknown"),
            (overview.left, "left"),
        ] {
            @if count > 0 { ", " (Number(count)) " " (word) }
        }
        "."
    }
}

/// Where the page of a transfer of this name lies, seen from the page of its folder.
pub fn page_link(name: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let mut link = "./".to_owned();
    for byte in name.as_bytes() {
        match plain(byte) {
            true => link.push(char::from(*byte)),
            false => link += &format!("%{byte:02X}"),
        }
    }
    link
}
