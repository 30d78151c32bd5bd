//! `cavatica verify`: whether what was sent lies where it was sent to.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cavatica_report::Overview;
use cavatica_s3::{AwsConfig, Bucket};
use cavatica_transfer::journal::Terms;
use cavatica_transfer::{
    Destination, Finding, Found, VerifyError, VerifySummary, find_beginning, verify,
};
use jiff::Timestamp;

use crate::api;
use crate::args::{self, Against, Global};
use crate::command::several::{self, NamedTransfers};
use crate::failure::{Exit, Failure};
use crate::ui::{Ui, counted};

/// How often a long look says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: &args::Verify, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    // Before any request: a wrong path is told at once.
    let named = several::named(&args.transfers)?;
    let whole = named.open(ui)?;
    let terms = whole.transfers()[0].terms().clone();
    let files = Overview::of_whole(&whole)?.completed;
    let paths: Vec<PathBuf> = whole
        .transfers()
        .iter()
        .map(|transfer| transfer.path().to_owned())
        .collect();
    drop(whole);
    if args.s3_endpoint.is_some() && args.against == Against::Volume {
        return Err(Failure::usage(
            "--s3-endpoint goes with --against bucket: a volume is looked at through the platform",
        ));
    }
    let destination = match args.against {
        Against::Volume => {
            let found = api::credentials(global, ui)?;
            let client = api::client(global, found)?;
            Destination::Volume(client)
        }
        Against::Bucket => {
            let bucket = Arc::new(bucket(args, global, &terms)?);
            let beginning = find_beginning(&bucket, &terms).await;
            let beginning = beginning.map_err(VerifyError::from)?;
            Destination::Bucket { bucket, beginning }
        }
    };
    // The keys that are printed can be pasted: those of a bucket are whole.
    let (place, key_prefix) = match &destination {
        Destination::Bucket { bucket, beginning } => {
            (format!("bucket {}", bucket.name()), &**beginning)
        }
        _ => (format!("volume {}", terms.volume), ""),
    };
    let mut lines = Differences {
        ui,
        all: args.all,
        key_prefix,
        files,
        looked_at: 0,
        told: Instant::now(),
        written: Ok(()),
    };
    let tell = &mut |found: Found| lines.tell(&found);
    let mut summary = verify(&paths, &destination, Timestamp::now, tell).await?;
    summary.transfer = named.of(&paths);
    lines.written?;
    show(&summary, &place, key_prefix, ui)?;
    warn_of_sizes(&summary, &named, ui);
    Ok(verdict(summary, ui))
}

fn bucket(args: &args::Verify, global: &Global, terms: &Terms) -> Result<Bucket, Failure> {
    let Some(name) = &terms.bucket else {
        return Err(Failure::usage(format!(
            "the platform didn't say which bucket is behind volume {}",
            terms.volume
        ))
        .hint("look at the volume itself: leave --against bucket out"));
    };
    let mut builder = Bucket::builder(name, AwsConfig::find()?);
    if let Some(endpoint) = &args.s3_endpoint {
        builder = builder.endpoint(endpoint);
    }
    if let Some(pem) = api::ca_certificates(global)? {
        builder = builder.ca_certificates(pem);
    }
    Ok(builder.build()?)
}

/// The lines of differences, as they are found.
struct Differences<'a> {
    ui: &'a Ui,
    all: bool,
    key_prefix: &'a str,
    files: u64,
    looked_at: u64,
    told: Instant,
    /// Whether all lines so far could be written.
    written: io::Result<()>,
}

impl Differences<'_> {
    fn tell(&mut self, found: &Found) {
        if found.finding != Finding::Extra {
            self.looked_at += 1;
        }
        if self.ui.is_json() {
            return;
        }
        if self.told.elapsed() >= TELL_EVERY {
            self.told = Instant::now();
            let (looked_at, files) = (self.looked_at, self.files);
            self.ui
                .note(format_args!("{looked_at} of {files} files looked at"));
        }
        // What can't be written any more isn't: the look goes on, because its results are kept.
        if (self.all || found.finding != Finding::Same) && self.written.is_ok() {
            self.written = self.line(found);
        }
    }

    fn line(&self, found: &Found) -> io::Result<()> {
        // Anybody may have named an object that is extra.
        let key = format!("{}{}", self.key_prefix, found.location);
        self.ui
            .line(format_args!("{} {}", found.finding.symbol(), key))?;
        for reason in &found.reasons {
            self.ui.note(format_args!("  {reason}"));
        }
        Ok(())
    }
}

fn show(summary: &VerifySummary, place: &str, key_prefix: &str, ui: &Ui) -> io::Result<()> {
    if ui.is_json() {
        return ui.json(summary);
    }
    if !summary.looked {
        return ui.line(format_args!(
            "{}: no file has arrived yet, there is nothing to look for",
            summary.transfer
        ));
    }
    let extra = match summary.folder.as_str() {
        "" => "at the top level and in the folders there that it writes to".to_owned(),
        folder => format!("under `{key_prefix}{folder}`"),
    };
    ui.sentence(format_args!(
        "{} against {place}: {} same, {} missing, {} differ, {} extra {extra}, {} could not be looked at",
        summary.transfer,
        summary.same,
        summary.missing,
        summary.differ,
        summary.extra,
        summary.errors,
    ))?;
    for part in &summary.parts {
        ui.line(format_args!(
            "  {}: {} same, {} missing, {} differ, {} could not be looked at",
            part.transfer, part.same, part.missing, part.differ, part.errors
        ))?;
    }
    if summary.not_completed > 0 {
        let (be, they, their) = match summary.not_completed {
            1 => ("isn't", "it is", "its"),
            _ => ("aren't", "they are", "their"),
        };
        ui.sentence(format_args!(
            "{} of the transfer {be} completed; {they} told only where an object lies in {their} place",
            counted(summary.not_completed, "file")
        ))?;
    }
    Ok(())
}

/// Says where "the same" is less than it seems.
fn warn_of_sizes(summary: &VerifySummary, named: &NamedTransfers, ui: &Ui) {
    let warn = |files: u64, why: &str| {
        if files > 0 {
            let files = counted(files, "file");
            ui.warn(format_args!("{files} compared without a size: {why}"));
        }
    };
    warn(
        summary.sizes_not_listed,
        &format!(
            "the listing tells none, so that the key is there is all that is known; `cavatica verify {} --against bucket` compares sizes too",
            named.word()
        ),
    );
    warn(
        summary.same_without_size - summary.sizes_not_listed,
        "the platform told none when they were planned",
    );
}

/// How the program ends. A listing that broke off is told here, after what it came to.
fn verdict(summary: VerifySummary, ui: &Ui) -> Exit {
    let same = summary.is_all_the_same();
    if let Some(error) = summary.given_up {
        let mut failure = Failure::from(error);
        let exit = match failure.exit {
            Exit::Denied => Exit::Denied,
            _ => Exit::SomeFailed,
        };
        failure.message = format!("the listing broke off: {}", failure.message);
        ui.complaint(&failure);
        return exit;
    }
    match (summary.looked, same) {
        (false, _) => Exit::NothingToDo,
        (true, true) => Exit::Done,
        (true, false) => Exit::SomeFailed,
    }
}
