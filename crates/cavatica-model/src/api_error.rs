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
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status; read it through [`http_status`](Self::http_status).
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub status: Tri<ErrorStatus>,
    /// The platform's own number for what went wrong, for instance 9006. Absent isn't 0, which means maintenance.
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

/// The `status` inside an error body.
///
/// It is a number, but for bodies that the platform's web server writes itself: for an unknown path `"NOT_FOUND"` was
/// observed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ErrorStatus {
    /// An HTTP status.
    Number(u16),
    /// Anything else, as it came.
    Other(serde_json::Value),
}

impl From<u16> for Tri<ErrorStatus> {
    fn from(status: u16) -> Self {
        Tri::Value(ErrorStatus::Number(status))
    }
}

impl ApiError {
    /// An error with the three things that every answer of the platform names.
    pub fn new(status: u16, code: i64, message: impl Into<String>) -> Self {
        ApiError {
            status: status.into(),
            code: Tri::Value(code),
            message: Tri::Value(message.into()),
            more_info: Tri::Absent,
            unknown: UnknownKeys::new(),
        }
    }

    /// The same with another HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status.into();
        self
    }

    /// The same with another sentence.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Tri::Value(message.into());
        self
    }

    /// The HTTP status that the body names. The one of the answer counts more, where there is an answer of its own.
    pub fn http_status(&self) -> Option<u16> {
        match self.status.value()? {
            ErrorStatus::Number(status) => Some(*status),
            ErrorStatus::Other(_) => None,
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
