//! The few S3 calls that exports need: put, list, head, get and delete, on AWS or any store that speaks its language.
//!
//! ```no_run
//! use cavatica_s3::{AwsConfig, Bucket, Upload};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = AwsConfig::find()?;
//! let bucket = Bucket::builder("lab-results", config).build()?;
//!
//! let upload = Upload::new(5, &b"reads"[..]).sse("AES256");
//! bucket.put("run1/a.txt", upload).await?;
//!
//! let mut listing = bucket.list("run1/");
//! while let Some(page) = listing.next().await? {
//!     for object in page.objects {
//!         println!("{} {}", object.size, object.key);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | for | begin with |
//! |---|---|
//! | keys, region, service | [`AwsConfig::find`] in the AWS tools' own places, [`AwsConfig::of`] with keys of one's own |
//! | a bucket | [`Bucket::builder`] |
//! | its objects | [`put`](Bucket::put), [`list`](Bucket::list), [`head`](Bucket::head), [`get`](Bucket::get), [`delete`](Bucket::delete) |
//! | what happened | [`Error::kind`] |
//!
//! # Using it
//!
//! ```toml
//! cavatica-s3 = "0.1" # until it is on crates.io: { path = "CLONE/crates/cavatica-s3" }
//! ```
//!
//! No features. Rust 1.95 or later. It never follows a redirect, makes or removes a bucket, or speaks plain `http` to another machine.
//!
//! # What it decides
//!
//! * **Signing** is version 4, in the headers, all `x-amz-` headers signed: an address holds no secret, wherever it is
//!   logged. What is uploaded is read while it is sent, so TLS alone protects it.
//! * **Retries.** What only reads is repeated a few times after a 5xx, a `SlowDown`, a time-out or a broken connection.
//!   What writes is sent once: the caller holds the source and knows whether sending it again does harm.
//! * **Plain `http`** goes to this machine alone. The signature, the session token and the patients' data would be open to
//!   everybody on the way otherwise.
//! * **Redirects** are not followed. S3 sends them for a wrong region, and a signature fits one host only.
//!
//! # What it doesn't do
//!
//! No uploads in parts, so an object has at most 5 GiB. It neither makes nor removes buckets, and it doesn't log in: single
//! sign-on and roles are the AWS tools' business, which hand their temporary keys on by the environment.

#![warn(missing_docs)]

mod bucket;
mod config;
mod credentials;
mod error;
pub mod ini;
mod list;
mod object;
mod place;
mod profiles;
mod send;
mod sign;
mod upload;

pub use cavatica_connect::DialError;

pub use bucket::Bucket;
pub use config::{BucketBuilder, BuildError, shown_address};
pub use credentials::{AwsConfig, Credentials};
pub use error::{Error, ErrorKind};
pub use list::{Listing, ObjectPage};
pub use object::{Download, Head, Object};
pub use profiles::AwsConfigError;
pub use upload::Upload;
