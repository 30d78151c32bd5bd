//! `cavatica export`: one file.

use cavatica_exports::model::{
    CheckedExport, ExportJob, ExportMode, ExportProperties, ExportRequest, ExportState, Location,
    Open, OpenName, Tri,
};

use crate::args;
use crate::command::jobs;
use crate::exit::{Exit, Failure};
use crate::session::Session;
use crate::ui::Ui;

pub(crate) async fn run(args: &args::Export, session: &Session, ui: &Ui) -> Result<Exit, Failure> {
    let mode = args.mode.chosen();
    let export = checked(args, session, ui).await?;
    let job = session.exports.start(&export, mode).await?.value;
    if !args.wait {
        return jobs::show(&job, ui).map(|()| Exit::Done);
    }
    ui.note(jobs::line(&job));
    let job = follow(session, &job, args, ui).await?;
    jobs::show(&job, ui)?;
    if mode == ExportMode::Copy && job.state.is(ExportState::Completed) {
        confirm_copy(&export, session).await?;
    }
    jobs::verdict(std::slice::from_ref(&job))
}

async fn checked(
    args: &args::Export,
    session: &Session,
    ui: &Ui,
) -> Result<CheckedExport, Failure> {
    let location: Location = args
        .location
        .parse()
        .map_err(|error| Failure::usage("nothing was sent").caused_by(error))?;
    let mut request = ExportRequest::new(args.file.clone(), args.volume.clone(), location);
    if args.overwrite {
        request = request.overwriting();
    }
    if let Some(properties) = args.properties.chosen()? {
        request = request.with_properties(properties);
    }
    if args.no_check {
        return Ok(request.skip_checks());
    }
    let (file, volume) = tokio::try_join!(
        session.files.get(&args.file),
        session.volumes.get(&args.volume)
    )?;
    let what = format!(
        "the export of {}",
        file.value
            .name
            .value()
            .map_or(args.file.as_str(), String::as_str)
    );
    let export = request
        .check(&file.value, &volume.value)
        .map_err(|objections| Failure::objections(&what, &objections))?;
    for warning in export.warnings() {
        ui.warn(format_args!("{warning}; {}", warning.remedy()));
    }
    Ok(export)
}

async fn follow(
    session: &Session,
    job: &ExportJob,
    args: &args::Export,
    ui: &Ui,
) -> Result<ExportJob, Failure> {
    let mut latest = job.clone();
    let mut watch = session
        .exports
        .watch([job.id.clone()])
        .with_limit(args.timeout);
    while let Some(jobs) = watch.next().await? {
        for job in jobs {
            if job.state != latest.state {
                ui.note(jobs::line(&job));
            }
            latest = job;
        }
    }
    Ok(latest)
}

/// CAVATICA's page doesn't document `copy_only`. A platform that ignores it would have moved the file.
async fn confirm_copy(export: &CheckedExport, session: &Session) -> Result<(), Failure> {
    let id = &export.request().source.file;
    if session.files.get(id).await?.value.is_alias() {
        return Err(Failure::new(Exit::SomeFailed, format!("file {id} was moved, although a copy was asked for"))
            .hint("the platform ignored `copy_only`; the object on the volume is now the only copy of the file"));
    }
    Ok(())
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
        let properties = ExportProperties {
            sse_algorithm: named("--sse-algorithm", self.sse_algorithm.as_deref())?,
            sse_aws_kms_key_id: self.kms_key_id.clone().map_or(Tri::Absent, Tri::Value),
            aws_canned_acl: named("--canned-acl", self.canned_acl.as_deref())?,
            aws_storage_class: named("--storage-class", self.storage_class.as_deref())?,
            ..ExportProperties::default()
        };
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
