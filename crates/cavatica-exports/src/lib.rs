//! CAVATICA's exports, and the volumes and files around them, as typed calls.
//!
//! A thin layer over [`transport`], in the words of [`model`]: every call is one function, says what it sends, and
//! returns what came. There is no policy here, no disk and no progress; only [`Exports::start_once`] asks more than it was
//! told to, to find out what became of a lost answer, by the same [`evidence`] that the engine decides by.
//!
//! ```no_run
//! # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
//! use cavatica_exports::Cavatica;
//! use cavatica_exports::model::{ExportMode, ExportRequest, ExportState};
//! use cavatica_exports::transport::Token;
//!
//! let cavatica = Cavatica::connect(Token::new(std::fs::read_to_string("token.txt")?)?)?;
//! let file = cavatica.files.get(&"567890abc8a5639cc6722063".parse()?).await?;
//! let volume = cavatica.volumes.get(&"rfranklin/output".parse()?).await?;
//! let request = ExportRequest::new(file.id.clone(), volume.id.clone(), "run1/output.vcf".parse()?);
//! let checked = request.check(&file, &volume)?;
//!
//! let job = cavatica.exports.start(&checked, ExportMode::Move).await?;
//! let job = cavatica.exports.wait(&job.id, std::time::Duration::from_secs(1800)).await?;
//! assert!(job.state.is(ExportState::Completed));
//! # Ok(()) }
//! ```
//!
//! | of [`Cavatica`] | calls |
//! |---|---|
//! | [`exports`](Exports) | [`start`](Exports::start), [`start_once`](Exports::start_once), [`start_each`](Exports::start_each); [`get`](Exports::get), [`get_bulk`](Exports::get_bulk), [`list`](Exports::list), [`count`](Exports::count); [`watch`](Exports::watch), [`wait`](Exports::wait) |
//! | [`files`](Files) | [`get`](Files::get), [`get_bulk`](Files::get_bulk), [`look_up`](Files::look_up) by path, [`find`](Files::find); [`list`](Files::list), [`scroll`](Files::scroll), a [`FileWalk`] through a tree |
//! | [`volumes`](Volumes) | [`get`](Volumes::get), [`list`](Volumes::list), [`object`](Volumes::object), a [`VolumeWalk`]; [`create`](Volumes::create), [`change`](Volumes::change), [`delete`](Volumes::delete); members |
//! | [`projects`](Projects), [`tasks`](Tasks), [`account`](Account) | what they are, and the limit on requests |
//! | any other route | a [`Pager`] over a [`Call`](transport::Call) of one's own, or [`Client::fetch`](transport::Client::fetch) |
//!
//! # Using it
//!
//! ```toml
//! cavatica-exports = "0.1" # until it is on crates.io: { path = "CLONE/crates/cavatica-exports" }
//! ```
//!
//! Programs that run against a sandbox: `cargo run -p cavatica-exports --example export_one_file`, `list_and_follow` and
//! `check_service`.
//!
//! No features for others. Rust 1.95 or later. It never sends anything twice, and writes to no disk.
//!
//! A call that starts exports takes only what [`model::ExportRequest::check`] let through. Its error says what became
//! of it: see [`transport::Outcome`] before sending anything twice.

#![warn(missing_docs)]

pub use cavatica_model as model;
pub use cavatica_transport as transport;
/// The library of moments and spans whose types stand in signatures.
pub use jiff;

mod account;
mod cavatica;
pub mod evidence;
mod exports;
mod files;
mod missing;
#[doc(hidden)]
pub mod mutation;
mod once;
mod pager;
mod projects;
mod tasks;
mod volumes;
mod walk;
mod watch;

pub use account::Account;
pub use cavatica::Cavatica;
pub use exports::{ExportFilter, Exports};
pub use files::{FileFields, Files, Followed, Parent};
pub use missing::{Missing, Resource};
pub use once::{OnceError, Started, Unclear};
pub use pager::{ListError, Paged, Pager};
pub use projects::Projects;
pub use tasks::Tasks;
pub use volumes::Volumes;
pub use walk::{FileWalk, FolderPage, VolumeWalk};
pub use watch::{Unended, WaitError, Watch};

/// The README's example is compiled with the doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
