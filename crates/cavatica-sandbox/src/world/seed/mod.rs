//! What a new world holds: as its maker says it, in Rust or in a scenario's JSON, and as its first event keeps it.

mod file;
mod other_export;
mod project;
mod usual;
mod volume;

use serde::{Deserialize, Serialize};

pub use file::FileSeed;
pub use other_export::OtherExport;
pub(crate) use project::ManySeed;
pub use project::{ProjectSeed, TaskSeed};
pub(crate) use usual::{public_project, usual_project, usual_volumes};
pub(crate) use volume::{ObjectSeed, Permissions, StoreKind};
pub use volume::{VolumeChange, VolumeSeed};

use super::quirk::Quirks;
use crate::clock::Millis;

/// A whole world at its beginning, its bytes left out: enough to make the same world again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WorldSeed {
    pub(crate) seed: u64,
    pub(crate) at: Millis,
    pub(crate) quirks: Quirks,
    /// The accounts beside the first one, by username.
    #[serde(default)]
    pub(crate) accounts: Vec<String>,
    pub(crate) projects: Vec<ProjectSeed>,
    pub(crate) volumes: Vec<VolumeSeed>,
}
