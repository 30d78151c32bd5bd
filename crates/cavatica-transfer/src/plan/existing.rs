//! What lies on the volume already.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use cavatica_exports::Cavatica;
use cavatica_exports::model::Volume;
use cavatica_exports::model::finding::Reason;

use super::drafted::Drafted;
use super::error::PlanError;
use super::options::{Existing, Policy};
use super::unplanned::Unplanned;
use crate::journal::{Draft, JournalError};
use crate::state::ItemId;

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Finds planned locations that are taken, by listing the volume's folders that the plan writes to, from the prefix
/// downwards: folders that aren't there yet cost nothing. Sixteen bytes of memory for each planned file.
pub(super) async fn sift(
    platform: &Cavatica,
    volume: &Volume,
    existing: Existing,
    mut planned: Planned,
    drafted: &mut Drafted,
) -> Result<(), PlanError> {
    if planned.items.is_empty() {
        return Ok(());
    }
    planned.items.sort_unstable();
    let Drafted {
        draft,
        refusal,
        left_out,
    } = drafted;
    let policy = match existing {
        Existing::Fail | Existing::Overwrite => Policy::Fail,
        Existing::Skip => Policy::Skip,
    };
    let prefix = draft.terms().prefix.as_str().to_owned();
    let mut walk = platform.volumes.walk(&volume.id, &*prefix);
    while let Some(page) = walk.next_page().await.map_err(PlanError::List)? {
        for object in &page.items {
            let Some(relative) = object.location.strip_prefix(&prefix) else {
                continue;
            };
            for item in planned.items_at(relative) {
                if draft.location(item)? == relative {
                    let file = taken(draft, item, &object.location)?;
                    match policy {
                        Policy::Fail => refusal.add(file),
                        Policy::Skip => {
                            draft.turn_into_skipped(item, &file.kind, &file.reason)?;
                            left_out.note(|| file, Reason::EXISTS.name);
                        }
                    }
                }
            }
        }
        for folder in page.folders() {
            let planned_to = |relative: &str| planned.folders.contains(&hash(relative));
            if folder.strip_prefix(&prefix).is_some_and(planned_to) {
                walk.enter(folder);
            }
        }
    }
    Ok(())
}

/// Every planned location as a hash with its item, and every folder that one of them lies in.
#[derive(Default)]
pub(super) struct Planned {
    items: Vec<(u64, i64)>,
    folders: HashSet<u64>,
    /// The folder of the file that was noted last: most often the next one lies beside it.
    last_folder: String,
}

impl Planned {
    /// Room for so many files.
    pub(super) fn with_capacity(files: usize) -> Self {
        Planned {
            items: Vec::with_capacity(files),
            ..Planned::default()
        }
    }

    pub(super) fn note(&mut self, item: ItemId, location: &str) {
        self.items.push((hash(location), item.0));
        let (folder, _) = location.split_at(location.rfind('/').map_or(0, |slash| slash + 1));
        if folder != self.last_folder {
            folder.clone_into(&mut self.last_folder);
            let levels = folder.match_indices('/').map(|(end, _)| &folder[..=end]);
            self.folders.extend(levels.map(hash));
        }
    }

    /// The items that may go to a location; its hash may meet another's by chance.
    fn items_at(&self, location: &str) -> Vec<ItemId> {
        let wanted = hash(location);
        let first = self.items.partition_point(|(hash, _)| *hash < wanted);
        self.items[first..]
            .iter()
            .take_while(|(hash, _)| *hash == wanted)
            .map(|(_, item)| ItemId(*item))
            .collect()
    }
}

/// A planned file at whose location something lies.
fn taken(draft: &Draft, item: ItemId, location: &str) -> Result<Unplanned, JournalError> {
    Ok(Unplanned {
        file_id: Some(draft.file(item)?.to_string()),
        path: Some(location.to_owned()),
        line: None,
        kind: Reason::EXISTS.name.to_owned(),
        reason: format!("there is an object at `{location}` already"),
    })
}
