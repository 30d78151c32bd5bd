//! The files of one folder, and how far it is listed.

use std::collections::BTreeMap;

use cavatica_exports::Pager;
use cavatica_exports::model::file::StoredFile;
use cavatica_exports::model::wire::{Entry, Page};
use tokio::time::Instant;

use crate::journal::Folder;
use crate::run::followed::Followed;
use crate::run::way::{LARGEST_PAGE, Prospect, Way};
use crate::state::ItemId;

/// A list of what lies in a folder, as far as following needs it.
pub(in crate::run) type FileList = Pager<Page<Entry<StoredFile>>>;

/// What a page shows.
#[derive(Clone, Copy, Debug)]
pub(in crate::run) struct PageShown<'a> {
    /// When it was begun.
    pub(in crate::run) began: Instant,
    /// The files on it, by the hashes of their ids.
    pub(in crate::run) files: &'a [u64],
    /// How many entries the folder has, if the platform says.
    pub(in crate::run) entries: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Watched {
    pub(super) followed: Followed,
    pub(super) file: u64,
}

/// The files of one folder.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) folder: Folder,
    /// How many entries come with a request.
    pub(super) page: u64,
    /// How many entries the folder has, if that was ever counted, or else presumably has.
    pub(super) entries: Option<u64>,
    pub(super) guess: Option<u64>,
    /// Whether its files lie in a list in the order of the plan.
    pub(super) in_order: bool,
    /// In the order of the plan.
    pub(super) watched: BTreeMap<ItemId, Watched>,
    /// How many were ever watched.
    pub(super) accepted: u64,
    pub(super) list: Option<Box<FileList>>,
    /// When that list was begun.
    pub(super) began: Option<Instant>,
    /// How many entries the list has passed.
    pub(super) passed: u64,
    pub(super) reading: bool,
    /// Whether a list of it could not be read on.
    pub(super) lost: bool,
    /// How many of the first have been seen not to have arrived on a page where most hadn't.
    pub(super) sampled: usize,
}

impl Group {
    pub(super) fn new(folder: Folder, granted: Option<u64>) -> Self {
        let listed = folder.size.and_then(|size| size.page);
        let entries = folder.size.map(|size| size.entries);
        // A page that held the whole folder says nothing of how many fit.
        let full = listed.filter(|page| entries.is_some_and(|entries| *page < entries));
        Group {
            page: full.or(granted).unwrap_or(LARGEST_PAGE),
            entries,
            guess: None,
            in_order: listed.is_some(),
            folder,
            watched: BTreeMap::new(),
            accepted: 0,
            list: None,
            began: None,
            passed: 0,
            reading: false,
            lost: false,
            sampled: 0,
        }
    }

    pub(super) fn begin_anew(&mut self) {
        self.list = None;
        self.began = None;
        self.passed = 0;
    }

    /// How many files of the plan lie before this one in the folder.
    fn place(&self, item: ItemId) -> u64 {
        u64::try_from(item.0 - self.folder.first.0).unwrap_or(0)
    }

    fn prospect(&self) -> Prospect {
        Prospect {
            page: self.page,
            entries: self.entries.or(self.guess),
            planned: self.folder.planned,
            passed: self.passed,
            until: None,
            sought: 0,
        }
    }

    /// How all its files would be read.
    pub(super) fn way_of_all(&self) -> Way {
        let planned = self.folder.planned;
        Prospect {
            until: Some(planned),
            sought: planned,
            ..self.prospect()
        }
        .way()
    }

    /// How files are read now, and how many; `None` to wait until more have arrived.
    pub(super) fn choose(&self, ended: usize, all: bool) -> Option<(Way, usize)> {
        let prospect = self.prospect();
        let next = prospect.ours_within(self.passed + self.page);
        let end = ItemId(
            self.folder
                .first
                .0
                .saturating_add_unsigned(next.min(self.folder.planned)),
        );
        let on_page = self.watched.range(..end).count();
        // Others that belong there may have been refused, or may wait for their turn.
        let complete = self.accepted * 20 >= next * 19;
        if self.in_order && complete && on_page > 0 && ended >= on_page {
            let page = Prospect {
                until: Some(next),
                sought: on_page as u64,
                ..prospect
            };
            if page.way() != Way::Ids {
                return Some((page.way(), on_page));
            }
        }
        if !all {
            return None;
        }
        let sought = ended.min(self.watched.len());
        let last = self.watched.keys().nth(sought.saturating_sub(1));
        let until = last.map(|last| self.place(*last) + 1);
        let rest = Prospect {
            until: until.filter(|_| self.in_order),
            sought: sought as u64,
            ..prospect
        };
        let expected = if self.in_order {
            on_page
        } else {
            rest.evenly_on_a_page(sought)
        };
        Some((rest.way(), expected.min(sought)))
    }

    /// The folder may have become another since the plan, or nobody had counted it: then the first page tells, by what the
    /// platform says of the whole or else by what it shows of ours.
    pub(super) fn learn_size(&mut self, shown: &PageShown<'_>, ended: bool, ours: u64) {
        let count = shown.files.len() as u64;
        if ended {
            self.entries = Some(self.passed);
            return;
        }
        self.page = count.max(1);
        self.entries = self.entries.or(shown.entries);
        match &mut self.entries {
            Some(entries) => *entries = (*entries).max(self.passed + 1),
            None => {
                let as_dense = (self.folder.planned * count).checked_div(ours);
                self.guess = as_dense.or(Some(u64::MAX));
            }
        }
    }
}
