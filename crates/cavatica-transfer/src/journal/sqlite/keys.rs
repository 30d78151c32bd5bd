//! The planned keys, to be found in whatever order a listing brings them.

use std::hash::{BuildHasher, RandomState};

use rusqlite::Connection;

/// Where each planned key stands in the plan, by a hash of it. A hash may fit a key that was never planned, so the key
/// itself is compared with the plan's; one that was planned is always found.
#[derive(Debug)]
pub(super) struct Keys {
    hasher: RandomState,
    /// In order.
    hashes: Vec<(u64, i64)>,
    /// The folders on the top level that keys lie in, hashed and in order.
    tops: Vec<u64>,
    /// All keys lie in it.
    folder: String,
}

impl Keys {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let hasher = RandomState::new();
        let (mut hashes, mut tops) = (Vec::new(), Vec::new());
        let mut folder = None;
        let mut statement = connection.prepare("SELECT id, location FROM item ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let location = row.get_ref(1)?.as_str()?;
            hashes.push((hasher.hash_one(location), row.get(0)?));
            if let Some(slash) = location.find('/') {
                let top = hasher.hash_one(&location[..=slash]);
                if tops.last() != Some(&top) {
                    tops.push(top);
                }
            }
            let common = folder.get_or_insert_with(|| parent(location).to_owned());
            while !location.starts_with(common.as_str()) {
                common.truncate(parent(&common[..common.len() - 1]).len());
            }
        }
        hashes.sort_unstable();
        tops.sort_unstable();
        tops.dedup();
        Ok(Keys {
            hasher,
            hashes,
            tops,
            folder: folder.unwrap_or_default(),
        })
    }

    /// The items that may have this key: nearly always the one that has it, or none.
    pub(super) fn candidates(&self, key: &str) -> impl Iterator<Item = i64> {
        let hash = self.hasher.hash_one(key);
        let first = self.hashes.partition_point(|(other, _)| *other < hash);
        let behind = self.hashes[first..].iter();
        behind
            .take_while(move |(other, _)| *other == hash)
            .map(|(_, item)| *item)
    }

    /// The smallest folder that all keys lie in, with a `/` at its end; empty if they have none in common.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// Whether a key lies in this folder of the top level, which ends in `/`.
    pub(super) fn lie_in(&self, folder: &str) -> bool {
        self.tops
            .binary_search(&self.hasher.hash_one(folder))
            .is_ok()
    }
}

/// What a key's folder is called, up to its `/`.
fn parent(key: &str) -> &str {
    key.rfind('/').map_or("", |slash| &key[..=slash])
}
