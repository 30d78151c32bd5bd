//! The words of CAVATICA's exports API, and every rule about them that can be decided without a network.
//!
//! `POST /v2/storage/exports` copies a project file to a *volume*, a bucket mounted on the platform, turns the file into an
//! alias of the new object and deletes the platform's copy. Nothing undoes it. So this crate's first purpose is to find
//! out, before anything is sent, whether an export would be refused or do harm:
//!
//! ```
//! use cavatica_model::{ExportRequest, File, Location, Volume};
//!
//! let file: File = serde_json::from_str(
//!     r#"{"id": "567890abc8a5639cc6722063", "name": "output.vcf", "type": "file",
//!         "storage": {"type": "VOLUME", "volume": "rfranklin/output", "location": "output.vcf"}}"#,
//! )?;
//! let volume: Volume = serde_json::from_str(
//!     r#"{"id": "rfranklin/output", "name": "output", "access_mode": "RO", "active": true,
//!         "service": {"type": "s3", "bucket": "franklin-lab", "prefix": ""}}"#,
//! )?;
//! let location: Location = "run1/output.vcf".parse()?;
//! let request = ExportRequest::new(file.id.clone(), volume.id.clone(), location);
//!
//! // All objections at once, each with a stable name, a sentence and advice.
//! let rejected = request.check(&file, &volume).unwrap_err();
//! let told: Vec<_> = rejected.objections().iter().map(|objection| (objection.name(), objection.advice())).collect();
//! assert_eq!(
//!     told,
//!     [
//!         ("alias", "leave the file out; copy it from the bucket where it lies if you need it elsewhere"),
//!         ("volume-read-only", "set the volume's access mode to RW (`cavatica volumes set OWNER/NAME --access-mode RW`), or choose another volume"),
//!     ]
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! There is no HTTP here, no async runtime, no clock and no file system: it serves a validator in a pipeline, a server or a
//! notebook's back end as well as a client.
//!
//! # What it holds
//!
//! | | |
//! |---|---|
//! | the wire | [`ExportRequest`], [`ExportJob`], [`StartedJob`], [`JobStanding`], [`File`], [`Volume`], [`VolumeListing`], [`Page`], [`BulkAnswer`], [`User`], [`RateLimit`], [`ApiError`] |
//! | names | [`FileId`], [`VolumeId`], [`ProjectId`], [`ExportId`], [`TaskId`], [`Location`], [`Prefix`]: made by parsing, good ever after |
//! | checks | [`ExportRequest::check`] gives a [`CheckedExport`] or a [`Rejected`] with all objections; [`Reason`] explains each name |
//! | destinations | [`Template`] and [`Layout`] make locations, [`Census`] finds those that meet |
//! | manifests | [`manifest::Manifest`] reads CSV, TSV and JSON lines; [`manifest::check`] judges a whole one |
//! | volumes to be made | [`NewVolume`], [`VolumeChange`], [`VolumeName`]; [`IamPolicy`] is what their bucket has to allow |
//! | environments | [`Platform`] |
//! | errors | [`StatusCode`] and [`classify`]: what the platform's error codes mean, and whether waiting helps |
//!
//! # Nothing is lost
//!
//! What was read can be written again, equal as JSON (integers within 64 bits). Keys that this version doesn't know are
//! kept in the field `unknown` of their object. Names such as states and storage classes are [`Open`]: known ones are
//! recognised in any letter case, unknown ones are kept. A key that is absent, one that is null and one that has a value
//! are three different things to the platform, and stay three in a [`Tri`].
//!
//! # A manifest, judged offline
//!
//! ```
//! use cavatica_model::{Layout, manifest};
//!
//! let text = "file id,path,name\n\
//!             567890abc8a5639cc6722063,run1,output.vcf\n\
//!             567890abc8a5639cc6722064,run1,OUTPUT.vcf\n\
//!             ,run2,output.vcf\n";
//! let layout = Layout { prefix: "archive/".parse()?, template: "{path}/{name}".parse()? };
//!
//! let mut lines = Vec::new();
//! manifest::check("files.csv", || Ok(text.as_bytes()), &layout, |finding| {
//!     lines.push(format!("line {}: {}", finding.line, finding.message));
//! })?;
//! assert_eq!(
//!     lines,
//!     [
//!         "line 4: is empty",
//!         "line 2: locations `archive/run1/output.vcf`, `archive/run1/OUTPUT.vcf` on lines 2 and 3 \
//!          differ only in letter case, Unicode form or what nobody sees",
//!     ]
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_docs)]

mod api_error;
mod bulk;
mod check;
mod collide;
mod export;
mod file;
mod file_ref;
mod id;
mod key;
mod layout;
mod location;
pub mod manifest;
mod mount;
mod objection;
mod open;
mod page;
mod platform;
mod project;
mod rate;
mod reason;
mod status;
mod task;
mod template;
mod time;
mod tri;
pub mod tsv;
mod user;
mod visible;
mod volume;

pub use api_error::{ApiError, ErrorStatus};
pub use bulk::{
    Batch, BatchSizeError, BulkAnswer, BulkExportRequest, BulkFilesRequest, BulkGetRequest,
    BulkItem, ExportBatch, ExportBatchError, ExportKey, Fate, MeetError,
};
pub use check::CheckedExport;
pub use collide::{Census, Collision, Meeting, Suspects, fold};
pub use export::{
    CannedAcl, Destination, ExportJob, ExportMode, ExportProperties, ExportRequest, ExportState,
    JobDestination, JobStanding, Source, SseAlgorithm, StartedJob, StorageClass,
};
pub use file::{File, FileKind, FileStorage, Origin, StorageType, StoredFile};
pub use file_ref::{FilePath, FileRef};
pub use id::{ExportId, FileId, IdError, ProjectId, TaskId, VolumeId};
pub use key::{expected_beginning, key_beginnings};
pub use layout::{DestinationError, DestinationFault, FileFacts, Layout};
pub use location::{Location, LocationError, LocationFault, MAX_KEY_BYTES, Prefix};
pub use mount::{
    AccessKey, BucketPlace, IamPolicy, NewVolume, Secret, VolumeChange, VolumeCredentials,
    VolumeName, VolumeNameError,
};
pub use objection::{Findings, Objection, Rejected, Warning};
pub use open::{NameError, Open, OpenName};
pub use page::{Entry, Link, Page};
pub use platform::{Platform, PlatformError};
pub use project::{Project, ProjectSettings, Regions};
pub use rate::{Rate, RateLimit, reset_moment};
pub use reason::{Kind, Reason};
pub use status::{Class, StatusCode, classify};
pub use task::{PutOut, Task, TaskStatus};
pub use template::{Field, Template, TemplateError};
pub use time::DateTime;
pub use tri::Tri;
pub use user::User;
pub use visible::{visible, visible_json};
pub use volume::{
    AccessMode, Member, ServiceType, Volume, VolumeLink, VolumeListing, VolumeObject,
    VolumePermissions, VolumePrefix, VolumeService,
};

/// Keys that this version of the crate has no field for, kept so that they can be written again.
pub type UnknownKeys = serde_json::Map<String, serde_json::Value>;
