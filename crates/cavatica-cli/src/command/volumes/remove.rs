//! `cavatica volumes deactivate`, `reactivate` and `delete`: whether a volume can be used, and what that breaks.

use std::path::Path;

use cavatica_exports::model::mount::VolumeChange;
use cavatica_exports::model::{ExportMode, ExportState, Tri, Volume, VolumeId};
use cavatica_exports::{Cavatica, ExportFilter};
use cavatica_report::{Overview, transfers_in};
use serde_json::json;

use super::told::{changed, tell};
use crate::failure::{Detail, Exit, Failure};
use crate::hint::shell_word;
use crate::ui::{Ui, counted};

/// What nobody can look up.
const UNSEEN: &str =
    "what others moved to the volume or imported from it can't be seen with your account";

/// Lets jobs that are under way be ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Force {
    No,
    Confirmed,
    Unconfirmed,
}

pub(super) async fn deactivate(
    id: &VolumeId,
    force: Force,
    api: &Cavatica,
    ui: &Ui,
) -> Result<Exit, Failure> {
    let volume = api.volumes.get(id).await?.value;
    if volume.active == Tri::Value(false) {
        ui.note(format_args!(
            "{id} is deactivated already; nothing was sent"
        ));
        return Ok(Exit::NothingToDo);
    }
    let running = jobs(id, &[ExportState::Pending, ExportState::Running], api).await?;
    if running > 0 && force != Force::Confirmed {
        let mut failure = Failure::usage(format!("{id} was not deactivated"));
        failure.details = vec![Detail {
            name: "jobs-under-way".to_owned(),
            message: format!(
                "under way to it: {} of yours",
                counted(running, "export job")
            ),
            remedy:
                "wait for them: `cavatica jobs list --state pending --state running` shows them"
                    .to_owned(),
        }];
        failure.details.extend(transfers(id, |line| line.left > 0));
        return Err(failure.hint(match force {
            Force::No => {
                "with `--force --yes` the platform ends them, in a state that no page tells"
            }
            _ => "`--yes` confirms that they may be ended",
        }));
    }
    let mut change = VolumeChange::default();
    change.active = Some(false);
    let answer = if running > 0 {
        api.volumes.deactivate_by_force(id).await
    } else {
        api.volumes.change(id, &change).await
    };
    let look = format!("`cavatica volumes get {id}` shows how it stands");
    let volume = answer.map_err(|error| changed(error, "the volume was deactivated", &look))?;
    if running > 0 {
        ui.warn(
            "jobs were under way: look what became of each with `cavatica jobs list` before you send anything again",
        );
    }
    tell(&volume.value, ui)
}

pub(super) async fn reactivate(id: &VolumeId, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    let volume = api.volumes.get(id).await?.value;
    if volume.active == Tri::Value(true) {
        ui.note(format_args!("{id} is active already; nothing was sent"));
        return Ok(Exit::NothingToDo);
    }
    let mut change = VolumeChange::default();
    change.active = Some(true);
    let look = format!("`cavatica volumes get {id}` shows how it stands");
    let answer = api.volumes.change(id, &change).await;
    let volume = answer.map_err(|error| changed(error, "the volume was reactivated", &look))?;
    tell(&volume.value, ui)
}

pub(super) async fn delete(
    id: &VolumeId,
    yes: bool,
    api: &Cavatica,
    ui: &Ui,
) -> Result<Exit, Failure> {
    let volume = api.volumes.get(id).await?.value;
    let details = dependents(&volume, api).await?;
    if volume.active != Tri::Value(false) || !yes {
        let mut failure = Failure::usage(format!("{id} was not deleted"));
        failure.details = details;
        let failure = failure.hint(UNSEEN);
        return Err(if yes {
            failure.hint(format!("first `cavatica volumes deactivate {id}`: the platform deletes only what is switched off"))
        } else {
            failure.hint("`--yes` confirms; nothing in the bucket is deleted")
        });
    }
    for detail in &details {
        ui.warn(&detail.message);
    }
    let look = format!("`cavatica volumes get {id}` shows whether it is still there");
    let answer = api.volumes.delete(id).await;
    answer.map_err(|error| changed(error, "the volume was deleted", &look))?;
    if ui.is_json() {
        ui.json(&json!({"deleted": id}))?;
    } else {
        ui.line(format_args!(
            "{id} is deleted; what lies in its bucket stays"
        ))?;
    }
    Ok(Exit::Done)
}

/// What is known to break without the volume.
async fn dependents(volume: &Volume, api: &Cavatica) -> Result<Vec<Detail>, Failure> {
    let id = &volume.id;
    let completed = jobs(id, &[ExportState::Completed], api).await?;
    let mut details = Vec::new();
    if completed > 0 {
        details.push(Detail {
            name: "exported-files".to_owned(),
            message: format!(
                "completed to it: {} of yours; files that they moved are aliases, which can't be read without it",
                counted(completed, "export job")
            ),
            remedy: "a new volume of the same name on the same bucket may make them readable again".to_owned(),
        });
    }
    let moved = |line: &Overview| line.mode == ExportMode::Move && line.completed > 0;
    details.extend(transfers(id, |line| moved(line) || line.left > 0));
    Ok(details)
}

async fn jobs(id: &VolumeId, states: &[ExportState], api: &Cavatica) -> Result<u64, Failure> {
    let filter = ExportFilter::to(id.clone()).in_states(states.iter().copied());
    Ok(match api.exports.count(&filter).await? {
        Some(jobs) => jobs,
        None => api.exports.list(&filter).collect().await?.len() as u64,
    })
}

/// The transfers of this folder that go to the volume.
fn transfers(id: &VolumeId, concerns: impl Fn(&Overview) -> bool) -> Vec<Detail> {
    let paths = transfers_in(Path::new(".")).unwrap_or_default();
    let lines = paths.iter().filter_map(|path| Overview::read(path).ok());
    lines
        .filter(|line| line.volume == *id && concerns(line))
        .map(|line| {
            let name = line.transfer.trim_start_matches("./");
            Detail {
                name: "transfer".to_owned(),
                message: format!(
                    "{name}: {} completed to it by {}, {} left",
                    counted(line.completed, "file"),
                    line.mode.as_str(),
                    line.left
                ),
                remedy: format!("`cavatica status {}` says more", shell_word(name)),
            }
        })
        .collect()
}
