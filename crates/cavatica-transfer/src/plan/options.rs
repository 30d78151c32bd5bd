//! What to plan.

use std::collections::BTreeMap;

use cavatica_exports::model::manifest::{Row, RowError};
use cavatica_exports::model::{
    ExportMode, ExportProperties, Layout, ProjectId, TaskId, Tri, VolumeId,
};
use serde::Serialize;

use super::filter::Filter;

/// What to plan.
#[non_exhaustive]
pub struct PlanOptions {
    /// Which files.
    pub selection: Selection,
    /// Where to.
    pub target: PlanTarget,
    /// What every location begins with, and how the rest of it is made.
    pub layout: Layout,
    /// What becomes of the platform's copies.
    pub mode: ExportMode,
    /// What to do about objects that are already there.
    pub existing: Existing,
    /// What to do about files that can't or shouldn't be exported, by the name of the reason. See [`Policy`].
    pub policies: BTreeMap<String, Policy>,
    /// What to ask of S3, for files of which a manifest says nothing else.
    pub properties: Tri<ExportProperties>,
    /// What to do about rows of a manifest that ask for an ACL which lets everybody read.
    pub public_acl: PublicAcl,
    /// Plans no more than so many files: a first few, to see that all is well.
    pub limit: Option<u64>,
    /// A name for people.
    pub label: Option<String>,
    /// The metadata fields that are kept for the report.
    pub metadata: Vec<String>,
}

impl PlanOptions {
    /// Moves what is selected to the target, laid out as on the platform; whatever lies there already fails the plan.
    pub fn new(selection: Selection, target: PlanTarget) -> Self {
        PlanOptions {
            selection,
            target,
            layout: Layout::default(),
            mode: ExportMode::Move,
            existing: Existing::default(),
            policies: BTreeMap::new(),
            properties: Tri::Absent,
            public_acl: PublicAcl::default(),
            limit: None,
            label: None,
            metadata: Vec::new(),
        }
    }
}

/// The rows of a manifest.
pub type Rows = Box<dyn Iterator<Item = Result<Row, RowError>> + Send>;

/// Which files.
#[non_exhaustive]
pub enum Selection {
    /// A project, the whole tree.
    Project {
        /// The project.
        project: ProjectId,
        /// Only what lies under this folder, a path from the project's root.
        folder: Option<String>,
        /// Only files that are like this.
        filter: Filter,
    },
    /// What tasks put out, with companions such as indexes, once each.
    Tasks(Vec<TaskId>),
    /// What a manifest lists.
    Manifest {
        /// How messages call it.
        name: String,
        /// Its rows.
        rows: Rows,
    },
}

impl Selection {
    /// A whole project.
    pub fn project(project: ProjectId) -> Self {
        Selection::Project {
            project,
            folder: None,
            filter: Filter::default(),
        }
    }

    /// What is selected, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Selection::Project {
                project,
                folder,
                filter,
            } => {
                let mut words = format!("project {project}");
                if let Some(folder) = folder {
                    words += &format!(", folder {folder}");
                }
                words + &filter.to_string()
            }
            Selection::Tasks(tasks) => {
                let ids: Vec<&str> = tasks.iter().map(TaskId::as_str).collect();
                format!("outputs of task {}", ids.join(", "))
            }
            Selection::Manifest { name, .. } => format!("manifest {name}"),
        }
    }
}

/// Where to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanTarget {
    /// A volume.
    Volume(VolumeId),
    /// The one volume that stands for this bucket.
    Bucket(String),
}

/// What to do about rows of a manifest that ask for an ACL which lets people outside read the objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicAcl {
    /// The plan fails and names them: these are patients' data.
    #[default]
    Refused,
    /// The user has confirmed it.
    Confirmed,
}

/// What to do about objects that are already at a planned location.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Existing {
    /// The plan fails and names them.
    #[default]
    Fail,
    /// Those files are left out, and listed.
    Skip,
    /// The platform may delete the objects. It deletes before it writes, and nothing brings them back.
    Overwrite,
}

/// What to do about a file that an objection or a warning is about.
///
/// Without a policy, what the platform is known to refuse is left out and listed, and what is only suspicious is planned
/// with a warning. A row of a manifest that contradicts the platform, or whose file isn't there, fails the plan, and so does a
/// file that is being exported already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// Leave it out and list it.
    Skip,
    /// The plan fails and names it.
    Fail,
}

/// The names of all reasons that a [`Policy`] can be about: what the platform refuses, what is suspicious, what has no place
/// to go, what isn't there, what can't be read, what a manifest lists twice, what it says otherwise than the platform, and what
/// is being exported already.
pub const KINDS: &[&str] = &[
    "alias",
    "public",
    "folder",
    "too-large",
    "maybe-archived",
    "maybe-public-copy",
    "location",
    "missing",
    "unreadable",
    "listed-twice",
    "contradicts",
    "in-flight",
];
