//! The program from outside: real processes against a sandbox on a socket.

mod closed_pipe;
mod credentials;
mod doctor;
mod durable;
mod exit_codes;
mod export;
mod full_disk;
mod guide;
mod harness;
mod help;
mod json;
mod lost_answers;
mod mistakes;
mod network;
mod offline;
mod owner;
mod properties;
mod reading;
mod refusals;
mod report;
mod sandbox;
mod support;
mod terminal;
mod transfer;
mod transfers;
mod verify;
