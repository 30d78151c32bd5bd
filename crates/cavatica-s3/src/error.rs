//! What went wrong, with what, and what to do about it.

use std::fmt;
use std::time::Duration;

use cavatica_connect::BoxError;
use http::StatusCode;

/// A call that came to nothing. It names the call, the bucket and the key; never an address, which would carry a
/// signature, and never a secret.
#[derive(Debug)]
pub struct Error {
    // Boxed, because results are passed on more often than errors are made.
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    call: &'static str,
    bucket: String,
    key: Option<String>,
    /// How far this computer's clock is from the store's, where the answer told that.
    clock_off: Option<Duration>,
    source: Option<BoxError>,
}

/// S3 takes a request that is signed for another time than its own for expired, or for made up. Less than this is no reason.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>, `RequestTimeTooSkewed`.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(300);

/// What happened, by what can be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// S3 refused: a definite answer.
    Refused {
        /// The status of the answer.
        status: StatusCode,
        /// S3's name for the reason, as `NoSuchBucket`; none where the answer had no body.
        code: Option<String>,
        /// S3's own words.
        message: String,
        /// The region where the bucket is, if S3 told it.
        region: Option<String>,
        /// What S3's support asks for.
        request_id: Option<String>,
    },
    /// No answer, or not all of it. What writes may have been carried out.
    Broken,
    /// No answer within this time. What writes may have been carried out.
    TimedOut(Duration),
    /// The store's certificate is not trusted.
    Certificate,
    /// The proxy wants a name and a password, or doesn't accept those that it got.
    ProxyLogin,
    /// An answer that isn't S3's: perhaps a proxy's, or the address is another service's.
    NotS3(StatusCode),
    /// The source of an upload failed, or had fewer bytes than it was to have.
    Source,
    /// A key that can't stand in an address: empty, or with a `.` or `..` between two slashes.
    Key,
}

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        call: &'static str,
        bucket: &str,
        key: Option<&str>,
    ) -> Self {
        Error {
            inner: Box::new(Inner {
                kind,
                call,
                bucket: bucket.to_owned(),
                key: key.map(str::to_owned),
                clock_off: None,
                source: None,
            }),
        }
    }

    pub(crate) fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    pub(crate) fn at_clock(mut self, clock_off: Option<Duration>) -> Self {
        self.inner.clock_off = clock_off;
        self
    }

    /// What happened.
    pub fn kind(&self) -> &ErrorKind {
        &self.inner.kind
    }

    /// S3's name for the reason, as `NoSuchBucket`.
    pub fn code(&self) -> Option<&str> {
        match &self.inner.kind {
            ErrorKind::Refused { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// The status of S3's answer, if it refused.
    pub fn status(&self) -> Option<StatusCode> {
        match &self.inner.kind {
            ErrorKind::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the same call may go through a moment later.
    pub fn is_transient(&self) -> bool {
        match &self.inner.kind {
            ErrorKind::Broken | ErrorKind::TimedOut(_) => true,
            ErrorKind::NotS3(status) => status.is_server_error(),
            ErrorKind::Refused { status, code, .. } => {
                let slow = [
                    "SlowDown",
                    "RequestTimeout",
                    "Throttling",
                    "ThrottlingException",
                ];
                // What a store doesn't know today, it doesn't know in a minute.
                (status.is_server_error() && *status != StatusCode::NOT_IMPLEMENTED)
                    || *status == StatusCode::TOO_MANY_REQUESTS
                    || code.as_deref().is_some_and(|code| slow.contains(&code))
            }
            ErrorKind::Certificate | ErrorKind::ProxyLogin | ErrorKind::Source | ErrorKind::Key => {
                false
            }
        }
    }

    /// What to do about it, where that can be told.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
    pub fn advice(&self) -> Option<String> {
        let is_refused = matches!(self.inner.kind, ErrorKind::Refused { .. });
        if let Some(off) = self
            .inner
            .clock_off
            .filter(|off| is_refused && *off > CLOCK_TOLERANCE)
        {
            return Some(format!(
                "this computer's clock and the store's are {} min apart: set this computer's clock right",
                off.as_secs() / 60
            ));
        }
        let text = match &self.inner.kind {
            ErrorKind::Refused {
                region: Some(region),
                status,
                ..
            } if status.is_redirection() || *status == StatusCode::BAD_REQUEST => {
                return Some(format!(
                    "the bucket is in {region}: set AWS_REGION={region}"
                ));
            }
            ErrorKind::Refused { status, code, .. } => match code.as_deref() {
                Some("NoSuchBucket") => "check the bucket's name, and the endpoint it is asked at",
                Some("NoSuchKey") => "check the key; keys differ by letter case",
                Some("AccessDenied" | "AllAccessDisabled") => {
                    "ask the bucket's owner for the permission; `aws sts get-caller-identity` shows who you are"
                }
                Some("InvalidAccessKeyId") => {
                    "the access key is unknown there: check AWS_ACCESS_KEY_ID or AWS_PROFILE, and the endpoint"
                }
                Some("SignatureDoesNotMatch") => {
                    "the secret doesn't belong to the access key: check AWS_SECRET_ACCESS_KEY or the profile"
                }
                Some("ExpiredToken" | "InvalidToken" | "TokenRefreshRequired") => {
                    "the temporary keys have run out: fetch new ones, as `eval \"$(aws configure export-credentials --format env)\"` does"
                }
                Some("RequestTimeTooSkewed") => "set this computer's clock right",
                Some(
                    "PermanentRedirect"
                    | "AuthorizationHeaderMalformed"
                    | "AuthorizationQueryParametersError"
                    | "IllegalLocationConstraintException",
                ) => "the bucket is in another region: set AWS_REGION to it",
                Some("NotImplemented") => {
                    "the store doesn't know something that was asked of it, most likely encryption or a storage class: ask for none, as `--sse-algorithm none` does"
                }
                Some("EntityTooLarge") => "an object can be written with 5 GiB at most here",
                Some(code) if code.starts_with("KMS.") || code.starts_with("Kms") => {
                    "check the KMS key: it must be enabled, in the bucket's region, and yours to use"
                }
                _ if *status == StatusCode::FORBIDDEN => {
                    "check the keys, and what they are allowed to do with the bucket"
                }
                _ if status.is_redirection() => {
                    "the bucket is in another region: set AWS_REGION to it"
                }
                _ if self.is_transient() => "try again later",
                _ => return None,
            },
            ErrorKind::Broken | ErrorKind::TimedOut(_) => {
                "check the endpoint, the network and the proxy"
            }
            ErrorKind::Certificate => {
                "if you trust the store, name its certificate authority with `--ca-cert FILE` or AWS_CA_BUNDLE"
            }
            ErrorKind::ProxyLogin => {
                "write the proxy's address with name and password, as HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT, with special characters as %XX"
            }
            ErrorKind::NotS3(_) => {
                "check that the endpoint is an S3 service's, without a bucket in it"
            }
            ErrorKind::Source | ErrorKind::Key => return None,
        };
        Some(text.to_owned())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            call,
            bucket,
            key,
            ..
        } = &*self.inner;
        write!(f, "can't {call} ")?;
        match key {
            Some(key) => write!(f, "`{key}` of the bucket {bucket}")?,
            None => write!(f, "the bucket {bucket}")?,
        }
        match kind {
            ErrorKind::Refused {
                status,
                code,
                message,
                request_id,
                ..
            } => {
                match code {
                    Some(code) => write!(f, ": {code}")?,
                    None => write!(f, ": status {}", status.as_u16())?,
                }
                let message = message.trim().trim_end_matches('.');
                if !message.is_empty() {
                    write!(f, ", {message}")?;
                }
                match request_id {
                    Some(id) => write!(f, " (request {id})"),
                    None => Ok(()),
                }
            }
            ErrorKind::Broken => f.write_str(": the connection failed"),
            ErrorKind::Certificate => f.write_str(": the store's certificate is not trusted"),
            ErrorKind::ProxyLogin => f.write_str(
                ": the proxy wants a name and a password, or doesn't accept those given",
            ),
            ErrorKind::TimedOut(limit) => write!(f, ": no answer within {limit:?}"),
            ErrorKind::NotS3(status) => {
                write!(f, ": the answer with status {} isn't S3's", status.as_u16())
            }
            ErrorKind::Source => f.write_str(": the source failed"),
            ErrorKind::Key => f.write_str(": such a key can't stand in an address"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.inner.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
