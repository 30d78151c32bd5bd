//! Walks: a project's folders, and a volume's, with what lies in them. Where a walk is, it knows itself: a future that is
//! dropped loses nothing.

use std::collections::VecDeque;

use crate::model::volume::VolumeListing;
use crate::model::wire::{Entry, Page};
use crate::model::{File, VolumeId};
use crate::transport::Outcome;
use crate::{Files, ListError, Pager, Parent, Volumes};

/// The largest page that programs in the field ask for.
const LARGE_PAGE: u32 = 1_000;

/// A walk through a folder and all below it, a page at a time, folders above before those below.
#[derive(Debug)]
pub struct FileWalk {
    files: Files,
    /// A thousand entries for a request, by tokens, until the platform refuses them; then a hundred, as documented.
    large_pages: bool,
    deep: bool,
    folders: VecDeque<Folder>,
    open: Option<(Folder, Pager<Page<Entry<File>>>)>,
}

#[derive(Debug)]
struct Folder {
    id: Parent,
    path: String,
}

/// A page of what lies in one folder.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FolderPage {
    /// The folder's path, without a slash at its end; empty is the project's root.
    pub folder: String,
    /// Files and folders. One that can't be read spoils only itself.
    pub entries: Vec<Entry<File>>,
}

impl FolderPage {
    /// The path of one of its entries. One without a name goes by its id.
    pub fn path_of(&self, entry: &File) -> String {
        let name = entry.name.value().map_or(entry.id.as_str(), String::as_str);
        match self.folder.as_str() {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        }
    }
}

impl Files {
    /// Walks through a folder and all below it. `path` is the folder's own, to begin the paths with; empty for a project.
    ///
    /// It asks for large pages, which are advance access. Where the platform refuses them in the midst of a folder, the
    /// folder is read again from its beginning: its entries may come twice.
    pub fn walk(&self, parent: Parent, path: impl Into<String>) -> FileWalk {
        let top = Folder {
            id: parent,
            path: path.into(),
        };
        FileWalk {
            files: self.clone(),
            large_pages: true,
            deep: true,
            folders: VecDeque::from([top]),
            open: None,
        }
    }
}

impl FileWalk {
    /// The same walk, which stays in the folder that it begins in.
    #[must_use]
    pub fn one_level(mut self) -> Self {
        self.deep = false;
        self
    }

    /// The next page, or `None` once all was shown. A page that could not be had can be asked for again.
    ///
    /// # Errors
    ///
    /// Those of the list that was read.
    pub async fn next_page(&mut self) -> Result<Option<FolderPage>, ListError> {
        loop {
            if self.open.is_none() {
                let Some(folder) = self.folders.pop_front() else {
                    return Ok(None);
                };
                let pager = self.list(&folder.id);
                self.open = Some((folder, pager));
            }
            let Some((folder, pager)) = &mut self.open else {
                continue;
            };
            match pager.next_page().await {
                Ok(Some(page)) => {
                    let page = FolderPage {
                        folder: folder.path.clone(),
                        entries: page.items,
                    };
                    if self.deep {
                        self.folders.extend(folders(&page));
                    }
                    return Ok(Some(page));
                }
                Ok(None) => self.open = None,
                Err(ListError::Call(error))
                    if self.large_pages && *error.outcome() == Outcome::Refused =>
                {
                    self.large_pages = false;
                    *pager = self.files.list(&folder.id).leniently();
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn list(&self, parent: &Parent) -> Pager<Page<Entry<File>>> {
        if self.large_pages {
            self.files.scroll(parent, LARGE_PAGE).leniently()
        } else {
            self.files.list(parent).leniently()
        }
    }
}

fn folders(page: &FolderPage) -> impl Iterator<Item = Folder> {
    page.entries.iter().filter_map(|entry| match entry {
        Entry::Read(file) if file.is_folder() => Some(Folder {
            id: Parent::Folder(file.id.clone()),
            path: page.path_of(file),
        }),
        Entry::Read(_) | Entry::Unreadable { .. } => None,
    })
}

/// A walk through the folders of a volume that its caller chooses to enter, a page at a time.
#[derive(Debug)]
pub struct VolumeWalk {
    volumes: Volumes,
    volume: VolumeId,
    folders: Vec<String>,
    open: Option<Pager<VolumeListing>>,
}

impl Volumes {
    /// Walks through a volume from this folder on, into those that are [entered](VolumeWalk::enter). A folder that isn't
    /// there holds nothing; nor does one on a volume that isn't there, so whoever doubts that asks for the volume first.
    pub fn walk(&self, volume: &VolumeId, folder: impl Into<String>) -> VolumeWalk {
        VolumeWalk {
            volumes: self.clone(),
            volume: volume.clone(),
            folders: vec![folder.into()],
            open: None,
        }
    }
}

impl VolumeWalk {
    /// Goes to this folder too, before those that were entered earlier. Who enters each of the folders that a page shows sees
    /// everything, and comes to an end: a page shows only folders below its own.
    pub fn enter(&mut self, folder: impl Into<String>) {
        self.folders.push(folder.into());
    }

    /// The next page, or `None` once every folder that was entered is read.
    ///
    /// # Errors
    ///
    /// Those of the list that was read.
    pub async fn next_page(&mut self) -> Result<Option<VolumeListing>, ListError> {
        loop {
            if self.open.is_none() {
                let Some(folder) = self.folders.pop() else {
                    return Ok(None);
                };
                self.open = Some(self.volumes.list_objects(&self.volume, &folder));
            }
            let Some(pager) = &mut self.open else {
                continue;
            };
            match pager.next_page().await {
                Ok(Some(page)) => return Ok(Some(page)),
                Ok(None) => self.open = None,
                Err(ListError::Call(error)) if error.status() == Some(404) => self.open = None,
                Err(error) => return Err(error),
            }
        }
    }
}
