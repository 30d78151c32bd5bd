//! Reading the selection from the platform, a hundred files per request or more.

use super::error::PlanError;
use super::outputs::outputs;
use super::paths::find_folder;
use super::sieve::Sieve;
use super::tree::tree;
use super::{Selection, manifest};
use crate::platform::Platform;

/// Hands every selected file to the sieve.
pub(super) async fn select(
    platform: &Platform,
    selection: Selection,
    sieve: &mut Sieve<'_>,
) -> Result<(), PlanError> {
    match selection {
        Selection::Project {
            project,
            folder,
            filter,
        } => {
            let path = folder.unwrap_or_default();
            let (parent, path) = find_folder(platform, &project, &path).await?;
            tree(platform, parent, path, &filter, sieve).await
        }
        Selection::Tasks(tasks) => outputs(platform, &tasks, sieve).await,
        Selection::Manifest { rows, .. } => manifest::read(platform, rows, sieve).await,
    }
}
