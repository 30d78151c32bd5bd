//! What came back.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// A success: any 2xx, because the documentation promises no particular one.
#[derive(Clone)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A success whose body was read as a `T`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fetched<T> {
    /// What the body said.
    pub value: T,
    /// The platform's name for the request, worth quoting to its support.
    pub request_id: Option<String>,
    /// How many items the whole list has, where the answer is a page of one.
    pub total: Option<u64>,
    /// The HTTP status.
    pub status: u16,
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The platform's name for the request.
    pub fn request_id(&self) -> Option<&str> {
        text(&self.headers, "x-request-id")
    }

    /// How many items the whole list has, where the answer is a page of one.
    pub fn total_matching(&self) -> Option<u64> {
        text(&self.headers, "x-total-matching-query")?.parse().ok()
    }

    /// Any other header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        text(&self.headers, name)
    }

    /// The body as it came.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

/// Shows no body: it may name patients.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

/// A header's value, without the white space around it.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}
