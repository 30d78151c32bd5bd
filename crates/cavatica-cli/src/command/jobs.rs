//! `cavatica jobs`: export jobs that were started before.

use cavatica_exports::model::bulk::{Batch, BulkItem};
use cavatica_exports::model::{ExportId, ExportJob, ExportState};
use cavatica_exports::{Cavatica, ExportFilter};

use crate::args;
use crate::failure::{Exit, Failure};
use crate::ui::Ui;

pub(crate) async fn run(args: &args::Jobs, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    match args {
        args::Jobs::List { volume, states } => {
            let mut filter = ExportFilter::default().in_states(states.iter().copied());
            filter.volume = volume.clone();
            list(&filter, api, ui).await
        }
        args::Jobs::Get { ids } => get(ids, api, ui).await,
        args::Jobs::Wait { ids, timeout } => wait(ids, *timeout, api, ui).await,
    }
}

async fn list(filter: &ExportFilter, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    let mut pager = api.exports.list(filter);
    let mut seen = std::collections::HashSet::new();
    while let Some(page) = pager.next_page().await? {
        // Pages shift while jobs are added.
        for job in page.items.iter().filter(|job| seen.insert(job.id.clone())) {
            show(job, ui)?;
        }
    }
    if seen.is_empty() {
        ui.note("no export jobs; the platform shows only those that you started yourself");
    }
    Ok(Exit::Done)
}

async fn get(ids: &[ExportId], api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    if let [id] = ids {
        show(&api.exports.get(id).await?.value, ui)?;
        return Ok(Exit::Done);
    }
    let mut unread = 0;
    for ids in ids.chunks(Batch::<ExportId>::MAX) {
        let batch = Batch::new(ids.to_vec()).expect("chunks have 1 to MAX items");
        for item in api.exports.get_bulk::<ExportJob>(&batch).await?.value.items {
            match item {
                BulkItem::Resource(job, _) => show(&job, ui)?,
                other => {
                    unread += 1;
                    ui.warn(format_args!("a job could not be read: {other}"));
                }
            }
        }
    }
    Ok(if unread == 0 {
        Exit::Done
    } else {
        Exit::SomeFailed
    })
}

async fn wait(
    ids: &[ExportId],
    timeout: std::time::Duration,
    api: &Cavatica,
    ui: &Ui,
) -> Result<Exit, Failure> {
    let mut watch = api.exports.watch(ids.iter().cloned()).with_limit(timeout);
    let mut ended = Vec::new();
    while let Some(jobs) = watch.next().await? {
        for job in jobs {
            if job.is_final() {
                show(&job, ui)?;
                ended.push(job);
            } else {
                ui.note(line(&job, ui));
            }
        }
    }
    verdict(&ended)
}

/// Prints one job as data.
pub(crate) fn show(job: &ExportJob, ui: &Ui) -> Result<(), Failure> {
    if ui.is_json() {
        ui.json(job)?
    } else {
        match destination(job) {
            Some(destination) => ui.line_with_end(beginning(job, ui), destination)?,
            None => ui.line(beginning(job, ui))?,
        }
    }
    Ok(())
}

/// One job in one line.
pub(crate) fn line(job: &ExportJob, ui: &Ui) -> String {
    match destination(job) {
        Some(destination) => format!("{}  {destination}", beginning(job, ui)),
        None => beginning(job, ui),
    }
}

fn beginning(job: &ExportJob, ui: &Ui) -> String {
    let mut line = format!("{:<32}  {:<9}", job.id, job.state);
    if let Some(started) = job.started_on.value() {
        let time = started.timestamp().map(|at| ui.time(at));
        line.push_str("  ");
        line.push_str(time.as_deref().unwrap_or(started.as_str()));
    }
    line
}

fn destination(job: &ExportJob) -> Option<String> {
    let destination = job.destination.value()?;
    Some(format!("{}  {}", destination.volume, destination.location))
}

/// Failed jobs make the command fail, and are named.
pub(crate) fn verdict(jobs: &[ExportJob]) -> Result<Exit, Failure> {
    let failed: Vec<_> = jobs
        .iter()
        .filter(|job| job.state.is(ExportState::Failed))
        .collect();
    if failed.is_empty() {
        return Ok(Exit::Done);
    }
    let mut failure = Failure::new(
        Exit::SomeFailed,
        format!("{} of {} export jobs failed", failed.len(), jobs.len()),
    );
    failure.details = failed.into_iter().map(why).collect();
    Err(failure)
}

fn why(job: &ExportJob) -> crate::failure::Detail {
    let error = job.error.value();
    crate::failure::Detail {
        name: job.id.to_string(),
        message: error.map_or_else(
            || "the platform doesn't say why".to_owned(),
            ToString::to_string,
        ),
        remedy: String::new(),
    }
}
