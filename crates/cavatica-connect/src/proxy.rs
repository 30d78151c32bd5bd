//! Which proxy to take, and for which hosts none.

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::error::DialError;

/// Which proxy to take. Traffic to this machine never takes one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyChoice {
    /// What the environment says.
    #[default]
    Environment,
    /// None, whatever the environment says.
    Direct,
    /// This one.
    Through {
        /// An `http` or `https` URL, perhaps with user name and password.
        url: String,
        /// The hosts to reach directly, written as in `NO_PROXY`.
        except: String,
    },
}

impl ProxyChoice {
    /// The proxy on the way to a destination, if there is one.
    pub(crate) fn intercept(&self, destination: &Uri) -> Result<Option<Intercept>, DialError> {
        let (url, except) = match self {
            ProxyChoice::Direct => return Ok(None),
            _ if destination.host().is_some_and(is_this_machine) => return Ok(None),
            ProxyChoice::Environment => (
                variable(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
                variable(["no_proxy", "NO_PROXY"]),
            ),
            ProxyChoice::Through { url, except } => (url.clone(), except.clone()),
        };
        if url.is_empty() {
            return Ok(None);
        }
        let matching = |except: &str| {
            let rules = Matcher::builder().https(url.as_str()).no(except);
            rules.build().intercept(destination)
        };
        // The matcher passes over a proxy that it can't read. To go round a proxy unasked is not what its owner wants.
        let found = matching("").ok_or(DialError::Proxy)?;
        let has_host = found.uri().host().is_some_and(|host| !host.is_empty());
        if !has_host || !matches!(found.uri().scheme_str(), Some("http" | "https")) {
            return Err(DialError::Proxy);
        }
        Ok(matching(&exceptions(&except)))
    }
}

/// Hosts to reach directly, as curl reads them: separated by commas or blanks, with or without a final dot.
fn exceptions(text: &str) -> String {
    let hosts = text.split([',', ' ', '\t']);
    let hosts: Vec<_> = hosts.map(|host| host.trim_end_matches('.')).collect();
    hosts.join(",")
}

/// The first of these variables that says something.
fn variable<const N: usize>(names: [&str; N]) -> String {
    let mut values = names.iter().filter_map(|name| std::env::var(name).ok());
    values.find(|value| !value.is_empty()).unwrap_or_default()
}

/// Whether a host, as it stands in a URL, is this very machine: by address, or by the name `localhost`.
///
/// ```
/// use cavatica_connect::is_this_machine;
///
/// assert!(is_this_machine("LOCALHOST") && is_this_machine("127.0.0.9") && is_this_machine("[::1]"));
/// assert!(!is_this_machine("10.0.0.1") && !is_this_machine("localhost.example"));
/// ```
pub fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::ProxyChoice;

    #[test]
    fn exceptions_are_read_as_curl_reads_them() {
        let choice = ProxyChoice::Through {
            url: "http://proxy.example:3128".to_owned(),
            except: "a.example. b.example,\t.c.example.".to_owned(),
        };
        for (host, direct) in [
            ("a.example", true),
            ("b.example", true),
            ("x.c.example", true),
            ("d.example", false),
            ("127.0.0.1", true),
        ] {
            let uri = format!("https://{host}/").parse().expect("an address");
            let proxy = choice.intercept(&uri).expect("a proxy that can be read");
            assert_eq!(proxy.is_none(), direct, "{host}");
        }
    }
}
