//! Which files a plan has met.

use std::collections::HashSet;

use cavatica_exports::model::FileId;

use super::codec::packed;

/// A table that grows lies in memory twice, so there are several. Smaller ones would lie where the allocator puts nothing
/// larger when they are gone.
const TABLES: usize = 16;

/// Remembers which files were seen, with 12 bytes for each.
#[derive(Debug)]
pub(crate) struct SeenFiles {
    packed: [HashSet<[u8; 12]>; TABLES],
    odd: HashSet<FileId>,
}

impl Default for SeenFiles {
    fn default() -> Self {
        SeenFiles {
            packed: std::array::from_fn(|_| HashSet::new()),
            odd: HashSet::new(),
        }
    }
}

impl SeenFiles {
    /// Whether the file is new.
    pub(crate) fn insert(&mut self, file: &FileId) -> bool {
        match packed(file.as_str()) {
            // Ids are counted upwards: their last digits differ.
            Some(bytes) => self.packed[usize::from(bytes[11]) % TABLES].insert(bytes),
            None => self.odd.insert(file.clone()),
        }
    }
}
