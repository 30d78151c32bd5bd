//! The first copy goes alone, until the platform was seen to keep its source.
//!
//! The platform's own page doesn't document copying: one that ignores `copy_only` moves the file. So nothing else is sent
//! before the source of one copy was read again and still lies on the platform.

use cavatica_exports::model::ExportMode;

use crate::journal::Copying;
use crate::state::ItemId;

/// How far the proof is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyProof {
    /// It isn't needed, or it was given.
    Given,
    /// No copy has completed.
    Open,
    /// A copy has completed, and its source is to be read.
    Completed(ItemId),
    /// Its source is being read.
    Reading(ItemId),
}

impl CopyProof {
    pub(super) fn new(mode: ExportMode, copying: Copying) -> Self {
        match (mode, copying) {
            (ExportMode::Move, _) | (ExportMode::Copy, Copying::KeepsSource) => CopyProof::Given,
            (ExportMode::Copy, Copying::Untried | Copying::MovesSource) => CopyProof::Open,
        }
    }

    /// Whether files go one by one.
    pub(super) fn is_wanted(self) -> bool {
        self != CopyProof::Given
    }

    /// A file has completed.
    pub(super) fn completed(&mut self, item: ItemId) {
        if *self == CopyProof::Open {
            *self = CopyProof::Completed(item);
        }
    }

    /// The file whose source is to be read now, if there is one.
    pub(super) fn begin(&mut self) -> Option<ItemId> {
        let CopyProof::Completed(item) = *self else {
            return None;
        };
        *self = CopyProof::Reading(item);
        Some(item)
    }

    /// Its source couldn't be read.
    pub(super) fn failed(&mut self) {
        if let CopyProof::Reading(item) = *self {
            *self = CopyProof::Completed(item);
        }
    }

    /// Its source lies where it lay.
    pub(super) fn given(&mut self) {
        *self = CopyProof::Given;
    }

    /// Whether no source is to be read.
    pub(super) fn is_idle(self) -> bool {
        matches!(self, CopyProof::Given | CopyProof::Open)
    }
}
