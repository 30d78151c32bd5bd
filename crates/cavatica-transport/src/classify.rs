//! From what the wire brought to what happened to the request.

use std::time::Duration;

use bytes::Bytes;
use cavatica_connect::{BoxError, Unreachable};
use cavatica_model::ApiError;
use http::response::Parts;
use http::{HeaderMap, StatusCode, Uri, header};
use http_body_util::LengthLimitError;

use crate::Effect;
use crate::answer::{Answer, Reader, Success, text};
use crate::call::{ADVANCE_ACCESS, Prepared};
use crate::endpoint::Origin;
use crate::error::{FailedAttempt, Fault, Outcome};

/// What an attempt brought home.
pub(crate) enum Exchange {
    /// A status and headers, and a body if it could be read to its end.
    Answered(Parts, Result<Bytes, BodyFault>),
    /// The connection gave an error instead.
    Failed(hyper_util::client::legacy::Error),
    /// Neither within this time.
    TimedOut(Duration),
}

/// Why a body could not be read to its end.
pub(crate) enum BodyFault {
    Failed(BoxError),
    TimedOut(Duration),
    Bloated,
}

/// Whether the request's body is proven to have stayed here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    NotSent,
    None,
}

/// Says what happened to a call. `max_answer` is the limit that a body may have broken.
pub(crate) fn classify(
    exchange: Exchange,
    call: &Prepared,
    proof: Proof,
    reader: &Reader,
    max_answer: usize,
) -> Result<Success, FailedAttempt> {
    let failure = match exchange {
        Exchange::Answered(parts, body) => match answered(parts, body, call, reader, max_answer) {
            Ok(success) => return Ok(success),
            Err(failure) => failure,
        },
        Exchange::Failed(error) => failed(error),
        Exchange::TimedOut(limit) => {
            FailedAttempt::new(Outcome::Unknown, Fault::TimedOut { limit })
        }
    };
    // A definite answer stays what it is; what would be unknown is settled by the proof.
    Err(match (failure.outcome, proof) {
        (Outcome::Unknown, Proof::NotSent) => FailedAttempt {
            outcome: Outcome::NotSent,
            ..failure
        },
        _ => failure,
    })
}

fn answered(
    parts: Parts,
    body: Result<Bytes, BodyFault>,
    call: &Prepared,
    reader: &Reader,
    max_answer: usize,
) -> Result<Success, FailedAttempt> {
    let status = parts.status;
    let request_id = text(&parts.headers, "x-request-id").map(str::to_owned);
    let body = body.and_then(|body| match is_bloated(&body) {
        true => Err(BodyFault::Bloated),
        false => Ok(body),
    });
    let also = |body: &Bytes| {
        call.also
            .is_some_and(|also| also.admits(status.as_u16(), body))
    };
    let failure = if status.is_success() || body.as_ref().is_ok_and(also) {
        match body.map_err(|fault| broken(fault, max_answer)) {
            Ok(body) => match reader(&body) {
                Ok(said) => {
                    let answer = Answer {
                        status,
                        headers: parts.headers,
                        body,
                    };
                    return Ok(Success { answer, said });
                }
                Err(error) => {
                    FailedAttempt::new(Outcome::Unknown, Fault::Unreadable).because(error)
                }
            },
            Err(failure) => failure,
        }
    } else {
        let api_error = body.ok().and_then(|body| api_error(&body));
        FailedAttempt {
            api_error: api_error.clone().map(Box::new),
            ..refused(status, &parts.headers, call, api_error.as_ref())
        }
    };
    Err(FailedAttempt {
        status: Some(status.as_u16()),
        request_id,
        ..failure
    })
}

/// An answer that is no success.
fn refused(
    status: StatusCode,
    headers: &HeaderMap,
    call: &Prepared,
    api_error: Option<&ApiError>,
) -> FailedAttempt {
    let code = api_error.and_then(ApiError::code);
    let is_own = code.is_some() || api_error.is_some_and(misses_header);
    let outcome = match (status, call.effect) {
        (StatusCode::TOO_MANY_REQUESTS, _) => Outcome::Throttled,
        (StatusCode::SERVICE_UNAVAILABLE, _) if code == Some(0) => Outcome::Maintenance,
        // Gateways give it for time-outs of their own making.
        (StatusCode::REQUEST_TIMEOUT, _) if code.is_none() => Outcome::Unknown,
        (_, Effect::Start) if status.is_client_error() && is_own => Outcome::Refused,
        (_, Effect::Start) => Outcome::Unknown,
        (_, Effect::Read) if status.is_server_error() => Outcome::Unknown,
        (_, Effect::Read) => Outcome::Refused,
    };
    let fault = if status.is_redirection() {
        Fault::Redirect {
            to: redirect_target(headers, &call.uri),
        }
    } else if status == StatusCode::NOT_FOUND && code.is_none() {
        Fault::NoSuchCall
    } else {
        Fault::Status(status.as_u16())
    };
    FailedAttempt::new(outcome, fault)
}

/// The origin only: the rest of a redirect's target may hold anything.
fn redirect_target(headers: &HeaderMap, asked: &Uri) -> Option<String> {
    let target: Uri = text(headers, header::LOCATION.as_str())?.parse().ok()?;
    let origin = if target.authority().is_some() {
        Origin::of(&target)
    } else {
        Origin::of(asked)
    };
    origin.map(|origin| origin.to_string())
}

/// The platform's error object. Its `code` tells it from what gateways write, some of whom also answer in JSON.
fn api_error(body: &[u8]) -> Option<ApiError> {
    let error: ApiError = serde_json::from_slice(body).ok()?;
    (error.code().is_some() || misses_header(&error)).then_some(error)
}

/// Whether the platform names the header of features in advance access that it misses. With which status and code it
/// does so was never recorded, but nobody else would know that header.
fn misses_header(error: &ApiError) -> bool {
    let message = error.message.value().map_or("", String::as_str);
    message.to_ascii_lowercase().contains(ADVANCE_ACCESS)
}

/// The most values that an answer may hold. A page of a thousand files with all their metadata has some hundred thousand.
/// Reading one takes a few hundred bytes of memory, and two bytes are enough to write it, so the limit of size alone
/// would be none.
const MAX_VALUES: usize = 500_000;

/// Whether reading an answer would take memory out of all proportion to its size.
fn is_bloated(body: &[u8]) -> bool {
    // A value and what separates it from the next have two bytes at least.
    if body.len() < 2 * MAX_VALUES {
        return false;
    }
    let (mut separators, mut in_text, mut escaped) = (0, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => separators += 1,
            _ => {}
        }
    }
    separators > MAX_VALUES
}

fn broken(fault: BodyFault, max_answer: usize) -> FailedAttempt {
    match fault {
        BodyFault::TimedOut(limit) => {
            FailedAttempt::new(Outcome::Unknown, Fault::TimedOut { limit })
        }
        BodyFault::Bloated => FailedAttempt::new(Outcome::Unknown, Fault::Unreadable)
            .because(format!("it holds more than {MAX_VALUES} values")),
        BodyFault::Failed(error) if error.is::<LengthLimitError>() => {
            FailedAttempt::new(Outcome::Unknown, Fault::TooLarge { limit: max_answer })
        }
        BodyFault::Failed(error) => {
            FailedAttempt::new(Outcome::Unknown, Fault::Broken).because(error)
        }
    }
}

fn failed(error: hyper_util::client::legacy::Error) -> FailedAttempt {
    if !error.is_connect() {
        return FailedAttempt::new(Outcome::Unknown, Fault::Broken).because(error);
    }
    let fault = match Unreachable::of(&error) {
        Some(Unreachable::Certificate) => Fault::Certificate,
        Some(Unreachable::ProxyLogin) => Fault::ProxyLogin,
        _ => Fault::Connect,
    };
    FailedAttempt::new(Outcome::NotSent, fault).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_bloated_by_its_values_not_by_its_texts() {
        let values = |count: usize| [b"[" as &[u8], &b"0,".repeat(count - 1), b"0]"].concat();
        let text = |inner: &str| [b"[\"", inner.as_bytes(), b"\"]"].concat();
        let commas = ",".repeat(2 * MAX_VALUES);
        for (body, bloated) in [
            (values(MAX_VALUES), false),
            (values(MAX_VALUES + 1), true),
            (text(&commas), false),
            (text(&format!("\\\"{commas}")), false),
            ([text("\\\\"), commas.clone().into()].concat(), true),
            (b"[{".repeat(MAX_VALUES), true),
            (commas.clone().into(), true),
            (commas[1..].into(), false),
        ] {
            let beginning = String::from_utf8_lossy(&body[..10]);
            assert_eq!(
                is_bloated(&body),
                bloated,
                "{} bytes, {beginning}",
                body.len()
            );
        }
    }
}
