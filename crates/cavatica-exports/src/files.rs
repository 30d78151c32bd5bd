//! Files and folders.

use serde::de::DeserializeOwned;

use crate::model::bulk::{Batch, BulkAnswer, BulkFilesRequest};
use crate::model::file::{FileRef, StoredFile};
use crate::model::wire::Page;
use crate::model::{File, FileId, ProjectId};
use crate::pager::{MAX_PAGE, Pager};
use crate::transport::{Call, Client, Effect, Error, Fetched};

/// Calls about files and folders.
///
/// Source: <https://docs.cavatica.org/reference/list-files-primary-method> and the pages beside it.
#[derive(Clone, Debug)]
pub struct Files {
    client: Client,
}

/// What to list the entries of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Parent {
    /// A project: the entries of its root folder.
    Project(ProjectId),
    /// A folder.
    Folder(FileId),
}

/// Where following a path came to an end.
#[derive(Clone, Debug, PartialEq)]
pub enum Followed {
    /// At the file or folder itself.
    To(Box<File>),
    /// At a part that isn't there, or that is a file where a folder was meant: the path so far.
    Lost(String),
}

impl Files {
    /// Calls through this client.
    pub fn new(client: Client) -> Self {
        Files { client }
    }

    /// Reads one file or folder.
    ///
    /// # Errors
    ///
    /// `Refused` with code 5002 for a file that doesn't exist, 5001 for one that the caller may not see.
    pub async fn get(&self, id: &FileId) -> Result<Fetched<File>, Error> {
        self.client
            .fetch(Call::get("/files/{file}").param("file", id))
            .await
    }

    /// Reads the file or folder that is named by its id, or by its project and path with one request for each part.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get), and of listing a project that doesn't exist.
    pub async fn look_up(&self, file: &FileRef) -> Result<Followed, Error> {
        let place = match file {
            FileRef::Id(id) => return Ok(Followed::To(Box::new(self.get(id).await?.value))),
            FileRef::Path(place) => place,
        };
        let is = |entry: &File, name: &str| entry.name.value().is_some_and(|it| it == name);
        let mut parent = Parent::Project(place.project().clone());
        let mut followed = String::new();
        for name in place.folders().split('/').filter(|name| !name.is_empty()) {
            followed += name;
            let entries = self.find(&parent, &[name]).await?;
            let mut folders = entries
                .into_iter()
                .filter(|entry| entry.is_folder() && is(entry, name));
            match folders.next() {
                Some(folder) => parent = Parent::Folder(folder.id),
                None => return Ok(Followed::Lost(followed)),
            }
            followed += "/";
        }
        let entries = self.find(&parent, &[place.name()]).await?;
        let named = entries.into_iter().find(|entry| is(entry, place.name()));
        Ok(match named {
            Some(entry) => Followed::To(Box::new(entry)),
            None => Followed::Lost(place.path().to_owned()),
        })
    }

    /// The folders that a file or folder lies in, from the project's root, with one request for each of them; `None` if
    /// the platform doesn't tell.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    pub async fn folders_of(&self, file: &File) -> Result<Option<String>, Error> {
        let mut names: Vec<String> = Vec::new();
        let mut above = file.parent.value().cloned();
        // A folder can't lie in itself; the bound is for answers that say so.
        for _ in 0..1_000 {
            let Some(id) = above else { return Ok(None) };
            let folder = self.get(&id).await?.value;
            above = folder.parent.value().cloned();
            match (folder.name.value(), &above) {
                // A project's root has a name of its own, which is no part of any path.
                (_, None) => {
                    names.reverse();
                    return Ok(Some(names.join("/")));
                }
                (Some(name), Some(_)) => names.push(name.clone()),
                (None, Some(_)) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Reads up to 100 files with one request: whole [`File`]s, or of each what a [`StoredFile`]
    /// holds, which is less work.
    ///
    /// # Errors
    ///
    /// Those of the transport; a file that can't be read is an error item of the answer.
    pub async fn get_bulk<F: DeserializeOwned + Send + 'static>(
        &self,
        ids: &Batch<FileId>,
    ) -> Result<Fetched<BulkAnswer<F>>, Error> {
        let call = Call::post("/bulk/files/get")
            .effect(Effect::Read)
            .json(&BulkFilesRequest::new(ids.clone()));
        self.client.fetch_with(call, BulkAnswer::read).await
    }

    /// Lists one level, files and folders, with all their fields.
    pub fn list(&self, parent: &Parent) -> Pager<Page<File>> {
        let call = of(Call::get("/files"), parent)
            .query("fields", "_all")
            .query("limit", MAX_PAGE);
        Pager::new(self.client.clone(), call)
    }

    /// Lists one level by tokens instead of offsets: pages don't shift, and may be larger than 100. The platform offers
    /// this as advance access and may refuse it. Of each entry a whole [`File`] is asked for, or what a [`StoredFile`] holds,
    /// which is less work.
    pub fn scroll<F: FileFields>(&self, parent: &Parent, page_size: u32) -> Pager<Page<F>> {
        let call = of(Call::get("/files/scroll"), parent)
            .query("token", "init")
            .query("fields", F::FIELDS)
            .query("limit", page_size);
        Pager::new(self.client.clone(), call).in_advance_access()
    }

    /// The entries of one level that have one of these names exactly. At most a hundred are shown, and the URL holds the
    /// names: ask for a few at a time.
    ///
    /// # Errors
    ///
    /// Those of the transport.
    pub async fn find(&self, parent: &Parent, names: &[&str]) -> Result<Vec<File>, Error> {
        let call = of(Call::get("/files"), parent)
            .query("fields", "_all")
            .query("limit", MAX_PAGE);
        let call = names
            .iter()
            .fold(call, |call, name| call.query("name", name));
        Ok(self.client.fetch::<Page<File>>(call).await?.value.items)
    }
}

/// How much of each file a list is asked for.
pub trait FileFields: DeserializeOwned + Send + 'static {
    /// What `fields` asks for (documented for every list: names, separated by commas, or `_all`).
    const FIELDS: &'static str;
}

impl FileFields for File {
    const FIELDS: &'static str = "_all";
}

impl FileFields for StoredFile {
    const FIELDS: &'static str = "id,storage";
}

fn of(call: Call, parent: &Parent) -> Call {
    match parent {
        Parent::Project(project) => call.query("project", project).names("project", project),
        Parent::Folder(folder) => call.query("parent", folder).names("folder", folder),
    }
}
