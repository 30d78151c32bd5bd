//! The platform's standard error object.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Tri, UnknownKeys};

/// An error as the platform tells it: the body of a failed call, an item of a bulk answer, or the `error` of a failed
/// export job.
///
/// In the last two places the HTTP status of the call itself is a success; the embedded [`status`](Self::status) tells.
/// Decide by `code`, never by `message`: messages change and end in hints such as "Check the documentation."
///
/// Source: <https://docs.cavatica.org/docs/api-status-codes>.
///
/// ```
/// use cavatica_model::ApiError;
///
/// let error: ApiError = serde_json::from_str(
///     r#"{"status": 403, "code": 9006, "message": "Requested file cannot be exported.", "more_info": ""}"#,
/// )?;
/// assert_eq!(error.code(), Some(9006));
/// assert_eq!(error.to_string(), "Requested file cannot be exported. (code 9006)");
/// assert!(error.advice().contains("alias") || error.advice().contains("VOLUME"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiError {
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub status: Tri<u16>,
    /// The platform's own number for what went wrong, for instance 9006.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub code: Tri<i64>,
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub message: Tri<String>,
    /// A link, often empty.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub more_info: Tri<String>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl ApiError {
    /// An error with the three things that every answer of the platform names.
    pub fn new(status: u16, code: i64, message: impl Into<String>) -> Self {
        ApiError {
            status: Tri::Value(status),
            code: Tri::Value(code),
            message: Tri::Value(message.into()),
            more_info: Tri::Absent,
            unknown: UnknownKeys::new(),
        }
    }

    /// The platform's own number, if it gave one.
    pub fn code(&self) -> Option<i64> {
        self.code.value().copied()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message.value().map_or("no message", String::as_str);
        match self.code.value() {
            Some(code) => write!(f, "{message} (code {code})"),
            None => f.write_str(message),
        }
    }
}

impl std::error::Error for ApiError {}
