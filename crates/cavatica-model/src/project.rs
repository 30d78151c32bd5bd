//! Projects, and the regions that their files lie in.
//!
//! Source: <https://docs.cavatica.org/reference/list-all-your-projects> and the pages beside it.

use serde::{Deserialize, Serialize};

use crate::finding::Warning;
use crate::{File, ProjectId, Tri, UnknownKeys};

/// A project. Lists show little more than `href`, `id` and `name` unless all fields are asked for.
///
/// ```
/// use cavatica_model::project::Project;
///
/// let project: Project = serde_json::from_str(
///     r#"{"id": "ada/trial", "name": "Trial", "settings": {"location": "aws:us-east-1", "locked": false}}"#,
/// )?;
/// assert_eq!(project.location(), Some("aws:us-east-1"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Project {
    /// The URL of this project.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// `owner/short-name`.
    pub id: ProjectId,
    /// The title, which isn't the short name.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub name: Tri<String>,
    /// How it is set up.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub settings: Tri<ProjectSettings>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// How a project is set up, as far as exports care.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProjectSettings {
    /// Its cloud and region, for instance `aws:us-east-1`.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub location: Tri<String>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl Project {
    /// A project of which only the id is known.
    pub fn new(id: ProjectId) -> Self {
        Project {
            href: Tri::Absent,
            id,
            name: Tri::Absent,
            settings: Tri::Absent,
            unknown: UnknownKeys::new(),
        }
    }

    /// Its cloud and region, for instance `aws:us-east-1`, if the answer tells.
    pub fn location(&self) -> Option<&str> {
        self.settings.value()?.location.value().map(String::as_str)
    }
}

/// Watches files go by for one that can't go to the same volume as the first: some platforms export only within one
/// cloud and region.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    first: Option<Vec<String>>,
}

impl Regions {
    /// What is odd about a file beside those before it; nothing where the platform doesn't tell its region.
    pub fn note(&mut self, file: &File) -> Option<Warning> {
        let hosts = file.storage.value()?.hosted_on_locations.value()?;
        let region = hosts.first()?;
        let first = self.first.get_or_insert_with(|| hosts.clone());
        if hosts.iter().any(|host| first.contains(host)) {
            return None;
        }
        Some(Warning::OtherRegion {
            region: region.clone(),
            first: first.join(", "),
        })
    }
}
