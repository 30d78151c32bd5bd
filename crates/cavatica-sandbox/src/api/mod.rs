//! The sandbox as its owner describes, starts and holds it.

pub(crate) mod builder;
mod data;
pub(crate) mod sandbox;
pub(crate) mod scenario;
