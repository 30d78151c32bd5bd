//! The platform's bytes: where they lie, how they come there, and what moves them.

mod elsewhere;
pub(crate) mod event_log;
pub(crate) mod mover;
pub(crate) mod plant;
pub(crate) mod platform;
pub(crate) mod remote;
pub(crate) mod store;
