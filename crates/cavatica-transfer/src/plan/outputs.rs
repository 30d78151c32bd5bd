//! What tasks put out: files, folders with all that is in them, and companions.

use cavatica_exports::Cavatica;
use cavatica_exports::model::TaskId;
use cavatica_exports::model::finding::Reason;
use cavatica_exports::model::task::{Task, TaskStatus};

use super::error::PlanError;
use super::files::{self, Folders};
use super::filter::Tally;
use super::report::PlanWarning;
use super::sieve::{Flow, Sieve};
use super::tree::tree;

/// Hands on the outputs of these tasks. A batch task stands for the tasks that it was split into.
pub(super) async fn outputs(
    platform: &Cavatica,
    tasks: &[TaskId],
    sieve: &mut Sieve<'_>,
) -> Result<(), PlanError> {
    let mut folders = Folders::default();
    for id in tasks {
        let task = platform.tasks.get(id).await.map_err(PlanError::Call)?.value;
        if !task.is_batch() {
            if of_one(platform, &task, &mut folders, sieve).await? == Flow::Enough {
                return Ok(());
            }
            continue;
        }
        let mut children = platform.tasks.list_children(id);
        while let Some(page) = children.next_page().await.map_err(PlanError::List)? {
            for child in page.items {
                // Lists may leave out what is long.
                let child = if child.outputs.is_absent() {
                    let answer = platform.tasks.get(&child.id).await;
                    answer.map_err(PlanError::Call)?.value
                } else {
                    child
                };
                if of_one(platform, &child, &mut folders, sieve).await? == Flow::Enough {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

async fn of_one(
    platform: &Cavatica,
    task: &Task,
    folders: &mut Folders,
    sieve: &mut Sieve<'_>,
) -> Result<Flow, PlanError> {
    if let Some(status) = task.status.value()
        && !status.is(TaskStatus::Completed)
    {
        sieve.warn(PlanWarning {
            name: Reason::TASK_NOT_COMPLETED.name,
            message: format!(
                "task {} is {status}: its outputs may not be complete",
                task.id
            ),
            remedy: Reason::TASK_NOT_COMPLETED.advice,
            files: 0,
        });
    }
    sieve.task = Some(task.id.clone());
    let found = task.put_out().map_err(|error| PlanError::Task {
        task: task.id.clone(),
        reason: error.to_string(),
    })?;
    if let Some(app) = task.app.value() {
        sieve.draft.note_app(&task.id, app)?;
    }
    for (ids, are_folders) in [(found.files, false), (found.folders, true)] {
        let shown = files::read(platform, ids.clone())
            .await
            .map_err(PlanError::Call)?;
        folders.learn(platform, shown.files()).await?;
        for id in ids {
            let flow = match shown.get(&id) {
                Err(reason) => {
                    sieve.miss(Some(&id), None, None, reason)?;
                    sieve.flow()
                }
                Ok(file) if are_folders => {
                    let name = file.name.value().map_or("", String::as_str);
                    let path = match folders.path(file).as_deref() {
                        None | Some("") => name.to_owned(),
                        Some(above) => format!("{above}/{name}"),
                    };
                    let parent = cavatica_exports::Parent::Folder(id);
                    tree(platform, parent, path, &mut Tally::default(), sieve).await?;
                    sieve.flow()
                }
                Ok(file) => sieve.take(file, folders.path(file).as_deref(), None)?,
            };
            if flow == Flow::Enough {
                return Ok(Flow::Enough);
            }
        }
    }
    Ok(sieve.flow())
}
