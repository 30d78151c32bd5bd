//! What is known about the platform's error codes: one table for the program, its reports and the sandbox.
//!
//! The codes are the platform's (<https://docs.sevenbridges.com/reference/api-status-codes>); causes and advice are ours.

use std::fmt;

use serde::Serialize;

use crate::ApiError;

mod table;

/// What an error says about trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The platform or the storage behind it was in trouble; the same request may succeed a little later.
    Transient,
    /// The request is understood, but the file, the volume or somebody's rights stand against it: it fails again until
    /// that changes. Errors that nobody knows are sorted in here too, because a start must not be repeated on a guess.
    Permanent,
    /// The request itself is wrong and has to be written differently.
    CallersMistake,
    /// Too many requests: refused unread, to be sent again when the limit is reset.
    Throttled,
    /// The platform is being maintained: refused unread, to be sent again later.
    Maintenance,
}

impl Class {
    /// Whether waiting is enough, so that the same request is worth sending again without anybody changing anything.
    pub fn passes_by_waiting(self) -> bool {
        match self {
            Class::Transient | Class::Throttled | Class::Maintenance => true,
            Class::Permanent | Class::CallersMistake => false,
        }
    }

    /// The class in words for reports and JSON; it doesn't change.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Transient => "transient",
            Class::Permanent => "permanent",
            Class::CallersMistake => "callers-mistake",
            Class::Throttled => "throttled",
            Class::Maintenance => "maintenance",
        }
    }

    /// The class in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Class::Transient => "trouble that passes; the same request may succeed a little later",
            Class::Permanent => "it fails again until somebody changes something",
            Class::CallersMistake => "the request itself is wrong",
            Class::Throttled => "too many requests; refused unread",
            Class::Maintenance => "the platform is being maintained; refused unread",
        }
    }

    /// The class of an error of which only the HTTP status is known.
    ///
    /// A 500 isn't counted as transient: the platform calls it "unexpected", and an export that ran into the unexpected
    /// should be looked at before it is sent again.
    pub fn of_http(status: u16) -> Self {
        match status {
            429 => Class::Throttled,
            408 | 425 | 502 | 503 | 504 => Class::Transient,
            400 | 405 | 406 | 411 | 413 | 414 | 415 | 422 | 431 | 501 => Class::CallersMistake,
            _ => Class::Permanent,
        }
    }

    /// What to do about an error of which only the class is known.
    pub fn advice(self) -> &'static str {
        match self {
            Class::Transient => "try again in a few minutes",
            Class::Permanent => {
                "read the message, change what it names, and send the request again only then; \
                 the request id helps the platform's support to find it"
            }
            Class::CallersMistake => "compare the request with the documentation of the call",
            Class::Throttled => "wait until the limit is reset, at most five minutes",
            Class::Maintenance => "wait; the platform comes back by itself",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is known about one of the platform's error codes.
///
/// ```
/// use cavatica_model::error::{Class, StatusCode};
///
/// let occupied = StatusCode::lookup(9107).expect("9107 is in the table");
/// assert_eq!((occupied.http, occupied.class), (409, Class::Permanent));
/// assert!(occupied.advice.contains("overwrite"));
/// assert_eq!(StatusCode::lookup(123_456), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StatusCode {
    /// The platform's number.
    pub code: i64,
    /// The HTTP status that the registry of codes names with it. A code's digits tell nothing of its status.
    pub http: u16,
    /// What it says about trying again.
    pub class: Class,
    /// What the platform says with it, in other words.
    pub meaning: &'static str,
    /// What is usually behind it.
    pub cause: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

impl StatusCode {
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
