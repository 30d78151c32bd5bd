//! Exports that are under way when a plan is made.

use std::collections::HashMap;

use cavatica_exports::model::{ExportState, FileId, VolumeId};
use cavatica_exports::{Cavatica, ExportFilter};

use super::error::PlanError;

/// The files that a job of this account is carrying to the volume, with their locations there: so many pages of them. Those on
/// later ones the run notices, and waits for.
pub(super) async fn under_way(
    platform: &Cavatica,
    volume: &VolumeId,
    most_pages: u64,
) -> Result<HashMap<FileId, String>, PlanError> {
    let unfinished = [ExportState::Pending, ExportState::Running];
    let filter = ExportFilter::to(volume.clone()).in_states(unfinished);
    let mut pager = platform.exports.list(&filter);
    let mut files = HashMap::new();
    for _ in 0..most_pages {
        let page = pager.next_page().await.map_err(PlanError::List)?;
        let Some(page) = page else { break };
        for job in page.items.into_iter().filter(|job| !job.is_final()) {
            if let (Some(source), Some(to)) = (job.source.value(), job.destination.value()) {
                files.insert(source.file.clone(), to.location.clone());
            }
        }
    }
    Ok(files)
}
