//! `cavatica volumes`: mounted buckets, and what lies on them.

mod create;
mod keys;
mod members;
mod remove;
mod told;

use cavatica_exports::Cavatica;
use cavatica_exports::model::VolumeId;

use self::remove::Force;
use self::told::{summary, tell};
use crate::args;
use crate::failure::{Exit, Failure};
use crate::ui::Ui;

pub(crate) async fn run(args: &args::Volumes, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    match args {
        args::Volumes::List => list(api, ui).await,
        args::Volumes::Get { volume } => get(volume, api, ui).await,
        args::Volumes::Ls { volume, prefix } => ls(volume, prefix, api, ui).await,
        args::Volumes::Create(args) => create::create(args, api, ui).await,
        args::Volumes::Set(args) => create::set(args, api, ui).await,
        args::Volumes::Deactivate { volume, force, yes } => {
            let force = match (force, yes) {
                (false, _) => Force::No,
                (true, false) => Force::Unconfirmed,
                (true, true) => Force::Confirmed,
            };
            remove::deactivate(volume, force, api, ui).await
        }
        args::Volumes::Reactivate { volume } => remove::reactivate(volume, api, ui).await,
        args::Volumes::Delete { volume, yes } => remove::delete(volume, *yes, api, ui).await,
        args::Volumes::Members {
            volume,
            action,
            user,
            may,
        } => match action.zip(user.as_deref()) {
            None => members::list(volume, api, ui).await,
            Some(asked) => members::change(volume, asked, may, api, ui).await,
        },
    }
}

/// What needs no account.
pub(crate) fn offline(args: &args::Volumes, ui: &Ui) -> Option<Result<Exit, Failure>> {
    match args {
        args::Volumes::Create(args) if args.policy => Some(create::policy(args, ui)),
        _ => None,
    }
}

async fn list(api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
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
        ui.note("no volumes; `cavatica volumes create` mounts a bucket");
    }
    Ok(Exit::Done)
}

async fn get(id: &VolumeId, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    tell(&api.volumes.get(id).await?.value, ui)
}

async fn ls(id: &VolumeId, prefix: &str, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
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
                ui.line(&folder.prefix)?
            }
        }
        for object in &page.items {
            if ui.is_json() {
                ui.json(object)?
            } else {
                ui.line(&object.location)?
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
