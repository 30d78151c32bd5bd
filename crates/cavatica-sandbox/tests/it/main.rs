//! The sandbox as its clients see it: over a socket.

mod accounts;
mod admin;
mod client;
mod contract;
mod elsewhere;
mod exports;
mod faults;
mod files;
mod guarded;
mod hostile;
mod ledger;
mod lies;
mod limits;
mod mounts;
mod quirks;
mod r_client;
mod recordings;
mod restart;
mod s3;
mod scenario;
mod scrolling;
mod serving;
mod settings;
mod tasks;
mod tls;
mod volumes;
