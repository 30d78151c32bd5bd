//! `cavatica projects`: the projects that one is a member of, and which of them was meant.

use cavatica_exports::model::ProjectId;
use cavatica_exports::{Cavatica, Projects};

use crate::args;
use crate::exit::{Exit, Failure};
use crate::ui::Ui;

/// How many letters may be wrong in a name that was meant.
const LETTERS_WRONG: usize = 2;

pub(crate) async fn run(args: &args::Projects, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    let args::Projects::List { name } = args;
    let all = api.projects.list(name.as_deref()).collect().await?;
    let width = all
        .iter()
        .map(|project| project.id.as_str().chars().count());
    let width = width.max().unwrap_or(0);
    for project in &all {
        if ui.is_json() {
            ui.json(project)?;
            continue;
        }
        let title = project.name.value().map_or("", String::as_str);
        let location = project.location().unwrap_or("?");
        ui.line(format_args!(
            "{:<width$}  {:<14}  {}",
            project.id,
            location.to_owned(),
            title
        ))?;
    }
    if all.is_empty() {
        ui.note("no such projects; the platform shows those that you are a member of");
    }
    Ok(Exit::Done)
}

/// Names the project that was meant, where it is one of those that the account can see.
pub(crate) async fn with_suggestion(
    failure: Failure,
    meant: &ProjectId,
    projects: &Projects,
) -> Failure {
    let is_missing = failure.is_missing();
    let failure = failure.naming(&format!("project `{meant}`"));
    if !is_missing {
        return failure;
    }
    // Without the list there is nothing to suggest, and the failure stays what it is.
    let known = projects.list(None).collect().await.unwrap_or_default();
    let ids: Vec<&ProjectId> = known.iter().map(|project| &project.id).collect();
    match nearest(meant, &ids) {
        Some(id) => failure.hint(format!("did you mean `{id}`?")),
        None => failure.hint("`cavatica projects list` shows those that you can see"),
    }
}

/// The id that a misspelled one most likely stands for.
fn nearest<'a>(meant: &ProjectId, known: &[&'a ProjectId]) -> Option<&'a ProjectId> {
    let meant = meant.as_str().to_lowercase();
    known
        .iter()
        .map(|id| {
            (
                strsim::damerau_levenshtein(&meant, &id.as_str().to_lowercase()),
                *id,
            )
        })
        .filter(|(wrong, _)| *wrong <= LETTERS_WRONG)
        .min_by_key(|(wrong, _)| *wrong)
        .map(|(_, id)| id)
}
