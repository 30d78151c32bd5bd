//! Where the API is, and where the token may go.

use std::fmt;
use std::str::FromStr;

use cavatica_connect::is_this_machine;
use cavatica_model::account::Platform;
use http::Uri;
use http::uri::{PathAndQuery, Scheme};

/// The base address of the API: `https`, or `http` to this very machine.
///
/// ```
/// use cavatica_transport::Endpoint;
///
/// let endpoint: Endpoint = "https://cavatica-api.sbgenomics.com/v2/".parse()?;
/// assert_eq!(endpoint.to_string(), Endpoint::CAVATICA);
/// assert!("http://example.org/v2".parse::<Endpoint>().is_err());
/// assert!("http://127.0.0.1:8080/v2".parse::<Endpoint>().is_ok());
/// # Ok::<(), cavatica_transport::EndpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    origin: Origin,
    /// Without a slash at the end; empty for the root.
    base: String,
}

/// Scheme, host and port: all that decides who reads the token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: Scheme,
    /// In lower case; an IPv6 address has its brackets.
    host: String,
    port: u16,
}

/// Why a text is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Not an absolute URL with a host.
    #[error("the endpoint is no URL such as {}", Endpoint::CAVATICA)]
    NoUrl,
    /// The token would travel in clear text.
    #[error("the endpoint at {host} needs https: plain http is for this machine alone")]
    ClearText {
        /// The host that isn't this machine.
        host: String,
    },
    /// Neither `https` nor `http`.
    #[error("the endpoint has the scheme {scheme}, not https")]
    Scheme {
        /// The scheme that it has.
        scheme: String,
    },
    /// A user name or password, which would end in logs.
    #[error("the endpoint has a user name in it")]
    UserInfo,
    /// A query, which would be lost.
    #[error("the endpoint has a query")]
    Query,
}

impl Endpoint {
    /// CAVATICA's own endpoint.
    ///
    /// Source: <https://docs.cavatica.org/docs/the-api>.
    pub const CAVATICA: &str = "https://cavatica-api.sbgenomics.com/v2";

    /// Whether a token may go there without a word about it: one of the platforms, or this very machine.
    pub fn is_platform(&self) -> bool {
        let Origin { host, port, .. } = &self.origin;
        let own = format!("https://{host}/v2");
        let listed = Platform::ALL.iter().any(|platform| platform.api() == own);
        (listed && *port == 443) || self.origin.is_loopback()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether a path of the same origin lies below the endpoint, whoever resolves its dots.
    pub(crate) fn is_above(&self, path: &str) -> bool {
        let below = path.strip_prefix(&*self.base);
        below.is_some_and(|below| below.starts_with('/'))
            && !path.split('/').any(|segment| {
                let dots = segment.to_ascii_lowercase().replace("%2e", ".");
                dots == "." || dots == ".."
            })
    }

    /// The URL of a path and query below the endpoint.
    pub(crate) fn url(&self, path_and_query: &str) -> Result<Uri, http::Error> {
        self.origin.url(&format!("{}{path_and_query}", self.base))
    }
}

impl Origin {
    /// The origin of an absolute URL. `None` if it has none, or hides it behind a user name.
    pub(crate) fn of(uri: &Uri) -> Option<Origin> {
        let scheme = uri.scheme()?.clone();
        let authority = uri.authority()?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return None;
        }
        let default = if scheme == Scheme::HTTP { 80 } else { 443 };
        Some(Origin {
            scheme,
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(default),
        })
    }

    pub(crate) fn url(&self, path_and_query: &str) -> Result<Uri, http::Error> {
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority())
            .path_and_query(PathAndQuery::try_from(path_and_query)?)
            .build()
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// Whether it is this machine, by address or by the name `localhost`.
    pub(crate) fn is_loopback(&self) -> bool {
        is_this_machine(&self.host)
    }

    fn authority(&self) -> String {
        match (self.is_tls(), self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let uri: Uri = text.trim().parse().map_err(|_| EndpointError::NoUrl)?;
        let authority = uri.authority().ok_or(EndpointError::NoUrl)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::UserInfo);
        }
        if uri.query().is_some() {
            return Err(EndpointError::Query);
        }
        let origin = Origin::of(&uri).ok_or(EndpointError::NoUrl)?;
        match origin.scheme.as_str() {
            "https" => {}
            "http" if origin.is_loopback() => {}
            "http" => return Err(EndpointError::ClearText { host: origin.host }),
            other => {
                return Err(EndpointError::Scheme {
                    scheme: other.to_owned(),
                });
            }
        }
        Ok(Endpoint {
            origin,
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.base)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}
