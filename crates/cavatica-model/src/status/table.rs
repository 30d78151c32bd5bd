//! The table itself, one file per part of the platform: code, HTTP status, class, meaning, cause, advice, sorted by code.
//!
//! Codes and statuses are the registry's (<https://docs.sevenbridges.com/reference/api-status-codes>), the words ours.

use super::code::StatusCode;

mod account;
mod any;
mod files;
mod jobs;
mod storage;
mod tasks;

const PARTS: [&[StatusCode]; 6] = [
    account::ROWS,
    files::ROWS,
    tasks::ROWS,
    storage::ROWS,
    jobs::ROWS,
    any::ROWS,
];

pub(super) static TABLE: [StatusCode; length()] = joined();

const fn length() -> usize {
    let (mut length, mut part) = (0, 0);
    while part < PARTS.len() {
        length += PARTS[part].len();
        part += 1;
    }
    length
}

const fn joined() -> [StatusCode; length()] {
    let mut table = [PARTS[0][0]; length()];
    let (mut part, mut position) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            table[position] = PARTS[part][row];
            row += 1;
            position += 1;
        }
        part += 1;
    }
    table
}
