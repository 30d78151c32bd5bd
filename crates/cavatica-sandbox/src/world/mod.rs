//! The platform as a pure state machine: commands are decided from the state alone, give events, and only events change
//! the state. There is no clock and no disk here; moments are arguments, and bytes are somebody else's business.

mod apply;
mod decide;
mod entity;
mod event;
mod grow;
pub(crate) mod number;
pub(crate) mod quirk;
pub(crate) mod seed;
mod state;
mod task;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use apply::MisfitError;
pub(crate) use decide::{Due, Errand, Fate, JobTiming, Replacing, Wish};
pub(crate) use entity::{
    Came, Extras, FileNode, Job, Loss, Node, NodeKind, Object, Place, Project, VolumeState, Went,
};
pub(crate) use event::{By, Event, Start, Twist, USER};
pub(crate) use grow::SeedError;
pub use seed::VolumeChange;
pub(crate) use seed::{Permissions, StoreKind};
pub(crate) use state::{World, key};
pub(crate) use view::Links;
