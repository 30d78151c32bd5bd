//! `cavatica plan`: what would be sent, where to, and what stands against it.

use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cavatica_exports::model::destination::Template;
use cavatica_exports::model::manifest::{Manifest, Row, RowError};
use cavatica_exports::model::volume::expected_beginning;
use cavatica_exports::model::{Layout, Tri};
use cavatica_transfer::plan::{
    self, Existing, Filter, Glob, PlanOptions, PlanProgress, PlanReport, PlanTarget, PublicAcl,
    Selection,
};
use cavatica_transfer::{SplitOptions, SplitReport};
use serde::Serialize;

use crate::api;
use crate::args::{self, Global};
use crate::command::split;
use crate::command::status::prefix_words;
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::ui::{Bytes, Ui, counted};

/// How often a long plan says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: &args::Plan, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let found = api::credentials(global, ui)?;
    let client = api::client(global, found)?;
    let ignored = Ignored::default();
    let options = options(args, &ignored)?;
    let mut told = Instant::now();
    let mut tell = |so_far: PlanProgress| {
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            ui.note(format_args!(
                "{} files planned so far, {} left out",
                so_far.files, so_far.skipped
            ));
        }
    };
    let planned = plan::plan(&args.out, &client, options, &mut tell).await;
    warn_of_ignored(&ignored, ui);
    let report = planned.map_err(|error| refusal(error.into(), ui))?;
    let parts = args.parts.filter(|_| report.files > 0);
    let split = parts
        .map(|parts| {
            let folder = args.out.with_extension("parts");
            let options = SplitOptions::new(usize::from(parts), folder);
            split::carry_out(&args.out, &options, ui)
        })
        .transpose()?;
    if ui.is_json() {
        ui.json(&PlanDocument {
            report: &report,
            split: split.as_ref(),
        })?;
    } else {
        show(&report, ui)?;
        match &split {
            Some(split) => {
                ui.note(format_args!(
                    "nothing was sent yet; {}",
                    consequence(&report)
                ));
                split::show(split, ui)?;
            }
            None => say_how_to_start(&report, ui),
        }
    }
    Ok(if report.files == 0 {
        Exit::NothingToDo
    } else {
        Exit::Done
    })
}

/// What is asked for, as the engine has it.
fn options(args: &args::Plan, ignored: &Ignored) -> Result<PlanOptions, Failure> {
    let mut options = PlanOptions::new(
        selection(args, ignored)?,
        match (&args.target.volume, &args.target.bucket) {
            (Some(volume), _) => PlanTarget::Volume(volume.clone()),
            (None, Some(bucket)) => PlanTarget::Bucket(bucket.clone()),
            (None, None) => return Err(Failure::usage("no volume is named")),
        },
    );
    options.layout = Layout::new(
        args.prefix.clone(),
        match (&args.dest, args.flatten) {
            (Some(template), _) => template.clone(),
            (None, true) => Template::flat(),
            (None, false) => Template::default(),
        },
    );
    options.mode = args.mode.chosen();
    options.existing = match args.existing {
        args::Existing::Fail => Existing::Fail,
        args::Existing::Skip => Existing::Skip,
        args::Existing::Overwrite => Existing::Overwrite,
    };
    options.policies = args.policies.iter().cloned().collect();
    options.properties = args.properties.chosen()?.map_or(Tri::Absent, Tri::Value);
    options.public_acl = if args.properties.public {
        PublicAcl::Confirmed
    } else {
        PublicAcl::Refused
    };
    options.limit = args.limit;
    options.label = args.label.clone();
    options.metadata = args.metadata.clone();
    Ok(options)
}

/// A plan, and the parts that it was split into.
#[derive(Serialize)]
struct PlanDocument<'a> {
    #[serde(flatten)]
    report: &'a PlanReport,
    split: Option<&'a SplitReport>,
}

/// For people, what repeats itself is told once.
fn refusal(failure: Failure, ui: &Ui) -> Failure {
    if ui.is_json() {
        failure
    } else {
        shortened(failure)
    }
}

/// How many reasons of a refusal are printed for people.
const SHOWN: usize = 20;

/// The failure with its first reasons; the rest is counted.
fn shortened(mut failure: Failure) -> Failure {
    let more = failure.details.len().saturating_sub(SHOWN);
    if more > 0 {
        failure.details.truncate(SHOWN);
        failure.hints.insert(
            0,
            format!("there are {more} more of them; --json lists them"),
        );
    }
    failure
}

fn selection(args: &args::Plan, ignored: &Ignored) -> Result<Selection, Failure> {
    if let Some(project) = &args.selection.project {
        let mut filter = Filter::default();
        filter.names = args.names.iter().map(|name| Glob::new(name)).collect();
        filter.metadata = args.wanted.clone();
        filter.tags = args.tags.clone();
        return Ok(Selection::Project {
            project: project.clone(),
            folder: args.folder.clone(),
            filter,
        });
    }
    let Some(path) = &args.selection.manifest else {
        return Ok(Selection::Tasks(args.selection.tasks.clone()));
    };
    let name = path.display().to_string();
    let input: Box<dyn Read + Send> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let file = std::fs::File::open(path).map_err(|error| {
            Failure::usage(format!("the manifest {name} can't be read")).caused_by(error)
        })?;
        Box::new(BufReader::new(file))
    };
    let manifest = Manifest::open(name.clone(), input).map_err(|error| {
        let hint = hint::of_manifest(&error, path);
        let mut failure = Failure::usage("the manifest can't be read").caused_by(error);
        failure.hints.extend(hint);
        failure
    })?;
    Ok(Selection::Manifest {
        rows: Box::new(Rows {
            manifest,
            ignored: Arc::clone(ignored),
        }),
        name,
    })
}

/// The columns and keys that mean nothing, as far as a manifest was read.
type Ignored = Arc<Mutex<Vec<String>>>;

/// The rows of a manifest. Which keys of JSON lines mean nothing shows only while they are read.
struct Rows<R> {
    manifest: Manifest<R>,
    ignored: Ignored,
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.manifest.next();
        let mut ignored = self.ignored.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.manifest.ignored_columns();
        if now.len() > ignored.len() {
            *ignored = now.to_vec();
        }
        row
    }
}

fn warn_of_ignored(ignored: &Ignored, ui: &Ui) {
    let ignored = ignored.lock().unwrap_or_else(PoisonError::into_inner);
    if ignored.is_empty() {
        return;
    }
    let columns: Vec<_> = ignored
        .iter()
        .map(|column| format!("`{}`", column))
        .collect();
    ui.warn(format_args!(
        "the manifest has columns that mean nothing here: {}; see that none is misspelled",
        columns.join(", ")
    ));
}

fn show(report: &PlanReport, ui: &Ui) -> io::Result<()> {
    let PlanReport {
        mode,
        volume,
        volume_prefix,
        prefix,
        files,
        bytes,
        ..
    } = report;
    let bucket = report.bucket.as_deref().unwrap_or("an unknown bucket");
    let beginning = expected_beginning(volume_prefix);
    let keys = prefix_words(&format!("{beginning}{prefix}"));
    ui.sentence(format_args!(
        "{}, {}, to {mode} to volume {volume}: bucket {bucket}, {keys}",
        counted(*files, "file"),
        Bytes(*bytes)
    ))?;
    for sample in &report.sample {
        let path = sample.path.as_deref().unwrap_or(&sample.file_id);
        ui.line(format_args!("  {} -> {}", path, sample.key))?;
    }
    if *files > report.sample.len() as u64 {
        ui.line("  ...")?;
    }
    if !volume_prefix.is_empty() {
        ui.note(
            "these are the keys that are expected; no page says how the platform joins a volume's prefix and a location",
        );
    }
    show_left_out(report, ui)?;
    for warning in &report.warnings {
        let files = match warning.files {
            0 => String::new(),
            files => format!("{}, the first is ", counted(files, "file")),
        };
        ui.warn(format_args!(
            "{files}{}; {}",
            warning.message, warning.remedy
        ));
    }
    for twins in &report.collisions {
        let locations: Vec<String> = twins.locations.iter().map(ToString::to_string).collect();
        let what = match twins.kind {
            "nested" => "the first of these is the folder of the second, and no disk can hold both",
            _ => {
                "these differ only in letter case, Unicode form or what nobody sees, and will meet on a disk that doesn't tell them apart"
            }
        };
        ui.warn(format_args!("{what}: {}", locations.join(", ")));
    }
    if *files == 0 && report.skipped.is_empty() {
        ui.note("nothing was found, so no transfer was written");
        return Ok(());
    }
    ui.line(format_args!("fingerprint {}", report.fingerprint))?;
    Ok(())
}

/// What starting it will have done.
fn consequence(report: &PlanReport) -> &'static str {
    match report.mode {
        "move" => "the platform's copies will be deleted, which can't be undone",
        _ => "the platform keeps its copies",
    }
}

fn say_how_to_start(report: &PlanReport, ui: &Ui) {
    if report.files > 0 {
        let transfer = hint::path_word(Path::new(&report.transfer));
        ui.note(format_args!(
            "nothing was sent yet; {}; to start it, or to start exactly what was looked at:",
            consequence(report)
        ));
        ui.command(format_args!("cavatica run {transfer} --yes"));
        ui.command(format_args!(
            "cavatica run {transfer} --approve {}",
            report.fingerprint
        ));
    }
}

/// What isn't sent: how many files of each kind, and the first of them with their reasons.
fn show_left_out(report: &PlanReport, ui: &Ui) -> io::Result<()> {
    for (kind, files) in &report.skipped {
        ui.line(format_args!(
            "left out: {}, {kind}",
            counted(*files, "file")
        ))?;
        let named: Vec<_> = report
            .left_out
            .iter()
            .filter(|file| file.kind == *kind)
            .collect();
        for file in &named {
            ui.sentence(format_args!("  {}: {}", file, file.reason))?;
        }
        if *files > named.len() as u64 {
            ui.line("  ...")?;
        }
    }
    Ok(())
}
