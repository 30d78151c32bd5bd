//! `cavatica status`: how a transfer stands.

use std::io;
use std::time::Duration;

use cavatica_exports::model::volume::expected_beginning;
use cavatica_report::{Overview, Standing, Summary, TroubleGroup, Whole};
use cavatica_transfer::journal::{Owner, Tally, TransferFile};

use crate::args;
use crate::command::several;
use crate::failure::{Exit, Failure};
use crate::reporter::Watched;
use crate::ui::{Bytes, Ui, counted};

/// How often a transfer is looked at that somebody else runs.
const WATCH_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &args::Status, ui: &Ui) -> Result<Exit, Failure> {
    let named = several::named(&args.transfers)?;
    let whole = match named.paths.as_slice() {
        // A plan that was split as well.
        [one] => Whole::of(TransferFile::open(one)?),
        _ => named.open(ui)?,
    };
    if args.watch {
        watch(&whole, ui)?;
    }
    let summary = Summary::of(&whole)?;
    show(&summary, ui)?;
    if !ui.is_json() {
        let overview = &summary.overview;
        if overview.split_into.is_none() {
            let standing = match overview.state {
                Standing::Running | Standing::Planned => String::new(),
                state => format!("{}, ", state.name()),
            };
            ui.sentence(format_args!("{standing}{}", standing_words(overview, ui)))?;
        }
        if let Some(words) = verified_words(overview, ui) {
            ui.sentence(words)?;
        }
        show_plan(&whole, ui)?;
        for part in &summary.parts {
            show_part(part, ui)?;
        }
    }
    Ok(Exit::Done)
}

/// Follows a transfer, or several, for as long as somebody runs one.
fn watch(whole: &Whole, ui: &Ui) -> Result<(), Failure> {
    let files = whole.transfers();
    let mut watched = Watched::new(format!("{} → {}", whole.name(), files[0].terms().volume));
    let mut seen = false;
    while files.iter().any(|file| file.owner().is_some()) {
        seen = true;
        let mut tally = Tally::default();
        for file in files {
            tally = tally.plus(&Overview::of(file)?.tally);
        }
        watched.show(&tally);
        std::thread::sleep(WATCH_EVERY);
    }
    drop(watched);
    if !seen {
        ui.note("nothing runs it now");
    }
    Ok(())
}

/// What was planned, and what whoever approves of it has to name.
fn show_plan(whole: &Whole, ui: &Ui) -> Result<(), Failure> {
    let (file, planned) = (&whole.transfers()[0], Overview::of_whole(whole)?);
    let bytes = planned
        .split_into
        .map_or(planned.bytes, |split| split.bytes);
    let terms = file.terms();
    let bucket = terms.bucket.as_deref().unwrap_or("unknown");
    let prefix = format!(
        "{}{}",
        expected_beginning(&terms.volume_prefix),
        terms.prefix
    );
    ui.sentence(format_args!(
        "{} of {}, {}, to volume {}: bucket {bucket}, {}",
        terms.mode.as_str(),
        planned.selection,
        Bytes(bytes),
        terms.volume,
        prefix_words(&prefix),
    ))?;
    let part = file.part().map(|part| part.whole);
    let over_all = part.or_else(|| Some(file.split()?.fingerprint()));
    if whole.parts().is_empty() && file.split().is_none() {
        ui.line(format_args!("fingerprint {}", file.fingerprint()))?;
    }
    if let Some(over_all) = over_all {
        ui.line(format_args!("fingerprint over all {over_all}"))?;
    }
    Ok(())
}

/// One of several.
fn show_part(part: &Overview, ui: &Ui) -> Result<(), Failure> {
    ui.line(format_args!(
        "{:<10}  {}: {} of {}, {} failed, {} unknown, {} left, account {}",
        part.state.name(),
        part.transfer,
        part.completed,
        counted(part.files, "file"),
        part.failed,
        part.unknown,
        part.left,
        part.account
    ))?;
    Ok(())
}

/// What all keys have in common.
pub(crate) fn prefix_words(prefix: &str) -> String {
    match prefix {
        "" => "keys have no prefix".to_owned(),
        prefix => format!("keys begin with `{prefix}`"),
    }
}

/// The last word on a transfer: the counts, and what needs attention at the very end, where it is seen.
pub(crate) fn show(summary: &Summary, ui: &Ui) -> io::Result<()> {
    if ui.is_json() {
        return ui.json(summary);
    }
    let overview = &summary.overview;
    if let Some(label) = &overview.label {
        ui.line(label)?;
    }
    if let Some(split) = &overview.split_into {
        return ui.sentence(format_args!("{}: {split}", overview.transfer));
    }
    ui.sentence(format_args!(
        "{}: {} completed, {} failed, {} unknown, {} left ({} of them in flight), {} skipped",
        overview.transfer,
        overview.completed,
        overview.failed,
        overview.unknown,
        overview.left,
        overview.in_flight,
        overview.skipped
    ))?;
    if overview.by_word > 0 {
        ui.line(format_args!(
            "{} of these by somebody's word, not by the platform's",
            counted(overview.by_word, "file")
        ))?;
    }
    if summary.reconciled > 0 {
        ui.line(format_args!(
            "{} settled by asking the platform, because the answers were lost",
            counted(summary.reconciled, "file")
        ))?;
    }
    for group in &summary.troubles {
        show_group(group, ui)?;
    }
    let has_more = |group: &TroubleGroup| group.files > group.examples.len() as u64;
    if summary.troubles.iter().any(has_more) {
        ui.line("`cavatica report` has every file, with its code and what to do")?;
    }
    Ok(())
}

/// Files that ask for the same, with their true number and the first of them.
fn show_group(group: &TroubleGroup, ui: &Ui) -> io::Result<()> {
    let code = match (group.code, group.status) {
        (Some(code), _) => format!(" {code}"),
        (None, Some(status)) => format!(" HTTP {status}"),
        (None, None) => String::new(),
    };
    ui.sentence(format_args!(
        "{}{code}, {}: {}",
        group.kind.name(),
        counted(group.files, "file"),
        group.advice
    ))?;
    for file in &group.examples {
        let line = format_args!("{} {}: {}", file.file_id, file.location, file.message);
        ui.hanging("  ", line, 4)?;
    }
    let more = group.files.saturating_sub(group.examples.len() as u64);
    if more > 0 {
        ui.line(format_args!("  ... and {more} more"))?;
    }
    Ok(())
}

/// How a transfer stands, in a sentence: who runs it, or what comes next.
pub(crate) fn standing_words(overview: &Overview, ui: &Ui) -> String {
    let last_run = overview
        .last_run
        .filter(|_| overview.state != Standing::Planned);
    match (&overview.owner, last_run) {
        (Some(owner), _) => owner_words(owner, ui),
        (None, None) => format!(
            "planned {}; `cavatica run` starts it",
            ui.time(overview.planned_at)
        ),
        (None, Some(seen)) => {
            let next = match overview.state {
                Standing::Unfinished => "; `cavatica run` goes on with it",
                Standing::Unknown => "; `cavatica run` asks the platform once more",
                Standing::Split
                | Standing::Planned
                | Standing::Running
                | Standing::Differs
                | Standing::Failed
                | Standing::Done => "",
            };
            format!("last run {}{next}", ui.time(seen))
        }
    }
}

fn owner_words(owner: &Owner, ui: &Ui) -> String {
    let since = owner.since.map(|at| format!(" since {}", ui.time(at)));
    let mut owner = owner.clone();
    owner.since = None;
    format!("running{} by {owner}", since.unwrap_or_default())
}

/// What the newest looks at the destination saw; nothing where nobody looked.
pub(crate) fn verified_words(overview: &Overview, ui: &Ui) -> Option<String> {
    let seen = overview.verified.as_ref()?;
    let parts = [
        (seen.missing, "missing"),
        (seen.differs, "different"),
        (seen.unread, "not readable"),
        (seen.not_looked_at, "not looked at"),
    ];
    let mut words = format!(
        "verified through the {} {}: {} as planned",
        seen.against,
        ui.time(seen.at),
        counted(seen.same, "file")
    );
    for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
        words += &format!(", {count} {what}");
    }
    Some(words)
}

/// How the program ends after a run, by what the transfer came to.
pub(crate) fn verdict(summary: &Summary) -> Exit {
    if summary.overview.unknown > 0 {
        Exit::Unknown
    } else if summary.overview.failed > 0 {
        Exit::SomeFailed
    } else {
        Exit::Done
    }
}
