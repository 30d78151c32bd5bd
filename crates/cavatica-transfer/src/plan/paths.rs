//! Folders by their paths from a project's root.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cavatica_exports::model::file::{FilePath, FileRef};
use cavatica_exports::model::{File, ProjectId};
use cavatica_exports::transport::Outcome;
use cavatica_exports::{Cavatica, Followed, Parent};

use super::error::PlanError;

/// The most names of one request: a page shows a hundred entries.
const NAMES: usize = 100;

/// The most bytes that the names of one request may take in its URL, of which 6,000 are sent at the most. One name takes up
/// to 3,060: 255 characters of four bytes, three letters for each.
const URL_BYTES: usize = 4_000;

/// A folder, by project and path.
pub(super) type FolderPath = (ProjectId, String);

/// Follows a path of folders, one request for each. Gives the path back as it is written without needless slashes.
pub(super) async fn find_folder(
    platform: &Cavatica,
    project: &ProjectId,
    path: &str,
) -> Result<(Parent, String), PlanError> {
    let path = parts(path).fold(String::new(), |path, name| below(&path, name));
    if path.is_empty() {
        return Ok((Parent::Project(project.clone()), path));
    }
    let lost = |path| PlanError::NoFolder {
        project: project.clone(),
        path,
    };
    let place = FilePath::new(project.clone(), &path).map_err(|_| lost(path.clone()))?;
    let followed = platform.files.look_up(&FileRef::Path(place)).await;
    match followed.map_err(PlanError::Call)? {
        Followed::To(folder) if folder.is_folder() => Ok((Parent::Folder(folder.id), path)),
        Followed::To(_) => Err(lost(path)),
        Followed::Lost(at) => Err(lost(at)),
    }
}

/// The entries of a folder that have one of these names, with as few requests as the length of a URL allows; or why there
/// are none to be had.
pub(super) async fn find(
    platform: &Cavatica,
    parent: &Parent,
    names: &[&str],
) -> Result<Result<Vec<File>, &'static str>, PlanError> {
    let mut found = Vec::new();
    let mut rest = names;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(fitting(rest));
        match platform.files.find(parent, now).await {
            Ok(entries) => found.extend(entries),
            Err(error)
                if *error.outcome() == Outcome::Refused
                    && matches!(error.status(), Some(403 | 404)) =>
            {
                return Ok(Err(match parent {
                    Parent::Project(_) => {
                        "the platform doesn't show the project: it doesn't exist, or you have no right to it"
                    }
                    Parent::Folder(_) => {
                        "the platform doesn't show the folder: it was deleted, or you have no right to it"
                    }
                }));
            }
            Err(error) => return Err(PlanError::Call(error)),
        }
        rest = later;
    }
    Ok(Ok(found))
}

/// Folders that were looked for, from the roots down; each is asked for once.
#[derive(Default)]
pub(super) struct Paths {
    /// The folder, or why there is none.
    known: HashMap<FolderPath, Result<Parent, &'static str>>,
}

impl Paths {
    /// Looks for folders level by level; those of one level that lie in one folder with one request.
    pub(super) async fn learn(
        &mut self,
        platform: &Cavatica,
        places: &BTreeSet<FolderPath>,
    ) -> Result<(), PlanError> {
        let deepest = places.iter().map(|(_, path)| parts(path).count()).max();
        for depth in 1..=deepest.unwrap_or(0) {
            let mut wanted: BTreeMap<FolderPath, BTreeSet<&str>> = BTreeMap::new();
            for (project, path) in places {
                let Some(name) = parts(path).nth(depth - 1) else {
                    continue;
                };
                let above = parts(path)
                    .take(depth - 1)
                    .fold(String::new(), |path, name| below(&path, name));
                if !self
                    .known
                    .contains_key(&(project.clone(), below(&above, name)))
                {
                    wanted
                        .entry((project.clone(), above))
                        .or_default()
                        .insert(name);
                }
            }
            for ((project, above), names) in wanted {
                let names: Vec<&str> = names.into_iter().collect();
                let entries = match self.get(&(project.clone(), above.clone())) {
                    Ok(parent) => find(platform, &parent, &names).await?,
                    Err(reason) => Err(reason),
                };
                for name in names {
                    let folder = entries
                        .as_ref()
                        .map_err(|reason| *reason)
                        .and_then(|entries| {
                            let folder = entries.iter().find(|entry| is_folder(entry, name));
                            folder
                                .map(|folder| Parent::Folder(folder.id.clone()))
                                .ok_or("the project has no such folder")
                        });
                    self.known
                        .insert((project.clone(), below(&above, name)), folder);
                }
            }
        }
        Ok(())
    }

    /// The folder, once it was looked for, or why there is none.
    pub(super) fn get(&self, (project, path): &FolderPath) -> Result<Parent, &'static str> {
        let path = parts(path).fold(String::new(), |path, name| below(&path, name));
        if path.is_empty() {
            return Ok(Parent::Project(project.clone()));
        }
        match self.known.get(&(project.clone(), path)) {
            Some(known) => known.clone(),
            None => Err("the project has no such folder"),
        }
    }
}

fn is_folder(entry: &File, name: &str) -> bool {
    entry.is_folder() && entry.name.value().is_some_and(|it| it == name)
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

fn below(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        above => format!("{above}/{name}"),
    }
}

/// How many of these names, at least one, fit into one request.
fn fitting(names: &[&str]) -> usize {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let cost = |name: &str| {
        let letters = name.bytes().map(|byte| if plain(byte) { 1 } else { 3 });
        "&name=".len() + letters.sum::<usize>()
    };
    let costs = names.iter().scan(0, |sum, name| {
        *sum += cost(name);
        Some(*sum)
    });
    costs
        .take(NAMES)
        .take_while(|sum| *sum <= URL_BYTES)
        .count()
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_request_is_longer_than_a_url_may_be_or_asks_for_more_than_a_page_shows() {
        let short: Vec<String> = (0..150).map(|number| format!("{number}.bam")).collect();
        let long: Vec<String> = (100..110)
            .map(|number| format!("{number}{}", "ä".repeat(120)))
            .collect();
        for (names, count) in [(short, 100), (long, 5), (vec!["𝄞".repeat(255)], 1)] {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            assert_eq!(fitting(&names), count);
        }
    }
}
