//! What to send: built purely, checked before anything is sent.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::endpoint::{Endpoint, Origin};

/// The longest URL that is sent, in bytes; the official Python client draws the same line.
///
/// Source: `http_client.py` and `enums.py` of <https://github.com/sbg/sevenbridges-python>.
const MAX_URL: usize = 6000;

/// The header that asks for features in advance access, in small letters.
pub(crate) const ADVANCE_ACCESS: &str = "x-sbg-advance-access";

/// Stands for the route of a link, which has none.
pub(crate) const LINK: &str = "{link}";

/// All but what RFC 3986 calls unreserved.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// As [`VALUE`], but the `/` of `owner/name` stays a separator.
const PART: &AsciiSet = &VALUE.remove(b'/');

/// What a call does, and so whether sending it twice does harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It changes nothing and may be sent again as often as one likes.
    Read,
    /// It starts something that can't be undone. It is sent again only if the first was certainly not accepted.
    Start,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Effect::Read => "read",
            Effect::Start => "start",
        })
    }
}

/// A call of the API: a method, a route and what fills it.
///
/// A fault in it, such as a parameter without value, doesn't stop the building: the client reports it when the call is
/// sent, as an error whose outcome is [`NotSent`](crate::Outcome::NotSent).
///
/// ```
/// use cavatica_transport::{Call, Effect};
///
/// let call = Call::get("/storage/volumes/{volume}").param("volume", "rfranklin/output");
/// let bulk_get = Call::post("/bulk/storage/exports/get")
///     .effect(Effect::Read)
///     .query("fields", "_all")
///     .json(&serde_json::json!({"export_ids": ["yrand0mrmxx4Zjr1u781HJaBGOhx02sd"]}));
/// ```
#[derive(Clone)]
pub struct Call {
    method: Method,
    target: Target,
    query: String,
    named: Vec<Named>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Bytes>,
    effect: Effect,
    limit: Option<Duration>,
    also: Option<AlsoValue>,
    fault: Option<String>,
}

/// Something that a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named {
    /// What it is, as the call's maker names it: for what fills a route, the name of the hole.
    pub kind: String,
    /// Which one.
    pub id: String,
}

/// Whether the body of an answer with one of these statuses is what the call asked for.
#[derive(Clone, Copy)]
pub(crate) struct AlsoValue {
    statuses: &'static [u16],
    is_value: fn(&[u8]) -> bool,
}

impl AlsoValue {
    pub(crate) fn admits(&self, status: u16, body: &[u8]) -> bool {
        self.statuses.contains(&status) && (self.is_value)(body)
    }
}

#[derive(Clone)]
enum Target {
    /// Below the endpoint.
    Route {
        template: Cow<'static, str>,
        path: String,
    },
    /// A link out of an answer.
    Link(String),
}

/// A call that can't be sent as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallFault {
    #[error("{0}")]
    Malformed(String),
    #[error("the link leads to {0}, and the token stays with the endpoint")]
    OtherOrigin(String),
}

/// A call that is ready for any number of attempts.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) method: Method,
    /// For spans: without ids.
    pub(crate) route: Cow<'static, str>,
    pub(crate) uri: Uri,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) effect: Effect,
    pub(crate) limit: Option<Duration>,
    pub(crate) also: Option<AlsoValue>,
}

impl Call {
    /// A `GET` of a route below the endpoint, `/storage/exports/{export}` for instance. Its effect is
    /// [`Read`](Effect::Read).
    pub fn get(template: impl Into<Cow<'static, str>>) -> Self {
        let template = template.into();
        Call::new(
            Method::GET,
            Effect::Read,
            Target::Route {
                path: template.clone().into_owned(),
                template,
            },
        )
    }

    /// A `POST` to a route below the endpoint. Its effect is [`Start`](Effect::Start), until [`effect`](Self::effect)
    /// says otherwise.
    pub fn post(template: impl Into<Cow<'static, str>>) -> Self {
        Call {
            method: Method::POST,
            effect: Effect::Start,
            ..Call::get(template)
        }
    }

    /// A `GET` of an absolute link out of an answer, an `href` or a `next`. The client refuses one that leads to another
    /// origin than its endpoint's.
    pub fn absolute(url: impl Into<String>) -> Self {
        Call::new(Method::GET, Effect::Read, Target::Link(url.into()))
    }

    fn new(method: Method, effect: Effect, target: Target) -> Self {
        Call {
            method,
            target,
            query: String::new(),
            named: Vec::new(),
            headers: Vec::new(),
            body: None,
            effect,
            limit: None,
            also: None,
            fault: None,
        }
    }

    /// A `PATCH` of a route below the endpoint, to send but once.
    pub fn patch(template: impl Into<Cow<'static, str>>) -> Self {
        Call {
            method: Method::PATCH,
            ..Call::post(template)
        }
    }

    /// A `PUT` to a route below the endpoint, to send but once.
    pub fn put(template: impl Into<Cow<'static, str>>) -> Self {
        Call {
            method: Method::PUT,
            ..Call::post(template)
        }
    }

    /// A `DELETE` of a route below the endpoint, to send but once.
    pub fn delete(template: impl Into<Cow<'static, str>>) -> Self {
        Call {
            method: Method::DELETE,
            ..Call::post(template)
        }
    }

    /// Fills `{name}` of the route, and [names](Self::names) it. The value is encoded, but for the `/` of ids such as
    /// `owner/name`.
    #[must_use]
    pub fn param(self, name: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        self.fill(name, &value).names(name, value)
    }

    /// Notes what the call is about, where its route doesn't tell: an [`Error`](crate::Error) names it again.
    #[must_use]
    pub fn names(mut self, kind: &str, id: impl fmt::Display) -> Self {
        self.named.push(Named {
            kind: kind.to_owned(),
            id: id.to_string(),
        });
        self
    }

    fn fill(mut self, name: &str, value: &str) -> Self {
        let hole = format!("{{{name}}}");
        match &mut self.target {
            Target::Route { path, .. } if path.contains(&hole) => {
                // A part such as `..` would call another route than the one named.
                if value.split('/').any(|part| matches!(part, "" | "." | "..")) {
                    self.fault = Some(format!("`{}` can't be a {name}", value.escape_debug()));
                } else {
                    *path = path.replace(&hole, &utf8_percent_encode(value, PART).to_string());
                }
            }
            Target::Route { .. } | Target::Link(_) => {
                self.fault = Some(format!("the route has no {hole}"));
            }
        }
        self
    }

    /// Adds a query parameter. A name may come more than once. A link has its own.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        if matches!(self.target, Target::Link(_)) {
            self.fault = Some(format!("a link takes no further parameter such as {name}"));
        }
        let between = if self.query.is_empty() { "" } else { "&" };
        let name = utf8_percent_encode(name, VALUE);
        let value = value.to_string();
        let value = utf8_percent_encode(&value, VALUE);
        self.query += &format!("{between}{name}={value}");
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body = Some(bytes.into()),
            Err(error) => self.fault = Some(format!("the body can't be written as JSON: {error}")),
        }
        self
    }

    /// States what the call does, where its method doesn't: the bulk reads are `POST`s.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// How long one attempt may take, where the client's own limit doesn't suit.
    #[must_use]
    pub fn attempt_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Takes an answer with one of these statuses for a success where its body is what was asked for: a failed job may come
    /// under the status of its own failure.
    #[must_use]
    pub fn value_also_at(mut self, statuses: &'static [u16], is_value: fn(&[u8]) -> bool) -> Self {
        self.also = Some(AlsoValue { statuses, is_value });
        self
    }

    /// Asks for features in advance access: some calls and parameters may demand it, and others don't mind.
    ///
    /// Source: the official R and Perl clients send it with every call about volumes, imports and exports.
    #[must_use]
    pub fn in_advance_access(self) -> Self {
        self.header(ADVANCE_ACCESS, "advance")
    }

    /// Adds a header. Those that the client sets itself (token, content type, user agent) win over it.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (name.parse(), value.parse()) {
            (Ok(name), Ok(value)) => self.headers.push((name, value)),
            _ => self.fault = Some(format!("`{}` is no header", name.escape_debug())),
        }
        self
    }

    /// Whether the call is a `GET` of this very route.
    pub(crate) fn is_get_of(&self, route: &str) -> bool {
        self.method == Method::GET
            && matches!(&self.target, Target::Route { template, .. } if template == route)
    }

    /// Checks the call against the endpoint: after this, only the network can fail.
    pub(crate) fn prepare(self, endpoint: &Endpoint) -> Result<Prepared, CallFault> {
        if let Some(fault) = self.fault {
            return Err(CallFault::Malformed(fault));
        }
        let (route, uri) = match self.target {
            Target::Route { template, path } => {
                if !path.starts_with('/') || path.contains(['{', '}', '?', '#']) {
                    return Err(CallFault::Malformed(format!("`{path}` is no filled route")));
                }
                let question = if self.query.is_empty() { "" } else { "?" };
                let uri = endpoint
                    .url(&format!("{path}{question}{}", self.query))
                    .map_err(|_| CallFault::Malformed(format!("`{path}` is no path")))?;
                (template, uri)
            }
            Target::Link(link) => {
                let uri: Uri = link
                    .parse()
                    .map_err(|_| CallFault::Malformed("the link is no URL".to_owned()))?;
                let origin = Origin::of(&uri)
                    .ok_or_else(|| CallFault::Malformed("the link is not absolute".to_owned()))?;
                if origin != *endpoint.origin() {
                    return Err(CallFault::OtherOrigin(origin.to_string()));
                }
                if !endpoint.is_above(uri.path()) {
                    return Err(CallFault::OtherOrigin(format!("another part of {origin}")));
                }
                (Cow::Borrowed(LINK), uri)
            }
        };
        let length = uri.to_string().len();
        if length > MAX_URL {
            return Err(CallFault::Malformed(format!(
                "the URL has {length} bytes, more than {MAX_URL}"
            )));
        }
        Ok(Prepared {
            method: self.method,
            route,
            uri,
            headers: self.headers,
            body: self.body,
            effect: self.effect,
            limit: self.limit,
            also: self.also,
        })
    }

    /// What an error says of the call, before anything is sent.
    pub(crate) fn subject(&self) -> Subject {
        let path = match &self.target {
            Target::Route { path, .. } => path.clone(),
            Target::Link(_) => LINK.to_owned(),
        };
        Subject {
            method: self.method.clone(),
            path,
            named: self.named.clone(),
            effect: self.effect,
            attempts: 0,
            elapsed: Duration::ZERO,
        }
    }

    pub(crate) fn stated_effect(&self) -> Effect {
        self.effect
    }
}

/// Shows neither body nor header values.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Subject { method, path, .. } = self.subject();
        write!(f, "Call({method} {path}, {})", self.effect)
    }
}

/// Which call it was, and how far it went.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) named: Vec<Named>,
    pub(crate) effect: Effect,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
}
