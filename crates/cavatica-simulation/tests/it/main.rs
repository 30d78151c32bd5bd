//! What the simulation itself must be: deterministic, and able to see.

mod determinism;
mod found;
