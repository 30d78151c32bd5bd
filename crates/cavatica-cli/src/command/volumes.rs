//! `cavatica volumes`: mounted buckets, and what lies on them.

use cavatica_exports::model::{OpenName, Volume, VolumeId, expected_beginning, visible};

use crate::api::Api;
use crate::args;
use crate::exit::{Exit, Failure};
use crate::ui::Ui;

pub(crate) async fn run(args: &args::Volumes, api: &Api, ui: &Ui) -> Result<Exit, Failure> {
    match args {
        args::Volumes::List => list(api, ui).await,
        args::Volumes::Get { volume } => get(volume, api, ui).await,
        args::Volumes::Ls { volume, prefix } => ls(volume, prefix, api, ui).await,
    }
}

async fn list(api: &Api, ui: &Ui) -> Result<Exit, Failure> {
    let volumes = api.volumes.list().collect().await?;
    let width = volumes
        .iter()
        .map(|volume| volume.id.as_str().chars().count())
        .max()
        .unwrap_or(0);
    for volume in &volumes {
        if ui.is_json() {
            ui.json(volume)?;
        } else {
            let summary = summary(volume);
            ui.line(format_args!(
                "{:<width$}  {}",
                volume.id,
                ui.fit(&summary, width + 2)
            ))?;
        }
    }
    if volumes.is_empty() {
        ui.note("no volumes; mount a bucket on the platform first");
    }
    Ok(Exit::Done)
}

async fn get(id: &VolumeId, api: &Api, ui: &Ui) -> Result<Exit, Failure> {
    let volume = api.volumes.get(id).await?.value;
    if ui.is_json() {
        ui.json(&volume)?;
        return Ok(Exit::Done);
    }
    ui.line(format_args!("{}  {}", volume.id, summary(&volume)))?;
    let findings = volume.export_findings();
    for objection in &findings.objections {
        ui.sentence(format_args!(
            "takes no exports: {objection}; {}",
            objection.remedy()
        ))?;
    }
    for warning in &findings.warnings {
        ui.warn(format_args!("{warning}; {}", warning.remedy()));
    }
    Ok(Exit::Done)
}

async fn ls(id: &VolumeId, prefix: &str, api: &Api, ui: &Ui) -> Result<Exit, Failure> {
    let prefix = if prefix.is_empty() || prefix.ends_with('/') {
        prefix.to_owned()
    } else {
        format!("{prefix}/")
    };
    let mut pager = api.volumes.list_objects(id, &prefix);
    let mut empty = true;
    while let Some(page) = pager.next_page().await? {
        empty &= page.items.is_empty() && page.prefixes.value().is_none_or(Vec::is_empty);
        for folder in page.prefixes.value().into_iter().flatten() {
            if ui.is_json() {
                ui.json(folder)?
            } else {
                ui.line(visible(&folder.prefix))?
            }
        }
        for object in &page.items {
            if ui.is_json() {
                ui.json(object)?
            } else {
                ui.line(visible(&object.location))?
            }
        }
    }
    if empty {
        ui.note(match &*prefix {
            "" => format!("nothing lies on {id}"),
            prefix => format!("nothing lies in `{prefix}` on {id}"),
        });
    }
    Ok(Exit::Done)
}

/// Access mode, service and bucket of a volume in one line.
fn summary(volume: &Volume) -> String {
    let access = volume.access_mode().map_or("?", |mode| mode.as_str());
    let service = match volume.service_type() {
        Some(service) => service
            .known()
            .map_or(service.as_str(), |known| known.name()),
        None => "?",
    };
    let bucket = volume.bucket().unwrap_or("?");
    let inactive = if volume.active.value() == Some(&false) {
        "  deactivated"
    } else {
        ""
    };
    format!(
        "{access:<2}  {service:<5}  {bucket}/{}{inactive}",
        expected_beginning(volume.prefix())
    )
}
