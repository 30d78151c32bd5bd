//! The first thousand rows, those first that need somebody's attention.

use std::io;

use super::digest::{Digest, ROWS};
use super::page::Page;
use super::words::{Bytes, Machine, Moment, Number, Rows};
use crate::key;
use cavatica_transfer::Finding;
use cavatica_transfer::journal::{ItemRow, SkippedRow, TransferFile};
use cavatica_transfer::state::State;

/// A state with the mark that stands for it where colours don't.
const STATES: [(&str, &str); 7] = [
    ("completed", "✓"),
    ("failed", "✕"),
    ("unknown", "?"),
    ("accepted", "◔"),
    ("intended", "◌"),
    ("planned", "○"),
    ("skipped", "–"),
];

pub(super) fn write(
    page: &mut Page<'_>,
    transfer: &TransferFile,
    digest: &Digest,
) -> io::Result<()> {
    let all = digest.tally.total().files + digest.tally.skipped;
    let shown = (digest.items.len() + digest.skipped_rows.len()) as u64;
    page.raw(r#"<section><h2>The files</h2>"#)?;
    if shown < all {
        page.put(
            r#"<p class="note">Here are {} of {}: failed, unknown and different ones first, then the others in the order of the plan. All of them are in the table that <code>cavatica report {} --format tsv</code> writes.</p>"#,
            &[
                &Number(ROWS as u64),
                &Number(all),
                &transfer.path().display(),
            ],
        )?;
    }
    filter(page, shown)?;
    page.raw(r#"<div class="wide"><table id="files"><thead><tr><th scope="col">State</th><th scope="col">File</th><th scope="col">Key</th><th scope="col" class="num">Size</th><th scope="col">Finished (UTC)</th><th scope="col">Message</th></tr></thead><tbody>"#)?;
    for item in &digest.items {
        planned(page, transfer, item)?;
    }
    for skipped in &digest.skipped_rows {
        left_out(page, skipped)?;
    }
    page.raw("</tbody></table></div></section>")
}

/// It is hidden until the script shows it: without the script it would do nothing.
fn filter(page: &mut Page<'_>, shown: u64) -> io::Result<()> {
    page.raw(r#"<form id="filter" hidden><label>Find <input type="search" id="find" autocomplete="off"></label> <label>State <select id="state"><option value="">all</option>"#)?;
    for (state, _) in STATES {
        page.put("<option>{}</option>", &[&state])?;
    }
    page.put(
        r#"</select></label> <output id="count">{}</output></form>"#,
        &[&Rows(shown)],
    )
}

fn state(page: &mut Page<'_>, name: &'static str, seen: &str) -> io::Result<()> {
    let mark = STATES.iter().find(|(state, _)| *state == name);
    page.put(
        r#"<tr data-state="{}"><td class="state"><span class="mark" aria-hidden="true">{}</span> {}<small>{}</small></td>"#,
        &[&name, &mark.map_or("", |(_, mark)| mark), &name, &seen],
    )
}

fn planned(page: &mut Page<'_>, transfer: &TransferFile, item: &ItemRow) -> io::Result<()> {
    let seen = match &item.verified {
        Some(seen) if seen.finding == Finding::Same && seen.size_untold.is_some() => {
            "verified: same key, size not compared".to_owned()
        }
        Some(seen) => format!("verified: {}", seen.finding.name()),
        None => String::new(),
    };
    state(page, item.state.name(), &seen)?;
    page.put(
        r#"<td><bdi>{}</bdi><small>{}</small></td><td><bdi>{}</bdi></td>"#,
        &[
            &item.path.as_deref().unwrap_or_default(),
            &item.file,
            &key(transfer.terms(), item),
        ],
    )?;
    size(page, item.size)?;
    match item.finished {
        Some(at) => page.put(
            r#"<td><time datetime="{}">{}</time></td>"#,
            &[&Machine(at), &Moment(at)],
        )?,
        None => page.raw("<td></td>")?,
    }
    match &item.state {
        State::Planned | State::Intended | State::Accepted { .. } | State::Completed { .. } => {
            page.raw("<td></td></tr>\n")
        }
        State::Failed { failure, .. } => page.put(
            "<td><bdi>{}</bdi><small>{}</small></td></tr>\n",
            &[
                failure,
                &failure
                    .request_id
                    .as_deref()
                    .map_or_else(String::new, |id| format!("request {id}")),
            ],
        ),
        State::Unknown { doubt, .. } => page.put("<td>{}</td></tr>\n", &[doubt]),
    }
}

fn left_out(page: &mut Page<'_>, skipped: &SkippedRow) -> io::Result<()> {
    state(page, "skipped", "")?;
    page.put(
        r#"<td><bdi>{}</bdi><small>{}</small></td><td></td>"#,
        &[
            &skipped.path.as_deref().unwrap_or_default(),
            &skipped.file.as_ref().map_or("", |file| file.as_str()),
        ],
    )?;
    size(page, skipped.size)?;
    page.put(
        "<td></td><td><bdi>{}</bdi><small>{}</small></td></tr>\n",
        &[&skipped.reason, &skipped.kind],
    )
}

fn size(page: &mut Page<'_>, size: Option<u64>) -> io::Result<()> {
    match size {
        Some(size) => page.put(r#"<td class="num">{}</td>"#, &[&Bytes::of(size)]),
        None => page.raw("<td></td>"),
    }
}
