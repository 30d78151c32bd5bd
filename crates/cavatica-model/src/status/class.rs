//! What an error says about trying again.

use std::fmt;

use serde::Serialize;

use crate::finding::Reason;

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

    /// Its name for reports and JSON, with what it means and what to do about an error of which no more is known.
    pub fn reason(self) -> &'static Reason {
        match self {
            Class::Transient => &Reason::TRANSIENT,
            Class::Permanent => &Reason::PERMANENT,
            Class::CallersMistake => &Reason::CALLERS_MISTAKE,
            Class::Throttled => &Reason::THROTTLED,
            Class::Maintenance => &Reason::MAINTENANCE,
        }
    }

    /// The class in words for reports and JSON; it doesn't change.
    pub fn as_str(self) -> &'static str {
        self.reason().name
    }

    /// The class in a few words.
    pub fn meaning(self) -> &'static str {
        self.reason().meaning
    }

    /// What to do about an error of which only the class is known.
    pub fn advice(self) -> &'static str {
        self.reason().advice
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
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
