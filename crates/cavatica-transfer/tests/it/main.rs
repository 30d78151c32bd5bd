//! The engine seen from outside: its journal against a reference machine, and whole transfers against the sandbox.

mod audit;
mod bench;
mod doubts;
mod following;
mod journal;
mod lies;
mod lists;
mod observing;
mod older;
mod other_journal;
mod otherwise;
mod owner;
mod parts;
mod pipes;
mod plan;
mod refusals;
mod sharing;
mod spans;
mod stream;
mod support;
mod tampered;
mod tasks;
mod transfer;
mod verification;
