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
/// downwards: folders that aren't there yet cost nothing. Sixteen bytes of memory for each planned file, once anything lies
/// there.
pub(super) async fn sift(
    platform: &Cavatica,
    volume: &Volume,
    existing: Existing,
    planned: &PlannedFolders,
    drafted: &mut Drafted,
) -> Result<(), PlanError> {
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
    let mut planned_keys = None;
    let mut walk = platform.volumes.walk(&volume.id, &*prefix);
    while let Some(page) = walk.next_page().await.map_err(PlanError::List)? {
        for object in &page.items {
            let Some(relative) = object.location.strip_prefix(&prefix) else {
                continue;
            };
            let keys = match &mut planned_keys {
                Some(keys) => keys,
                None => planned_keys.insert(PlannedKeys::of(draft)?),
            };
            for item in keys.items_at(relative) {
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

/// Every folder that a planned location lies in, as a hash.
#[derive(Default)]
pub(super) struct PlannedFolders {
    folders: HashSet<u64>,
    /// The folder of the file that was noted last: most often the next one lies beside it.
    last: String,
}

impl PlannedFolders {
    pub(super) fn note(&mut self, location: &str) {
        let (folder, _) = location.split_at(location.rfind('/').map_or(0, |slash| slash + 1));
        if folder != self.last {
            folder.clone_into(&mut self.last);
            let levels = folder.match_indices('/').map(|(end, _)| &folder[..=end]);
            self.folders.extend(levels.map(hash));
        }
    }
}

/// Every planned location as a hash, with its item.
struct PlannedKeys(Vec<(u64, i64)>);

impl PlannedKeys {
    fn of(draft: &Draft) -> Result<Self, JournalError> {
        let (files, _, _) = draft.counts();
        let mut keys = Vec::with_capacity(usize::try_from(files).unwrap_or(0));
        draft.each_location(|item, location| keys.push((hash(location), item.0)))?;
        keys.sort_unstable();
        Ok(PlannedKeys(keys))
    }

    /// The items that may go to a location; its hash may meet another's by chance.
    fn items_at(&self, location: &str) -> Vec<ItemId> {
        let wanted = hash(location);
        let first = self.0.partition_point(|(hash, _)| *hash < wanted);
        self.0[first..]
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
