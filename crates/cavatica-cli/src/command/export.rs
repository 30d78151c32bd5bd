//! `cavatica export`: one file.

use std::time::Duration;

use cavatica_exports::model::file::FileRef;
use cavatica_exports::model::wire::{Open, OpenName};
use cavatica_exports::model::{
    CheckedExport, ExportJob, ExportMode, ExportProperties, ExportRequest, ExportState, Tri,
    VolumeId,
};
use cavatica_exports::transport::{Error, Outcome};
use cavatica_exports::{Cavatica, Missing, OnceError, Resource, Started};
use cavatica_transfer::journal::Copying;

use crate::api;
use crate::args;
use crate::command::jobs;
use crate::copying::{self, Memory};
use crate::credentials::Environment;
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::ui::Ui;

/// How often an export is sent that the platform refuses for now.
const STARTS: u32 = 3;

pub(crate) async fn run(args: &args::Export, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    let mode = args.mode.chosen();
    let memory = CopyMemory::of(mode, api).await?;
    memory.allows(args)?;
    let export = checked(args, api, ui).await?;
    let job = match start_patiently(&export, mode, args, api, ui).await? {
        Some(job) => job,
        None => {
            ui.note("the answer was lost, but the file is an alias of the new object: the export has completed");
            return Ok(Exit::Done);
        }
    };
    if !args.wait && !args.canary {
        return jobs::show(&job, ui).map(|()| Exit::Done);
    }
    ui.note(jobs::line(&job, ui));
    let job = follow(api, &job, args, ui).await?;
    jobs::show(&job, ui)?;
    if mode == ExportMode::Copy && job.state.is(ExportState::Completed) {
        let kept = keeps_source(&export, api).await?;
        memory.note(args, kept, ui);
        if !kept {
            return Err(Failure::new(
                Exit::SomeFailed,
                format!("file {} was moved, although a copy was asked for", export.request().source.file),
            )
            .hint("the platform ignored `copy_only`; the object on the volume is now the only copy of the file"));
        }
    }
    jobs::verdict(std::slice::from_ref(&job))
}

/// What is remembered of copies on this platform, with this account.
struct CopyMemory {
    memory: Memory,
    endpoint: String,
    /// `None` where nothing is copied.
    account: Option<String>,
}

impl CopyMemory {
    async fn of(mode: ExportMode, api: &Cavatica) -> Result<Self, Failure> {
        let account = match mode {
            ExportMode::Move => None,
            ExportMode::Copy => {
                let user = api.account.user().await?.value;
                Some(user.username.into_value().unwrap_or_default())
            }
        };
        Ok(CopyMemory {
            memory: Memory::of(&Environment::read()),
            endpoint: api.client.endpoint().to_string(),
            account,
        })
    }

    fn allows(&self, args: &args::Export) -> Result<(), Failure> {
        let Some(account) = &self.account else {
            return Ok(());
        };
        let moves = self.memory.copying(&self.endpoint, account) == Copying::MovesSource;
        if moves && !args.canary {
            return Err(copying::refusal(args.volume.as_str()));
        }
        Ok(())
    }

    /// A move is always remembered; that the source was kept, where somebody wanted to see it.
    fn note(&self, args: &args::Export, kept: bool, ui: &Ui) {
        let Some(account) = &self.account else { return };
        let copying = match (kept, args.canary) {
            (false, _) => Copying::MovesSource,
            (true, true) => {
                ui.note("the platform kept the source of the copy: files are copied again");
                Copying::KeepsSource
            }
            (true, false) => return,
        };
        self.memory.note(&self.endpoint, account, copying, ui);
    }
}

/// Starts the export; again where the platform refused it for now, and nothing of it is there.
async fn start_patiently(
    export: &CheckedExport,
    mode: ExportMode,
    args: &args::Export,
    api: &Cavatica,
    ui: &Ui,
) -> Result<Option<ExportJob>, Failure> {
    for attempt in 1..=STARTS {
        match start(export, mode, args.settle, api, ui).await? {
            Began::Job(job) => return Ok(Some(*job)),
            Began::Completed => return Ok(None),
            Began::RefusedForNow if attempt < STARTS => {
                ui.note("the platform refused it for now, and has no such job: it is sent again");
            }
            Began::RefusedForNow => {}
        }
    }
    Err(Failure::new(
        Exit::Other,
        "the platform refuses exports for now; none was started",
    )
    .hint("try again later"))
}

/// What became of a start.
enum Began {
    Job(Box<ExportJob>),
    /// It has completed without showing its job.
    Completed,
    /// The platform refused it for now, and it is proven that it has no such job.
    RefusedForNow,
}

/// Starts the export once, whatever happens to the answer.
async fn start(
    export: &CheckedExport,
    mode: ExportMode,
    settle: Duration,
    api: &Cavatica,
    ui: &Ui,
) -> Result<Began, Failure> {
    let once = api.exports.start_once(export, mode, settle);
    tokio::pin!(once);
    let started = tokio::select! {
        started = &mut once => started,
        () = tokio::time::sleep(Duration::from_secs(5)) => {
            ui.note("no answer yet; if it is lost, the platform is asked what became of the export");
            once.await
        }
    };
    match started {
        Ok(Started::Answered(job)) => {
            if job.lost_kms_key(export.request()) {
                ui.warn(
                    "the job's properties don't name the KMS key that was asked for: the object may be encrypted with another; name the key on the volume instead",
                );
            }
            Ok(Began::Job(job))
        }
        Ok(Started::Found(job)) => {
            ui.note("the answer was lost; the job was found in the list of your export jobs");
            Ok(Began::Job(job))
        }
        Ok(Started::Completed) => Ok(Began::Completed),
        Err(OnceError::Absent(error)) if is_for_now(&error) => Ok(Began::RefusedForNow),
        Err(OnceError::NotStarted(error)) => Err(Failure::not_started(error)),
        Err(error) => {
            let exit = if matches!(error, OnceError::Unknown { .. }) {
                Exit::Unknown
            } else {
                Exit::Other
            };
            let file = &export.request().source.file;
            Err(Failure::new(
                exit,
                format!("the export of {file} was sent once, and its answer was lost"),
            )
            .caused_by(error)
            .hint(format!(
                "look with `cavatica jobs list --volume {}` before you send it again",
                hint::shell_word(export.request().destination.volume.as_str())
            )))
        }
    }
}

async fn checked(args: &args::Export, api: &Cavatica, ui: &Ui) -> Result<CheckedExport, Failure> {
    let id = match &args.file {
        FileRef::Id(id) => id.clone(),
        FileRef::Path(_) => api::look_up(api, &args.file).await?.id,
    };
    let mut request = ExportRequest::new(id.clone(), args.volume.clone(), args.location.clone());
    if args.overwrite {
        request = request.overwriting();
    }
    if let Some(properties) = args.properties.chosen()? {
        request = request.with_properties(properties);
    }
    if args.no_check {
        // A start must not be the first call that meets a wrong address: its answer would say nothing.
        api.account.user().await?;
        return Ok(request.skip_checks());
    }
    let (file, volume) = tokio::try_join!(api.files.get(&id), api.volumes.get(&args.volume))
        .map_err(|error| {
            let missing = Missing::of(&error);
            let no_volume = missing.is_some_and(|it| it.resource == Resource::Volume);
            let mut failure = Failure::from(error);
            if no_volume && args.location.as_str().parse::<VolumeId>().is_ok() {
                failure.hints.insert(0, hint::PLACES.to_owned());
            }
            failure
        })?;
    let what = format!(
        "the export of {}",
        file.value.name.value().map_or(id.as_str(), String::as_str)
    );
    let export = request
        .check(&file.value, &volume.value)
        .map_err(|rejected| Failure::objections(&what, &rejected))?;
    for warning in export.warnings() {
        ui.warn(format_args!("{warning}; {}", warning.advice()));
    }
    Ok(export)
}

async fn follow(
    api: &Cavatica,
    job: &ExportJob,
    args: &args::Export,
    ui: &Ui,
) -> Result<ExportJob, Failure> {
    let mut latest = job.clone();
    let mut watch = api.exports.watch([job.id.clone()]).with_limit(args.timeout);
    while let Some(jobs) = watch.next().await? {
        for job in jobs {
            // How it ended is shown as data.
            if job.state != latest.state && !job.is_final() {
                ui.note(jobs::line(&job, ui));
            }
            latest = job;
        }
    }
    Ok(latest)
}

/// Whether the platform refused a call for its limit or for maintenance.
fn is_for_now(error: &Error) -> bool {
    matches!(error.outcome(), Outcome::Throttled | Outcome::Maintenance)
}

/// CAVATICA's page doesn't document `copy_only`. A platform that ignores it would have moved the file.
async fn keeps_source(export: &CheckedExport, api: &Cavatica) -> Result<bool, Failure> {
    let source = api.files.get(&export.request().source.file).await;
    let source = source.map_err(|error| {
        Failure::from(error).hint(
            "the copy has completed, so don't send it again; only whether the platform kept its source isn't known",
        )
    })?;
    Ok(!source.value.is_alias())
}

impl args::Mode {
    pub(crate) fn chosen(&self) -> ExportMode {
        if self.copy {
            ExportMode::Copy
        } else {
            ExportMode::Move
        }
    }
}

impl args::Properties {
    /// The properties that were asked for, if any were.
    pub(crate) fn chosen(&self) -> Result<Option<ExportProperties>, Failure> {
        let mut properties = ExportProperties::default();
        properties.sse_algorithm = named("--sse-algorithm", self.sse_algorithm.as_deref())?;
        properties.sse_aws_kms_key_id = self.kms_key_id.clone().map_or(Tri::Absent, Tri::Value);
        properties.aws_canned_acl = named("--canned-acl", self.canned_acl.as_deref())?;
        properties.aws_storage_class = named("--storage-class", self.storage_class.as_deref())?;
        let acl = properties.aws_canned_acl.value().and_then(Open::known);
        if let Some(acl) = acl.filter(|acl| acl.is_public() && !self.public) {
            return Err(Failure::usage(format!(
                "nothing was sent: the canned ACL `{acl}` lets people outside your lab read the objects; these are patients' data"
            ))
            .hint("choose `private` or `bucket-owner-full-control`, or leave it to the volume; if the data are meant for everybody, say --public too"));
        }
        Ok((properties != ExportProperties::default()).then_some(properties))
    }
}

fn named<K: OpenName>(flag: &str, text: Option<&str>) -> Result<Tri<Open<K>>, Failure> {
    match text {
        None => Ok(Tri::Absent),
        Some("none") => Ok(Tri::Null),
        Some(text) => match K::from_name(text) {
            Some(known) => Ok(Tri::Value(known.into())),
            None => {
                let known: Vec<_> = K::ALL.iter().map(|known| known.name()).collect();
                Err(Failure::usage(format!("`{text}` is no value of {flag}"))
                    .hint(format!("it takes {} or none", known.join(", "))))
            }
        },
    }
}
