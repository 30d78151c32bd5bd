//! The first thousand rows, those first that need somebody's attention.

use cavatica_transfer::Finding;
use cavatica_transfer::journal::{ItemRow, SkippedRow, Terms};
use maud::{Markup, html};

use super::digest::{Digest, ROWS};
use super::text::{outside, prose};
use super::words::{Bytes, Moment, Number, RowCount};
use crate::rows::key;
use crate::{Overview, Trouble, TroubleKind, Whole};

/// How many rows are printed, as the style sheet has it.
const PRINTED: u64 = 15;

/// A state with the mark that stands for it where colours don't.
const STATES: [(&str, &str); 9] = [
    ("missing", "!"),
    ("differs", "!"),
    ("failed", "✕"),
    ("unknown", "?"),
    ("completed", "✓"),
    ("accepted", "◔"),
    ("intended", "◌"),
    ("planned", "○"),
    ("skipped", "–"),
];

pub(super) fn files(whole: &Whole, digest: &Digest, overview: &Overview) -> Markup {
    let all = overview.files + overview.skipped;
    let shown = (digest.items.len() + digest.skipped_rows.len()) as u64;
    html! {
        section {
            h2 { "The files" }
            @if shown < all {
                p.note {
                    "Here are " (Number(ROWS as u64)) " of " (Number(all))
                    ": those that need attention first, then the others in the order of the plan. All of them are in the table that "
                    code { "cavatica report " (outside(whole.name())) " --format tsv" } " writes."
                }
            }
            (filter(shown, all))
            @if shown > PRINTED { p.note.print-only { "Only the first " (PRINTED) " are printed." } }
            div.wide { table #files.stacks {
                thead { tr {
                    th scope="col" { "State" } th scope="col" { "File" } th scope="col" { "Key" } th.num scope="col" { "Size" }
                    th scope="col" { "Finished (UTC)" } th scope="col" { "Message" }
                } }
                tbody {
                    @for (of, item) in &digest.items { (planned(whole.transfers()[*of].terms(), item)) }
                    @for skipped in &digest.skipped_rows { (left_out(skipped)) }
                }
            } }
        }
    }
}

/// It is hidden until the script shows it: without the script it would do nothing.
fn filter(shown: u64, all: u64) -> Markup {
    html! {
        form #filter hidden {
            label { "Find " input #find type="search" autocomplete="off"; } " "
            label { "State " select #state {
                option value="" { "all" }
                @for (state, _) in STATES { option { (state) } }
            } } " "
            output #count { (RowCount(shown)) }
            @if shown < all {
                small { "Only the " (RowCount(shown)) " listed here are searched; " (Number(all - shown)) " other files are not on this page." }
            }
        }
    }
}

fn state(name: &'static str, seen: &str) -> Markup {
    let mark = STATES.iter().find(|(state, _)| *state == name);
    html! {
        td.state data-th="State" {
            span.mark aria-hidden="true" { (mark.map_or("", |(_, mark)| mark)) } " " (name)
            @if !seen.is_empty() { small { (seen) } }
        }
    }
}

fn planned(terms: &Terms, item: &ItemRow) -> Markup {
    let trouble = Trouble::of_item(terms.mode, item);
    let name = match &trouble {
        Some(trouble) => trouble.kind.name(),
        None => item.state.name(),
    };
    let seen = match &item.verified {
        Some(seen) if seen.finding == Finding::Same && seen.size_untold.is_some() => {
            "verified: same key, size not compared".to_owned()
        }
        Some(seen) => format!("verified: {}", seen.finding.name()),
        None => String::new(),
    };
    html! {
        tr data-state=(name) {
            (state(name, &seen))
            td data-th="File" { (outside(item.path.as_deref().unwrap_or_default())) small { (item.file) } }
            td data-th="Key" { (outside(key(terms, item))) }
            (size(item.size))
            td data-th="Finished" { @if let Some(at) = item.finished { (Moment(at)) } }
            td data-th="Message" { @if let Some(trouble) = trouble { (message(&trouble)) } }
        }
    }
}

fn message(trouble: &Trouble<'_>) -> Markup {
    html! {
        (outside(&trouble.message))
        @if let Some(code) = trouble.code { " (code " (code) ")" }
        @if let Some(id) = trouble.request_id { small { "request " (outside(id)) } }
        @if matches!(trouble.kind, TroubleKind::Missing | TroubleKind::Differs) { small { (prose(&trouble.advice)) } }
    }
}

fn left_out(skipped: &SkippedRow) -> Markup {
    html! {
        tr data-state="skipped" {
            (state("skipped", ""))
            td data-th="File" {
                (outside(skipped.path.as_deref().unwrap_or_default()))
                small { (skipped.file.as_ref().map_or("", |file| file.as_str())) }
            }
            td data-th="Key" {}
            (size(skipped.size))
            td data-th="Finished" {}
            td data-th="Message" { (outside(&skipped.reason)) small { (outside(&skipped.kind)) } }
        }
    }
}

fn size(size: Option<u64>) -> Markup {
    html! { td.num data-th="Size" { @if let Some(size) = size { (Bytes::of(size)) } } }
}
