//! Reading a folder with everything below it.

use cavatica_exports::model::Entry;
use cavatica_exports::{Cavatica, Parent};

use super::companion;
use super::error::PlanError;
use super::filter::Tally;
use super::sieve::{Flow, Sieve};

/// Hands on every file in a folder and below it that is meant; `path` is the folder's own from the project's root. The sieve
/// doesn't mind files that it has seen.
pub(super) async fn tree(
    platform: &Cavatica,
    start: Parent,
    path: String,
    tally: &mut Tally<'_>,
    sieve: &mut Sieve<'_>,
) -> Result<(), PlanError> {
    let mut walk = platform.files.walk(start, path);
    while let Some(page) = walk.next_page().await.map_err(PlanError::List)? {
        for entry in &page.entries {
            let file = match entry {
                Entry::Read(file) => file,
                Entry::Unreadable { raw, reason } => {
                    sieve.unreadable(&page.folder, raw, reason)?;
                    continue;
                }
            };
            if !file.is_folder()
                && tally.fits(file)
                && sieve.take(file, Some(&page.folder), None)? == Flow::Enough
            {
                return Ok(());
            }
        }
        companion::settle(platform, sieve).await?;
    }
    Ok(())
}
