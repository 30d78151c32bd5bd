//! What is said of a transfer, against transfers of every kind.

mod report;
mod support;
mod tampered;
