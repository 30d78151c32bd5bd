//! Tasks.

use crate::model::TaskId;
use crate::model::task::Task;
use crate::model::wire::Page;
use crate::pager::{MAX_PAGE, Pager};
use crate::transport::{Call, Client, Error, Fetched};

/// Calls about tasks.
///
/// Source: <https://docs.cavatica.org/reference/get-details-of-a-task>.
#[derive(Clone, Debug)]
pub struct Tasks {
    client: Client,
}

impl Tasks {
    /// Calls through this client.
    pub fn new(client: Client) -> Self {
        Tasks { client }
    }

    /// Reads one task with its outputs.
    ///
    /// # Errors
    ///
    /// `Refused` with code 7002 for a task that doesn't exist or that the caller may not see.
    pub async fn get(&self, id: &TaskId) -> Result<Fetched<Task>, Error> {
        self.client
            .fetch(Call::get("/tasks/{task}").param("task", id))
            .await
    }

    /// Lists the tasks that a batch task was split into.
    pub fn list_children(&self, batch: &TaskId) -> Pager<Page<Task>> {
        let call = Call::get("/tasks")
            .query("parent", batch)
            .names("task", batch)
            .query("fields", "_all")
            .query("limit", MAX_PAGE);
        Pager::new(self.client.clone(), call)
    }
}
