//! The proof of *exactly once*: the real engine, its journal and the sandbox in one deterministic process.
//!
//! A [`Scenario`] is a transfer and what befalls it. [`play`] plays it on one thread: the engine as it is shipped, SQLite on
//! a disk in memory that forgets what wasn't synced, hyper on both sides of pipes, tokio's time paused, and the sandbox as
//! the platform, whose ledger is the judge. Nothing but the scenario decides what happens, so that the same one gives the
//! same log.

#![warn(missing_docs)]

mod belief;
mod campaign;
mod disk;
mod generate;
mod judge;
mod log;
#[cfg(test)]
mod model;
mod plot;
mod process;
mod record;
mod scenario;
mod shrink;
mod story;
mod vfs;
mod wire;
mod world;

pub use belief::Belief;
pub use campaign::{BadSeed, Campaign};
pub use cavatica_transfer::Mutation;
pub use record::{Record, RecordedCampaign};
pub use scenario::{Others, Scenario, Trouble};
pub use shrink::{as_test, shrink};
pub use story::story;
pub use wire::{Blow, Strike};
pub use world::{Mode, Order, Played, play, play_in_order};
