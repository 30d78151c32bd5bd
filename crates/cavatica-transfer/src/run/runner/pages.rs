//! Files that are followed by listing their folders.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use cavatica_exports::ListError;
use cavatica_exports::model::file::StoredFile;
use cavatica_exports::model::{ExportId, ExportMode, FileId};
use cavatica_exports::transport::Outcome;
use tokio::time::Instant;

use super::Runner;
use crate::event::Event;
use crate::evidence::{AskError, Whereabouts};
use crate::journal::{Change, FolderId, Item};
use crate::observe::Habit;
use crate::run::RunError;
use crate::run::folders::{Address, PageShown};
use crate::run::followed::Followed;
use crate::run::follower::PageFailure;
use crate::run::tasks::{FailedJobs, ListedPage};
use crate::state::{ItemId, Observation, Step};

impl Runner<'_> {
    /// Follows a file whose job was accepted.
    pub(super) fn follow_one(
        &mut self,
        followed: Followed,
        address: Option<Address>,
    ) -> Result<(), RunError> {
        if let Some(id) = self.follower.undecided(address)
            && let Some(folder) = self.journal.folder(id)?
            && let Some(decision) = self.follower.meet(id, folder)
        {
            (self.report)(Event::FolderFollowed(decision));
        }
        self.follower.follow(followed, address);
        Ok(())
    }

    /// Follows a file that was accepted just now.
    pub(super) fn follow_accepted(
        &mut self,
        item: ItemId,
        export: ExportId,
        now: Instant,
    ) -> Result<(), RunError> {
        let address = match (self.terms.mode, self.addresses.remove(&item)) {
            (ExportMode::Copy, _) => None,
            (ExportMode::Move, Some(address)) => address,
            (ExportMode::Move, None) => {
                let item = self.journal.items(&[item])?.pop();
                item.and_then(|item| self.address(&item.file, item.folder, item.attempt))
            }
        };
        let since = Some(now);
        self.follow_one(
            Followed {
                item,
                export,
                since,
            },
            address,
        )
    }

    /// Where a file lies on the platform. What is sent again lies too thinly for its folder to be listed once more.
    pub(super) fn address(
        &self,
        file: &FileId,
        folder: Option<FolderId>,
        attempt: u32,
    ) -> Option<Address> {
        let folder = folder.filter(|_| attempt <= 1)?;
        let is_moved = self.terms.mode == ExportMode::Move;
        is_moved.then(|| Address {
            folder,
            file: hashed(file),
        })
    }

    pub(super) fn listed(&mut self, page: ListedPage) -> Result<(), RunError> {
        let ListedPage {
            folder,
            began,
            expected,
            files,
            entries,
            list,
            first,
        } = page;
        let now = Instant::now();
        let files = match files {
            Ok(files) => files,
            Err(ListError::Call(error)) if *error.outcome() != Outcome::Refused => {
                let again = PageFailure::Again(list);
                self.follower.not_listed(folder, again, now);
                return self.troubled(AskError::Call(error));
            }
            Err(ListError::Call(error)) => {
                self.observed
                    .saw((first && error.status() != Some(404)).then_some(Habit::NoScroll));
                let failure = match (first, error.status()) {
                    // The token has expired, presumably.
                    (false, _) => PageFailure::Again(None),
                    (true, Some(404)) => PageFailure::NoFolder,
                    (true, _) => PageFailure::NoScroll,
                };
                self.follower.not_listed(folder, failure, now);
                return Ok(());
            }
            Err(_) => {
                self.follower.not_listed(folder, PageFailure::NoFolder, now);
                return Ok(());
            }
        };
        self.outage.is_over();
        if list.is_some() {
            self.observe_page(files.len());
        }
        let hashes: Vec<u64> = files.iter().map(|file| hashed(&file.id)).collect();
        let shown = PageShown {
            began,
            files: &hashes,
            entries,
        };
        let seen = self.follower.listed(folder, &shown, list).seen;
        let ids: Vec<ItemId> = seen.iter().map(|(followed, _)| followed.item).collect();
        let items = self.journal.items(&ids)?;
        let (mut arrived, mut late) = (Vec::new(), Vec::new());
        for ((followed, place), item) in seen.into_iter().zip(&items) {
            if let Some(place) = self.arrival(&files[place], item) {
                self.observe_arrival(&place, item, None)?;
                let alias = Step::Observation(Observation::AliasAtDestination);
                arrived.push(Change::new(followed.item, alias));
            } else {
                late.push((followed, hashes[place]));
            }
        }
        if !arrived.is_empty() {
            self.follower.saw_alias();
        }
        self.follower
            .sorted_page(folder, expected, arrived.len(), late, now);
        self.saving.learn(arrived);
        Ok(())
    }

    /// Where an entry of a list lies, if it is this file, and an alias of the planned object. Nothing else that a list shows is
    /// believed: it may be a snapshot, or late.
    fn arrival(&self, file: &StoredFile, item: &Item) -> Option<Whereabouts> {
        let place = Whereabouts::of(&file.storage);
        (file.id == item.file && place.is_at(&self.terms.volume, &item.location)).then_some(place)
    }

    pub(super) fn failures(
        &mut self,
        result: Result<FailedJobs, AskError>,
    ) -> Result<(), RunError> {
        match result {
            Ok(failed) => {
                self.outage.is_over();
                self.follower.failures(&failed.jobs, failed.total);
                Ok(())
            }
            Err(error) => {
                self.follower.no_failures();
                self.troubled(error)
            }
        }
    }
}

/// Files are known by hashes here: eight bytes each.
fn hashed(file: &FileId) -> u64 {
    let mut hasher = DefaultHasher::new();
    file.hash(&mut hasher);
    hasher.finish()
}
