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

mod answer;
mod builder;
mod clock;
mod conduct;
mod elsewhere;
mod error;
mod fault;
mod hub;
mod journal;
mod ledger;
mod mover;
mod number;
mod plant;
mod query;
mod quirk;
mod rate;
mod refusal;
mod remote;
mod reply;
mod route;
mod sandbox;
mod scenario;
mod seed;
mod serve;
mod store;
mod tls;
mod world;

pub use builder::SandboxBuilder;
pub use elsewhere::{OtherExport, VolumeChange};
pub use error::SandboxError;
pub use fault::{Fault, FaultHits, FaultPlan, FaultRule, FaultSpecError, Form, Target, When};
pub use ledger::{
    Ledger, LedgerFile, LedgerJob, LedgerObject, LedgerPlace, ObjectFate, ObjectOrigin, StartedBy,
};
pub use quirk::{Quirk, QuirkError};
pub use sandbox::{Door, Sandbox};
pub use scenario::{Scenario, ScenarioError};
pub use seed::{FileSeed, ProjectSeed, TaskSeed, VolumeSeed};
