//! The calls against a real S3 server, and the configuration as files.

mod calls;
mod config;
mod refusals;
