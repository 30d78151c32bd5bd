//! Finished tasks and what they put out.

use cavatica_model::TaskId;
use cavatica_model::wire::DateTime;
use serde_json::{Map, Value, json};

use super::entity::{NodeKind, Outputs, Task};
use super::seed::TaskSeed;
use super::{Links, SeedError, USER, World};

impl World {
    /// Takes a file's word for the task that made it.
    pub(super) fn credit(&mut self, task: &TaskId, project: u32, file: u32) {
        let task = self.tasks.entry(task.clone()).or_insert_with(|| Task {
            project,
            name: task.to_string(),
            app: None,
            batch: None,
            outputs: Outputs::Files(Vec::new()),
        });
        if let Outputs::Files(files) = &mut task.outputs {
            files.push(file);
        }
    }

    /// Adds a task that is described; the files and folders that it names are there already.
    pub(super) fn add_task(&mut self, project: u32, seed: &TaskSeed) -> Result<(), SeedError> {
        let id: TaskId = seed.id.parse()?;
        let known = self.tasks.get(&id).map(|task| &task.outputs);
        if matches!(known, Some(Outputs::Told(_) | Outputs::Batch)) {
            return Err(SeedError::Twice(seed.id.clone()));
        }
        let outputs =
            self.with_ids_each(project, &seed.outputs)
                .map_err(|path| SeedError::NoOutput {
                    task: seed.id.clone(),
                    path,
                })?;
        let batch: Option<TaskId> = seed.part_of.as_deref().map(str::parse).transpose()?;
        if let Some(batch) = &batch {
            self.tasks.entry(batch.clone()).or_insert_with(|| Task {
                project,
                name: batch.to_string(),
                app: seed.app.clone(),
                batch: None,
                outputs: Outputs::Batch,
            });
        }
        let task = Task {
            project,
            app: seed.app.clone(),
            batch,
            name: seed.name.clone().unwrap_or_else(|| seed.id.clone()),
            outputs: Outputs::Told(outputs),
        };
        self.tasks.insert(id, task);
        Ok(())
    }

    /// A task with its fields; `None` if there is no such task.
    pub(crate) fn task_view(&self, id: &str, links: &Links) -> Option<Value> {
        let id: TaskId = id.parse().ok()?;
        let task = self.tasks.get(&id)?;
        let outputs = match &task.outputs {
            Outputs::Files(files) => {
                let files: Value = files.iter().map(|file| self.output(*file)).collect();
                Map::from_iter([("files".to_owned(), files)])
            }
            Outputs::Told(outputs) => outputs.clone(),
            Outputs::Batch => Map::new(),
        };
        let born = DateTime::from(self.born());
        Some(json!({
            "href": links.task(id.as_str()),
            "id": id,
            "name": task.name,
            "project": self.projects[task.project as usize].id,
            "status": "COMPLETED",
            "app": task.app,
            "batch": matches!(task.outputs, Outputs::Batch),
            "parent": task.batch,
            "created_by": USER,
            "executed_by": USER,
            "created_time": born,
            "start_time": born,
            "end_time": born,
            "errors": [],
            "warnings": [],
            "inputs": {},
            "outputs": outputs,
        }))
    }

    /// The tasks of a project, of a batch task, or all.
    pub(crate) fn tasks(&self, project: Option<&str>, batch: Option<&str>) -> Vec<&TaskId> {
        let fits = |task: &Task| {
            let named = self.projects[task.project as usize].id.as_str();
            let part_of = task.batch.as_ref().map(TaskId::as_str);
            project.is_none_or(|project| project == named)
                && batch.is_none_or(|batch| part_of == Some(batch))
        };
        let tasks = self.tasks.iter().filter(|(_, task)| fits(task));
        tasks.map(|(id, _)| id).collect()
    }

    /// A file or folder as tasks show it.
    fn output(&self, number: u32) -> Value {
        let node = self.node(number);
        let class = match node.kind {
            NodeKind::File(_) => "File",
            NodeKind::Folder { .. } => "Directory",
        };
        json!({"class": class, "path": self.file_id(number), "name": node.name})
    }

    /// A value of a description with ids in place of the paths of files and folders, or the first path that leads nowhere.
    fn with_ids(&self, project: u32, value: &Value) -> Result<Value, String> {
        match value {
            Value::Array(items) => items
                .iter()
                .map(|item| self.with_ids(project, item))
                .collect(),
            Value::Object(object) => {
                let mut told = self.with_ids_each(project, object)?;
                let class = object.get("class").and_then(Value::as_str);
                let path = object.get("path").and_then(Value::as_str);
                if let (Some(class @ ("File" | "Directory")), Some(path)) = (class, path) {
                    let id = self.projects[project as usize].id.as_str();
                    let found = self
                        .file_by_path(id, path)
                        .map(|number| self.output(number));
                    match found {
                        Some(Value::Object(found)) if found["class"] == class => told.extend(found),
                        Some(_) | None => return Err(path.to_owned()),
                    }
                }
                Ok(Value::Object(told))
            }
            plain => Ok(plain.clone()),
        }
    }

    fn with_ids_each(
        &self,
        project: u32,
        values: &Map<String, Value>,
    ) -> Result<Map<String, Value>, String> {
        values
            .iter()
            .map(|(name, value)| Ok((name.clone(), self.with_ids(project, value)?)))
            .collect()
    }
}
