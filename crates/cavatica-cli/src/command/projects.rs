//! `cavatica projects`: the projects that one is a member of.

use cavatica_exports::Cavatica;

use crate::args;
use crate::failure::{Exit, Failure};
use crate::ui::Ui;

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
