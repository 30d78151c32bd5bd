//! The limit on requests.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Tri, UnknownKeys};

/// Where the caller stands against the limit on requests, documented as 1000 per 5 minutes. Reading it is free.
///
/// Source: <https://docs.cavatica.org/reference/get-your-current-rate-limit-status>.
///
/// ```
/// use cavatica_model::account::{RateLimit, reset_moment};
/// use cavatica_model::Tri;
///
/// let limit: RateLimit = serde_json::from_str(r#"{"rate": {"limit": 1000, "remaining": 993, "reset": 1489700093}}"#)?;
/// let rate = limit.rate.into_value().expect("it was told");
/// assert_eq!(rate.remaining, Tri::Value(993));
/// assert!(rate.reset.into_value().and_then(reset_moment).is_some());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RateLimit {
    /// The limit on requests.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub rate: Tri<Rate>,
    /// The limit on computation instances.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub instance_limit: Tri<Rate>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// One limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rate {
    /// How many per window; -1 means no limit.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub limit: Tri<i64>,
    /// How many are left; `i64::MAX` has been seen.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub remaining: Tri<i64>,
    /// When the window ends; read it through [`reset_moment`].
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub reset: Tri<i64>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// The moment that a `reset` means: seconds since 1970, or milliseconds where the number is above 10^11.
///
/// The header and most pages give seconds; CAVATICA's own page prints milliseconds. `None` for a number that is no
/// moment.
///
/// ```
/// use cavatica_model::account::reset_moment;
///
/// assert_eq!(reset_moment(1_445_694_506_797), "2015-10-24T13:48:26.797Z".parse().ok());
/// assert_eq!(reset_moment(1_489_700_093), "2017-03-16T21:34:53Z".parse().ok());
/// assert_eq!(reset_moment(0), None);
/// ```
pub fn reset_moment(reset: i64) -> Option<Timestamp> {
    match reset {
        ..=0 => None,
        1..=100_000_000_000 => Timestamp::from_second(reset).ok(),
        _ => Timestamp::from_millisecond(reset).ok(),
    }
}
