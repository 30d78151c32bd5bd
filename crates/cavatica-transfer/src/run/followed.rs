//! What is followed.

use cavatica_exports::model::ExportId;
use tokio::time::Instant;

use crate::journal::FolderId;
use crate::state::ItemId;

/// A file whose job was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Followed {
    pub(super) item: ItemId,
    pub(super) export: ExportId,
    /// When that was known. `None` for one of an earlier run.
    pub(super) since: Option<Instant>,
}

/// A page of a folder where most files had not arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SampledPage {
    pub(super) folder: FolderId,
    /// When it was read.
    pub(super) at: Instant,
}
