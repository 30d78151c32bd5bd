//! What is known of one code.

use serde::Serialize;

use super::class::Class;

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

pub(super) const fn row(
    code: i64,
    http: u16,
    class: Class,
    meaning: &'static str,
    cause: &'static str,
    advice: &'static str,
) -> StatusCode {
    StatusCode {
        code,
        http,
        class,
        meaning,
        cause,
        advice,
    }
}

/// A request that says the wrong thing, where no more is to be said about it.
pub(super) const fn mistake(code: i64, meaning: &'static str, cause: &'static str) -> StatusCode {
    let advice = "compare the request with the documentation of the call";
    row(code, 400, Class::CallersMistake, meaning, cause, advice)
}
