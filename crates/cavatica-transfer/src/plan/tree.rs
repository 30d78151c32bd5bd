//! Reading a folder with everything below it.

use cavatica_exports::model::FileId;
use cavatica_exports::model::wire::Entry;
use cavatica_exports::{Cavatica, FolderPage, Parent};

use super::error::PlanError;
use super::filter::Tally;
use super::settle::settle;
use super::sieve::{Flow, Sieve};
use crate::journal::{Draft, FolderSize, JournalError};

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
    let mut counted = Counted::default();
    while let Some(page) = walk.next_page().await.map_err(PlanError::List)? {
        counted.page(&page, &sieve.draft)?;
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
                return counted.write(&sieve.draft).map_err(PlanError::from);
            }
        }
        settle(platform, sieve).await?;
    }
    Ok(counted.write(&sieve.draft)?)
}

/// What was seen of the folder whose pages come.
#[derive(Debug, Default)]
struct Counted {
    folder: Option<(FileId, FolderSize)>,
}

impl Counted {
    /// Counts the entries of a page; each of them names the folder.
    fn page(&mut self, page: &FolderPage, draft: &Draft) -> Result<(), JournalError> {
        let entries = page.entries.len() as u64;
        let parent = page.entries.iter().find_map(|entry| match entry {
            Entry::Read(file) => file.parent.value(),
            Entry::Unreadable { .. } => None,
        });
        match (&mut self.folder, parent) {
            (Some((folder, size)), Some(parent)) if folder == parent => {
                size.entries += entries;
                size.page = size.page.max(Some(entries));
            }
            (_, Some(parent)) => {
                self.write(draft)?;
                let size = FolderSize {
                    entries,
                    page: Some(entries),
                };
                self.folder = Some((parent.clone(), size));
            }
            (_, None) => {}
        }
        Ok(())
    }

    /// Writes it down.
    fn write(&mut self, draft: &Draft) -> Result<(), JournalError> {
        match self.folder.take() {
            Some((folder, size)) => draft.note_folder(&folder, size),
            None => Ok(()),
        }
    }
}
