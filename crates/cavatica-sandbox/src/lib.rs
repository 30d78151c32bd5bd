//! The documented CAVATICA API on your own desk: exports that really move bytes, to try things before the irreversible
//! run and to test other programs against.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), cavatica_sandbox::SandboxError> {
//! let sandbox = cavatica_sandbox::Sandbox::builder().start().await?;
//! println!("endpoint {}, token {}", sandbox.endpoint(), sandbox.token());
//! # Ok(())
//! # }
//! ```
//!
//! It refuses what the platform refuses, with the platform's own codes, and decides that with the rules of
//! [`cavatica_model`]. The [`Ledger`] tells what was accepted and done, independent of any client. [`FaultRule`]s make it
//! fail in the ways that networks and services do. One seed gives one world: the same ids, durations and faults.
//!
//! Where the platform isn't documented, it does what its clients expect; the places are named in the comments.

#![warn(missing_docs)]

// Each room knows those above it in this list, none below.
mod api;
mod bytes;
mod clock;
mod control;
mod error;
mod route;
mod serve;
mod wire;
mod world;

pub use api::builder::SandboxBuilder;
pub use api::sandbox::{Door, Sandbox};
pub use api::scenario::{Scenario, ScenarioError};
pub use control::arrivals::Arrivals;
pub use control::fault::{
    Fault, FaultHits, FaultPlan, FaultRule, FaultSpecError, Form, Target, When,
};
pub use control::ledger::{
    Ledger, LedgerFile, LedgerJob, LedgerObject, LedgerPlace, ObjectFate, ObjectOrigin, StartedBy,
};
pub use error::SandboxError;
pub use wire::route::{Method, Route};
pub use world::VolumeChange;
pub use world::quirk::{Quirk, QuirkError};
pub use world::seed::{FileSeed, OtherExport, ProjectSeed, TaskSeed, VolumeSeed};
