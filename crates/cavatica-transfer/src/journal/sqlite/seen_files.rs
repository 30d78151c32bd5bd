//! Which files a plan has met.

use cavatica_exports::model::FileId;

use super::codec::packed;

/// Remembers which files were seen, with 12 bytes for each.
#[derive(Debug, Default)]
pub(crate) struct SeenFiles {
    packed: std::collections::HashSet<[u8; 12]>,
    odd: std::collections::HashSet<FileId>,
}

impl SeenFiles {
    /// Whether the file is new.
    pub(crate) fn insert(&mut self, file: &FileId) -> bool {
        match packed(file.as_str()) {
            Some(bytes) => self.packed.insert(bytes),
            None => self.odd.insert(file.clone()),
        }
    }
}
