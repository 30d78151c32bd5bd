//! The engine seen from outside: its journal against a reference machine, and whole transfers against the sandbox.

mod journal;
mod support;
mod tasks;
mod transfer;
