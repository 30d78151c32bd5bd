//! Files by their ids, a hundred with one request, and the folders that they lie in.

use std::collections::HashMap;

use cavatica_exports::Cavatica;
use cavatica_exports::model::bulk::{Batch, BulkItem};
use cavatica_exports::model::{File, FileId};
use cavatica_exports::transport::Error;

use super::error::PlanError;

/// What the platform shows for some ids.
pub(crate) struct Shown {
    files: HashMap<FileId, File>,
    /// Why it doesn't show others, in its own words.
    reasons: HashMap<FileId, String>,
}

impl Shown {
    /// The file or folder, or why it isn't shown.
    pub(crate) fn get(&self, id: &FileId) -> Result<&File, &str> {
        self.files.get(id).ok_or_else(|| {
            self.reasons.get(id).map_or(
                "the platform doesn't show it: it was deleted, or you have no right to it",
                String::as_str,
            )
        })
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }
}

/// Reads files and folders by their ids.
pub(crate) async fn read(platform: &Cavatica, mut ids: Vec<FileId>) -> Result<Shown, Error> {
    ids.sort_unstable();
    ids.dedup();
    let mut shown = Shown {
        files: HashMap::new(),
        reasons: HashMap::new(),
    };
    for ids in ids.chunks(Batch::<FileId>::MAX) {
        let batch = Batch::new(ids.to_vec()).expect("a chunk is 1 to 100 files");
        let answer = platform.files.get_bulk::<File>(&batch).await?.value;
        let count_agrees = answer.items.len() == ids.len();
        for (position, item) in answer.items.into_iter().enumerate() {
            match item {
                BulkItem::Resource(file, _) => {
                    shown.files.insert(file.id.clone(), file);
                }
                BulkItem::Error(error, _) if count_agrees => {
                    shown
                        .reasons
                        .insert(ids[position].clone(), error.to_string());
                }
                BulkItem::Error(..) | BulkItem::Unreadable { .. } => {}
            }
        }
    }
    Ok(shown)
}

/// The folders that files lie in, read once each.
#[derive(Debug, Default)]
pub(super) struct Folders {
    /// Name and parent by id; a folder without a parent is a project's root.
    known: HashMap<FileId, (String, Option<FileId>)>,
}

impl Folders {
    /// Reads the folders above these files, level by level.
    pub(super) async fn learn(
        &mut self,
        platform: &Cavatica,
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
            let shown = read(platform, above.clone())
                .await
                .map_err(PlanError::Call)?;
            let mut next = Vec::new();
            for id in above {
                let folder = shown.get(&id).ok();
                let name = folder.and_then(|folder| folder.name.value().cloned());
                let parent = folder.and_then(|folder| folder.parent.value().cloned());
                next.extend(parent.clone());
                self.known.insert(id, (name.unwrap_or_default(), parent));
            }
            above = next;
        }
    }

    /// The folders that a file lies in, from the project's root; `None` if the platform doesn't tell.
    pub(super) fn path(&self, file: &File) -> Option<String> {
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
