//! The crate's integration tests, in one binary.

mod check;
mod collide;
mod fuzz;
mod lists;
mod location;
mod manifest;
mod mount;
mod outside;
mod platform;
mod reason;
mod roundtrip;
mod status;
mod strategies;
mod template;
mod wire;
mod writers;
