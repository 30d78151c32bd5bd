//! Projects.

use crate::model::ProjectId;
use crate::model::project::Project;
use crate::model::wire::Page;
use crate::pager::{MAX_PAGE, Pager};
use crate::transport::{Call, Client, Error, Fetched};

/// Calls about projects.
///
/// Source: <https://docs.cavatica.org/reference/list-all-your-projects> and the pages beside it.
#[derive(Clone, Debug)]
pub struct Projects {
    client: Client,
}

impl Projects {
    /// Calls through this client.
    pub fn new(client: Client) -> Self {
        Projects { client }
    }

    /// Reads one project.
    ///
    /// # Errors
    ///
    /// `Refused` with code 3002 for a project that doesn't exist or can't be seen.
    pub async fn get(&self, id: &ProjectId) -> Result<Fetched<Project>, Error> {
        let call = Call::get("/projects/{project}").param("project", id);
        self.client.fetch(call).await
    }

    /// Lists the projects that the caller is a member of, with all their fields; those alone whose names have a part, in
    /// any letter case.
    pub fn list(&self, name: Option<&str>) -> Pager<Page<Project>> {
        let call = Call::get("/projects");
        let call = match name {
            Some(part) => call.query("name", part),
            None => call,
        };
        let call = call.query("fields", "_all").query("limit", MAX_PAGE);
        Pager::new(self.client.clone(), call)
    }
}
