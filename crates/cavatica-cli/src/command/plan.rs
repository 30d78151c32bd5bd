//! `cavatica plan`: what would be sent, where to, and what stands against it.

use std::io::{self, BufReader, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use cavatica_exports::model::manifest::{Manifest, ManifestError};
use cavatica_exports::model::{Layout, Location, Template, Tri, expected_beginning, visible};
use cavatica_exports::transport;
use cavatica_exports::{ListError, Projects};
use cavatica_transfer::plan::{
    self, Existing, Filter, Glob, PlanError, PlanOptions, PlanProgress, PlanReport, PublicAcl,
    Selection, Target,
};
use indicatif::HumanBytes;
use jiff::Timestamp;

use crate::api;
use crate::args::{self, Global};
use crate::command::projects::with_suggestion;
use crate::command::status::prefix_words;
use crate::credentials::{self, Environment};
use crate::exit::{Detail, Exit, Failure};
use crate::hint;
use crate::ui::{Ui, counted};

/// How often a long plan says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: &args::Plan, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let found = credentials::find(global, &Environment::read())?;
    let endpoint = found.endpoint.to_string();
    let client = api::client(global, found)?;
    let options = PlanOptions {
        endpoint,
        selection: selection(args, ui)?,
        target: match (&args.target.volume, &args.target.bucket) {
            (Some(volume), _) => Target::Volume(volume.clone()),
            (None, Some(bucket)) => Target::Bucket(bucket.clone()),
            (None, None) => return Err(Failure::usage("no volume is named")),
        },
        layout: Layout {
            prefix: args.prefix.clone(),
            template: match (&args.dest, args.flatten) {
                (Some(template), _) => template.clone(),
                (None, true) => Template::flat(),
                (None, false) => Template::default(),
            },
        },
        mode: args.mode.chosen(),
        existing: match args.existing {
            args::Existing::Fail => Existing::Fail,
            args::Existing::Skip => Existing::Skip,
            args::Existing::Overwrite => Existing::Overwrite,
        },
        policies: args.policies.iter().cloned().collect(),
        properties: args.properties.chosen()?.map_or(Tri::Absent, Tri::Value),
        public_acl: if args.properties.public {
            PublicAcl::Confirmed
        } else {
            PublicAcl::Refused
        },
        limit: args.limit,
        label: args.label.clone(),
        metadata: args.metadata.clone(),
    };
    let now = Timestamp::now();
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
    let planned = plan::plan(&args.out, &client, options, now, &mut tell).await;
    let report = match (planned, &args.selection.project) {
        (Ok(report), _) => report,
        (Err(error), None) => return Err(error.into()),
        (Err(error), Some(project)) => {
            let projects = Projects::new(client.clone());
            return Err(with_suggestion(error.into(), project, &projects).await);
        }
    };
    if ui.is_json() {
        ui.json(&report)?;
    } else {
        show(&report, ui)?;
    }
    Ok(if report.files == 0 {
        Exit::NothingToDo
    } else {
        Exit::Done
    })
}

fn selection(args: &args::Plan, ui: &Ui) -> Result<Selection, Failure> {
    if let Some(project) = &args.selection.project {
        return Ok(Selection::Project {
            project: project.clone(),
            folder: args.folder.clone(),
            filter: Filter {
                names: args.names.iter().map(|name| Glob::new(name)).collect(),
                metadata: args.wanted.clone(),
                tags: args.tags.clone(),
            },
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
        let hint = match error {
            ManifestError::Misspelled { .. } => hint::COLUMN,
            _ => hint::MANIFEST,
        };
        Failure::usage("the manifest can't be read")
            .caused_by(error)
            .hint(hint)
    })?;
    if let columns @ [_, ..] = manifest.ignored_columns() {
        let columns: Vec<_> = columns
            .iter()
            .map(|column| format!("`{}`", visible(column)))
            .collect();
        ui.warn(format_args!(
            "{name} has columns that mean nothing here: {}; see that none is misspelled",
            columns.join(", ")
        ));
    }
    Ok(Selection::Manifest {
        name,
        rows: Box::new(manifest),
    })
}

fn show(report: &PlanReport, ui: &Ui) -> io::Result<()> {
    let PlanReport {
        transfer,
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
        HumanBytes(*bytes)
    ))?;
    for sample in &report.sample {
        let path = sample.path.as_deref().unwrap_or(&sample.file_id);
        ui.line(format_args!(
            "  {} -> {}",
            visible(path),
            visible(&sample.key)
        ))?;
    }
    if *files > report.sample.len() as u64 {
        ui.line("  ...")?;
    }
    if !volume_prefix.is_empty() {
        ui.note(
            "these are the keys that are expected; no page says how the platform joins a volume's prefix and a location",
        );
    }
    for (kind, files) in &report.skipped {
        ui.line(format_args!(
            "left out: {}, {kind}",
            counted(*files, "file")
        ))?;
    }
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
        ui.warn(format_args!(
            "these differ only in letter case or Unicode form, and will meet on a disk that doesn't tell them apart: {}",
            twins.locations.join(", ")
        ));
    }
    ui.line(format_args!("fingerprint {}", report.fingerprint))?;
    if *files > 0 {
        let consequence = match *mode {
            "move" => "the platform's copies will be deleted, which can't be undone",
            _ => "the platform keeps its copies",
        };
        let transfer = hint::shell_word(transfer);
        ui.note(format_args!(
            "nothing was sent yet; {consequence}; to start it, or to start exactly what was looked at:"
        ));
        ui.command(format_args!("cavatica run {transfer} --yes"));
        ui.command(format_args!(
            "cavatica run {transfer} --approve {}",
            report.fingerprint
        ));
    }
    Ok(())
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let message = error.to_string();
        match error {
            PlanError::Call(error) => of_call(error),
            PlanError::List(ListError::Call(error)) => of_call(error),
            PlanError::List(error) => error.into(),
            PlanError::Journal(error) => error.into(),
            PlanError::Volume { objections, .. } => {
                let mut failure =
                    Failure::usage("the volume takes no exports, nothing was planned")
                        .hint(hint::VOLUMES);
                failure.details = objections.iter().map(Detail::from).collect();
                failure
            }
            PlanError::Properties { objections } => {
                let mut failure =
                    Failure::usage("what is asked of S3 can't be had, nothing was planned");
                failure.details = objections.iter().map(Detail::from).collect();
                failure
            }
            PlanError::NoVolume { .. } | PlanError::ManyVolumes { .. } => {
                Failure::usage(message).hint("`cavatica volumes list` shows those that you can see")
            }
            PlanError::NoFolder { ref path } => {
                Failure::usage(message).hint(match Location::of_windows_path(path) {
                    Some(path) => format!("folders are parted by `/`: say `{path}`"),
                    None => {
                        "`cavatica files list --project OWNER/NAME --recursive` shows the folders"
                            .to_owned()
                    }
                })
            }
            PlanError::Manifest { errors } => {
                let mut failure = Failure::usage(message);
                for error in &errors {
                    failure
                        .details
                        .extend(error.problems.iter().map(|problem| Detail {
                            name: format!("line {}", error.line),
                            message: problem.to_string(),
                            remedy: String::new(),
                        }));
                }
                failure.hint("`cavatica check` names every bad row, and needs no account")
            }
            PlanError::Refused(refusal) => {
                let mut failure = Failure::usage("the plan is refused, nothing was planned");
                let same = refusal.collisions.iter().map(|collision| Detail {
                    name: "same-location".to_owned(),
                    message: format!(
                        "{} files would go to `{}`: {}",
                        collision.files,
                        collision.locations.join("`, `"),
                        collision.file_ids.join(", ")
                    ),
                    remedy: "choose another --dest, for instance {path}/{name}, or leave one of them out"
                        .to_owned(),
                });
                let refused = refusal.refused.iter().map(|file| Detail {
                    name: file.kind.clone(),
                    message: format!(
                        "{}: {}",
                        file.path
                            .as_deref()
                            .or(file.file_id.as_deref())
                            .unwrap_or("a file"),
                        file.reason
                    ),
                    remedy: match file.kind.as_str() {
                        "exists" => {
                            "leave such files out with --existing skip, or choose another prefix"
                                .to_owned()
                        }
                        "public-acl" => "choose `private` or `bucket-owner-full-control` in the manifest; if the data are meant for everybody, say --public".to_owned(),
                        "kms-key-without-kms" | "kms-key-twice" => {
                            "put what the manifest asks for this file right".to_owned()
                        }
                        kind => format!("leave such files out with --on {kind}=skip"),
                    },
                });
                failure.details = same.chain(refused).collect();
                failure
            }
            _ => Failure::usage(message),
        }
    }
}

fn of_call(error: transport::Error) -> Failure {
    error.into()
}
