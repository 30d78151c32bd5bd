//! The parts of the page around its table: the verdict first, and the gravest before the rest.

use cavatica_model::ExportMode;
use cavatica_model::volume::expected_beginning;
use cavatica_transfer::journal::Count;
use jiff::Timestamp;
use maud::{Markup, Render, html};

use super::chart::{Coordinate, WIDTH};
use super::digest::Digest;
use super::figures;
use super::text::{outside, prose};
use super::words::{Bytes, FileCount, Moment, Number, Share, Span};
use crate::{Overview, Seen, Standing, TroubleGroup, TroubleKind, Whole};

/// How a standing is shown: the class in the style sheet, a mark for those who see no colours, and the word.
pub(super) fn verdict(overview: &Overview) -> (&'static str, &'static str, &'static str) {
    match overview.state {
        Standing::Split => ("open", "○", "Split into parts"),
        _ if overview.files == 0 => ("open", "○", "Nothing planned"),
        Standing::Running => ("running", "◔", "Running"),
        Standing::Planned => ("open", "○", "Not started"),
        Standing::Unfinished => ("open", "◔", "Unfinished, and nothing runs it"),
        Standing::Differs => (
            "failed",
            "!",
            "Arrived, but missing or changed at the destination",
        ),
        Standing::Unknown => ("unknown", "?", "Ended, with unknown outcomes"),
        Standing::Failed => ("failed", "!", "Ended, with failures"),
        Standing::Done => ("done", "✓", "Complete"),
    }
}

/// The title and the verdict.
pub(super) fn header(title: &str, overview: &Overview, now: Timestamp) -> Markup {
    let (class, mark, word) = verdict(overview);
    html! {
        header {
            p.kicker { "Transfer report" }
            h1 { (outside(title)) }
            p.verdict.(class) {
                span.mark aria-hidden="true" { (mark) } " "
                strong { (word) (running(overview)) } ": "
                @if let Some(split) = &overview.split_into { (prose(split)) "." } @else { (counts(overview, now)) }
            }
        }
    }
}

fn counts(overview: &Overview, now: Timestamp) -> Markup {
    let wrong = overview.wrong();
    html! {
        @if wrong > 0 { strong.grave { (wrong_words(overview)) } ", " }
        (Number(overview.completed)) " of " (FileCount(overview.files)) " arrived"
        @for (count, word) in [(overview.failed, "failed"), (overview.unknown, "unknown"), (overview.left, "left")] {
            @if count > 0 { ", " (Number(count)) " " (word) }
        }
        "; " (Bytes::of(overview.completed_bytes)) " of " (Bytes::of(overview.bytes)) "."
        @if overview.skipped > 0 { " The plan left out " (Number(overview.skipped)) " more." }
        @if overview.completed > 0 { (looked_at(overview)) }
        @if overview.left > 0 { small { "As of " (Moment(now)) " UTC." } }
    }
}

/// Since when a transfer is being run, and by whom.
fn running(overview: &Overview) -> Markup {
    html! {
        @if let Some(owner) = &overview.owner {
            @if let Some(since) = owner.since { " since " (Moment(since)) " UTC" }
            " by "
            @if owner.process == 0 { "another program" } @else {
                "process " (owner.process) " on " (outside(&owner.host))
            }
        }
    }
}

fn wrong_words(overview: &Overview) -> String {
    let (missing, differs) = match &overview.verified {
        Some(seen) => (seen.missing, seen.differs),
        None => (0, 0),
    };
    let parts = [(missing, "missing"), (differs, "changed")];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", Number(count)))
        .collect();
    parts.join(", ")
}

/// What the newest looks at the destination saw.
fn looked_at(overview: &Overview) -> Markup {
    let Some(seen) = &overview.verified else {
        return html! { small { "Nobody has looked at the destination yet; " code { "cavatica verify" } " does." } };
    };
    html! {
        small {
            "Looked at through the " (seen.against) " on " (Moment(seen.at)) " UTC: "
            (FileCount(seen.same)) " as planned" (by_key_alone(seen)) ", "
            (Number(seen.missing)) " missing, " (Number(seen.differs)) " different"
            @for (count, what) in [(seen.unread, "could not be looked at"), (seen.not_looked_at, "not looked at")] {
                @if count > 0 { ", " (Number(count)) " " (what) }
            }
            "."
        }
    }
}

/// What "as planned" doesn't say: that nobody told the sizes of some.
fn by_key_alone(seen: &Seen) -> String {
    match seen.by_key_alone {
        0 => String::new(),
        all if all == seen.same => " (all by key, without a size to compare)".to_owned(),
        some => format!(" ({} by key, without a size to compare)", Number(some)),
    }
}

/// The account: a bar, the parts with the gravest first, and the sum.
pub(super) fn totals(overview: &Overview) -> Markup {
    let tally = &overview.tally;
    let left = Count {
        files: overview.left,
        bytes: tally.planned.bytes + tally.intended.bytes + tally.accepted.bytes,
    };
    let wrong = overview.wrong();
    let missing = overview.verified.as_ref().map_or(0, |seen| seen.missing);
    let flight = match overview.in_flight {
        0 => String::new(),
        count => format!(" ({} of them in flight)", Number(count)),
    };
    html! {
        section aria-label="Totals" {
            (bar(overview))
            dl.tiles {
                @if missing > 0 { (grave("missing", missing, overview)) }
                @if wrong > missing { (grave("changed", wrong - missing, overview)) }
                (tile("failed", "failed", tally.failed, overview.files))
                (tile("unknown", "unknown", tally.unknown, overview.files))
                (tile("left", "left", left, overview.files))
                (tile("done", "arrived", tally.completed, overview.files))
                (tile("planned", "planned", tally.total(), overview.files))
            }
            p.note {
                (Number(overview.files)) " planned = " (Number(overview.completed)) " arrived + "
                (Number(overview.failed)) " failed + " (Number(overview.unknown)) " unknown + "
                (Number(overview.left)) " left" (flight) ". Arrived is what the platform confirmed."
                @if wrong > 0 { " Of these, missing and changed are what a later look found." }
            }
        }
    }
}

/// The narrowest that a part of the bar is drawn: two files of a million are seen, on a phone too.
const NARROWEST: f64 = 6.0;

/// How all files of a transfer stand, the gravest first.
pub(super) fn bar(overview: &Overview) -> Markup {
    let wrong = overview.wrong();
    let flight = overview.in_flight.min(overview.left);
    let parts = [
        ("wrong", wrong),
        ("failed", overview.failed),
        ("unknown", overview.unknown),
        ("done", overview.completed - wrong.min(overview.completed)),
        ("running", flight),
        ("left", overview.left - flight),
    ];
    let whole = overview.files;
    let mut x = 0.0_f64;
    html! {
        svg.account viewBox="0 0 760 14" preserveAspectRatio="none" aria-hidden="true" {
            @for (class, count) in parts {
                @if count > 0 {
                    @let width = (WIDTH * count as f64 / whole.max(1) as f64).clamp(NARROWEST, WIDTH);
                    rect class=(class) x=(Coordinate(x.min(WIDTH - width))) width=(Coordinate(width)) height="14" {}
                    ({ x += width; "" })
                }
            }
        }
    }
}

fn tile(class: &'static str, name: &'static str, count: Count, whole: u64) -> Markup {
    html! {
        div.(class).none[count.files == 0] {
            dt { (name) }
            dd { (Number(count.files)) }
            dd.more { (Bytes::of(count.bytes)) }
            dd.more { (Share(count.files, whole)) }
        }
    }
}

fn grave(name: &'static str, count: u64, overview: &Overview) -> Markup {
    html! {
        div.wrong {
            dt { (name) }
            dd { (Number(count)) }
            dd.more { "of those that arrived" }
            dd.more { (Share(count, overview.completed)) }
        }
    }
}

/// What was to be done, and by whom.
pub(super) fn facts(whole: &Whole, overview: &Overview, digest: &Digest) -> Markup {
    let transfer = whole.first();
    let terms = transfer.terms();
    let fingerprint = match (transfer.part(), whole.parts()) {
        (Some(part), [_, ..]) => part.whole,
        _ => transfer.fingerprint(),
    };
    let mode = match terms.mode {
        ExportMode::Move => {
            "move: the platform deletes its copy of each file that arrives, and the project shows an alias of the object"
        }
        ExportMode::Copy => "copy: the platform keeps its copies",
    };
    let (named, more) = digest.projects.split_at(digest.projects.len().min(10));
    let bucket = terms.bucket.as_deref();
    let place = format!(
        "s3://{}/{}{}",
        bucket.unwrap_or("a bucket that isn't known"),
        expected_beginning(&terms.volume_prefix),
        terms.prefix
    );
    html! {
        section {
            h2 { "The plan" }
            dl.facts {
                (fact("Selection", outside(&overview.selection)))
                @for (project, files) in named {
                    (fact("Project", html! { (outside(project)) " (" (FileCount(*files)) ")" }))
                }
                @if !more.is_empty() { (fact("", html! { "and " (more.len()) " more projects" })) }
                (fact("Destination", html! { "volume " (outside(&terms.volume)) " → " code { (outside(place)) } }))
                (fact("Mode", mode))
                (fact("Fingerprint", html! { code { (fingerprint) } }))
                (fact("Planned", html! {
                    (Moment(overview.planned_at)) " UTC by account " (outside(&overview.account)) " at " code { (outside(&terms.endpoint)) }
                }))
            }
        }
    }
}

fn fact(name: &'static str, value: impl Render) -> Markup {
    html! { dt { (name) } dd { (value) } }
}

/// What needs attention, grouped, with what to do about it.
pub(super) fn troubles(troubles: &[TroubleGroup]) -> Markup {
    if troubles.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "What needs attention" }
            div.wide { table #troubles.stacks {
                thead { tr {
                    th scope="col" { "What" } th.num scope="col" { "Files" } th.num scope="col" { "Bytes" }
                    th scope="col" { "What happened" } th scope="col" { "What to do" }
                } }
                tbody { @for group in troubles { (trouble(group)) } }
            } }
        }
    }
}

fn trouble(group: &TroubleGroup) -> Markup {
    let what = match (group.kind, group.code, group.status) {
        (TroubleKind::Failed, Some(code), _) => format!("code {code}"),
        (TroubleKind::Failed, None, Some(status)) => format!("HTTP {status}"),
        (TroubleKind::Failed, None, None) => "failed, no code".to_owned(),
        (kind, _, _) => kind.name().to_owned(),
    };
    let more = group.files.saturating_sub(group.examples.len() as u64);
    html! {
        tr data-kind=(group.kind.name()) {
            th scope="row" { (what) @if !group.class.is_empty() { small { (group.class) } } }
            td.num data-th="Files" { (Number(group.files)) }
            td.num data-th="Bytes" { (Bytes::of(group.bytes)) }
            td data-th="What happened" {
                (outside(&group.message))
                small { @for (index, file) in group.examples.iter().enumerate() {
                    @if index > 0 { ", " } (outside(&file.location))
                } @if more > 0 { " and " (Number(more)) " more" } }
            }
            td data-th="What to do" { (prose(&group.advice)) }
        }
    }
}

/// What the plan left out, by reason.
pub(super) fn skipped(digest: &Digest) -> Markup {
    if digest.skipped.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "What the plan left out" }
            div.wide { table.stacks {
                thead { tr {
                    th scope="col" { "Reason" } th.num scope="col" { "Files" } th.num scope="col" { "Bytes" } th scope="col" { "The first one" }
                } }
                tbody { @for kind in &digest.skipped { tr {
                    th scope="row" { (outside(&kind.kind)) }
                    td.num data-th="Files" { (Number(kind.skipped.files)) }
                    td.num data-th="Bytes" { (Bytes::of(kind.skipped.bytes)) }
                    td data-th="The first one" { (outside(&kind.example)) }
                } } }
            } }
        }
    }
}

/// What happened when, for those who keep it running: folded.
pub(super) fn course(digest: &Digest) -> Markup {
    if digest.runs.is_empty() {
        return html! {};
    }
    html! {
        details {
            summary { "For engineers: throughput, requests, durations, and who ran it when" }
            (figures::for_engineers(digest))
            (runs(digest))
        }
    }
}

fn runs(digest: &Digest) -> Markup {
    html! {
        h3 { "Who ran it when" }
        div.wide { table.stacks {
            thead { tr {
                th.num scope="col" { "Run" } th scope="col" { "Machine" } th scope="col" { "Began (UTC)" } th scope="col" { "Last seen (UTC)" }
                th.num scope="col" { "Length" } th.num scope="col" { "Requests" } th scope="col" { "Version" }
            } }
            tbody { @for (index, run) in digest.runs.iter().enumerate() { tr {
                th.num scope="row" { (index + 1) }
                td data-th="Machine" { (outside(&run.host)) ", process " (run.process) }
                td data-th="Began" { (Moment(run.started)) }
                td data-th="Last seen" { (Moment(run.seen)) }
                td.num data-th="Length" { (Span(run.seen.duration_since(run.started).try_into().unwrap_or_default())) }
                td.num data-th="Requests" { (Number(run.requests)) }
                td data-th="Version" { (outside(&run.version)) }
            } } }
        } }
        @if digest.repeated > 0 {
            p.note {
                (FileCount(digest.repeated)) @if digest.repeated == 1 { " was" } @else { " were" }
                " sent more than once, after an attempt that provably came to nothing."
            }
        }
    }
}

pub(super) fn footer(now: Timestamp) -> Markup {
    html! {
        footer { p {
            "Made by cavatica " (env!("CARGO_PKG_VERSION")) " on " (Moment(now))
            " UTC, from the transfer's journal. All times are UTC" span #zone {} "; sizes are in powers of 1024."
        } }
    }
}
