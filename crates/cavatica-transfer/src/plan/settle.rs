//! Companions find their main files, and go where these go.

use std::collections::{BTreeMap, BTreeSet};

use cavatica_exports::model::{File, FileId};
use cavatica_exports::{Cavatica, Parent};

use super::candidate::Candidate;
use super::companion::{Waiting, main_names};
use super::error::PlanError;
use super::paths;
use super::sieve::Sieve;

/// Lets companions go where their main files go: those of one folder are asked for together.
pub(super) async fn settle(platform: &Cavatica, sieve: &mut Sieve<'_>) -> Result<(), PlanError> {
    let waiting = std::mem::take(&mut sieve.waiting);
    if waiting.is_empty() {
        return Ok(());
    }
    let mut wanted: BTreeMap<FileId, BTreeSet<String>> = BTreeMap::new();
    for Waiting { file, .. } in &waiting {
        if let (Some(folder), Some(name)) = (file.parent.value(), file.name.value()) {
            wanted
                .entry(folder.clone())
                .or_default()
                .extend(main_names(name));
        }
    }
    let mut found: BTreeMap<(FileId, String), File> = BTreeMap::new();
    for (folder, names) in wanted {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // Where the folder isn't shown, there is no main file.
        let entries = paths::find(platform, &Parent::Folder(folder.clone()), &names).await?;
        for entry in entries
            .into_iter()
            .flatten()
            .filter(|entry| !entry.is_folder())
        {
            if let Some(name) = entry.name.value().cloned() {
                found.insert((folder.clone(), name), entry);
            }
        }
    }
    for Waiting { file, folders, row } in waiting {
        let names = file
            .name
            .value()
            .map(|name| main_names(name))
            .unwrap_or_default();
        let main = file.parent.value().and_then(|folder| {
            let mut places = names.into_iter().map(|name| (folder.clone(), name));
            places.find_map(|place| found.get(&place))
        });
        sieve.take_companion(Candidate {
            file: &file,
            folders: folders.as_deref(),
            row: row.as_ref(),
            main,
        })?;
    }
    Ok(())
}
