//! `cavatica files`: what lies in a project.

use std::io::{self, Write};

use cavatica_exports::model::file::FileRef;
use cavatica_exports::model::wire::Entry;
use cavatica_exports::model::{File, manifest, tsv};
use cavatica_exports::{Cavatica, Parent};
use cavatica_transfer::plan::Glob;
use serde::Serialize;

use crate::api;
use crate::args;
use crate::failure::{Exit, Failure};
use crate::ui::{Bytes, Ui};

#[derive(Serialize)]
struct Shown<'a> {
    path: &'a str,
    #[serde(flatten)]
    file: &'a File,
}

pub(crate) async fn run(args: &args::Files, api: &Cavatica, ui: &Ui) -> Result<Exit, Failure> {
    let args::Files::List {
        parent,
        recursive,
        names,
        tsv,
    } = args;
    let globs: Vec<Glob> = names.iter().map(|name| Glob::new(name)).collect();
    let mut out = if *tsv { Out::manifest(ui)? } else { Out::Shown };
    let (path, top) = top(parent, api).await?;
    let mut walk = api.files.walk(top, path);
    if !recursive {
        walk = walk.one_level();
    }
    let (mut count, mut unread) = (0, 0);
    while let Some(page) = walk.next_page().await? {
        for entry in &page.entries {
            match entry {
                Entry::Read(file) => {
                    let name = file.name.value().map_or(file.id.as_str(), String::as_str);
                    if globs.is_empty() || globs.iter().any(|glob| glob.fits(name)) {
                        count += 1;
                        out.put(&page.path_of(file), file, ui)?;
                    }
                }
                Entry::Unreadable { reason, .. } => {
                    unread += 1;
                    ui.warn(format_args!(
                        "an entry of the folder `{}` can't be read: {reason}",
                        page.folder
                    ));
                }
            }
        }
    }
    out.finish()?;
    if count + unread == 0 {
        ui.note("nothing there");
    }
    Ok(if unread == 0 {
        Exit::Done
    } else {
        Exit::SomeFailed
    })
}

/// Where to begin, and its path: paths are told from the project's root, whatever is listed.
async fn top(parent: &args::Parent, api: &Cavatica) -> Result<(String, Parent), Failure> {
    if let Some(project) = &parent.project {
        return Ok((String::new(), Parent::Project(project.clone())));
    }
    let Some(named) = &parent.folder else {
        return Err(Failure::usage("name a --project or a --folder"));
    };
    let folder = api::look_up(api, named).await?;
    if !folder.is_folder() {
        return Err(Failure::usage(format!(
            "`{named}` is a file; expected a folder"
        )));
    }
    let above = match named {
        FileRef::Path(path) => Some(path.folders().to_owned()),
        FileRef::Id(_) => api.files.folders_of(&folder).await?,
    };
    let name = folder
        .name
        .value()
        .map_or(folder.id.as_str(), String::as_str);
    // A project's root lies in nothing and is no part of any path.
    let path = match above.as_deref() {
        None if folder.parent.value().is_none() => String::new(),
        None | Some("") => name.to_owned(),
        Some(above) => format!("{above}/{name}"),
    };
    Ok((path, Parent::Folder(folder.id)))
}

/// How the entries are printed.
enum Out<'a> {
    /// For people, or as JSON.
    Shown,
    /// For `plan --manifest`.
    Manifest(Box<dyn Write + 'a>),
}

impl<'a> Out<'a> {
    fn manifest(ui: &'a Ui) -> io::Result<Self> {
        let mut sheet = ui.data();
        writeln!(sheet, "{}", manifest::OWN_LIST.join("\t"))?;
        Ok(Out::Manifest(sheet))
    }

    fn put(&mut self, path: &str, file: &File, ui: &Ui) -> io::Result<()> {
        let Out::Manifest(sheet) = self else {
            return show(path, file, ui);
        };
        // A folder can't be exported; its files have rows of their own.
        if file.is_folder() {
            return Ok(());
        }
        let size = file.size.value().map(u64::to_string).unwrap_or_default();
        let (id, path) = (tsv::escaped(file.id.as_str()), tsv::escaped(path));
        writeln!(sheet, "{id}\t{path}\t{size}")
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Out::Shown => Ok(()),
            Out::Manifest(mut sheet) => sheet.flush(),
        }
    }
}

fn show(path: &str, file: &File, ui: &Ui) -> io::Result<()> {
    if ui.is_json() {
        return ui.json(&Shown { path, file });
    }
    let size = match file.size.value() {
        Some(bytes) if !file.is_folder() => Bytes(*bytes).to_string(),
        _ => "-".to_owned(),
    };
    let kind = match file {
        file if file.is_folder() => "folder",
        file if file.is_alias() => "alias",
        _ => "file",
    };
    let start = format!("{:<24}  {kind:<6}  {size:>11}  ", file.id);
    ui.line(format_args!("{start}{}", ui.fit(path, start.len())))
}
