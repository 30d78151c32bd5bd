//! Moves or copies any number of files to a volume, each exactly once, whatever dies on the way.
//!
//! ```no_run
//! # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
//! use std::path::Path;
//!
//! use cavatica_exports::transport::{Client, Endpoint, Token};
//! use cavatica_transfer::journal::{SqliteJournal, TransferFile};
//! use cavatica_transfer::{RunOptions, Stop, run};
//!
//! let token = Token::new(std::fs::read_to_string("token.txt")?)?;
//! let client = Client::builder(Endpoint::CAVATICA.parse()?, token).build()?;
//! // Written by `plan::plan`, or by `cavatica plan`.
//! let path = Path::new("cohort7.transfer");
//! let mut journal = SqliteJournal::open(path, &client)?;
//! run(&mut journal, &client, &RunOptions::default(), &Stop::new(), &mut |event| println!("{event:?}")).await?;
//! println!("{} files arrived", TransferFile::open(path)?.tally()?.completed.files);
//! # Ok(()) }
//! ```
//!
//! [`plan::plan`] writes a transfer: one SQLite file with the plan, and the [`journal`] of all runs to come. [`run`] sends
//! and follows, and takes up what an earlier run left. Where a file stands, and what may follow, is one type:
//! [`state::State`]. [`verify`] reads the destination again and tells what differs, [`audit()`] holds the account's jobs
//! against the journal; `cavatica-report` writes what became of every file. For a single file without a journal there is
//! [`Exports::start_once`](cavatica_exports::Exports::start_once). `docs/reliability.md` says why nothing is sent twice.
//!
//! | for | begin with |
//! |---|---|
//! | a plan | [`plan::plan`] with [`PlanOptions`](plan::PlanOptions) |
//! | a run | [`SqliteJournal::open`](journal::SqliteJournal::open), then [`run()`] with a callback or [`run_stream`] with a stream of [`Event`]s; [`Stop`] |
//! | how it stands | [`TransferFile`](journal::TransferFile) |
//! | proof | [`verify()`], [`audit()`] |
//! | a store of one's own | the trait [`Journal`](journal::Journal), [`JournalError::store`](journal::JournalError::store) |
//!
//! # Using it
//!
//! ```toml
//! cavatica-transfer = "0.1" # until it is on crates.io: { path = "CLONE/crates/cavatica-transfer" }
//! ```
//!
//! A program that runs against a sandbox: `cargo run -p cavatica-transfer --example transfer`.
//!
//! Features: `sqlite` (default) for transfers as files, plans, looks and audits; without it there are the run and the trait
//! `Journal`, and no database is linked. `s3` looks at a bucket itself, beside the platform's word. Rust 1.95 or later. It
//! never sends a file again whose first sending may have been carried out, unless it is told to.

#![warn(missing_docs)]
#![warn(clippy::wildcard_enum_match_arm)]
#![cfg_attr(
    not(feature = "sqlite"),
    allow(dead_code, reason = "only the transfer's file uses it")
)]

#[cfg(feature = "sqlite")]
mod audit;
mod event;
mod evidence;
mod fingerprint;
pub mod journal;
pub mod observe;
#[cfg(feature = "sqlite")]
pub mod plan;
pub mod rehearse;
mod run;
#[cfg(feature = "sqlite")]
mod split;
pub mod state;
#[cfg(feature = "sqlite")]
mod take;
#[cfg(feature = "sqlite")]
mod verify;

pub use cavatica_exports as exports;
/// The library of moments and spans whose types stand in signatures.
pub use cavatica_exports::jiff;
use cavatica_exports::mutation;
#[cfg(feature = "s3")]
pub use cavatica_s3 as s3;

#[cfg(feature = "sqlite")]
pub use audit::{
    AuditError, AuditEvent, AuditLine, AuditPart, AuditReading, AuditSummary, DISAGREEMENTS_LISTED,
    Disagreement, audit,
};
#[cfg(feature = "mutations")]
#[doc(hidden)]
pub use cavatica_exports::mutation::Mutation;
pub use event::{Again, Event, FolderDecision, Hindrance, StopReason};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use observe::Habits;
#[cfg(feature = "proof")]
#[doc(hidden)]
pub use run::proof;
pub use run::{
    Ending, OverwriteAgain, Retry, RunError, RunOptions, RunReport, RunStream, Stop, Timing,
    UnknownFiles, VolumeDifference, Way, run, run_stream,
};
#[cfg(feature = "sqlite")]
pub use split::{SplitBy, SplitError, SplitOptions, SplitPart, SplitReport, split};
#[cfg(feature = "sqlite")]
pub use take::{TakeError, TakeReport, look_before_taking};
#[cfg(feature = "s3")]
pub use verify::find_beginning;
#[cfg(feature = "sqlite")]
pub use verify::{
    Against, Destination, Encryption, Finding, Found, ListedObject, ListingError, Reason, Untold,
    VerifyError, VerifyPart, VerifySummary, verify,
};
