//! Files that are followed by listing the folders that they lie in.
//!
//! A list is read on page by page as the files on its next page have presumably arrived, so that a folder of any size is
//! listed once. What a list shows of a file is believed only where it shows its arrival: a file that it doesn't show, or not
//! as arrived, is read by its job and by its id.

mod group;

use std::collections::{BTreeMap, HashMap};

use cavatica_exports::model::{ExportId, FileId};

use super::followed::Followed;
use super::way::{IDS, Way};
use crate::event::FolderDecision;
use crate::journal::{Folder, FolderId};
use crate::state::ItemId;
pub(super) use group::{FileList, PageShown};
use group::{Group, Watched};

/// Lists that show nothing of what had arrived before: after so many of them none is believed to be up to date.
const STALE_PAGES: u32 = 2;

/// Where a file lies on the platform, as far as following needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) folder: FolderId,
    /// A hash of the file's id.
    pub(super) file: u64,
}

/// A page that is to be read.
#[derive(Debug)]
pub(super) struct PageWish {
    pub(super) folder: FolderId,
    pub(super) parent: FileId,
    /// The list to read on; `None` to begin it.
    pub(super) list: Option<Box<FileList>>,
    /// How many files are expected to be seen on it.
    pub(super) expected: usize,
}

/// What to do next about files in folders.
#[derive(Debug)]
pub(super) enum FolderChoice {
    Read(PageWish),
    /// Read these by their ids from now on.
    Release(Vec<Followed>),
}

/// How a page turned out.
#[derive(Debug)]
pub(super) struct PageSeen {
    /// Files that were on the page, each with its place there.
    pub(super) seen: Vec<(Followed, usize)>,
    /// Files that the list passed without showing them.
    pub(super) missed: Vec<Followed>,
}

/// All folders whose files are followed by listing.
#[derive(Debug, Default)]
pub(super) struct Folders {
    groups: BTreeMap<FolderId, Group>,
    /// The last folder that isn't worth it: most often the next file's too.
    last_by_ids: Option<FolderId>,
    given_up: bool,
    /// How many entries came with a request, as far as that was seen.
    granted: Option<u64>,
    stale: u32,
    files: usize,
}

impl Folders {
    /// Whether files of a folder may be followed by listing at all.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// So many entries came with a request: of folders that are met from now on, no more are expected.
    pub(super) fn grant(&mut self, entries: u64) {
        self.granted = Some(entries.max(1));
    }

    /// Whether it was decided already how the files of a folder are read.
    pub(super) fn knows(&self, id: FolderId) -> bool {
        self.groups.contains_key(&id) || self.last_by_ids == Some(id)
    }

    /// Decides how the files of a folder are read. Says so where there is something to decide.
    pub(super) fn meet(&mut self, id: FolderId, folder: Folder) -> Option<FolderDecision> {
        let group = Group::new(folder, self.granted);
        let way = group.way_of_all();
        let decision = FolderDecision {
            folder: group.folder.file.clone(),
            planned: group.folder.planned,
            entries: group.entries,
            way,
        };
        match way {
            Way::Listing { .. } => drop(self.groups.insert(id, group)),
            Way::Ids => self.last_by_ids = Some(id),
        }
        (decision.planned > IDS).then_some(decision)
    }

    /// Follows a file by listing its folder. Gives it back where that isn't worth it.
    pub(super) fn watch(&mut self, address: Address, followed: Followed) -> Option<Followed> {
        if self.given_up {
            return Some(followed);
        }
        let Some(group) = self.groups.get_mut(&address.folder) else {
            return Some(followed);
        };
        group.accepted += 1;
        let file = address.file;
        let before = group
            .watched
            .insert(followed.item, Watched { followed, file });
        self.files += usize::from(before.is_none());
        None
    }

    pub(super) fn len(&self) -> usize {
        self.files
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Followed> {
        let groups = self.groups.values();
        let watched = groups.flat_map(|group| group.watched.values());
        watched.map(|watched| &watched.followed)
    }

    /// What to do next, if so many of the files in flight have ended, those first that were sent first. `all` says whether
    /// nearly all of them have, so that nothing is worth waiting for.
    pub(super) fn next(&mut self, ended: usize, all: bool) -> Option<FolderChoice> {
        let mut left = ended;
        let mut chosen = None;
        for (id, group) in &mut self.groups {
            if left == 0 {
                break;
            }
            if !group.watched.is_empty()
                && !group.reading
                && let Some((way, expected)) = group.choose(left, all)
            {
                chosen = Some((*id, way, expected));
                break;
            }
            left = left.saturating_sub(group.watched.len());
        }
        let (id, way, expected) = chosen?;
        match way {
            Way::Ids => Some(FolderChoice::Release(self.release(id))),
            Way::Listing { .. } => {
                let group = self.groups.get_mut(&id)?;
                group.reading = true;
                Some(FolderChoice::Read(PageWish {
                    folder: id,
                    parent: group.folder.file.clone(),
                    list: group.list.take(),
                    expected,
                }))
            }
        }
    }

    /// The files of a folder, to be read by their ids.
    fn release(&mut self, id: FolderId) -> Vec<Followed> {
        let Some(group) = self.groups.get_mut(&id) else {
            return Vec::new();
        };
        group.begin_anew();
        let watched = std::mem::take(&mut group.watched);
        self.files -= watched.len();
        let watched = watched.into_values();
        watched.map(|watched| watched.followed).collect()
    }

    /// All files, to be read by their ids.
    pub(super) fn release_all(&mut self) -> Vec<Followed> {
        let ids: Vec<FolderId> = self.groups.keys().copied().collect();
        ids.into_iter().flat_map(|id| self.release(id)).collect()
    }

    /// Lists are refused, or don't show what is: files are read by their ids from now on.
    pub(super) fn give_up(&mut self) -> Vec<Followed> {
        self.given_up = true;
        let released = self.release_all();
        self.groups.clear();
        released
    }

    /// Whether a page of this folder shows those files that are expected on it.
    pub(super) fn is_in_order(&self, id: FolderId) -> bool {
        self.groups.get(&id).is_some_and(|group| group.in_order)
    }

    /// The files that were sent first, to be read by their ids.
    pub(super) fn take_first(&mut self, most: usize) -> Vec<Followed> {
        let mut taken = Vec::new();
        for group in self.groups.values_mut() {
            while taken.len() < most
                && let Some((_, watched)) = group.watched.pop_first()
            {
                taken.push(watched.followed);
            }
        }
        self.files -= taken.len();
        taken
    }

    /// Takes out files by their jobs.
    pub(super) fn take_jobs(&mut self, wanted: &dyn Fn(&ExportId) -> bool) -> Vec<Followed> {
        let mut taken = Vec::new();
        for group in self.groups.values_mut() {
            let items = group.watched.values();
            let items = items.filter(|watched| wanted(&watched.followed.export));
            let items: Vec<ItemId> = items.map(|watched| watched.followed.item).collect();
            for item in items {
                let watched = group.watched.remove(&item).expect("it was there");
                taken.push(watched.followed);
            }
        }
        self.files -= taken.len();
        taken
    }

    /// A page was read. `list` reads on, if it has not ended.
    pub(super) fn listed(
        &mut self,
        id: FolderId,
        shown: &PageShown<'_>,
        list: Option<Box<FileList>>,
    ) -> PageSeen {
        let mut page = PageSeen {
            seen: Vec::new(),
            missed: Vec::new(),
        };
        let Some(group) = self.groups.get_mut(&id) else {
            return page;
        };
        group.reading = false;
        let began = *group.began.get_or_insert(shown.began);
        let places: HashMap<u64, usize> = shown.files.iter().copied().zip(0..).collect();
        let seen = group.watched.values().filter_map(|watched| {
            let place = places.get(&watched.file)?;
            Some((watched.followed.item, *place))
        });
        let seen: Vec<(ItemId, usize)> = seen.take(shown.files.len()).collect();
        for (item, place) in seen {
            let watched = group.watched.remove(&item).expect("it was there");
            page.seen.push((watched.followed, place));
        }
        let ended = list.is_none();
        group.passed += shown.files.len() as u64;
        group.learn_size(shown, ended, page.seen.len() as u64);
        group.list = list;
        if ended {
            // In order, each page was read when its files had been accepted.
            let complete = if group.in_order { shown.began } else { began };
            let was_there = |watched: &&Watched| {
                let since = watched.followed.since;
                since.is_none_or(|since| since < complete)
            };
            let missed = group.watched.values().filter(was_there);
            let missed: Vec<ItemId> = missed.map(|watched| watched.followed.item).collect();
            for item in missed {
                let watched = group.watched.remove(&item).expect("it was there");
                page.missed.push(watched.followed);
            }
            group.begin_anew();
        }
        self.files -= page.seen.len() + page.missed.len();
        page
    }

    /// A page could not be had. The list may be read on, unless it is gone: then it is begun once more, and no more than that.
    pub(super) fn not_listed(
        &mut self,
        id: FolderId,
        list: Option<Box<FileList>>,
    ) -> Vec<Followed> {
        let Some(group) = self.groups.get_mut(&id) else {
            return Vec::new();
        };
        group.reading = false;
        if let Some(list) = list {
            group.list = Some(list);
        } else if std::mem::replace(&mut group.lost, true) {
            return self.close(id);
        } else {
            group.begin_anew();
        }
        Vec::new()
    }

    /// A folder can't be listed: its files are read by their ids from now on.
    pub(super) fn close(&mut self, id: FolderId) -> Vec<Followed> {
        let released = self.release(id);
        self.groups.remove(&id);
        self.last_by_ids = Some(id);
        released
    }

    /// Most files on a page had not arrived. These are watched on, and their folder is listed anew.
    pub(super) fn put_back(&mut self, id: FolderId, some: Vec<(Followed, u64)>) -> Vec<Followed> {
        let Some(group) = self.groups.get_mut(&id) else {
            return some.into_iter().map(|(followed, _)| followed).collect();
        };
        group.begin_anew();
        group.sampled = some.len();
        self.files += some.len();
        for (followed, file) in some {
            let item = followed.item;
            group.watched.insert(item, Watched { followed, file });
        }
        Vec::new()
    }

    /// Some of the files on a page where most had not arrived were read by their jobs: nearly all have failed. So have the
    /// others, presumably.
    pub(super) fn sample_failed(&mut self, id: FolderId) -> Vec<Followed> {
        let Some(group) = self.groups.get_mut(&id) else {
            return Vec::new();
        };
        let mut taken = Vec::new();
        for _ in 0..std::mem::take(&mut group.sampled) {
            let Some((_, watched)) = group.watched.pop_first() else {
                break;
            };
            taken.push(watched.followed);
        }
        self.files -= taken.len();
        taken
    }

    /// Most of them had completed, and the page didn't show it. Gives back all files if lists aren't believed any more.
    pub(super) fn sample_completed(&mut self) -> Vec<Followed> {
        self.stale += 1;
        if self.stale < STALE_PAGES {
            return Vec::new();
        }
        self.give_up()
    }
}
