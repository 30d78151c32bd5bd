//! The engine seen from outside: its journal against a reference machine, and whole transfers against the sandbox.

mod bench;
mod journal;
mod lists;
mod other_journal;
mod plan;
mod report;
mod support;
mod tasks;
mod transfer;
mod verification;
