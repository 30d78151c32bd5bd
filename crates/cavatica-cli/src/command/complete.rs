//! `cavatica complete`: what may stand where the cursor is, for the scripts that `cavatica completions` prints. Commands and
//! options are in the scripts themselves; this names what only the folder, the account or the platform knows.

use std::path::Path;
use std::time::Duration;

use cavatica_exports::Cavatica;
use cavatica_exports::model::error::StatusCode;
use cavatica_exports::model::finding::Reason;
use clap::{Arg, Command};

use crate::api;
use crate::args::{self, Global};
use crate::credentials::{self, Environment};
use crate::failure::{Exit, Failure, first_pages};
use crate::help;
use crate::ui::Ui;

/// Nobody waits longer for a list that a key was to bring.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) async fn run(args: &args::Complete, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let mut words = args.words.iter().map(String::as_str).skip(1);
    let before: Vec<&str> = words.by_ref().take(args.index.saturating_sub(1)).collect();
    let begun = words.next().unwrap_or_default();
    let values = match place(&before, begun) {
        Some(place) => values(&place, begun, global).await,
        None => Vec::new(),
    };
    for value in values.iter().filter(|value| value.starts_with(begun)) {
        ui.line(value)?;
    }
    Ok(Exit::Done)
}

/// The name of the value that is expected behind these words.
fn place(before: &[&str], begun: &str) -> Option<String> {
    let mut top = help::command();
    top.build();
    let (mut at, mut taken, mut open): (&Command, usize, Option<&Arg>) = (&top, 0, None);
    for word in before {
        if open.take().is_some() {
            continue;
        }
        match word.strip_prefix("--") {
            Some(name) => {
                let option = at.get_arguments().find(|arg| arg.get_long() == Some(name));
                open = option.filter(|arg| arg.get_action().takes_values());
            }
            None => match at.find_subcommand(word) {
                Some(command) => (at, taken) = (command, 0),
                None if word.starts_with('-') => {}
                None => taken += 1,
            },
        }
    }
    let arg = match open {
        Some(option) => option,
        None if begun.starts_with('-') => return None,
        // The last one takes all that follow.
        None => at
            .get_positionals()
            .nth(taken)
            .or(at.get_positionals().last())?,
    };
    Some(arg.get_id().to_string())
}

async fn values(place: &str, begun: &str, global: &Global) -> Vec<String> {
    match place {
        "transfer" | "transfers" | "places" => transfers(begun),
        "profile" => credentials::profiles(&Environment::read()),
        "codes" => codes().collect(),
        "what" => {
            let names = Reason::all().iter().map(|reason| reason.name.to_owned());
            codes().chain(names).collect()
        }
        "volume" | "project" => {
            let Ok(api) = api::connect_quietly(global) else {
                return Vec::new();
            };
            let ids = ids(place, &api);
            tokio::time::timeout(PATIENCE, ids)
                .await
                .unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn codes() -> impl Iterator<Item = String> {
    StatusCode::all().iter().map(|entry| entry.code.to_string())
}

async fn ids(place: &str, api: &Cavatica) -> Vec<String> {
    if place == "volume" {
        let volumes = first_pages(api.volumes.list()).await;
        volumes.iter().map(|it| it.id.to_string()).collect()
    } else {
        let projects = first_pages(api.projects.list(None)).await;
        projects.iter().map(|it| it.id.to_string()).collect()
    }
}

/// The transfers of the folder that a path begins with, and the folders in it.
fn transfers(begun: &str) -> Vec<String> {
    let folder = begun.rfind('/').map_or("", |slash| &begun[..=slash]);
    let listed = Path::new(if folder.is_empty() { "." } else { folder });
    let entries = std::fs::read_dir(listed).into_iter().flatten().flatten();
    let mut found: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            if entry.path().is_dir() {
                (!name.starts_with('.')).then(|| format!("{folder}{name}/"))
            } else {
                name.ends_with(".transfer")
                    .then(|| format!("{folder}{name}"))
            }
        })
        .collect();
    found.sort();
    found
}
