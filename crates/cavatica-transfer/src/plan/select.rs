//! Reading the selection from the platform, a hundred files per request or more.

use super::error::PlanError;
use super::filter::Tally;
use super::manifest;
use super::options::Selection;
use super::outputs::outputs;
use super::paths::find_folder;
use super::settle::settle;
use super::sieve::Sieve;
use super::tree::tree;
use cavatica_exports::Cavatica;

/// Hands every selected file to the sieve. Gives back why there was none, should there be none.
pub(super) async fn select(
    platform: &Cavatica,
    selection: Selection,
    sieve: &mut Sieve<'_>,
) -> Result<String, PlanError> {
    let words = selection.words();
    let nothing = match selection {
        Selection::Project {
            project,
            folder,
            filter,
        } => {
            let path = folder.unwrap_or_default();
            let (parent, path) = find_folder(platform, &project, &path).await?;
            let mut tally = Tally::new(&filter);
            tree(platform, parent, path, &mut tally, sieve).await?;
            tally.why_nothing()
        }
        Selection::Tasks(tasks) => {
            outputs(platform, &tasks, sieve).await?;
            "no file was put out".to_owned()
        }
        Selection::Manifest { rows, .. } => {
            manifest::read(platform, rows, sieve).await?;
            "it lists no file".to_owned()
        }
    };
    settle(platform, sieve).await?;
    Ok(format!("{words}: {nothing}"))
}
