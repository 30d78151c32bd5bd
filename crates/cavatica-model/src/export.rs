//! The request that starts an export job, and what is asked of S3 with it.
//!
//! Source: <https://docs.cavatica.org/reference/start-an-export-job-v2>.

mod properties;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use crate::check::CheckedExport;
pub use properties::{CannedAcl, ExportProperties, SseAlgorithm, StorageClass};

use crate::wire::{NameError, OpenName};
use crate::{FileId, Location, Tri, UnknownKeys, VolumeId};

/// What becomes of the platform's copy. It is said per call, as the query parameter `copy_only`, never in the body.
///
/// ```
/// use cavatica_model::ExportMode;
///
/// assert!(ExportMode::Copy.copy_only() && !ExportMode::Move.copy_only());
/// assert_eq!(ExportMode::Move.to_string(), "move");
/// assert_eq!("copy".parse(), Ok(ExportMode::Copy));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportMode {
    /// The platform deletes its copy and turns the project file into an alias of the new object. Can't be undone.
    Move,
    /// The platform keeps its copy. CAVATICA's own page doesn't document this; read one file back before relying on it.
    Copy,
}

impl ExportMode {
    /// The value of the query parameter `copy_only`.
    pub fn copy_only(self) -> bool {
        self == ExportMode::Copy
    }

    /// `move` or `copy`.
    pub fn as_str(self) -> &'static str {
        match self {
            ExportMode::Move => "move",
            ExportMode::Copy => "copy",
        }
    }
}

impl OpenName for ExportMode {
    const ALL: &'static [Self] = &[ExportMode::Move, ExportMode::Copy];

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl FromStr for ExportMode {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        ExportMode::from_name(text).ok_or_else(|| NameError::new::<Self>(text))
    }
}

impl fmt::Display for ExportMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is exported.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Source {
    /// The project file.
    pub file: FileId,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// Where it is to go.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Destination {
    /// The volume; it must be read-write.
    pub volume: VolumeId,
    /// The key of the new object; the platform puts the volume's prefix before it.
    pub location: Location,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// The body of the call that starts an export job, and an item of the bulk call.
///
/// ```
/// use cavatica_model::export::SseAlgorithm;
/// use cavatica_model::{ExportProperties, ExportRequest, Tri};
///
/// let mut properties = ExportProperties::default();
/// properties.sse_algorithm = Tri::Value(SseAlgorithm::Aes256.into());
/// let request = ExportRequest::new("567890abc8a5639cc6722063".parse()?, "rfranklin/output".parse()?, "output.vcf".parse()?)
///     .with_properties(properties);
/// assert_eq!(
///     serde_json::to_value(&request)?,
///     serde_json::json!({
///         "source": {"file": "567890abc8a5639cc6722063"},
///         "destination": {"volume": "rfranklin/output", "location": "output.vcf"},
///         "properties": {"sse_algorithm": "AES256"}
///     })
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExportRequest {
    /// What is to be exported.
    pub source: Source,
    /// Where it is to go.
    pub destination: Destination,
    /// Whether the platform may delete an object that is already there; absent means no. It deletes before it writes,
    /// so a failure in between can leave neither.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub overwrite: Tri<bool>,
    /// What to ask of S3; absent, null and `{}` all leave the volume's defaults.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub properties: Tri<ExportProperties>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl Source {
    /// This file.
    pub fn new(file: FileId) -> Self {
        Source {
            file,
            unknown: UnknownKeys::new(),
        }
    }
}

impl Destination {
    /// This location on this volume.
    pub fn new(volume: VolumeId, location: Location) -> Self {
        Destination {
            volume,
            location,
            unknown: UnknownKeys::new(),
        }
    }
}

impl ExportRequest {
    /// A request that overwrites nothing and leaves the volume's defaults.
    pub fn new(file: FileId, volume: VolumeId, location: Location) -> Self {
        ExportRequest {
            source: Source::new(file),
            destination: Destination::new(volume, location),
            overwrite: Tri::Absent,
            properties: Tri::Absent,
            unknown: UnknownKeys::new(),
        }
    }

    /// Lets the platform delete an object that is already at the location. It can't be brought back.
    #[must_use]
    pub fn overwriting(mut self) -> Self {
        self.overwrite = Tri::Value(true);
        self
    }

    /// Asks something of S3 other than the volume's defaults.
    #[must_use]
    pub fn with_properties(mut self, properties: ExportProperties) -> Self {
        self.properties = Tri::Value(properties);
        self
    }
}
