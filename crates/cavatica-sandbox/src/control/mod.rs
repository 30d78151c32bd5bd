//! What the sandbox's owner holds: limits, timing and faults, the ledger, and the calls to see and set them.

pub(crate) mod admin;
pub(crate) mod arrivals;
pub(crate) mod fault;
pub(crate) mod hub;
pub(crate) mod ledger;
pub(crate) mod rate;
mod settings;
