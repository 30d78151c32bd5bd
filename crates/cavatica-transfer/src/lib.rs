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
//! let now = jiff::Timestamp::now();
//! let mut journal = SqliteJournal::open(path, now)?;
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

#![warn(missing_docs)]
#![warn(clippy::wildcard_enum_match_arm)]

mod audit;
mod event;
mod evidence;
mod fingerprint;
pub mod journal;
pub mod plan;
mod run;
pub mod state;
mod verify;

use cavatica_exports::mutation;

pub use audit::{
    AuditError, AuditEvent, AuditLine, AuditReading, AuditSummary, DISAGREEMENTS_LISTED,
    Disagreement, audit,
};
pub use event::{Again, Event, FolderDecision, Hindrance, StopReason};
pub use fingerprint::{Fingerprint, FingerprintError};
#[cfg(feature = "mutations")]
#[doc(hidden)]
pub use cavatica_exports::mutation::Mutation;
#[cfg(feature = "proof")]
#[doc(hidden)]
pub use run::proof;
pub use run::{
    Ending, OverwriteAgain, Retry, RunError, RunOptions, RunReport, Stop, Timing, UnknownFiles,
    VolumeDifference, Way, run,
};
pub use verify::{
    Against, Destination, Encryption, Finding, Found, ListedObject, ListingError, Reason, Untold,
    VerifyError, VerifySummary, find_beginning, verify,
};
