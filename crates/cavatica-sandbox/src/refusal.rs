//! The platform's status codes.
//!
//! Numbers and texts: <https://docs.cavatica.org/docs/api-status-codes>. Where that page doesn't give the HTTP status, it
//! follows the page's pattern: service down 503, no right 403, unknown 404, exists already 409, malformed 400.

use cavatica_model::{ApiError, Tri};
use serde::{Deserialize, Serialize};

/// One of the platform's status codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Code(pub(crate) i64);

impl Code {
    pub(crate) const MAINTENANCE: Code = Code(0);
    pub(crate) const RATE_LIMIT: Code = Code(1000);
    pub(crate) const NO_PROJECT: Code = Code(3002);
    pub(crate) const NO_FILE: Code = Code(5002);
    pub(crate) const NOT_A_FOLDER: Code = Code(5022);
    pub(crate) const PARENT_OR_PROJECT_MISSING: Code = Code(5029);
    pub(crate) const PARENT_AND_PROJECT: Code = Code(5031);
    pub(crate) const NO_READ_ACCESS: Code = Code(9001);
    pub(crate) const NO_WRITE_ACCESS: Code = Code(9002);
    pub(crate) const NOT_EXPORTABLE: Code = Code(9006);
    pub(crate) const NO_VOLUME: Code = Code(9007);
    pub(crate) const NO_JOB: Code = Code(9008);
    pub(crate) const NO_FILE_TO_EXPORT: Code = Code(9009);
    pub(crate) const INVALID_SYNTAX: Code = Code(9011);
    pub(crate) const BAD_ACL: Code = Code(9022);
    pub(crate) const BAD_STORAGE_CLASS: Code = Code(9024);
    pub(crate) const VOLUME_NOT_WRITABLE: Code = Code(9026);
    pub(crate) const OTHER_CLOUD: Code = Code(9027);
    /// The pages put it between 9022 and 9024; it may be a slip for 9023.
    pub(crate) const BAD_SSE: Code = Code(9032);
    pub(crate) const GCS_IS_READ_ONLY: Code = Code(9057);
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
    pub(crate) const UNAVAILABLE: Code = Code(90005);
    pub(crate) const METHOD_NOT_ALLOWED: Code = Code(90006);
    pub(crate) const UNDECODABLE: Code = Code(90009);

    /// The HTTP status that goes with the code.
    pub(crate) fn status(self) -> u16 {
        self.entry().1
    }

    /// The error object that the platform sends.
    pub(crate) fn error(self) -> ApiError {
        let (code, status, message) = self.entry();
        ApiError {
            more_info: Tri::Value(String::new()),
            ..ApiError::new(status, code, message)
        }
    }

    /// The same with a sentence of its own.
    pub(crate) fn because(self, message: impl Into<String>) -> ApiError {
        ApiError {
            message: Tri::Value(message.into()),
            ..self.error()
        }
    }

    fn entry(self) -> (i64, u16, &'static str) {
        let known = CODES.iter().find(|(code, ..)| *code == self.0);
        known
            .copied()
            .unwrap_or((self.0, 400, "Requested operation failed."))
    }
}

const CODES: &[(i64, u16, &str)] = &[
    (0, 503, "Platform is under maintenance."),
    (1000, 429, "Rate limit exceeded! Check response headers."),
    (3002, 404, "Requested project does not exist."),
    (5001, 403, "Insufficient privileges to access the requested file."),
    (5002, 404, "Requested file does not exist."),
    (5022, 400, "Parent is not a folder."),
    (5029, 400, "Either parent or project has to be given."),
    (5031, 400, "Only one of parent and project can be given."),
    (9000, 503, "Error contacting the storage service."),
    (9001, 403, "Could not get read access on the storage service."),
    (9002, 403, "Could not get cross-write access on the storage service."),
    (9003, 403, "Insufficient privileges to access the requested project."),
    (9004, 403, "Insufficient privileges to access the requested file."),
    (9005, 403, "Insufficient privileges to access the requested job."),
    (9006, 403, "Requested file cannot be exported. Check the documentation."),
    (9007, 404, "Requested volume does not exist."),
    (9008, 404, "Requested job does not exist."),
    (9009, 404, "Requested file does not exist."),
    (9011, 400, "Invalid request syntax."),
    (9020, 403, "Insufficient privileges to access the requested volume."),
    (9022, 400, "Invalid value of aws_canned_acl."),
    (9023, 400, "Invalid value of sse_algorithm."),
    (9024, 400, "Invalid value of aws_storage_class."),
    (9026, 403, "Requested volume is not read-write."),
    (9027, 403, "Exporting across different cloud services is not supported."),
    (9032, 400, "Invalid value of sse_algorithm."),
    (9057, 403, "This environment only supports RO volumes of type GCS."),
    (9100, 503, "Error contacting the storage service."),
    (9101, 403, "Volume is not read-write."),
    (9102, 403, "Insufficient privileges to access the project."),
    (9103, 403, "Location on volume is not accessible as configured."),
    (9104, 404, "Volume not found."),
    (9105, 404, "Location on volume not found."),
    (9106, 404, "File not found."),
    (9107, 409, "Location on volume already contains a file."),
    (9109, 404, "File does not exist or is not accessible."),
    (90000, 400, "Bad request."),
    (90001, 401, "Unauthorized."),
    (90002, 403, "Forbidden."),
    (90003, 404, "Requested resource does not exist."),
    (90004, 500, "Unexpected error occurred."),
    (90005, 503, "Service unavailable."),
    (90006, 405, "Method not allowed."),
    (90009, 400, "Request body could not be decoded."),
    (90010, 501, "Not implemented."),
];
