//! `cavatica files`: what lies in a project.

use cavatica_exports::Parent;
use cavatica_exports::model::File;
use indicatif::HumanBytes;
use serde::Serialize;

use crate::api::Api;
use crate::args;
use crate::exit::{Exit, Failure};
use crate::ui::Ui;

#[derive(Serialize)]
struct Entry<'a> {
    path: &'a str,
    #[serde(flatten)]
    file: &'a File,
}

pub(crate) async fn run(args: &args::Files, api: &Api, ui: &Ui) -> Result<Exit, Failure> {
    let args::Files::List { parent, recursive } = args;
    let top = match (&parent.project, &parent.folder) {
        (Some(project), _) => Parent::Project(project.clone()),
        (None, Some(folder)) => Parent::Folder(folder.clone()),
        (None, None) => return Err(Failure::usage("name a --project or a --folder")),
    };
    let mut folders = vec![(String::new(), top)];
    let mut count = 0;
    while let Some((path, parent)) = folders.pop() {
        let mut pager = api.files.list(&parent);
        while let Some(page) = pager.next_page().await? {
            for file in &page.items {
                count += 1;
                let path = format!(
                    "{path}{}",
                    file.name.value().map_or(file.id.as_str(), String::as_str)
                );
                show(&path, file, ui)?;
                if *recursive && file.is_folder() {
                    folders.push((format!("{path}/"), Parent::Folder(file.id.clone())));
                }
            }
        }
    }
    if count == 0 {
        ui.note("nothing there");
    }
    Ok(Exit::Done)
}

fn show(path: &str, file: &File, ui: &Ui) -> Result<(), Failure> {
    if ui.is_json() {
        ui.json(&Entry { path, file })?;
        return Ok(());
    }
    let size = match file.size.value() {
        Some(bytes) if !file.is_folder() => HumanBytes(*bytes).to_string(),
        _ => "-".to_owned(),
    };
    let kind = match file {
        file if file.is_folder() => "folder",
        file if file.is_alias() => "alias",
        _ => "file",
    };
    let start = format!("{:<24}  {kind:<6}  {size:>11}  ", file.id);
    let path = path.escape_debug().to_string();
    ui.line(format_args!("{start}{}", ui.fit(&path, start.len())))?;
    Ok(())
}
