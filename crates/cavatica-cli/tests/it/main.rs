//! The program from outside: real processes against a sandbox on a socket.

mod audit;
mod doctor;
mod durable;
mod export;
mod full_disk;
mod guide;
mod harness;
mod help;
mod json;
mod lost_answers;
mod mistakes;
mod offline;
mod owner;
mod properties;
mod reading;
mod refusals;
mod report;
mod sandbox;
mod support;
mod transfer;
mod transfers;
mod verify;
