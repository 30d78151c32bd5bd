//! What was probably meant by a name that nothing has.

use cavatica_exports::model::file::FileRef;
use cavatica_exports::model::wire::Page;
use cavatica_exports::model::{File, ProjectId};
use cavatica_exports::{Cavatica, Followed, Missing, Pager, Parent, Resource};
use serde::de::DeserializeOwned;

use super::{Absent, Failure};
use crate::hint::shell_word;

/// The one of the known names that a misspelt one is nearest to. The shorter a word, the less of it may be wrong; letter case
/// and swapped letters count little.
pub(crate) fn nearest<'k>(
    meant: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    let meant = meant.to_lowercase();
    let most = (meant.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| {
            let wrong = strsim::damerau_levenshtein(&meant, &name.to_lowercase());
            (wrong, name)
        })
        .filter(|(wrong, _)| *wrong <= most)
        .min_by_key(|(wrong, _)| *wrong)
        .map(|(_, name)| name)
}

/// Names what was probably meant instead of what isn't there. Without an answer of the platform there is nothing to suggest,
/// and the failure stays what it is.
pub(crate) async fn with_nearest(failure: Failure, api: &Cavatica) -> Failure {
    let meant = match failure.absent.as_deref() {
        None => None,
        Some(Absent::Thing(missing)) => nearest_thing(missing, api).await,
        Some(Absent::Entry(project, path)) => nearest_entry(project, path, api).await,
    };
    match meant {
        Some(meant) => Failure {
            hints: vec![format!("did you mean `{meant}`?")],
            ..failure
        },
        None => failure,
    }
}

async fn nearest_thing(missing: &Missing, api: &Cavatica) -> Option<String> {
    let known: Vec<String> = match missing.resource {
        Resource::Project => {
            let projects = first_pages(api.projects.list(None)).await;
            projects.iter().map(|it| it.id.to_string()).collect()
        }
        Resource::Volume => {
            let volumes = first_pages(api.volumes.list()).await;
            volumes.iter().map(|it| it.id.to_string()).collect()
        }
        _ => return None,
    };
    nearest(&missing.id, known.iter().map(String::as_str)).map(str::to_owned)
}

/// The path of the entry of the same folder whose name is nearest.
async fn nearest_entry(project: &ProjectId, path: &str, api: &Cavatica) -> Option<String> {
    let (folder, name) = match path.rsplit_once('/') {
        Some((folder, name)) => (Some(folder), name),
        None => (None, path),
    };
    let parent = match folder {
        None => Parent::Project(project.clone()),
        Some(folder) => {
            let place: FileRef = format!("{project}:{folder}").parse().ok()?;
            match api.files.look_up(&place).await.ok()? {
                Followed::To(folder) => Parent::Folder(folder.id),
                Followed::Lost(_) => return None,
            }
        }
    };
    let entries = first_pages(api.files.list(&parent)).await;
    let names = entries.iter().filter_map(|entry: &File| entry.name.value());
    let nearest = nearest(name, names.map(String::as_str))?;
    Some(match folder {
        Some(folder) => format!("{folder}/{nearest}"),
        None => nearest.to_owned(),
    })
}

/// What a suggestion or a completion may cost: a folder can have a million entries.
const PAGES: usize = 5;

/// The first items of a list, as far as they can be had.
pub(crate) async fn first_pages<T: DeserializeOwned + Send + 'static>(
    mut pager: Pager<Page<T>>,
) -> Vec<T> {
    let mut items = Vec::new();
    for _ in 0..PAGES {
        match pager.next_page().await {
            Ok(Some(page)) => items.extend(page.items),
            Ok(None) | Err(_) => break,
        }
    }
    items
}

impl Failure {
    /// A project that has no such entry, or doesn't show it.
    pub(crate) fn no_entry(project: ProjectId, path: String) -> Self {
        let parent = match path.rsplit_once('/') {
            Some((folder, _)) => format!("--folder {}", shell_word(&format!("{project}:{folder}"))),
            None => format!("--project {project}"),
        };
        let mut failure = Failure::usage(format!(
            "project `{project}` has no `{path}`, or doesn't show it to you"
        ))
        .hint(format!(
            "`cavatica files list {parent}` shows what is there"
        ));
        failure.absent = Some(Box::new(Absent::Entry(project, path)));
        failure
    }
}
