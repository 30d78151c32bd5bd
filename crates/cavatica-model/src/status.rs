//! What is known about the platform's error codes: one table for the program, its reports and the sandbox.
//!
//! The codes are the platform's (<https://docs.sevenbridges.com/reference/api-status-codes>); causes and advice are ours.

use crate::ApiError;

pub(crate) mod class;
mod code;
mod table;

pub use class::Class;
pub use code::StatusCode;

impl StatusCode {
    /// The code of a file that can't be exported, because it is an alias already for instance.
    pub const NOT_EXPORTABLE: i64 = 9006;
    /// The code of a location where an object lies already.
    pub const OCCUPIED: i64 = 9107;

    /// The entry of a code, or `None` for one that the table doesn't have.
    pub fn lookup(code: i64) -> Option<&'static StatusCode> {
        let table = Self::all();
        let position = table.binary_search_by_key(&code, |entry| entry.code).ok()?;
        Some(&table[position])
    }

    /// Every entry, by code.
    pub fn all() -> &'static [StatusCode] {
        &table::TABLE
    }

    /// What part of the platform a code belongs to, by its leading digits; also for codes that the table doesn't have.
    pub fn area(code: i64) -> Option<&'static str> {
        Some(match code {
            0 | 1_000..=1_999 => "the platform as a whole",
            2_000..=2_999 => "users",
            3_000..=3_999 => "projects and their members",
            4_000..=4_999 => "billing",
            5_000..=5_999 => "files and folders",
            6_000..=6_999 => "apps",
            7_000..=7_999 => "tasks",
            8_000..=8_999 => "uploads",
            9_000..=9_099 => "volumes, imports and exports",
            9_100..=9_199 => "import and export jobs",
            9_200..=9_299 => "the buckets behind volumes",
            10_000..=10_999 => "manifests and asynchronous jobs",
            13_000..=13_999 => "search",
            57_000..=57_999 => "copying and moving on the platform",
            90_000..=90_999 => "any call",
            _ => return None,
        })
    }
}

/// What an error says about trying again: by its code if the table has it, else by its HTTP status.
///
/// ```
/// use cavatica_model::error::{Class, classify};
/// use cavatica_model::ApiError;
///
/// assert_eq!(classify(&ApiError::new(503, 9100, "the storage didn't answer")), Class::Transient);
/// assert_eq!(classify(&ApiError::new(403, 9006, "cannot be exported")), Class::Permanent);
/// assert_eq!(classify(&ApiError::new(503, 0, "maintenance")), Class::Maintenance);
/// // A code that the table doesn't have.
/// assert_eq!(classify(&ApiError::new(503, 123_456, "?")), Class::Transient);
/// ```
pub fn classify(error: &ApiError) -> Class {
    let status = error.http_status();
    match (error.code().and_then(StatusCode::lookup), status) {
        // A code of 0 means maintenance only together with 503; elsewhere it may just be unset.
        (Some(entry), Some(status)) if entry.code == 0 && status != entry.http => {
            Class::of_http(status)
        }
        (Some(entry), _) => entry.class,
        (None, Some(status)) => Class::of_http(status),
        (None, None) => Class::Permanent,
    }
}

impl ApiError {
    /// What is known about this error's code.
    pub fn known(&self) -> Option<&'static StatusCode> {
        self.code().and_then(StatusCode::lookup)
    }

    /// What to do about this error: the table's advice, or that of its class.
    pub fn advice(&self) -> &'static str {
        let class = classify(self);
        match self.known() {
            Some(entry) if entry.class == class => entry.advice,
            _ => class.advice(),
        }
    }
}
