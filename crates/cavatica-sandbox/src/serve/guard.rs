//! Who may ask at all.
//!
//! A page of any site can send requests to this machine with its visitor's browser, and by a name of its own that leads here
//! it can read the answers, too. So nothing is answered unless the sandbox is called by a name that it has, and nothing that
//! a browser sends on behalf of another site.

use http::header::{self, HeaderName};
use http::request::Parts;

use crate::control::hub::{Exposure, Hub};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The origin by which the client calls the sandbox, for instance `http://localhost:40123`, if it may.
pub(super) fn origin(hub: &Hub, head: &Parts) -> Option<String> {
    let text = |name: HeaderName| head.headers.get(name).map(header::HeaderValue::to_str);
    let host = match (head.uri.authority(), text(header::HOST)) {
        (Some(target), None) => target.as_str(),
        (None, Some(host)) => host.ok()?,
        (Some(target), Some(host)) => host.ok().filter(|host| *host == target.as_str())?,
        (None, None) => return None,
    };
    let origin = match &hub.exposure {
        Exposure::Loopback(origins) => {
            let own = |origin: &&String| {
                let name = origin.split_once("://").map(|(_, name)| name);
                name.is_some_and(|name| name.eq_ignore_ascii_case(host))
            };
            origins.iter().find(own)?.clone()
        }
        // It can't know by which names other computers know this one.
        Exposure::Exposed => {
            host.parse::<http::uri::Authority>().ok()?;
            let scheme = hub.endpoint.split_once("://").map(|(scheme, _)| scheme);
            format!("{}://{host}", scheme.unwrap_or("http"))
        }
    };
    let same_origin = text(header::ORIGIN).is_none_or(|from| from.is_ok_and(|from| from == origin));
    let same_site = text(FETCH_SITE).is_none_or(|site| matches!(site, Ok("same-origin" | "none")));
    (same_origin && same_site).then_some(origin)
}

/// The origins by which this machine itself can call a sandbox at an address.
pub(crate) fn loopback_origins(endpoint: &str) -> Vec<String> {
    let origin = endpoint.trim_end_matches("/v2");
    let (scheme, own) = origin.split_once("://").unwrap_or(("http", origin));
    // An address of version 6 has colons of its own, within brackets.
    let port = own
        .rfind(':')
        .filter(|at| !own[*at..].contains(']'))
        .map_or("", |at| &own[at..]);
    let names = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{scheme}://{name}{port}"));
    let mut origins = vec![origin.to_owned()];
    origins.extend(names.into_iter().filter(|name| name != origin));
    origins
}
