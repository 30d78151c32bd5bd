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
//! | module | holds |
//! |---|---|
//! | [`export`], [`finding`] | [`ExportRequest::check`] gives a [`CheckedExport`], or a [`Rejected`](finding::Rejected) with all objections; [`Reason`](finding::Reason) explains each name |
//! | [`job`], [`bulk`] | [`ExportJob`], [`ExportBatch`] and what became of each of its requests: [`BulkAnswer::by_request`](bulk::BulkAnswer::by_request) |
//! | [`file`](mod@file), [`volume`], [`project`], [`task`], [`account`] | what the platform shows |
//! | [`id`], [`wire`] | ids made by parsing, good ever after; absent, null or value; names that may be unknown; pages |
//! | [`destination`] | [`Template`](destination::Template) and [`Layout`] make locations, [`Census`](destination::Census) finds those that meet |
//! | [`manifest`] | [`Manifest`](manifest::Manifest) reads CSV, TSV and JSON lines; [`manifest::check`] judges a whole one |
//! | [`mount`] | volumes to be made, and the [`IamPolicy`](mount::IamPolicy) that their bucket has to allow |
//! | [`error`] | [`StatusCode`](error::StatusCode) and [`classify`](error::classify): what the platform's codes mean, and whether waiting helps |
//! | [`text`], [`tsv`] | text from outside made visible, and tables |
//!
//! # Using it
//!
//! ```toml
//! cavatica-model = "0.1" # until it is on crates.io: { path = "CLONE/crates/cavatica-model" }
//! ```
//!
//! No features by default; `schemars1` gives requests and findings JSON schemas (of schemars 1). Rust 1.95 or later. It
//! never opens a socket, reads a clock or a file, or needs a runtime.
//!
//! # Nothing is lost
//!
//! What was read can be written again, equal as JSON (integers within 64 bits). Keys that this version doesn't know are
//! kept in the field `unknown` of their object. Names such as states and storage classes are [`Open`](wire::Open): known ones are
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
//! let layout = Layout::new("archive/".parse()?, "{path}/{name}".parse()?);
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
pub mod bulk;
mod check;
mod collide;
pub mod export;
pub mod file;
mod file_ref;
pub mod id;
pub mod job;
mod key;
mod keyed;
mod layout;
mod location;
pub mod manifest;
pub mod mount;
mod objection;
mod open;
mod page;
mod platform;
pub mod project;
mod rate;
mod reason;
#[cfg(feature = "schemars1")]
mod schema;
mod status;
pub mod task;
mod template;
mod time;
mod tri;
pub mod tsv;
mod unknown;
mod user;
mod visible;
pub mod volume;

// What most programs name.
#[doc(no_inline)]
pub use crate::{
    bulk::{ExportBatch, Fate},
    destination::{Layout, Location},
    error::ApiError,
    export::{CheckedExport, ExportMode, ExportProperties, ExportRequest},
    file::File,
    id::{ExportId, FileId, ProjectId, TaskId, VolumeId},
    job::{ExportJob, ExportState},
    volume::Volume,
    wire::{Tri, UnknownKeys},
};

/// The account behind a token: who it is, what it may ask for, and which environment it belongs to.
pub mod account {
    pub use crate::platform::{Platform, PlatformError};
    pub use crate::rate::{Rate, RateLimit, reset_moment};
    pub use crate::user::User;
}

/// Where files go: locations, the layout that makes them, and those that meet.
pub mod destination {
    pub use crate::collide::{Census, Collision, Meeting, Suspects, fold};
    pub use crate::layout::{DestinationError, DestinationFault, FileFacts, Layout};
    pub use crate::location::{Location, LocationError, LocationFault, MAX_KEY_BYTES, Prefix};
    pub use crate::template::{Field, Template, TemplateError};
}

/// What the platform answers when it refuses, and what its codes mean.
pub mod error {
    pub use crate::api_error::{ApiError, ErrorStatus};
    pub use crate::status::{Class, StatusCode, classify};
}

/// What speaks against an export, by names that don't change.
pub mod finding {
    pub use crate::objection::{Findings, Objection, Rejected, Warning};
    pub use crate::reason::{Kind, Reason};
}

/// Text from outside, made visible: control, direction and invisible characters can't play tricks in it.
pub mod text {
    pub use crate::visible::{visible, visible_json};
}

/// What every answer is made of: values that may be absent, names that may be unknown, pages, moments.
pub mod wire {
    pub use crate::open::{NameError, Open, OpenName};
    pub use crate::page::{Entry, Link, Page};
    pub use crate::time::DateTime;
    pub use crate::tri::Tri;
    pub use crate::unknown::UnknownKeys;
}
