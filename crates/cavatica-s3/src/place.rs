//! Where a bucket is reached, and the addresses of what is in it.

use std::fmt;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a signature takes as it is: everything else is written as `%XX`, by us as by whoever checks it.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const ENCODED_IN_A_KEY: &AsciiSet = &ENCODED.remove(b'/');

/// A bucket's address and region.
#[derive(Clone)]
pub(crate) struct Place {
    /// Scheme and host, where the bucket is named by the host; with the bucket behind it, where it is named by the path.
    root: String,
    pub(crate) bucket: String,
    pub(crate) region: String,
}

impl Place {
    /// `https://HOST/BUCKET`.
    pub(crate) fn by_path(service: &Uri, bucket: String, region: String) -> Option<Self> {
        let root = format!("{}/{bucket}", origin(service, "")?);
        Place {
            root,
            bucket,
            region,
        }
        .checked()
    }

    /// `https://BUCKET.HOST`.
    pub(crate) fn by_host(service: &Uri, bucket: String, region: String) -> Option<Self> {
        let root = origin(service, &format!("{bucket}."))?;
        Place {
            root,
            bucket,
            region,
        }
        .checked()
    }

    fn checked(self) -> Option<Self> {
        self.object("k").is_some().then_some(self)
    }

    /// None for a key of endless length.
    pub(crate) fn object(&self, key: &str) -> Option<Uri> {
        let key = utf8_percent_encode(key, ENCODED_IN_A_KEY);
        format!("{}/{key}", self.root).parse().ok()
    }

    /// The address of a question to the bucket itself. A signature wants the parameters in the order of their names.
    pub(crate) fn question(&self, mut query: Vec<(&str, &str)>) -> Option<Uri> {
        query.sort_unstable();
        let query: Vec<_> = query
            .into_iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ENCODED)))
            .collect();
        format!("{}/?{}", self.root, query.join("&")).parse().ok()
    }
}

/// Scheme, host and a port that isn't the scheme's own: what a `Host` header says, which is signed.
fn origin(service: &Uri, label: &str) -> Option<String> {
    let (scheme, host) = (service.scheme_str()?, service.host()?);
    let port = match (scheme, service.port_u16()) {
        (_, None) | ("https", Some(443)) | ("http", Some(80)) => String::new(),
        (_, Some(port)) => format!(":{port}"),
    };
    Some(format!("{scheme}://{label}{host}{port}"))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root)
    }
}
