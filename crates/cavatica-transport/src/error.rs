//! What happened to a request, when it was no success.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use cavatica_connect::BoxError;
use cavatica_model::ApiError;
use cavatica_model::text::visible;
use http::Method;

use crate::call::{Effect, Named, Subject};

/// What happened to a request that has no readable success: this decides whether it may be sent again.
///
/// For a start, only one kind of answer is definite: a 2xx that can be read. A 4xx that carries the platform's own error
/// object, a 429 and the documented maintenance answer say that nothing was begun, and presumably nothing was; but a
/// limiter or a login check may stand behind what it guards, so whoever sends a start again looks first. Whatever else
/// comes back may have been written by somebody on the way who doesn't know what the platform did, even a 4xx: there are
/// filters that replace an *answer* they dislike by a page that says 403. So it is `Unknown`, unless it is proven that the
/// request's body never left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The request did not reach the service: there was no connection, or no byte of the body had left when the call
    /// gave up. Proven, not guessed.
    NotSent,
    /// The answer says that it was refused. For a read also any other definite answer that is no success.
    Refused,
    /// The answer says that the limit on requests was met.
    Throttled,
    /// The answer says that the platform is down for maintenance.
    Maintenance,
    /// It may have been carried out, or not.
    Unknown,
}

impl Outcome {
    /// A name for programs, in logs and the like; it doesn't change.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::NotSent => "not-sent",
            Outcome::Refused => "refused",
            Outcome::Throttled => "throttled",
            Outcome::Maintenance => "maintenance",
            Outcome::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::NotSent => "it was not sent",
            Outcome::Refused => "it was refused",
            Outcome::Throttled => "the limit on requests is used up",
            Outcome::Maintenance => "the platform is under maintenance",
            Outcome::Unknown => "it is not known whether it was carried out",
        })
    }
}

/// What went wrong, for advice. What it means for the request says [`Outcome`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The call was built wrongly.
    Call,
    /// A link leads to another origin than the endpoint's, or out of the endpoint's path.
    OtherOrigin,
    /// No connection: name, address, proxy or TLS.
    Connect,
    /// The server's certificate is not trusted.
    Certificate,
    /// The proxy wants a name and a password, or doesn't accept those that it got.
    ProxyLogin,
    /// No complete answer within this time.
    TimedOut {
        /// The limit that struck.
        limit: Duration,
    },
    /// The connection ended before the answer was complete.
    Broken,
    /// The answer sends elsewhere, which is never followed.
    Redirect {
        /// The origin it names; `None` if it names none.
        to: Option<String>,
    },
    /// The answer has this status, which is no success.
    Status(u16),
    /// A 404 without a code of the platform: nothing serves this path, so the endpoint is likely to be wrong. What
    /// merely isn't there is a [`Status`](Fault::Status) with a code.
    NoSuchCall,
    /// The answer is longer than this many bytes.
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The answer is no JSON, or not of the expected shape.
    Unreadable,
    /// [`Client::withdraw_starts`](crate::Client::withdraw_starts) came before its bytes left.
    Withdrawn,
    /// The request budget is used up, and waiting for it would take longer than the caller's patience.
    Budget,
}

impl Fault {
    /// A name for programs, in logs and the like; it doesn't change.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Call => "call",
            Fault::OtherOrigin => "other-origin",
            Fault::Connect => "connect",
            Fault::Certificate => "certificate",
            Fault::ProxyLogin => "proxy-login",
            Fault::TimedOut { .. } => "timed-out",
            Fault::Broken => "broken",
            Fault::Redirect { .. } => "redirect",
            Fault::Status(_) => "status",
            Fault::NoSuchCall => "no-such-call",
            Fault::TooLarge { .. } => "too-large",
            Fault::Unreadable => "unreadable",
            Fault::Withdrawn => "withdrawn",
            Fault::Budget => "budget",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Call => f.write_str("the call can't be sent as it is"),
            Fault::OtherOrigin => f.write_str("the link leads away from the endpoint"),
            Fault::Connect => f.write_str("no connection"),
            Fault::Certificate => f.write_str("the server's certificate is not trusted"),
            Fault::ProxyLogin => {
                f.write_str("the proxy wants a name and a password, or doesn't accept those given")
            }
            Fault::TimedOut { limit } => write!(f, "no complete answer within {limit:?}"),
            Fault::Broken => f.write_str("the connection ended before the answer was complete"),
            Fault::Redirect { to: Some(to) } => write!(f, "the answer redirects to {to}"),
            Fault::Redirect { to: None } => f.write_str("the answer redirects to nowhere"),
            Fault::Status(status) => write!(f, "the answer has the status {status}"),
            Fault::NoSuchCall => f.write_str(
                "nothing answers at this address (status 404 without a code of the platform)",
            ),
            Fault::TooLarge { limit } => write!(f, "the answer has more than {limit} bytes"),
            Fault::Unreadable => f.write_str("the answer can't be read"),
            Fault::Withdrawn => f.write_str("the call was withdrawn"),
            Fault::Budget => f.write_str("waiting for the request budget would take too long"),
        }
    }
}

/// One attempt that came to nothing.
#[derive(Debug)]
pub(crate) struct FailedAttempt {
    pub(crate) outcome: Outcome,
    pub(crate) fault: Fault,
    pub(crate) status: Option<u16>,
    pub(crate) request_id: Option<String>,
    /// Boxed, because it is large.
    pub(crate) api_error: Option<Box<ApiError>>,
    pub(crate) source: Option<BoxError>,
}

impl FailedAttempt {
    pub(crate) fn new(outcome: Outcome, fault: Fault) -> Self {
        FailedAttempt {
            outcome,
            fault,
            status: None,
            request_id: None,
            api_error: None,
            source: None,
        }
    }

    pub(crate) fn because(self, source: impl Into<BoxError>) -> Self {
        FailedAttempt {
            source: Some(source.into()),
            ..self
        }
    }
}

/// A call that has no success to show.
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    failure: FailedAttempt,
    subject: Subject,
}

impl Error {
    pub(crate) fn new(failure: FailedAttempt, subject: Subject) -> Self {
        Error(Box::new(Inner { failure, subject }))
    }

    /// A refusal by the platform, with what its answer says: for the tests of a program that has to cope with it.
    ///
    /// ```
    /// use cavatica_transport::{Error, Outcome};
    /// use cavatica_transport::model::ApiError;
    ///
    /// let refused = ApiError::new(403, 9006, "Requested file cannot be exported.");
    /// let error = Error::refused("POST", "/v2/storage/exports", refused);
    /// assert_eq!((*error.outcome(), error.code()), (Outcome::Refused, Some(9006)));
    /// assert_eq!(
    ///     error.to_string(),
    ///     "POST /v2/storage/exports: it was refused: the answer has the status 403: \
    ///      Requested file cannot be exported. (code 9006)"
    /// );
    /// ```
    pub fn refused(method: &str, path: &str, api_error: ApiError) -> Self {
        let status = api_error.http_status().unwrap_or(400);
        let failure = FailedAttempt {
            status: Some(status),
            api_error: Some(Box::new(api_error)),
            ..FailedAttempt::new(Outcome::Refused, Fault::Status(status))
        };
        Error::of_test(method, path, failure)
    }

    /// A call that came to this end: for the tests of a program that has to cope with each.
    ///
    /// ```
    /// use cavatica_transport::{Effect, Error, Outcome};
    ///
    /// let lost = Error::of_outcome(Outcome::Unknown, "POST", "/v2/storage/exports");
    /// assert_eq!((*lost.outcome(), lost.effect()), (Outcome::Unknown, Effect::Start));
    /// ```
    pub fn of_outcome(outcome: Outcome, method: &str, path: &str) -> Self {
        let fault = match outcome {
            Outcome::NotSent => Fault::Connect,
            Outcome::Refused => Fault::Status(400),
            Outcome::Throttled => Fault::Status(429),
            Outcome::Maintenance => Fault::Status(503),
            Outcome::Unknown => Fault::Broken,
        };
        let mut failure = FailedAttempt::new(outcome, fault);
        if let Fault::Status(status) = failure.fault {
            failure.status = Some(status);
        }
        Error::of_test(method, path, failure)
    }

    fn of_test(method: &str, path: &str, failure: FailedAttempt) -> Self {
        let method = method.parse().unwrap_or(Method::POST);
        let effect = if method == Method::GET {
            Effect::Read
        } else {
            Effect::Start
        };
        let subject = Subject {
            method,
            path: path.to_owned(),
            named: Vec::new(),
            effect,
            attempts: 1,
            elapsed: Duration::ZERO,
        };
        Error::new(failure, subject)
    }

    /// What happened to the request.
    pub fn outcome(&self) -> &Outcome {
        &self.0.failure.outcome
    }

    /// What went wrong in the last attempt.
    pub fn fault(&self) -> &Fault {
        &self.0.failure.fault
    }

    /// What the call would have done.
    pub fn effect(&self) -> Effect {
        self.0.subject.effect
    }

    /// The HTTP method.
    pub fn method(&self) -> &str {
        self.0.subject.method.as_str()
    }

    /// The path of the URL, ids included.
    pub fn path(&self) -> &str {
        &self.0.subject.path
    }

    /// What the call was about, from the outside in: a volume, and its member. Empty where the call didn't say.
    pub fn named(&self) -> &[Named] {
        &self.0.subject.named
    }

    /// How often it was tried; 0 if it was given up before.
    pub fn attempts(&self) -> u32 {
        self.0.subject.attempts
    }

    /// How long all attempts and the waits between them took.
    pub fn elapsed(&self) -> Duration {
        self.0.subject.elapsed
    }

    /// The HTTP status of the last answer, if one came.
    pub fn status(&self) -> Option<u16> {
        self.0.failure.status
    }

    /// The platform's name for the last request, worth quoting to its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.failure.request_id.as_deref()
    }

    /// The platform's own number for what went wrong, for instance 9006, if the last answer carried one.
    pub fn code(&self) -> Option<i64> {
        self.api_error().and_then(ApiError::code)
    }

    /// The platform's own error object, if the last answer carried one. It does not prove that nothing was begun: that
    /// says [`outcome`](Self::outcome).
    pub fn api_error(&self) -> Option<&ApiError> {
        self.0.failure.api_error.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { failure, subject } = &*self.0;
        write!(f, "{} {}: ", subject.method, subject.path)?;
        match (failure.outcome, subject.effect) {
            // Whether a read was carried out is nobody's question.
            (Outcome::Unknown, Effect::Read) => write!(f, "{}", failure.fault)?,
            (outcome, _) => write!(f, "{outcome}: {}", failure.fault)?,
        }
        // Its text is the platform's, or whoever's stands before it.
        if let Some(error) = &failure.api_error {
            write!(f, ": {}", visible(&error.to_string()))?;
        }
        if subject.attempts > 1 {
            let seconds = subject.elapsed.as_secs_f64();
            write!(f, ", after {} attempts in {seconds:.1} s", subject.attempts)?;
        }
        match &failure.request_id {
            Some(id) => write!(f, " (request {})", id.escape_debug()),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.failure.source.as_ref();
        source.map(|source| &**source as _)
    }
}
