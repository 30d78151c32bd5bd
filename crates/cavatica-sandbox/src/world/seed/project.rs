//! One project of a new world, and its finished tasks.

use std::path::PathBuf;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::FileSeed;

/// A project of a new world: files and folders with a path each. Folders on the way to a file come by themselves.
///
/// ```
/// use cavatica_sandbox::{FileSeed, ProjectSeed};
///
/// let project = ProjectSeed::new("sandbox/trio")
///     .file("run1/a.vcf", "##fileformat=VCFv4.2\n")
///     .with(FileSeed::bytes("run1/a.bam", "reads").metadata("sample_id", "NA12878").tag("final"))
///     .with(FileSeed::bytes("old.tar", "years ago").archived())
///     .synthetic("many", 1000, 4096)
///     .folder("empty");
/// ```
///
/// In a scenario its keys are `id`, and any of `files`, `folders`, `synthetic` (each with `folder`, `count` and `size`),
/// `from_dir`, `tasks` and `location`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectSeed {
    pub(crate) id: String,
    pub(crate) folders: Vec<String>,
    pub(crate) files: Vec<FileSeed>,
    pub(crate) synthetic: Vec<ManySeed>,
    /// Read, and its files added to the others, before the world begins.
    #[serde(skip_serializing)]
    pub(crate) from_dir: Option<PathBuf>,
    pub(crate) tasks: Vec<TaskSeed>,
    pub(crate) location: Option<String>,
}

/// Files that are alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManySeed {
    pub(crate) folder: String,
    pub(crate) count: u32,
    pub(crate) size: u64,
}

impl ProjectSeed {
    /// An empty project; the id is `owner/short-name`.
    pub fn new(id: impl Into<String>) -> Self {
        ProjectSeed {
            id: id.into(),
            ..ProjectSeed::default()
        }
    }

    /// An ordinary file with these bytes.
    #[must_use]
    pub fn file(self, path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        self.with(FileSeed::bytes(path, content))
    }

    /// A file that is special in some way.
    #[must_use]
    pub fn with(mut self, file: FileSeed) -> Self {
        self.files.push(file);
        self
    }

    /// A folder, empty unless something else is put there.
    #[must_use]
    pub fn folder(mut self, path: impl Into<String>) -> Self {
        self.folders.push(path.into());
        self
    }

    /// Copies of all files under a folder of this computer, which itself is only read.
    ///
    /// Links to files within it are followed, links to folders are left out. Links that lead out of it are refused before
    /// anything is made.
    #[must_use]
    pub fn from_dir(mut self, source: impl Into<PathBuf>) -> Self {
        self.from_dir = Some(source.into());
        self
    }

    /// `count` files of `size_bytes` each in a folder (`""` is the project's root). Their bytes are made from the seed
    /// when they are read and take no room on the disk.
    #[must_use]
    pub fn synthetic(mut self, folder: impl Into<String>, count: u32, size_bytes: u64) -> Self {
        self.synthetic.push(ManySeed {
            folder: folder.into(),
            count,
            size: size_bytes,
        });
        self
    }

    /// The cloud and region of the project and its files, for instance `aws:eu-central-1`; without it `aws:us-east-1`, where
    /// all volumes are.
    #[must_use]
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// A finished task with outputs among the project's files and folders.
    #[must_use]
    pub fn task(mut self, task: TaskSeed) -> Self {
        self.tasks.push(task);
        self
    }
}

/// A finished task of a new world.
///
/// Its outputs are written as the platform shows them, but with paths in the project where the platform shows ids:
///
/// ```
/// use cavatica_sandbox::{ProjectSeed, TaskSeed};
/// use serde_json::json;
///
/// let task = TaskSeed::new("6f2a1b3c-0000-4000-8000-000000000001")
///     .name("alignment")
///     .output("bam", json!({
///         "class": "File", "path": "run1/a.bam",
///         "secondaryFiles": [{"class": "File", "path": "run1/a.bam.bai"}]
///     }))
///     .output("reports", json!({"class": "Directory", "path": "run1/reports"}))
///     .output("reads", 1042);
/// let project = ProjectSeed::new("sandbox/trio")
///     .file("run1/a.bam", "reads")
///     .file("run1/a.bam.bai", "index")
///     .folder("run1/reports")
///     .task(task);
/// ```
///
/// Files don't name it as their task for that; [`FileSeed::task`] makes them. A task that only files name has one output,
/// `files`, the list of them.
///
/// In a scenario its keys are `id`, and any of `name`, `app`, `part_of` and `outputs`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaskSeed {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) app: Option<String>,
    pub(crate) part_of: Option<String>,
    pub(crate) outputs: Map<String, Value>,
}

impl TaskSeed {
    /// A task without outputs; its name is its id.
    pub fn new(id: impl Into<String>) -> Self {
        TaskSeed {
            id: id.into(),
            ..TaskSeed::default()
        }
    }

    /// Names the task.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Says which app it ran, `owner/project/app/revision`.
    #[must_use]
    pub fn app(mut self, app: impl Into<String>) -> Self {
        self.app = Some(app.into());
        self
    }

    /// Makes it part of a batch task, which needs no description of its own.
    #[must_use]
    pub fn part_of(mut self, batch: impl Into<String>) -> Self {
        self.part_of = Some(batch.into());
        self
    }

    /// Gives the task an output.
    #[must_use]
    pub fn output(mut self, id: impl Into<String>, value: impl Into<Value>) -> Self {
        self.outputs.insert(id.into(), value.into());
        self
    }
}
