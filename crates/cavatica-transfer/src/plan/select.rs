//! Reading the selection from the platform, a hundred files per request.

use std::collections::{HashMap, VecDeque};

use cavatica_exports::model::manifest::{Row, RowError};
use cavatica_exports::model::{Batch, BulkItem, File, FileId, ProjectId, TaskId};
use cavatica_exports::transport::{Call, Outcome};
use cavatica_exports::{ListError, Parent};
use serde_json::Value;

use super::error::PlanError;
use super::glob::Glob;
use super::named::ByName;
use super::sieve::{Flow, Sieve};
use super::{Rows, Selection};
use crate::platform::Platform;

/// The most bad rows that are told about at once.
const BAD_ROWS: usize = 1_000;

/// Hands every selected file to the sieve.
pub(super) async fn select(
    platform: &Platform,
    selection: Selection,
    sieve: &mut Sieve<'_>,
) -> Result<(), PlanError> {
    match selection {
        Selection::Project {
            project,
            folder,
            names,
        } => {
            let start = find_folder(platform, &project, folder.as_deref()).await?;
            tree(platform, vec![start], &names, sieve).await
        }
        Selection::Tasks(tasks) => outputs(platform, &tasks, sieve).await,
        Selection::Manifest { rows, .. } => manifest(platform, rows, sieve).await,
    }
}

/// A folder and its path from the project's root.
type Level = (Parent, String);

/// Follows a path of folders, one request for each.
pub(super) async fn find_folder(
    platform: &Platform,
    project: &ProjectId,
    folder: Option<&str>,
) -> Result<Level, PlanError> {
    let mut parent = Parent::Project(project.clone());
    let mut path = String::new();
    let names = folder.unwrap_or("").split('/');
    for name in names.filter(|name| !name.is_empty()) {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(name);
        let found = platform
            .files
            .find(&parent, &[name])
            .await
            .map_err(PlanError::Call)?;
        let folder = found
            .into_iter()
            .find(|file| file.is_folder() && file.name.value().is_some_and(|it| it == name));
        parent = match folder {
            Some(folder) => Parent::Folder(folder.id),
            None => return Err(PlanError::NoFolder { path }),
        };
    }
    Ok((parent, path))
}

/// The largest page that programs in the field ask for.
const LARGE_PAGE: u32 = 1_000;

/// How folders are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paging {
    /// A thousand files per request, by tokens.
    Large,
    /// A hundred, as documented.
    Documented,
}

/// Reads folders with everything below them.
async fn tree(
    platform: &Platform,
    start: Vec<Level>,
    names: &[Glob],
    sieve: &mut Sieve<'_>,
) -> Result<(), PlanError> {
    let mut levels = VecDeque::from(start);
    let mut paging = Paging::Large;
    while let Some((parent, path)) = levels.pop_front() {
        let mut pager = match paging {
            Paging::Large => platform.files.scroll(&parent, LARGE_PAGE),
            Paging::Documented => platform.files.list(&parent),
        };
        loop {
            let page = match pager.next_page().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(ListError::Call(error))
                    if paging == Paging::Large && *error.outcome() == Outcome::Refused =>
                {
                    // Large pages are advance access; the sieve doesn't mind files that it has seen.
                    paging = Paging::Documented;
                    pager = platform.files.list(&parent);
                    continue;
                }
                Err(error) => return Err(PlanError::List(error)),
            };
            for file in page.items {
                let name = file.name.value().map_or("", String::as_str);
                if file.is_folder() {
                    let path = match path.as_str() {
                        "" => name.to_owned(),
                        above => format!("{above}/{name}"),
                    };
                    levels.push_back((Parent::Folder(file.id), path));
                } else if (names.is_empty() || names.iter().any(|glob| glob.fits(name)))
                    && sieve.take(&file, Some(&path), None)? == Flow::Enough
                {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Reads the files of a manifest, a hundred at a time.
async fn manifest(platform: &Platform, rows: Rows, sieve: &mut Sieve<'_>) -> Result<(), PlanError> {
    let mut errors: Vec<RowError> = Vec::new();
    let mut folders = Folders::default();
    let mut batch: Vec<(FileId, Option<Row>)> = Vec::new();
    let mut by_name = ByName::default();
    for row in rows {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                errors.push(error);
                if errors.len() == BAD_ROWS {
                    break;
                }
                continue;
            }
        };
        // Once a row is bad there will be no plan, only the list of what is wrong.
        if !errors.is_empty() {
            continue;
        }
        let Some(id) = row.id.clone() else {
            if by_name.push(row, platform, sieve).await? == Flow::Enough {
                return Ok(());
            }
            continue;
        };
        batch.push((id, Some(row)));
        if batch.len() == Batch::<FileId>::MAX
            && resolve(platform, &mut folders, std::mem::take(&mut batch), sieve).await?
                == Flow::Enough
        {
            return Ok(());
        }
    }
    if !errors.is_empty() {
        return Err(PlanError::Manifest { errors });
    }
    if resolve(platform, &mut folders, batch, sieve).await? == Flow::More {
        by_name.look_up(platform, sieve).await?;
    }
    Ok(())
}

/// Reads up to a hundred files by their ids and hands them on in this order.
async fn resolve(
    platform: &Platform,
    folders: &mut Folders,
    wanted: Vec<(FileId, Option<Row>)>,
    sieve: &mut Sieve<'_>,
) -> Result<Flow, PlanError> {
    if wanted.is_empty() {
        return Ok(sieve.flow());
    }
    let ids: Vec<FileId> = wanted.iter().map(|(id, _)| id.clone()).collect();
    let (files, reasons) = read_files(platform, ids).await?;
    folders.learn(platform, files.values()).await?;
    for (id, row) in wanted {
        let Some(file) = files.get(&id) else {
            let reason = reasons.get(&id).map_or(
                "the platform doesn't show the file: it was deleted, or you have no right to it",
                String::as_str,
            );
            sieve.miss(&id, reason)?;
            continue;
        };
        let named = row.as_ref().and_then(|row| row.path.clone());
        let path = folders.path(file).or(named);
        if sieve.take(file, path.as_deref(), row.as_ref())? == Flow::Enough {
            return Ok(Flow::Enough);
        }
    }
    Ok(Flow::More)
}

/// The files with these ids, and why others can't be read.
async fn read_files(
    platform: &Platform,
    mut ids: Vec<FileId>,
) -> Result<(HashMap<FileId, File>, HashMap<FileId, String>), PlanError> {
    let mut reasons = HashMap::new();
    let mut files = HashMap::new();
    ids.sort_unstable();
    ids.dedup();
    let batch = Batch::new(ids.clone()).expect("1 to 100 files are read at a time");
    let answer = platform
        .files
        .get_bulk(&batch)
        .await
        .map_err(PlanError::Call)?
        .value;
    let count_agrees = answer.items.len() == ids.len();
    for (position, item) in answer.items.into_iter().enumerate() {
        match item {
            BulkItem::Resource(file, _) => {
                files.insert(file.id.clone(), file);
            }
            BulkItem::Error(error, _) if count_agrees => {
                reasons.insert(ids[position].clone(), error.to_string());
            }
            BulkItem::Error(..) | BulkItem::Unreadable { .. } => {}
        }
    }
    Ok((files, reasons))
}

/// The folders that files lie in, read once each.
#[derive(Debug, Default)]
struct Folders {
    /// Name and parent by id; a folder without a parent is a project's root.
    known: HashMap<FileId, (String, Option<FileId>)>,
}

impl Folders {
    /// Reads the folders above these files, level by level.
    async fn learn(
        &mut self,
        platform: &Platform,
        files: impl Iterator<Item = &File>,
    ) -> Result<(), PlanError> {
        let mut above: Vec<FileId> = files
            .filter_map(|file| file.parent.value().cloned())
            .collect();
        loop {
            above.sort_unstable();
            above.dedup();
            above.retain(|id| !self.known.contains_key(id));
            if above.is_empty() {
                return Ok(());
            }
            let mut next = Vec::new();
            for chunk in above.chunks(Batch::<FileId>::MAX) {
                let (folders, _) = read_files(platform, chunk.to_vec()).await?;
                for id in chunk {
                    let folder = folders.get(id);
                    let name = folder.and_then(|folder| folder.name.value().cloned());
                    let parent = folder.and_then(|folder| folder.parent.value().cloned());
                    next.extend(parent.clone());
                    self.known
                        .insert(id.clone(), (name.unwrap_or_default(), parent));
                }
            }
            above = next;
        }
    }

    /// The folders that a file lies in, from the project's root; `None` if the platform doesn't tell.
    fn path(&self, file: &File) -> Option<String> {
        let mut names = Vec::new();
        let mut at = file.parent.value()?;
        // A folder can't lie in itself; the bound is for answers that say so.
        for _ in 0..1_000 {
            let (name, parent) = self.known.get(at)?;
            let Some(parent) = parent else {
                names.reverse();
                return Some(names.join("/"));
            };
            names.push(name.as_str());
            at = parent;
        }
        None
    }
}

/// Reads what tasks put out: files, folders with all that is in them, and companions.
///
/// Source: <https://docs.cavatica.org/reference/get-details-of-a-task>.
async fn outputs(
    platform: &Platform,
    tasks: &[TaskId],
    sieve: &mut Sieve<'_>,
) -> Result<(), PlanError> {
    let mut folders = Folders::default();
    for task in tasks {
        let call = Call::get("/tasks/{task}").param("task", task);
        let details = platform
            .client
            .fetch::<Value>(call)
            .await
            .map_err(PlanError::Call)?
            .value;
        let (mut files, mut directories) = (Vec::new(), Vec::new());
        collect(&details["outputs"], &mut files, &mut directories).map_err(|reason| {
            PlanError::Task {
                task: task.clone(),
                reason,
            }
        })?;
        for chunk in files.chunks(Batch::<FileId>::MAX) {
            let wanted = chunk.iter().map(|id| (id.clone(), None)).collect();
            if resolve(platform, &mut folders, wanted, sieve).await? == Flow::Enough {
                return Ok(());
            }
        }
        for chunk in directories.chunks(Batch::<FileId>::MAX) {
            let (found, reasons) = read_files(platform, chunk.to_vec()).await?;
            folders.learn(platform, found.values()).await?;
            for id in chunk {
                if sieve.flow() == Flow::Enough {
                    return Ok(());
                }
                let Some(directory) = found.get(id) else {
                    let reason = reasons.get(id).map_or(
                        "the platform doesn't show the folder: it was deleted, or you have no right to it",
                        String::as_str,
                    );
                    sieve.miss(id, reason)?;
                    continue;
                };
                let name = directory.name.value().cloned().unwrap_or_default();
                let path = match folders.path(directory).as_deref() {
                    None | Some("") => name,
                    Some(above) => format!("{above}/{name}"),
                };
                tree(
                    platform,
                    vec![(Parent::Folder(id.clone()), path)],
                    &[],
                    sieve,
                )
                .await?;
            }
        }
    }
    Ok(())
}

/// Finds files and folders in a task's outputs: objects with a `class` and a `path`, the id, at any depth; lists of them;
/// and companions under `secondaryFiles`.
fn collect(
    value: &Value,
    files: &mut Vec<FileId>,
    directories: &mut Vec<FileId>,
) -> Result<(), String> {
    match value {
        Value::Array(items) => {
            for item in items {
                collect(item, files, directories)?;
            }
        }
        Value::Object(object) => {
            let class = object.get("class").and_then(Value::as_str);
            let id = object.get("path").and_then(Value::as_str);
            let list = match class {
                // The official Python client doesn't mind the letter case either.
                Some(class) if class.eq_ignore_ascii_case("file") => Some(&mut *files),
                Some(class) if class.eq_ignore_ascii_case("directory") => Some(&mut *directories),
                Some(_) | None => None,
            };
            if let (Some(list), Some(id)) = (list, id) {
                let id: FileId = id
                    .parse()
                    .map_err(|error: cavatica_exports::model::IdError| error.to_string())?;
                if !list.contains(&id) {
                    list.push(id);
                }
                if let Some(companions) = object.get("secondaryFiles") {
                    collect(companions, files, directories)?;
                }
            } else {
                for item in object.values() {
                    collect(item, files, directories)?;
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outputs_are_found_at_any_depth_with_their_companions_once_each() {
        let outputs = json!({
            "bam": {"class": "File", "path": "a", "secondaryFiles": [{"class": "File", "path": "b"}]},
            "index": {"class": "file", "path": "b"},
            "reports": [[{"class": "File", "path": "c"}], null],
            "folder": {"class": "Directory", "path": "d"},
            "record": {"inner": {"class": "File", "path": "e"}},
            "count": 7,
            "name": "not a file"
        });
        let (mut files, mut directories) = (Vec::new(), Vec::new());
        collect(&outputs, &mut files, &mut directories).expect("ids");
        files.sort_unstable();
        assert_eq!(
            files.iter().map(FileId::as_str).collect::<Vec<_>>(),
            ["a", "b", "c", "e"]
        );
        assert_eq!(
            directories.iter().map(FileId::as_str).collect::<Vec<_>>(),
            ["d"]
        );
    }
}
