//! One file per command.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod files;
pub(crate) mod jobs;
pub(crate) mod man;
pub(crate) mod page;
pub(crate) mod plan;
pub(crate) mod projects;
pub(crate) mod report;
pub(crate) mod resolve;
pub(crate) mod retry;
pub(crate) mod run;
pub(crate) mod sandbox;
pub(crate) mod several;
pub(crate) mod split;
pub(crate) mod status;
pub(crate) mod support;
pub(crate) mod take;
pub(crate) mod transfers;
pub(crate) mod verify;
pub(crate) mod volumes;
