//! What the platform says when it refuses a file or fails its job.

use std::fmt;

use cavatica_exports::model::ApiError;
use cavatica_exports::model::error::{Class, StatusCode, classify};
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// What the platform said when it refused a file or failed its job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Failure {
    /// The platform's number, if it gave one.
    pub code: Option<i64>,
    /// The HTTP status, embedded or of the call.
    pub status: Option<u16>,
    /// The platform's sentence.
    pub message: String,
    /// The id of the request that brought the news, for the platform's support.
    pub request_id: Option<String>,
}

impl Failure {
    /// What an error object says.
    pub fn of(error: &ApiError, request_id: Option<&str>) -> Self {
        Failure {
            code: error.code(),
            status: error.http_status(),
            message: error
                .message
                .value()
                .cloned()
                .unwrap_or_else(|| "no message".to_owned()),
            request_id: request_id.map(str::to_owned),
        }
    }

    fn api_error(&self) -> ApiError {
        let mut error = ApiError::default();
        if let Some(code) = self.code {
            error.code = code.into();
        }
        if let Some(status) = self.status {
            error.status = status.into();
        }
        error
    }

    /// Whether it is worth trying again without anybody changing anything.
    pub fn class(&self) -> Class {
        classify(&self.api_error())
    }

    /// Whether a run sends the file again by itself, that failed in this attempt: if it passes by waiting.
    pub(crate) fn is_sent_again(&self, attempt: u32, max_attempts: u32) -> bool {
        attempt < max_attempts && self.class().passes_by_waiting()
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        self.api_error().advice()
    }

    /// What is known about its code.
    pub fn known(&self) -> Option<&'static StatusCode> {
        self.code.and_then(StatusCode::lookup)
    }

    /// Whether our own earlier success could be the reason: the file can't be exported because it is our alias already,
    /// or the location is taken by our own object.
    pub fn may_be_own_success(&self) -> bool {
        matches!(
            self.code,
            Some(StatusCode::NOT_EXPORTABLE | StatusCode::OCCUPIED)
        )
    }
}

/// With the class, which follows from the rest.
impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Failure", 5)?;
        fields.serialize_field("code", &self.code)?;
        fields.serialize_field("status", &self.status)?;
        fields.serialize_field("message", &self.message)?;
        fields.serialize_field("class", self.class().as_str())?;
        fields.serialize_field("request_id", &self.request_id)?;
        fields.end()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} (code {code})", self.message),
            None => f.write_str(&self.message),
        }
    }
}
