//! The words of CAVATICA's exports API, and every rule about them that can be decided without a network.
//!
//! Export jobs move or copy a project file to a *volume*, a bucket mounted on the platform. The call that starts one
//! can't be undone, so this crate's first purpose is to find out, before anything is sent, whether it would be refused
//! or do harm:
//!
//! ```
//! use cavatica_model::{ExportRequest, File, FileId, Location, Volume};
//!
//! let file: File = serde_json::from_str(
//!     r#"{"id": "567890abc8a5639cc6722063", "name": "output.vcf", "type": "file",
//!         "storage": {"type": "VOLUME", "volume": "rfranklin/output", "location": "output.vcf"}}"#,
//! )?;
//! let volume: Volume = serde_json::from_str(
//!     r#"{"id": "rfranklin/output", "name": "output", "access_mode": "RO", "active": true,
//!         "service": {"type": "s3", "bucket": "franklin-lab", "prefix": ""}}"#,
//! )?;
//! let request = ExportRequest::new(
//!     file.id.clone(),
//!     volume.id.clone(),
//!     "run1/output.vcf".parse::<Location>()?,
//! );
//!
//! // All objections at once, each with a stable name, a sentence and a remedy.
//! let objections = request.check(&file, &volume).unwrap_err();
//! let names: Vec<_> = objections.iter().map(|objection| objection.name()).collect();
//! assert_eq!(names, ["alias", "volume-read-only"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! There is no HTTP here, no async runtime, no clock and no file system. What was read can be written again: unknown
//! keys, unknown states and odd spellings are kept, equal as JSON values (integers within 64 bits).

#![warn(missing_docs)]

mod api_error;
mod bulk;
mod check;
mod collide;
mod export;
mod file;
mod id;
mod location;
pub mod manifest;
mod open;
mod page;
mod rate;
mod status;
mod template;
mod time;
mod tri;
mod user;
mod volume;

pub use api_error::ApiError;
pub use bulk::{
    Batch, BatchSizeError, BulkAnswer, BulkExportRequest, BulkFilesRequest, BulkGetRequest,
    BulkItem,
};
pub use check::{CheckedExport, Findings, Objection, Objections, Warning};
pub use collide::{Census, Collision, Meeting, Suspects, fold};
pub use export::{
    CannedAcl, Destination, ExportJob, ExportMode, ExportProperties, ExportRequest, ExportState,
    JobDestination, Source, SseAlgorithm, StorageClass,
};
pub use file::{File, FileKind, FileStorage, Origin, StorageType};
pub use id::{ExportId, FileId, IdError, ProjectId, TaskId, VolumeId};
pub use location::{Location, LocationError, LocationFault, MAX_KEY_BYTES, Prefix};
pub use open::{Open, OpenName};
pub use page::{Entry, Link, Page};
pub use rate::{Rate, RateLimit, reset_moment};
pub use status::{Class, StatusCode, classify};
pub use template::{
    DestinationError, DestinationFault, Field, FileFacts, Layout, Separation, Template,
    TemplateError,
};
pub use time::DateTime;
pub use tri::Tri;
pub use user::User;
pub use volume::{
    AccessMode, ServiceType, Volume, VolumeLink, VolumeListing, VolumeObject, VolumePrefix,
    VolumeService,
};

/// Keys that this version of the crate has no field for, kept so that they can be written again.
pub type UnknownKeys = serde_json::Map<String, serde_json::Value>;
