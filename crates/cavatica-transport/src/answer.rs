//! What came back.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use cavatica_connect::BoxError;
use http::{HeaderMap, StatusCode};
use serde::de::IgnoredAny;

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

impl<T> Fetched<T> {
    /// An answer with this value alone and the status 200, as tests of a program may need one.
    pub fn new(value: T) -> Self {
        Fetched {
            value,
            request_id: None,
            total: None,
            status: 200,
        }
    }
}

/// What the body said is nearly always what is wanted.
impl<T> Deref for Fetched<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Reads a body in the attempt that brought it: one that is no JSON at all is a fault of the wire, and asked for again.
pub(crate) type Reader = Arc<dyn Fn(&[u8]) -> Result<Said, BoxError> + Send + Sync>;

/// What a body said to its [`Reader`].
pub(crate) type Said = Box<dyn Any + Send>;

/// An answer and what it said.
pub(crate) struct Success {
    pub(crate) answer: Answer,
    pub(crate) said: Said,
}

/// Takes any body as it is.
pub(crate) fn anything(_: &[u8]) -> Result<Said, BoxError> {
    Ok(Box::new(()))
}

/// What `read` makes of a body, as a `serde_json::Result<T>`. JSON of another shape is not the wire's fault: asked for
/// again, it comes again.
pub(crate) fn json<T: Send + 'static>(
    body: &[u8],
    read: impl Fn(&str) -> serde_json::Result<T>,
) -> Result<Said, BoxError> {
    let text = std::str::from_utf8(body)?;
    let said = read(text);
    if said.is_err() {
        serde_json::from_str::<IgnoredAny>(text)?;
    }
    Ok(Box::new(said))
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
