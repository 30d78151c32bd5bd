//! Moments as the platform writes them.

use std::fmt;

use jiff::Timestamp;
use jiff::civil;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A moment in an answer, kept as it came.
///
/// The platform writes `2016-06-15T19:17:39Z`; fractions of a second, an offset and a missing `Z` have been seen as well. A text
/// that is no moment at all doesn't spoil the answer it stands in.
///
/// ```
/// use cavatica_model::wire::DateTime;
///
/// let with_zone: DateTime = serde_json::from_str("\"2016-06-15T19:17:39Z\"")?;
/// let without: DateTime = serde_json::from_str("\"2016-06-15T19:17:39.000\"")?;
/// assert_eq!(with_zone.timestamp(), without.timestamp());
/// assert!(with_zone.timestamp().is_some());
/// assert_eq!(DateTime::from("2016-06-15T21:17:39+02:00").timestamp(), with_zone.timestamp());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DateTime(Box<str>);

impl DateTime {
    /// The text as it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The moment, UTC where no offset is given; `None` if the text is no moment.
    pub fn timestamp(&self) -> Option<Timestamp> {
        if let Ok(timestamp) = self.0.parse() {
            return Some(timestamp);
        }
        let civil: civil::DateTime = self.0.parse().ok()?;
        civil
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    }
}

impl From<&str> for DateTime {
    /// Keeps any text, as reading an answer does.
    fn from(text: &str) -> Self {
        DateTime(text.into())
    }
}

impl From<Timestamp> for DateTime {
    /// Writes whole seconds, as the platform does.
    fn from(timestamp: Timestamp) -> Self {
        const SECONDS: DateTimePrinter = DateTimePrinter::new().precision(Some(0));
        DateTime(SECONDS.timestamp_to_string(&timestamp).into())
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
