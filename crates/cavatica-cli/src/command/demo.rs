//! `cavatica demo`: the whole job on a sandbox, through the same code that talks to the platform.

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cavatica_exports::model::{
    self, CheckedExport, ExportBatch, ExportJob, ExportMode, ExportRequest, ExportState, Fate,
    File, JobDestination, Open, ProjectId, StartedJob, Tri, Volume, VolumeId,
};
use cavatica_exports::transport::{Client, Token};
use cavatica_exports::{Cavatica, Parent};
use cavatica_sandbox::Sandbox;
use indicatif::HumanBytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::args;
use crate::exit::{Exit, Failure};
use crate::ui::{Ui, counted};

mod world;

use world::{made_up_files, start};

const PROJECT: &str = "sandbox/demo";
const VOLUME: &str = "sandbox/output";
const READ_ONLY: &str = "sandbox/readonly";

/// A file of the project, and its path there.
struct Entry {
    path: String,
    file: File,
}

/// What the demo did, in the shape that it prints as JSON.
#[derive(Debug, Serialize)]
struct Story {
    project: &'static str,
    volume: &'static str,
    files: usize,
    bytes: u64,
    warnings: Vec<Remark>,
    refused: Vec<Remark>,
    exported: Vec<Exported>,
    differ: usize,
    aliases: usize,
    objects: PathBuf,
}

/// A word about a file, from the check or from the platform.
#[derive(Debug, Serialize)]
struct Remark {
    path: String,
    volume: VolumeId,
    message: String,
}

/// An object beside the file that it was made of.
#[derive(Debug, Serialize)]
struct Exported {
    location: String,
    sha256: String,
    same: bool,
}

/// Who tells the story: as it goes on to people, at its end to programs.
struct Teller<'a> {
    ui: &'a Ui,
    story: Story,
}

impl Teller<'_> {
    fn line(&self, text: impl Display) -> io::Result<()> {
        if self.ui.is_json() {
            return Ok(());
        }
        // What is said of a file hangs behind the word for it.
        self.ui.hanging("", text, 12)
    }

    fn heading(&self, text: impl Display) -> io::Result<()> {
        self.line("")?;
        self.line(text)
    }
}

pub(crate) async fn run(args: &args::Demo, ui: &Ui) -> Result<Exit, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("cavatica-demo-")
        .tempdir()
        .map_err(Failure::no_temporary_file)?
        .keep();
    let source = match &args.from {
        Some(own) if own.is_dir() => own.clone(),
        Some(own) => return Err(Failure::usage(format!("{} is no folder", own.display()))),
        None => made_up_files(&folder.join("files"))?,
    };
    let sandbox = start(&source, &folder.join("sandbox")).await?;
    let api = connect(&sandbox)?;
    let mut teller = Teller {
        ui,
        story: Story {
            project: PROJECT,
            volume: VOLUME,
            files: 0,
            bytes: 0,
            warnings: Vec::new(),
            refused: Vec::new(),
            exported: Vec::new(),
            differ: 0,
            aliases: 0,
            objects: folder.join("sandbox/volumes").join(VOLUME),
        },
    };

    teller.heading("1. A sandbox stands in for the platform; nothing leaves this machine")?;
    teller.line(format_args!("   {}", sandbox.endpoint()))?;

    let project = Parent::Project(PROJECT.parse().expect("a constant"));
    let entries = tree(&api, project.clone()).await?;
    let sizes = entries.iter().filter_map(|entry| entry.file.size.value());
    (teller.story.files, teller.story.bytes) = (entries.len(), sizes.sum());
    teller.heading(format_args!(
        "2. The project {PROJECT} holds {}, {}",
        several(entries.len(), "file"),
        HumanBytes(teller.story.bytes)
    ))?;

    teller.heading("3. Each file is checked before anything is sent")?;
    let exports = check(&api, &entries, &mut teller).await?;

    let are = if exports.len() == 1 { "is" } else { "are" };
    teller.heading(format_args!(
        "4. {} {are} started, to be moved to the volume {VOLUME}",
        several(exports.len(), "export")
    ))?;
    let jobs = start_all(&api, exports, &mut teller).await?;
    let completed = follow(&api, &jobs, &teller).await?;

    teller.heading("5. The objects are compared with the files that they were made of")?;
    compare(&completed, &source, &mut teller)?;

    let moved = tree(&api, project).await?;
    teller.story.aliases = aliases(&moved) - aliases(&entries);
    teller.heading(format_args!(
        "6. The platform's copies are gone; files that became aliases: {}",
        teller.story.aliases
    ))?;
    sandbox.stop().await;

    let Teller { ui, story } = teller;
    if ui.is_json() {
        ui.json(&story)?;
    } else {
        ui.line("")?;
        ui.line(format_args!(
            "{} exported, {} differ, {} refused",
            several(story.exported.len(), "file"),
            story.differ,
            story.refused.len()
        ))?;
        ui.line(format_args!(
            "The exported files lie in {}",
            story.objects.display()
        ))?;
    }
    Ok(if story.differ == 0 && completed.len() == jobs.len() {
        Exit::Done
    } else {
        Exit::SomeFailed
    })
}

fn aliases(entries: &[Entry]) -> usize {
    let aliases = entries.iter().filter(|entry| entry.file.is_alias());
    aliases.count()
}

fn several(count: usize, noun: &str) -> String {
    counted(count as u64, noun)
}

fn connect(sandbox: &Sandbox) -> Result<Cavatica, Failure> {
    let broken = |error: Box<dyn std::error::Error + Send + Sync>| {
        Failure::new(Exit::Other, "the sandbox can't be reached").caused_by(error)
    };
    let endpoint = sandbox
        .endpoint()
        .parse()
        .map_err(|error| broken(Box::new(error)))?;
    let token = Token::new(sandbox.token().to_owned()).map_err(|error| broken(Box::new(error)))?;
    let client = Client::builder(endpoint, token)
        .build()
        .map_err(|error| broken(Box::new(error)))?;
    Ok(Cavatica::new(client))
}

/// Every file below, however deep.
async fn tree(api: &Cavatica, top: Parent) -> Result<Vec<Entry>, Failure> {
    let mut walk = api.files.walk(top, "");
    let mut files = Vec::new();
    while let Some(page) = walk.next_page().await? {
        for entry in &page.entries {
            if let model::Entry::Read(file) = entry
                && !file.is_folder()
            {
                let (path, file) = (page.path_of(file), file.clone());
                files.push(Entry { path, file });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Checks every file against the volume, and shows what else would be refused.
async fn check(
    api: &Cavatica,
    entries: &[Entry],
    teller: &mut Teller<'_>,
) -> Result<Vec<CheckedExport>, Failure> {
    let volume = |id: &str| id.parse().expect("a constant");
    let output = api.volumes.get(&volume(VOLUME)).await?.value;
    let mut exports = Vec::new();
    for entry in entries {
        let remark = |message: String| Remark {
            path: entry.path.clone(),
            volume: output.id.clone(),
            message,
        };
        match checked(&entry.path, &entry.file, &output) {
            Ok(export) => {
                for warning in export.warnings() {
                    teller.line(format_args!("   warning  {}: {warning}", entry.path))?;
                    teller.story.warnings.push(remark(warning.to_string()));
                }
                exports.push(export);
            }
            Err(reason) => {
                teller.line(format_args!("   refused  {}: {reason}", entry.path))?;
                teller.story.refused.push(remark(reason.to_string()));
            }
        }
    }
    let public = Parent::Project(ProjectId::PUBLIC.parse().expect("a constant"));
    let public = api.files.list(&public).collect().await?;
    let read_only = api.volumes.get(&volume(READ_ONLY)).await?.value;
    let others = public.iter().map(|file| (file, &output));
    let first = entries.iter().take(1);
    let others = others.chain(first.map(|entry| (&entry.file, &read_only)));
    for (file, volume) in others {
        let name = file.name.value().map_or("", String::as_str);
        if let Err(reason) = checked(name, file, volume) {
            teller.line(format_args!(
                "   refused  {name} to {}: {reason}",
                volume.id
            ))?;
            teller.story.refused.push(Remark {
                path: name.to_owned(),
                volume: volume.id.clone(),
                message: reason.to_string(),
            });
        }
    }
    Ok(exports)
}

fn checked(
    path: &str,
    file: &File,
    volume: &Volume,
) -> Result<CheckedExport, Box<dyn std::error::Error>> {
    let request = ExportRequest::new(file.id.clone(), volume.id.clone(), path.parse()?);
    Ok(request.check(file, volume)?)
}

/// Starts everything, 100 with each request, and shows what the platform itself refuses.
async fn start_all(
    api: &Cavatica,
    exports: Vec<CheckedExport>,
    teller: &mut Teller<'_>,
) -> Result<Vec<StartedJob>, Failure> {
    let mut jobs = Vec::new();
    for batch in ExportBatch::chunks(exports).expect("every file has a path of its own") {
        let answer = api.exports.start_each(&batch, ExportMode::Move).await?;
        for (export, fate) in batch.iter().zip(answer.by_request(&batch)) {
            let destination = &export.request().destination;
            let message = match fate {
                Fate::Accepted(job) => {
                    jobs.push(*job);
                    continue;
                }
                Fate::Refused(error) => error.to_string(),
                Fate::Missing => "the answer doesn't say".to_owned(),
            };
            teller.line(format_args!(
                "   refused  {}: {message}",
                destination.location
            ))?;
            teller.story.refused.push(Remark {
                path: destination.location.to_string(),
                volume: destination.volume.clone(),
                message,
            });
        }
    }
    Ok(jobs)
}

/// Shows each job's way to its end.
async fn follow(
    api: &Cavatica,
    jobs: &[StartedJob],
    teller: &Teller<'_>,
) -> Result<Vec<ExportJob>, Failure> {
    let mut watch = api.exports.watch(jobs.iter().map(|job| job.id.clone()));
    let mut completed = Vec::new();
    for job in jobs {
        say(&job.state, &job.destination, teller)?;
    }
    while let Some(changed) = watch.next().await? {
        for job in changed {
            if !job.state.is(ExportState::Pending) {
                say(&job.state, &job.destination, teller)?;
            }
            if job.state.is(ExportState::Completed) {
                completed.push(job);
            }
        }
    }
    Ok(completed)
}

fn say(
    state: &Open<ExportState>,
    destination: &Tri<JobDestination>,
    teller: &Teller<'_>,
) -> io::Result<()> {
    let destination = destination.value();
    let location = destination.map_or("", |destination| destination.location.as_str());
    teller.line(format_args!("   {state:<9}  {location}"))
}

/// Compares the objects with the files that they were made of.
fn compare(completed: &[ExportJob], source: &Path, teller: &mut Teller<'_>) -> Result<(), Failure> {
    for job in completed {
        let location = job
            .destination
            .value()
            .map_or("", |destination| destination.location.as_str());
        let before = checksum(&source.join(location))?;
        let sha256 = checksum(&teller.story.objects.join(location))?;
        let same = before == sha256;
        let word = if same { "same" } else { "DIFFERS" };
        teller.line(format_args!(
            "   {word}  sha256 {}  {location}",
            &sha256[..16]
        ))?;
        teller.story.differ += usize::from(!same);
        teller.story.exported.push(Exported {
            location: location.to_owned(),
            sha256,
            same,
        });
    }
    Ok(())
}

fn checksum(path: &Path) -> Result<String, Failure> {
    let unreadable = |error: io::Error| {
        Failure::new(Exit::Other, format!("{} can't be read", path.display())).caused_by(error)
    };
    let mut digest = Sha256::new();
    let mut file = fs::File::open(path).map_err(unreadable)?;
    let mut chunk = vec![0; 64 << 10];
    loop {
        match io::Read::read(&mut file, &mut chunk).map_err(unreadable)? {
            0 => break,
            read => digest.update(&chunk[..read]),
        }
    }
    Ok(digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
