//! `cavatica demo`: the whole job on a sandbox, through the same code that talks to the platform.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cavatica_exports::Parent;
use cavatica_exports::model::{
    Batch, BulkItem, CheckedExport, ExportJob, ExportMode, ExportRequest, ExportState, File,
    ProjectId, Volume,
};
use cavatica_exports::transport::{Client, Token};
use cavatica_sandbox::{FileSeed, ProjectSeed, Sandbox, VolumeSeed};
use indicatif::HumanBytes;
use sha2::{Digest, Sha256};

use crate::api::Api;
use crate::args;
use crate::exit::{Exit, Failure};
use crate::ui::Ui;

const PROJECT: &str = "sandbox/demo";
const VOLUME: &str = "sandbox/output";
const READ_ONLY: &str = "sandbox/readonly";

/// A file of the project, and its path there.
struct Entry {
    path: String,
    file: File,
}

pub(crate) async fn run(args: &args::Demo, ui: &Ui) -> Result<Exit, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("cavatica-demo-")
        .tempdir()?
        .keep();
    let source = match &args.from {
        Some(own) if own.is_dir() => own.clone(),
        Some(own) => return Err(Failure::usage(format!("{} is no folder", own.display()))),
        None => made_up_files(&folder.join("files"))?,
    };
    let sandbox = start(&source, &folder.join("sandbox")).await?;
    let api = connect(&sandbox)?;

    heading(
        ui,
        "1. A sandbox stands in for the platform; nothing leaves this machine",
    )?;
    ui.line(format_args!("   {}", sandbox.endpoint()))?;

    let entries = tree(&api, Parent::Project(PROJECT.parse().expect("a constant"))).await?;
    let bytes = HumanBytes(
        entries
            .iter()
            .filter_map(|entry| entry.file.size.value())
            .sum(),
    );
    heading(
        ui,
        format_args!(
            "2. The project {PROJECT} holds {} files, {bytes}",
            entries.len()
        ),
    )?;

    heading(ui, "3. Each file is checked before anything is sent")?;
    let volume = api
        .volumes
        .get(&VOLUME.parse().expect("a constant"))
        .await?
        .value;
    let (exports, refused) = check(&api, &entries, &volume, ui).await?;

    heading(
        ui,
        format_args!(
            "4. {} exports are started, to be moved to the volume {VOLUME}",
            exports.len()
        ),
    )?;
    let (jobs, refused_by_platform) = start_all(&api, exports, ui).await?;
    let completed = follow(&api, &jobs, ui).await?;

    heading(
        ui,
        "5. The objects are compared with the files that they were made of",
    )?;
    let objects = folder.join("sandbox/volumes").join(VOLUME);
    let differ = compare(&completed, &source, &objects, ui)?;

    let moved = tree(&api, Parent::Project(PROJECT.parse().expect("a constant"))).await?;
    let aliases = moved.iter().filter(|entry| entry.file.is_alias()).count();
    heading(
        ui,
        format_args!("6. The platform's copies are gone: {aliases} of its files are aliases now"),
    )?;
    sandbox.stop().await;

    let refused = refused + refused_by_platform;
    ui.line(format_args!(
        "\n{} files exported, {differ} differ, {refused} refused",
        completed.len()
    ))?;
    ui.line(format_args!(
        "The exported files lie in {}",
        objects.display()
    ))?;
    Ok(if differ == 0 && completed.len() == jobs.len() {
        Exit::Done
    } else {
        Exit::SomeFailed
    })
}

fn heading(ui: &Ui, text: impl std::fmt::Display) -> io::Result<()> {
    ui.line(format_args!("\n{text}"))
}

/// A small cohort's results: nested folders, an odd name, an empty file.
fn made_up_files(folder: &Path) -> io::Result<PathBuf> {
    let variant = "1\t10177\trs367896724\tA\tAC\t100\tPASS\tAC=2130;AF=0.425\n";
    let calls = |count: usize| {
        format!(
            "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{}",
            variant.repeat(count)
        )
    };
    let reads = "GATTACAACGTTTACGGAATCC".repeat(100_000);
    let files = [
        ("README.txt", "Results of a made-up trio.\n".to_owned()),
        ("results/NA12878/calls.vcf", calls(20_000)),
        ("results/NA12878/reads.bam", reads.clone()),
        ("results/NA12878/reads.bam.bai", "index\n".to_owned()),
        ("results/NA12891/calls.vcf", calls(18_000)),
        ("results/NA12891/reads.bam", reads),
        (
            "results/joint/50% done, #1 (a+b).txt",
            "Names may hold almost anything.\n".to_owned(),
        ),
        ("results/joint/empty.log", String::new()),
    ];
    for (path, content) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("every path has a folder"))?;
        fs::write(path, content)?;
    }
    Ok(folder.to_owned())
}

/// The reader's files, and beside them one of each kind that can't be exported.
async fn start(source: &Path, data: &Path) -> Result<Sandbox, Failure> {
    let project = ProjectSeed::new(PROJECT)
        .from_dir(source)
        .with(FileSeed::alias(
            "cannot be exported/exported before.bam",
            VOLUME,
            "earlier/exported.bam",
            9,
        ))
        .with(FileSeed::bytes("cannot be exported/archived.tar", "long ago\n").archived())
        .with(
            FileSeed::bytes(
                "cannot be exported/copy of a public file.fa",
                ">chr1\nACGT\n",
            )
            .public_copy(),
        );
    let public =
        ProjectSeed::new(ProjectId::PUBLIC).file("human_g1k_v37_decoy.fasta", ">1\nNNNN\n");
    Sandbox::builder()
        .data(data)
        .project(project)
        .project(public)
        .volume(VolumeSeed::s3(VOLUME).object("earlier/exported.bam", "alignment"))
        .volume(VolumeSeed::s3(READ_ONLY).read_only())
        // Long enough to be seen running.
        .job_duration(Duration::from_millis(600)..=Duration::from_millis(1800))
        .start()
        .await
        .map_err(|error| {
            Failure::new(Exit::Other, "the sandbox could not be started").caused_by(error)
        })
}

fn connect(sandbox: &Sandbox) -> Result<Api, Failure> {
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
    Ok(Api::over(&client))
}

/// Every file below, however deep.
async fn tree(api: &Api, top: Parent) -> Result<Vec<Entry>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![(String::new(), top)];
    while let Some((path, parent)) = folders.pop() {
        for file in api.files.list(&parent).collect().await? {
            let path = format!(
                "{path}{}",
                file.name.value().map_or(file.id.as_str(), String::as_str)
            );
            if file.is_folder() {
                folders.push((format!("{path}/"), Parent::Folder(file.id)));
            } else {
                files.push(Entry { path, file });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Checks every file against the volume, and shows what else would be refused.
async fn check(
    api: &Api,
    entries: &[Entry],
    volume: &Volume,
    ui: &Ui,
) -> Result<(Vec<CheckedExport>, usize), Failure> {
    let mut exports = Vec::new();
    let mut refused = 0;
    for entry in entries {
        match checked(&entry.path, &entry.file, volume) {
            Ok(export) => {
                for warning in export.warnings() {
                    ui.line(format_args!("   warning  {}: {warning}", entry.path))?;
                }
                exports.push(export);
            }
            Err(reason) => {
                refused += 1;
                ui.line(format_args!("   refused  {}: {reason}", entry.path))?;
            }
        }
    }
    let public = Parent::Project(ProjectId::PUBLIC.parse().expect("a constant"));
    let public = api.files.list(&public).collect().await?;
    let read_only = api
        .volumes
        .get(&READ_ONLY.parse().expect("a constant"))
        .await?
        .value;
    let others = public.iter().map(|file| (file, volume));
    let others = others.chain(
        entries
            .iter()
            .take(1)
            .map(|entry| (&entry.file, &read_only)),
    );
    for (file, volume) in others {
        let name = file.name.value().map_or("", String::as_str);
        if let Err(reason) = checked(name, file, volume) {
            refused += 1;
            ui.line(format_args!(
                "   refused  {name} to {}: {reason}",
                volume.id
            ))?;
        }
    }
    Ok((exports, refused))
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
    api: &Api,
    exports: Vec<CheckedExport>,
    ui: &Ui,
) -> Result<(Vec<ExportJob>, usize), Failure> {
    let mut jobs = Vec::new();
    let mut refused = 0;
    for exports in exports.chunks(Batch::<CheckedExport>::MAX) {
        let batch = Batch::new(exports.to_vec()).expect("chunks have 1 to MAX items");
        let answer = api
            .exports
            .start_bulk(&batch, ExportMode::Move)
            .await?
            .value;
        // The sandbox keeps the order; the engine doesn't rely on it.
        for (item, export) in answer.items.into_iter().zip(exports) {
            match item {
                BulkItem::Resource(job, _) => jobs.push(job),
                other => {
                    refused += 1;
                    ui.line(format_args!(
                        "   refused  {}: {other}",
                        export.request().destination.location
                    ))?;
                }
            }
        }
    }
    Ok((jobs, refused))
}

/// Shows each job's way to its end.
async fn follow(api: &Api, jobs: &[ExportJob], ui: &Ui) -> Result<Vec<ExportJob>, Failure> {
    let mut watch = api.exports.watch(jobs.iter().map(|job| job.id.clone()));
    let mut completed = Vec::new();
    for job in jobs {
        say(job, ui)?;
    }
    while let Some(changed) = watch.next().await? {
        for job in changed {
            if !job.state.is(ExportState::Pending) {
                say(&job, ui)?;
            }
            if job.state.is(ExportState::Completed) {
                completed.push(job);
            }
        }
    }
    Ok(completed)
}

fn say(job: &ExportJob, ui: &Ui) -> io::Result<()> {
    let location = job
        .destination
        .value()
        .map_or("", |destination| destination.location.as_str());
    ui.line(format_args!("   {:<9}  {location}", job.state))
}

/// How many objects differ from the files that they were made of.
fn compare(
    completed: &[ExportJob],
    source: &Path,
    objects: &Path,
    ui: &Ui,
) -> Result<usize, Failure> {
    let mut differ = 0;
    for job in completed {
        let location = job
            .destination
            .value()
            .map_or("", |destination| destination.location.as_str());
        let (before, after) = (
            checksum(&source.join(location))?,
            checksum(&objects.join(location))?,
        );
        differ += usize::from(before != after);
        let word = if before == after { "same" } else { "DIFFERS" };
        ui.line(format_args!(
            "   {word}  sha256 {}  {location}",
            &after[..16]
        ))?;
    }
    Ok(differ)
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
