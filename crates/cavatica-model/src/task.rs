//! Tasks: runs of an app, for the sake of what they put out.
//!
//! Source: <https://docs.cavatica.org/reference/get-details-of-a-task>.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::IdError;
use crate::open::open_names;
use crate::wire::Open;
use crate::{FileId, ProjectId, TaskId, Tri, UnknownKeys};

open_names! {
    /// How far a task is.
    #[non_exhaustive]
    pub enum TaskStatus {
        /// Not started.
        Draft = "DRAFT",
        /// Waiting for its turn.
        Queued = "QUEUED",
        /// At work.
        Running = "RUNNING",
        /// Done; its outputs are complete.
        Completed = "COMPLETED",
        /// Stopped by a person.
        Aborted = "ABORTED",
        /// Stopped by a fault.
        Failed = "FAILED",
    }
}

/// A run of an app in a project.
///
/// ```
/// use cavatica_model::task::Task;
///
/// let task: Task = serde_json::from_str(
///     r#"{"id": "6f2a1b3c-0000-4000-8000-000000000001", "outputs": {
///         "bam": {"class": "File", "path": "567890abc8a5639cc6722063",
///                 "secondaryFiles": [{"class": "File", "path": "567890abc8a5639cc6722064"}]},
///         "reads": 1042
///     }}"#,
/// )?;
/// assert_eq!(task.put_out()?.files.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Task {
    /// The URL of this task.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// The task's id.
    pub id: TaskId,
    /// Its name, for people.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub name: Tri<String>,
    /// The project that it runs in.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub project: Tri<ProjectId>,
    /// The app that it runs, `owner/project/app/revision`.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub app: Tri<String>,
    /// How far it is.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub status: Tri<Open<TaskStatus>>,
    /// Whether it only stands for the tasks that an input was split into. Those have the outputs.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub batch: Tri<bool>,
    /// What it put out, by the names that the app gives: files, folders, numbers, texts, lists and records of them.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub outputs: Tri<UnknownKeys>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// The files and folders among a task's outputs, once each, in the order of the outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PutOut {
    /// Files, companions such as an index among them.
    pub files: Vec<FileId>,
    /// Folders, which stand for all that is in them.
    pub folders: Vec<FileId>,
}

impl Task {
    /// A task of which only the id is known.
    pub fn new(id: TaskId) -> Self {
        Task {
            href: Tri::Absent,
            id,
            name: Tri::Absent,
            project: Tri::Absent,
            app: Tri::Absent,
            status: Tri::Absent,
            batch: Tri::Absent,
            outputs: Tri::Absent,
            unknown: UnknownKeys::new(),
        }
    }

    /// Whether this task only stands for the tasks that an input was split into.
    pub fn is_batch(&self) -> bool {
        self.batch.value() == Some(&true)
    }

    /// Finds the files and folders among the outputs: objects with a `class` and their id as `path`, at any depth; lists
    /// of them; and companions under `secondaryFiles`.
    ///
    /// # Errors
    ///
    /// If a path can't be an id.
    pub fn put_out(&self) -> Result<PutOut, IdError> {
        let mut search = Search::default();
        for value in self
            .outputs
            .value()
            .into_iter()
            .flat_map(UnknownKeys::values)
        {
            search.look(value)?;
        }
        Ok(search.found)
    }
}

#[derive(Default)]
struct Search {
    found: PutOut,
    seen: HashSet<FileId>,
}

impl Search {
    fn look(&mut self, value: &Value) -> Result<(), IdError> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.look(item)),
            Value::Object(object) => {
                let class = object.get("class").and_then(Value::as_str);
                let id = object.get("path").and_then(Value::as_str);
                // The official Python client doesn't mind the letter case of a class either.
                let list = match class {
                    Some(class) if class.eq_ignore_ascii_case("file") => &mut self.found.files,
                    Some(class) if class.eq_ignore_ascii_case("directory") => {
                        &mut self.found.folders
                    }
                    Some(_) | None => {
                        return object.values().try_for_each(|item| self.look(item));
                    }
                };
                if let Some(id) = id {
                    let id: FileId = id.parse()?;
                    if self.seen.insert(id.clone()) {
                        list.push(id);
                    }
                }
                match object.get("secondaryFiles") {
                    Some(companions) => self.look(companions),
                    None => Ok(()),
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn task(outputs: Value) -> Task {
        serde_json::from_value(json!({"id": "t", "outputs": outputs})).expect("a task")
    }

    #[test]
    fn outputs_are_found_at_any_depth_with_their_companions_once_each() {
        let task = task(json!({
            "bam": {"class": "File", "path": "a", "secondaryFiles": [{"class": "File", "path": "b"}]},
            "count": 7,
            "folder": {"class": "Directory", "path": "d"},
            "index": {"class": "file", "path": "b"},
            "literal": {"class": "File", "contents": "no id", "secondaryFiles": [{"class": "File", "path": "f"}]},
            "name": "not a file",
            "record": {"inner": {"class": "File", "path": "e"}},
            "reports": [[{"class": "File", "path": "c"}], null]
        }));
        let found = task.put_out().expect("ids");
        let names = |ids: &[FileId]| ids.iter().map(FileId::to_string).collect::<Vec<_>>();
        assert_eq!(names(&found.files), ["a", "b", "f", "e", "c"]);
        assert_eq!(names(&found.folders), ["d"]);
    }

    #[test]
    fn a_path_that_is_no_id_is_an_error() {
        assert!(
            task(json!({"o": {"class": "File", "path": ""}}))
                .put_out()
                .is_err()
        );
    }
}
