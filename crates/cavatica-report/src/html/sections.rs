//! The parts of the page between its head and its table.

use std::fmt::{self, Display};
use std::io;

use cavatica_model::{ExportMode, expected_beginning};
use jiff::Timestamp;

use super::chart::{Place, WIDTH};
use super::digest::{Digest, Kind, Seen};
use super::figures;
use super::page::Page;
use super::words::{Bytes, Files, Machine, Moment, Number, Share, Span};
use cavatica_transfer::journal::{Count, Tally, TransferFile};

/// What the transfer came to, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Empty,
    NotStarted,
    Unfinished,
    Unknown,
    WithFailures,
    Wrong,
    Complete,
}

impl Verdict {
    fn of(tally: &Tally, seen: &Seen) -> Self {
        let total = tally.total().files;
        if total == 0 {
            Verdict::Empty
        } else if tally.planned.files == total {
            Verdict::NotStarted
        } else if tally.left() > 0 {
            Verdict::Unfinished
        } else if tally.unknown.files > 0 {
            Verdict::Unknown
        } else if tally.failed.files > 0 {
            Verdict::WithFailures
        } else if seen.wrong() > 0 {
            Verdict::Wrong
        } else {
            Verdict::Complete
        }
    }

    /// The class in the style sheet, a mark for those who see no colours, and the word.
    fn shown(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Verdict::Empty => ("open", "○", "Nothing planned"),
            Verdict::NotStarted => ("open", "○", "Not started"),
            Verdict::Unfinished => ("open", "◔", "Unfinished"),
            Verdict::Unknown => ("unknown", "?", "Ended, with unknown outcomes"),
            Verdict::WithFailures => ("failed", "!", "Ended, with failures"),
            Verdict::Wrong => (
                "failed",
                "!",
                "Arrived, but missing or changed at the destination",
            ),
            Verdict::Complete => ("done", "✓", "Complete"),
        }
    }
}

/// What the transfer is called.
pub(super) fn title(transfer: &TransferFile) -> String {
    match transfer.label() {
        Some(label) => label.to_owned(),
        None => transfer.path().file_name().map_or_else(
            || transfer.path().display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        ),
    }
}

/// The title and the verdict.
pub(super) fn header(
    page: &mut Page<'_>,
    transfer: &TransferFile,
    digest: &Digest,
) -> io::Result<()> {
    let tally = &digest.tally;
    let (class, mark, word) = Verdict::of(tally, &digest.seen).shown();
    let total = tally.total();
    page.put(
        r#"<header><p class="kicker">Transfer report</p><h1><bdi>{}</bdi></h1><p class="verdict {}"><span class="mark" aria-hidden="true">{}</span> <strong>{}</strong>: {} of {} arrived"#,
        &[
            &title(transfer),
            &class,
            &mark,
            &word,
            &Number(tally.completed.files),
            &Files(total.files),
        ],
    )?;
    let parts = [
        (tally.failed.files, "failed"),
        (tally.unknown.files, "unknown"),
        (tally.left(), "left"),
    ];
    for (count, word) in parts.into_iter().filter(|(count, _)| *count > 0) {
        page.put(", {} {}", &[&Number(count), &word])?;
    }
    page.put(
        "; {} of {}.",
        &[&Bytes::of(tally.completed.bytes), &Bytes::of(total.bytes)],
    )?;
    if tally.skipped > 0 {
        page.put(" The plan left out {} more.", &[&Number(tally.skipped)])?;
    }
    if tally.completed.files > 0 {
        looked_at(page, &digest.seen, tally.completed.files)?;
    }
    page.raw("</p></header>")
}

/// What the newest looks at the destination saw.
fn looked_at(page: &mut Page<'_>, seen: &Seen, completed: u64) -> io::Result<()> {
    let Some((at, against)) = seen.newest else {
        return page.raw("<small>Nobody has looked at the destination yet; <code>cavatica verify</code> does.</small>");
    };
    page.put(
        "<small>Looked at through the {} on {}: {} as planned{}, {} missing, {} different",
        &[
            &against,
            &Clock(at),
            &Files(seen.same),
            &ByKeyAlone(seen),
            &Number(seen.missing),
            &Number(seen.differs),
        ],
    )?;
    let others = [
        (seen.unread, "could not be looked at"),
        (completed.saturating_sub(seen.files()), "not looked at"),
    ];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        page.put(", {} {}", &[&Number(count), &what])?;
    }
    page.raw(".</small>")
}

/// What "as planned" doesn't say: that nobody told the sizes of some.
struct ByKeyAlone<'a>(&'a Seen);

impl Display for ByKeyAlone<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.by_key_alone {
            0 => Ok(()),
            all if all == self.0.same => f.write_str(" (all by key, without a size to compare)"),
            some => write!(f, " ({} by key, without a size to compare)", Number(some)),
        }
    }
}

/// The account: a bar, the parts, and the sum.
pub(super) fn totals(page: &mut Page<'_>, digest: &Digest) -> io::Result<()> {
    let tally = &digest.tally;
    let (total, left) = (tally.total(), left(tally));
    let parts = [
        ("done", "arrived", tally.completed),
        ("failed", "failed", tally.failed),
        ("unknown", "unknown", tally.unknown),
        ("left", "left", left),
    ];
    page.raw(r#"<section aria-label="Totals"><svg class="account" viewBox="0 0 760 14" preserveAspectRatio="none" aria-hidden="true">"#)?;
    let mut x = 0.0_f64;
    for (class, _, count) in parts {
        let width = WIDTH * count.files as f64 / total.files.max(1) as f64;
        if count.files > 0 {
            // Two of a million shall be seen, too.
            let shown = width.clamp(2.0, WIDTH);
            page.put(
                r#"<rect class="{}" x="{}" width="{}" height="14"/>"#,
                &[&class, &Place(x.min(WIDTH - shown)), &Place(shown)],
            )?;
        }
        x += width;
    }
    page.raw(r#"</svg><dl class="tiles">"#)?;
    tile(page, "planned", "planned", total, &"")?;
    for (class, name, count) in parts {
        tile(page, class, name, count, &Share(count.files, total.files))?;
    }
    page.put(
        r#"</dl><p class="note">{} planned = {} arrived + {} failed + {} unknown + {} left{}. Arrived is what the platform confirmed.</p></section>"#,
        &[
            &Number(total.files),
            &Number(tally.completed.files),
            &Number(tally.failed.files),
            &Number(tally.unknown.files),
            &Number(left.files),
            &in_flight(tally),
        ],
    )
}

fn left(tally: &Tally) -> Count {
    let parts = [tally.planned, tally.intended, tally.accepted];
    parts.into_iter().fold(Count::default(), |sum, part| Count {
        files: sum.files + part.files,
        bytes: sum.bytes + part.bytes,
    })
}

fn in_flight(tally: &Tally) -> String {
    match tally.intended.files + tally.accepted.files {
        0 => String::new(),
        count => format!(" ({} of them in flight)", Number(count)),
    }
}

fn tile(
    page: &mut Page<'_>,
    class: &'static str,
    name: &'static str,
    count: Count,
    share: &dyn Display,
) -> io::Result<()> {
    page.put(
        r#"<div class="{}"><dt>{}</dt><dd>{}</dd><dd class="more">{}</dd><dd class="more">{}</dd></div>"#,
        &[
            &class,
            &name,
            &Number(count.files),
            &Bytes::of(count.bytes),
            share,
        ],
    )
}

/// What was to be done, and by whom.
pub(super) fn facts(
    page: &mut Page<'_>,
    transfer: &TransferFile,
    digest: &Digest,
) -> io::Result<()> {
    let terms = transfer.terms();
    let mode = match terms.mode {
        ExportMode::Move => {
            "move: the platform deletes its copy of each file that arrives, and the project shows an alias of the object"
        }
        ExportMode::Copy => "copy: the platform keeps its copies",
    };
    page.raw(r#"<section><h2>The plan</h2><dl class="facts">"#)?;
    fact(page, "Selection", &transfer.selection())?;
    let (named, more) = digest.projects.split_at(digest.projects.len().min(10));
    for (project, files) in named {
        fact(page, "Project", &format!("{project} ({})", Files(*files)))?;
    }
    if !more.is_empty() {
        fact(page, "", &format!("and {} more projects", more.len()))?;
    }
    let bucket = terms
        .bucket
        .as_deref()
        .unwrap_or("a bucket that isn't known");
    page.put(
        r#"<dt>Destination</dt><dd>volume <bdi>{}</bdi> → <code>s3://{}/{}{}</code></dd>"#,
        &[
            &terms.volume,
            &bucket,
            &expected_beginning(&terms.volume_prefix),
            &terms.prefix,
        ],
    )?;
    fact(page, "Mode", &mode)?;
    page.put(
        r#"<dt>Fingerprint</dt><dd><code>{}</code></dd><dt>Planned</dt><dd>{} by account <bdi>{}</bdi> at <code>{}</code></dd></dl></section>"#,
        &[
            &transfer.fingerprint(),
            &Clock(transfer.created()),
            &terms.account,
            &terms.endpoint,
        ],
    )
}

fn fact(page: &mut Page<'_>, name: &'static str, value: &dyn Display) -> io::Result<()> {
    page.put("<dt>{}</dt><dd><bdi>{}</bdi></dd>", &[&name, value])
}

/// A moment with its zone, as plain text.
struct Clock(Timestamp);

impl Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} UTC", Moment(self.0))
    }
}

/// Failures and open outcomes, grouped, with what to do about them.
pub(super) fn troubles(page: &mut Page<'_>, digest: &Digest) -> io::Result<()> {
    if digest.troubles.is_empty() {
        return Ok(());
    }
    page.raw(r#"<section><h2>What needs attention</h2><div class="wide"><table id="troubles"><thead><tr><th scope="col">Code</th><th scope="col" class="num">Files</th><th scope="col" class="num">Bytes</th><th scope="col">What happened</th><th scope="col">What to do</th></tr></thead><tbody>"#)?;
    for trouble in &digest.troubles {
        let code = match trouble.kind {
            Kind::Failed {
                code: Some(code), ..
            } => code.to_string(),
            Kind::Failed {
                status: Some(status),
                ..
            } => format!("HTTP {status}"),
            Kind::Failed { .. } => "no code".to_owned(),
            Kind::Unknown(_) => "unknown".to_owned(),
            Kind::Other => "others".to_owned(),
        };
        page.put(
            r#"<tr><th scope="row">{}<small>{}</small></th><td class="num">{}</td><td class="num">{}</td><td><bdi>{}</bdi><small>first: <bdi>{}</bdi></small></td><td>{}</td></tr>"#,
            &[
                &code,
                &trouble.class,
                &Number(trouble.count.files),
                &Bytes::of(trouble.count.bytes),
                &trouble.message,
                &trouble.example,
                &trouble.advice,
            ],
        )?;
    }
    page.raw("</tbody></table></div></section>")
}

/// What the plan left out, by reason.
pub(super) fn skipped(page: &mut Page<'_>, digest: &Digest) -> io::Result<()> {
    if digest.skipped.is_empty() {
        return Ok(());
    }
    page.raw(r#"<section><h2>What the plan left out</h2><div class="wide"><table><thead><tr><th scope="col">Reason</th><th scope="col" class="num">Files</th><th scope="col" class="num">Bytes</th><th scope="col">The first one</th></tr></thead><tbody>"#)?;
    for kind in &digest.skipped {
        page.put(
            r#"<tr><th scope="row">{}</th><td class="num">{}</td><td class="num">{}</td><td><bdi>{}</bdi></td></tr>"#,
            &[
                &kind.kind,
                &Number(kind.skipped.files),
                &Bytes::of(kind.skipped.bytes),
                &kind.example,
            ],
        )?;
    }
    page.raw("</tbody></table></div></section>")
}

/// What happened when: the charts, and the runs.
pub(super) fn course(page: &mut Page<'_>, digest: &Digest) -> io::Result<()> {
    if digest.runs.is_empty() {
        return Ok(());
    }
    page.raw("<section><h2>The course</h2>")?;
    if !digest.timeline.steps().is_empty() && digest.tally.total().files > 0 {
        figures::timeline(page, digest)?;
        if digest.timeline.steps().iter().any(|step| step.bytes > 0) {
            figures::throughput(page, &digest.timeline)?;
        }
        figures::requests(page, digest)?;
    }
    let classes = digest.durations.present();
    if !classes.is_empty() {
        figures::durations(page, &classes)?;
    }
    runs(page, digest)?;
    page.raw("</section>")
}

fn runs(page: &mut Page<'_>, digest: &Digest) -> io::Result<()> {
    page.raw(r#"<h3>Who ran it when</h3><div class="wide"><table><thead><tr><th scope="col" class="num">Run</th><th scope="col">Machine</th><th scope="col">Began (UTC)</th><th scope="col">Last seen (UTC)</th><th scope="col" class="num">Length</th><th scope="col" class="num">Requests</th><th scope="col">Version</th></tr></thead><tbody>"#)?;
    for (index, run) in digest.runs.iter().enumerate() {
        let length = run.seen.duration_since(run.started);
        page.put(
            r#"<tr><th scope="row" class="num">{}</th><td><bdi>{}</bdi>, process {}</td><td><time datetime="{}">{}</time></td><td><time datetime="{}">{}</time></td><td class="num">{}</td><td class="num">{}</td><td>{}</td></tr>"#,
            &[
                &(index + 1),
                &run.host,
                &run.process,
                &Machine(run.started),
                &Moment(run.started),
                &Machine(run.seen),
                &Moment(run.seen),
                &Span(length.try_into().unwrap_or_default()),
                &Number(run.requests),
                &run.version,
            ],
        )?;
    }
    page.raw("</tbody></table></div>")?;
    if digest.repeated > 0 {
        page.put(
            r#"<p class="note">{} sent more than once, after an attempt that provably came to nothing.</p>"#,
            &[&match digest.repeated {
                1 => "1 file was".to_owned(),
                count => format!("{} were", Files(count)),
            }],
        )?;
    }
    Ok(())
}

pub(super) fn footer(page: &mut Page<'_>, now: Timestamp) -> io::Result<()> {
    page.put(
        r#"<footer><p>Made by cavatica {} on <time datetime="{}">{}</time> UTC, from the transfer's journal. All times are UTC<span id="zone"></span>; sizes are in powers of 1024.</p></footer>"#,
        &[&env!("CARGO_PKG_VERSION"), &Machine(now), &Moment(now)],
    )
}
