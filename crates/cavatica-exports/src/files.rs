//! Files and folders.

use crate::model::{Batch, BulkAnswer, BulkFilesRequest, File, FileId, Page, ProjectId};
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

    /// Reads up to 100 files with one request.
    ///
    /// # Errors
    ///
    /// Those of the transport; a file that can't be read is an error item of the answer.
    pub async fn get_bulk(&self, ids: &Batch<FileId>) -> Result<Fetched<BulkAnswer<File>>, Error> {
        let body = BulkFilesRequest {
            file_ids: ids.clone(),
        };
        let call = Call::post("/bulk/files/get")
            .effect(Effect::Read)
            .json(&body);
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
    /// this as advance access and may refuse it.
    pub fn scroll(&self, parent: &Parent, page_size: u32) -> Pager<Page<File>> {
        let call = of(Call::get("/files/scroll"), parent)
            .query("token", "init")
            .query("fields", "_all")
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

fn of(call: Call, parent: &Parent) -> Call {
    match parent {
        Parent::Project(project) => call.query("project", project),
        Parent::Folder(folder) => call.query("parent", folder),
    }
}
