//! The platform's status codes, as far as the sandbox answers with them.
//!
//! Source: <https://docs.cavatica.org/docs/api-status-codes>.

use cavatica_model::error::StatusCode;
use cavatica_model::{ApiError, Tri};
use serde::{Deserialize, Serialize};

/// What the platform's links begin with, as an answer of CAVATICA was seen to have it.
const MORE_INFO: &str = "http://docs.cavatica.org/docs/api-status-codes/#";

/// One of the platform's status codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Code(pub(crate) i64);

impl Code {
    pub(crate) const MAINTENANCE: Code = Code(0);
    pub(crate) const RATE_LIMIT: Code = Code(1000);
    pub(crate) const NO_USER: Code = Code(2002);
    pub(crate) const NO_PROJECT: Code = Code(3002);
    pub(crate) const NO_PROJECT_MEMBER: Code = Code(3002);
    pub(crate) const NO_FILE: Code = Code(5002);
    pub(crate) const NOT_A_FOLDER: Code = Code(5022);
    pub(crate) const PARENT_OR_PROJECT_MISSING: Code = Code(5029);
    pub(crate) const PARENT_AND_PROJECT: Code = Code(5031);
    pub(crate) const NO_TASK: Code = Code(7002);
    pub(crate) const BAD_TASK_STATUS: Code = Code(7006);
    pub(crate) const STORAGE_ERROR: Code = Code(9100);
    pub(crate) const NO_READ_ACCESS: Code = Code(9001);
    pub(crate) const NOT_EXPORTABLE: Code = Code(9006);
    pub(crate) const NO_VOLUME: Code = Code(9007);
    pub(crate) const NO_JOB: Code = Code(9008);
    pub(crate) const NO_FILE_TO_EXPORT: Code = Code(9009);
    pub(crate) const VOLUME_EXISTS: Code = Code(9010);
    pub(crate) const INVALID_SYNTAX: Code = Code(9011);
    /// No code of volumes says it; this one speaks of members too.
    pub(crate) const NO_VOLUME_MEMBER: Code = Code(3002);
    pub(crate) const VOLUME_NAME_EMPTY: Code = Code(9013);
    pub(crate) const BAD_VOLUME_NAME: Code = Code(9014);
    pub(crate) const BAD_ACCESS_MODE: Code = Code(9015);
    pub(crate) const NO_SERVICE: Code = Code(9016);
    pub(crate) const BAD_SERVICE: Code = Code(9017);
    pub(crate) const NO_VOLUME_RIGHT: Code = Code(9020);
    pub(crate) const BAD_TIME: Code = Code(9021);
    pub(crate) const BAD_ACL: Code = Code(9022);
    pub(crate) const BAD_SSE: Code = Code(9023);
    pub(crate) const BAD_STORAGE_CLASS: Code = Code(9024);
    pub(crate) const BAD_ACCESS_CONFIGURATION: Code = Code(9028);
    pub(crate) const BAD_GOOGLE_CREDENTIALS: Code = Code(9029);
    pub(crate) const BAD_UNDERSCORES: Code = Code(9030);
    pub(crate) const BAD_AZURE_CREDENTIALS: Code = Code(9031);
    pub(crate) const BAD_S3_CREDENTIALS: Code = Code(9034);
    pub(crate) const OSS_IS_READ_ONLY: Code = Code(9038);
    pub(crate) const AZURE_IS_READ_ONLY: Code = Code(9039);
    pub(crate) const VOLUME_NOT_WRITABLE: Code = Code(9026);
    pub(crate) const OTHER_CLOUD: Code = Code(9027);
    pub(crate) const GCS_IS_READ_ONLY: Code = Code(9057);
    pub(crate) const S3_IS_READ_ONLY: Code = Code(9058);
    pub(crate) const VOLUME_INACTIVE: Code = Code(9069);
    pub(crate) const LOCATION_IS_FOLDER: Code = Code(9072);
    pub(crate) const JOB_STORAGE_ERROR: Code = Code(9100);
    pub(crate) const JOB_VOLUME_NOT_WRITABLE: Code = Code(9101);
    pub(crate) const JOB_LOCATION_NOT_ACCESSIBLE: Code = Code(9103);
    pub(crate) const NO_LOCATION: Code = Code(9105);
    pub(crate) const JOB_NO_FILE: Code = Code(9106);
    pub(crate) const JOB_LOCATION_OCCUPIED: Code = Code(9107);
    pub(crate) const BAD_REQUEST: Code = Code(90000);
    pub(crate) const UNAUTHORIZED: Code = Code(90001);
    pub(crate) const FORBIDDEN: Code = Code(90002);
    pub(crate) const NOT_FOUND: Code = Code(90003);
    /// What a gateway says for a service behind it.
    pub(crate) const GATEWAY: Code = Code(90004);
    pub(crate) const UNAVAILABLE: Code = Code(90005);
    pub(crate) const METHOD_NOT_ALLOWED: Code = Code(90006);
    pub(crate) const CONFLICT: Code = Code(90007);
    pub(crate) const UNDECODABLE: Code = Code(90009);
    pub(crate) const NOT_IMPLEMENTED: Code = Code(90010);

    /// The error object that the platform sends, with the status and the meaning from the model's table.
    pub(crate) fn error(self) -> ApiError {
        let (status, meaning) = match StatusCode::lookup(self.0) {
            Some(known) => (known.http, known.meaning),
            None => (400, "the operation failed"),
        };
        let mut error = ApiError::new(status, self.0, sentence(meaning));
        error.more_info = Tri::Value(format!("{MORE_INFO}{}", self.0));
        error
    }

    /// The same with a sentence of its own.
    pub(crate) fn because(self, message: impl Into<String>) -> ApiError {
        self.error().with_message(message)
    }
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobFailure {
    pub(crate) code: Code,
    /// The storage's own words, where it has some.
    pub(crate) why: Option<String>,
}

impl JobFailure {
    pub(crate) fn error(&self) -> ApiError {
        match &self.why {
            None => self.code.error(),
            Some(why) => {
                let error = self.code.error();
                let meaning = error.message.value().cloned().unwrap_or_default();
                self.code.because(format!("{meaning} {}", sentence(why)))
            }
        }
    }
}

impl From<Code> for JobFailure {
    fn from(code: Code) -> Self {
        JobFailure { code, why: None }
    }
}

/// The platform writes sentences.
fn sentence(meaning: &str) -> String {
    let mut letters = meaning.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_the_table_says() {
        let error = Code::NOT_EXPORTABLE.error();
        assert_eq!(error.http_status(), Some(403));
        assert_eq!(error.code(), Some(9006));
        let message = error.message.value().map(String::as_str);
        assert!(
            message.is_some_and(|text| text.ends_with('.')),
            "{message:?}"
        );
    }
}
