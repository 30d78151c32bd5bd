//! One request and its answer, and how often to try.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use cavatica_connect::{BoxError, DialError, Dialer, Options, Trust, Unreachable};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use instant_xml::FromXml;
use jiff::Timestamp;

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::place::Place;
use crate::sign::{Payload, sign};
use crate::upload::SourceError;

/// How long an answer may take, and each piece of it.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A page of a thousand keys of 1,024 bytes, each byte as `%XX`, with what else stands there.
const LARGEST_ANSWER: usize = 8 << 20;

/// How often a read is sent at most.
const ATTEMPTS: u32 = 4;

/// The wait after the first failure; it doubles each time, and a share of it by chance is waited.
const FIRST_WAIT: Duration = Duration::from_millis(200);

pub(crate) type HttpClient = Client<Dialer, UnsyncBoxBody<Bytes, BoxError>>;

/// A client for the service at this address, through the environment's proxy if there is one.
pub(crate) fn client(service: &Uri, trust: Trust) -> Result<HttpClient, DialError> {
    let mut options = Options::default();
    options.trust = trust;
    Ok(Client::builder(TokioExecutor::new()).build(Dialer::new(service, options)?))
}

/// All that a call to one bucket takes.
pub(crate) struct Access {
    pub(crate) place: Place,
    pub(crate) credentials: Credentials,
    pub(crate) client: HttpClient,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)
    }
}

impl Access {
    /// Reads the bucket itself, and the whole of the answer.
    pub(crate) async fn read_text(
        &self,
        what: &'static str,
        query: Vec<(&str, &str)>,
    ) -> Result<(StatusCode, String), Error> {
        let call = Call::new(self, what, None);
        let address = self.place.question(query);
        let address = address.ok_or_else(|| call.error(ErrorKind::Key))?;
        let answer = call.send_reading(Method::GET, &address, &[]).await?;
        Ok((answer.status(), text(answer, &call).await?))
    }
}

/// A call under way, to say in errors what it was.
pub(crate) struct Call<'a> {
    access: &'a Access,
    what: &'static str,
    key: Option<&'a str>,
}

/// The body of a refusal.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
#[derive(Debug, FromXml)]
#[xml(rename = "Error")]
struct Refusal {
    #[xml(rename = "Code")]
    code: String,
    #[xml(rename = "Message")]
    message: Option<String>,
    #[xml(rename = "Region")]
    region: Option<String>,
    #[xml(rename = "RequestId")]
    request_id: Option<String>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(access: &'a Access, what: &'static str, key: Option<&'a str>) -> Self {
        Call { access, what, key }
    }

    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.what, &self.access.place.bucket, self.key)
    }

    pub(crate) fn request(
        &self,
        method: Method,
        address: &Uri,
        headers: &[(&'static str, String)],
        payload: Payload,
    ) -> Result<Request<()>, Error> {
        let mut request = Request::builder().method(method).uri(address.clone());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let agent = concat!("cavatica/", env!("CARGO_PKG_VERSION"));
        let request = request.header(http::header::USER_AGENT, HeaderValue::from_static(agent));
        // A header's value may be the caller's nonsense.
        let nonsense = || self.error(ErrorKind::Key);
        let mut request = request.body(()).map_err(|_| nonsense())?;
        let Access {
            place, credentials, ..
        } = self.access;
        sign(
            &mut request,
            payload,
            credentials,
            &place.region,
            Timestamp::now(),
        )
        .map_err(|_| nonsense())?;
        Ok(request)
    }

    /// Sends what only reads, again if need be; each time with a new signature.
    pub(crate) async fn send_reading(
        &self,
        method: Method,
        address: &Uri,
        headers: &[(&'static str, String)],
    ) -> Result<Response<Incoming>, Error> {
        let mut attempt = 1;
        loop {
            let request = self.request(method.clone(), address, headers, Payload::Empty)?;
            let answer = self
                .send_once(request.map(|()| nothing()), ANSWER_LIMIT)
                .await;
            match answer {
                Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                    let most = FIRST_WAIT * 2_u32.pow(attempt);
                    tokio::time::sleep(most.mul_f64(fastrand::f64())).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Sends once, and tells an answer that is no success as an error.
    pub(crate) async fn send_once(
        &self,
        request: Request<UnsyncBoxBody<Bytes, BoxError>>,
        limit: Duration,
    ) -> Result<Response<Incoming>, Error> {
        let answer = tokio::time::timeout(limit, self.access.client.request(request)).await;
        let answer = match answer {
            Err(_) => return Err(self.error(ErrorKind::TimedOut(limit))),
            Ok(Err(error)) if is_source(&error) => {
                return Err(self.error(ErrorKind::Source).because(error));
            }
            Ok(Err(error)) => {
                let kind = match Unreachable::of(&error) {
                    Some(Unreachable::Certificate) => ErrorKind::Certificate,
                    Some(Unreachable::ProxyLogin) => ErrorKind::ProxyLogin,
                    _ => ErrorKind::Broken,
                };
                return Err(self.error(kind).because(error));
            }
            Ok(Ok(answer)) => answer,
        };
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(self.refusal(answer).await)
    }

    async fn refusal(&self, answer: Response<Incoming>) -> Error {
        let status = answer.status();
        let header = |name: &str| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let region = header("x-amz-bucket-region");
        let request_id = header("x-amz-request-id");
        let clock_off = clock_off(&answer);
        let body = match text(answer, self).await {
            Ok(body) => body,
            Err(error) => return error,
        };
        let told = instant_xml::from_str::<Refusal>(&without_namespace(&body));
        let error = self.error(match told {
            Ok(told) => ErrorKind::Refused {
                status,
                code: Some(told.code),
                message: told.message.unwrap_or_default(),
                region: told.region.or(region),
                request_id: told.request_id.or(request_id),
            },
            // The answer to HEAD has no body, and some stores leave it out elsewhere.
            Err(_) if body.trim().is_empty() => ErrorKind::Refused {
                status,
                code: None,
                message: reason(status),
                region,
                request_id,
            },
            Err(_) => ErrorKind::NotS3(status),
        });
        error.at_clock(clock_off)
    }
}

/// No body.
pub(crate) fn nothing() -> UnsyncBoxBody<Bytes, BoxError> {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// How far this computer's clock is from the moment that an answer names.
fn clock_off(answer: &Response<Incoming>) -> Option<Duration> {
    let date = answer.headers().get(http::header::DATE)?.to_str().ok()?;
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    Duration::try_from(Timestamp::now().duration_since(theirs).abs()).ok()
}

/// The XML with its outermost element in no namespace. Stores differ in the one that they name, and some name none.
pub(crate) fn without_namespace(xml: &str) -> Cow<'_, str> {
    let outermost = root(xml).and_then(|start| {
        let end = start + xml[start..].find('>')?;
        Some((&xml[start..end], &xml[end..]))
    });
    let Some((tag, rest)) = outermost else {
        return xml.into();
    };
    let name = tag.split_ascii_whitespace().next().unwrap_or_default();
    let closed = if tag.ends_with('/') && !name.ends_with('/') {
        "/"
    } else {
        ""
    };
    format!("{name}{closed}{rest}").into()
}

/// Where the outermost element begins, behind declarations and comments.
fn root(xml: &str) -> Option<usize> {
    let elements = xml.match_indices('<').map(|(at, _)| at);
    let mut named =
        elements.filter(|at| xml[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic()));
    named.next()
}

fn reason(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().to_owned()
}

/// The whole of an answer.
pub(crate) async fn text(answer: Response<Incoming>, call: &Call<'_>) -> Result<String, Error> {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LARGEST_ANSWER);
    match tokio::time::timeout(ANSWER_LIMIT, body.collect()).await {
        Err(_) => Err(call.error(ErrorKind::TimedOut(ANSWER_LIMIT))),
        Ok(Err(error)) => Err(call.error(ErrorKind::Broken).because(error)),
        Ok(Ok(body)) => String::from_utf8(body.to_bytes().to_vec()).map_err(|error| {
            call.error(ErrorKind::NotS3(status))
                .because(error.utf8_error())
        }),
    }
}

/// Whether the source of the body failed rather than the connection.
fn is_source(error: &hyper_util::client::legacy::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<SourceError>() {
            return true;
        }
        next = error.source();
    }
    false
}
