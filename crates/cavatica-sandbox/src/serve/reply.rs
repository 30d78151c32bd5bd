//! The way of a request from its bytes to its answer, and what faults do to that way.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use cavatica_model::ApiError;
use http::uri::PathAndQuery;
use http::{HeaderMap, Response, StatusCode, Uri, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Frame, Incoming};

use super::conduct::{Conducted, Dropped, Length, RateHeaders, conduct};
use super::guard;
use crate::clock::{http_date, timestamp};
use crate::control::admin::{admin, is_part_of_the_page};
use crate::control::hub::{Account, Hub};
use crate::control::rate::Admission;
use crate::route::{Acceptance, FilesShown, JobsShown, Request};
use crate::wire::answer::{Body, Reply};
use crate::wire::query::Query;
use crate::wire::refusal::Code;
use crate::wire::route::{self, Found, Method, Route};
use crate::world::Links;
use crate::world::number::scatter;
use crate::world::quirk::Quirk;

/// A hundred items with the longest keys and properties need about a third of it.
const LARGEST_BODY: usize = 2 << 20;

/// Answers echo what was asked for, up to three times.
const LONGEST_ADDRESS: usize = 16 << 10;

/// How long a client may take for its headers, and again for its body.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) type HttpReply = Response<BoxBody<Bytes, Dropped>>;

/// The way of one request.
pub(crate) async fn reply(
    hub: &Arc<Hub>,
    request: http::Request<Incoming>,
) -> Result<HttpReply, Dropped> {
    let (head, body) = request.into_parts();
    let Some(origin) = guard::origin(hub, &head) else {
        return Ok(plain_reply(Reply::misdirected()));
    };
    let account = holder(hub, &head.headers);
    let finish = |outcome| finish(hub, account, outcome);
    let body = match read(&head.uri, body).await {
        Ok(body) => body,
        Err(refusal) => return finish(Conducted::plain(Reply::error(&refusal))),
    };
    let path = head.uri.path();
    let query = Query::parse(head.uri.query().unwrap_or_default());
    let Some(api_path) = path
        .strip_prefix("/v2")
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    else {
        let answer = if account.is_none() && !is_part_of_the_page(&head.method, path) {
            Err(Code::UNAUTHORIZED.error())
        } else {
            admin(hub, &head.method, path, &query, &body)
        };
        return Ok(plain_reply(
            answer.unwrap_or_else(|error| Reply::error(&error)),
        ));
    };

    let found = route::find(Method::from_name(head.method.as_str()), api_path);
    let served = match found {
        Found::Route(route, _) => Some(route),
        Found::OtherMethod | Found::Unserved | Found::Nothing => None,
    };
    note(hub, &head, &body, served);

    if matches!(found, Found::Nothing) {
        return Ok(plain_reply(Reply::no_such_call()));
    }
    let outcome = match admit(hub, account, &found) {
        Err(refusal) => Conducted::plain(Reply::error(&refusal)),
        Ok(account) => match found {
            Found::Unserved => {
                let why = "The platform has this call; the sandbox doesn't serve it.";
                Conducted::plain(Reply::error(&Code::NOT_IMPLEMENTED.because(why)))
            }
            Found::Nothing | Found::OtherMethod => {
                Conducted::plain(Reply::error(&Code::METHOD_NOT_ALLOWED.error()))
            }
            Found::Route(route, parameters) => {
                let request = Request {
                    account: account.username.clone(),
                    standing: hub.standing(account),
                    route,
                    parameters,
                    query,
                    body,
                    links: Links(format!("{origin}/v2")),
                    advance_access: has_advance_access(&head.headers),
                    acceptance: Acceptance::default(),
                    jobs_shown: JobsShown::default(),
                    files_shown: FilesShown::default(),
                };
                conduct(hub, request).await?
            }
        },
    };
    finish(outcome)
}

async fn read(address: &Uri, body: Incoming) -> Result<Bytes, ApiError> {
    let path = address.path_and_query().map_or("", PathAndQuery::as_str);
    if path.len() > LONGEST_ADDRESS {
        let refusal = Code::BAD_REQUEST.because("The address is too long.");
        return Err(refusal.with_status(414));
    }
    let whole = Limited::new(body, LARGEST_BODY).collect();
    match tokio::time::timeout(PATIENCE, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let refusal = Code::BAD_REQUEST.because("The request body is too large.");
            Err(refusal.with_status(413))
        }
        Ok(Err(_)) => Err(Code::UNDECODABLE.error()),
        Err(_) => {
            let refusal = Code::BAD_REQUEST.because("The request body took too long.");
            Err(refusal.with_status(408))
        }
    }
}

/// Counts the request, and looks for tokens where they have no business.
fn note(hub: &Hub, head: &http::request::Parts, body: &Bytes, route: Option<Route>) {
    let mut counters = hub.counters();
    counters.request(route);
    let name = route.map_or("elsewhere", Route::name);
    for account in &hub.accounts {
        let token = account.token.as_bytes();
        let holds = |text: &[u8]| text.windows(token.len()).any(|part| part == token);
        if holds(head.uri.to_string().as_bytes()) {
            counters.stray_token(format!("address of {name}"));
        }
        if holds(body) {
            counters.stray_token(format!("body of {name}"));
        }
        for (header, value) in &head.headers {
            let belongs = header == TOKEN_HEADER || header == header::AUTHORIZATION;
            if !belongs && holds(value.as_bytes()) {
                counters.stray_token(format!("header {header} of {name}"));
            }
        }
    }
}

const TOKEN_HEADER: &str = "x-sbg-auth-token";

/// Asks whose token it is and counts the request against that limit. The list of paths needs neither; asking for the limit
/// doesn't count.
fn admit<'a>(
    hub: &'a Hub,
    account: Option<&'a Account>,
    found: &Found,
) -> Result<&'a Account, ApiError> {
    if matches!(found, Found::Route(Route::Root, _)) {
        return Ok(&hub.accounts[0]);
    }
    let account = account.ok_or_else(|| Code::UNAUTHORIZED.error())?;
    if matches!(found, Found::Route(Route::RateLimit, _)) {
        return Ok(account);
    }
    match hub.admit(account) {
        Admission::Admitted => Ok(account),
        Admission::OverLimit => {
            hub.counters().over_limit += 1;
            Err(Code::RATE_LIMIT.error())
        }
    }
}

fn holder<'a>(hub: &'a Hub, headers: &HeaderMap) -> Option<&'a Account> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || text("authorization")?.strip_prefix("Bearer ");
    hub.holder(text(TOKEN_HEADER).or_else(bearer)?)
}

fn has_advance_access(headers: &HeaderMap) -> bool {
    headers
        .get("x-sbg-advance-access")
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"advance"))
}

/// Adds the headers of every answer of the API, and counts it.
fn finish(hub: &Hub, account: Option<&Account>, outcome: Conducted) -> Result<HttpReply, Dropped> {
    let status = outcome.answer.status;
    let served = {
        let mut counters = hub.counters();
        counters.answer(status);
        counters.served += 1;
        counters.served
    };
    let mut reply = match outcome.length {
        Length::Whole => plain_reply(outcome.answer),
        Length::Half => half_reply(outcome.answer),
    };
    let headers = reply.headers_mut();
    let id = format!("{:016x}", scatter(0x7265_7175, served));
    headers.insert("x-request-id", text_value(&id));
    // Of the world's clock, not of hyper's.
    let ahead = outcome.date_ahead.unwrap_or(0).saturating_mul(1000);
    let at = timestamp(hub.platform.clock.now().saturating_add(ahead));
    headers.insert(header::DATE, text_value(&http_date(at)));
    if matches!(outcome.rate_headers, RateHeaders::Shown) {
        let standing = hub.standing(account.unwrap_or(&hub.accounts[0]));
        if status == 429 && hub.quirks.contains(&Quirk::RetryAfter) {
            let left = standing.reset - timestamp(hub.platform.clock.now()).as_second();
            headers.insert(header::RETRY_AFTER, left.max(1).into());
            return Ok(reply);
        }
        headers.insert("x-ratelimit-limit", standing.limit.into());
        headers.insert("x-ratelimit-remaining", standing.remaining.into());
        if !hub.quirks.contains(&Quirk::NoReset) {
            headers.insert("x-ratelimit-reset", standing.reset.into());
        }
    }
    Ok(reply)
}

fn plain_reply(answer: Reply) -> HttpReply {
    let (head, bytes) = head_and_bytes(answer);
    let body = Full::new(bytes).map_err(|never: Infallible| match never {});
    Response::from_parts(head, body.boxed())
}

/// Announces the whole length and breaks off in the middle.
fn half_reply(answer: Reply) -> HttpReply {
    let (mut head, bytes) = head_and_bytes(answer);
    head.headers
        .insert(header::CONTENT_LENGTH, bytes.len().into());
    let half = bytes.slice(..bytes.len() / 2);
    Response::from_parts(head, BrokenOff(Some(half)).boxed())
}

/// A body that breaks off after its first bytes.
struct BrokenOff(Option<Bytes>);

impl hyper::body::Body for BrokenOff {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        let first = self.0.take().map(Frame::data);
        Poll::Ready(Some(first.ok_or(Dropped)))
    }
}

/// The one page that there is has its script, its style and its figures from the sandbox itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn head_and_bytes(answer: Reply) -> (http::response::Parts, Bytes) {
    let (mut head, ()) = Response::new(()).into_parts();
    // Statuses come from our own tables or from a checked fault rule.
    head.status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (kind, bytes) = match answer.body {
        Body::Json(text) => ("application/json", Bytes::from(text)),
        Body::Page(kind, page) => (kind, page),
        Body::Empty => ("application/json", Bytes::new()),
    };
    let fixed = [
        (header::CONTENT_TYPE, kind),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    for (name, value) in fixed {
        head.headers
            .insert(name, header::HeaderValue::from_static(value));
    }
    if let Some(total) = answer.total {
        head.headers.insert("x-total-matching-query", total.into());
    }
    if let Some(location) = &answer.location {
        head.headers.insert(header::LOCATION, text_value(location));
    }
    (head, bytes)
}

fn text_value(text: &str) -> header::HeaderValue {
    header::HeaderValue::from_str(text).unwrap_or(header::HeaderValue::from_static(""))
}
