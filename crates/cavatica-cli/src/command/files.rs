//! `cavatica files`: what lies in a project.

use std::io;

use cavatica_exports::model::{File, visible};
use cavatica_exports::{Parent, Projects};
use indicatif::HumanBytes;
use serde::Serialize;

use crate::api::Api;
use crate::args;
use crate::command::projects::with_suggestion;
use crate::exit::{Exit, Failure};
use crate::ui::Ui;

#[derive(Serialize)]
struct Entry<'a> {
    path: &'a str,
    #[serde(flatten)]
    file: &'a File,
}

async fn not_there(failure: Failure, parent: &Parent, api: &Api) -> Failure {
    match parent {
        Parent::Project(project) => {
            let projects = Projects::new(api.client.clone());
            with_suggestion(failure, project, &projects).await
        }
        Parent::Folder(folder) => failure.naming(&format!("folder `{folder}`")),
    }
}

pub(crate) async fn run(args: &args::Files, api: &Api, ui: &Ui) -> Result<Exit, Failure> {
    let args::Files::List {
        parent,
        recursive,
        tsv,
    } = args;
    let mut out = if *tsv { Out::manifest()? } else { Out::Shown };
    let top = match (&parent.project, &parent.folder) {
        (Some(project), _) => Parent::Project(project.clone()),
        (None, Some(folder)) => Parent::Folder(folder.clone()),
        (None, None) => return Err(Failure::usage("name a --project or a --folder")),
    };
    let mut folders = vec![(String::new(), top)];
    let mut count = 0;
    while let Some((path, parent)) = folders.pop() {
        let mut pager = api.files.list(&parent);
        loop {
            let page = match pager.next_page().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) => return Err(not_there(error.into(), &parent, api).await),
            };
            for file in &page.items {
                count += 1;
                let path = format!(
                    "{path}{}",
                    file.name.value().map_or(file.id.as_str(), String::as_str)
                );
                out.put(&path, file, ui)?;
                if *recursive && file.is_folder() {
                    folders.push((format!("{path}/"), Parent::Folder(file.id.clone())));
                }
            }
        }
    }
    out.finish()?;
    if count == 0 {
        ui.note("nothing there");
    }
    Ok(Exit::Done)
}

/// How the entries are printed.
enum Out {
    /// For people, or as JSON.
    Shown,
    /// For `plan --manifest`.
    Manifest(Box<csv::Writer<io::Stdout>>),
}

impl Out {
    fn manifest() -> Result<Self, Failure> {
        let mut sheet = csv::WriterBuilder::new()
            .delimiter(b'\t')
            .from_writer(io::stdout());
        sheet
            .write_record(["file_id", "path", "size"])
            .map_err(io::Error::from)?;
        Ok(Out::Manifest(Box::new(sheet)))
    }

    fn put(&mut self, path: &str, file: &File, ui: &Ui) -> Result<(), Failure> {
        let Out::Manifest(sheet) = self else {
            return show(path, file, ui);
        };
        // A folder can't be exported; its files have rows of their own.
        if !file.is_folder() {
            let size = file.size.value().map(u64::to_string).unwrap_or_default();
            let row = [file.id.as_str(), path, &size];
            sheet.write_record(row).map_err(io::Error::from)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Out::Shown => Ok(()),
            Out::Manifest(mut sheet) => Ok(sheet.flush()?),
        }
    }
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
    let path = visible(path).to_string();
    ui.line(format_args!("{start}{}", ui.fit(&path, start.len())))?;
    Ok(())
}
