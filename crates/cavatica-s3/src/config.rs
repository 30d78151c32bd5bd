//! Which bucket, and how to reach it.

use std::path::PathBuf;

use cavatica_connect::{DialError, Trust, is_this_machine};
use http::Uri;

use crate::bucket::Bucket;
use crate::credentials::AwsConfig;
use crate::place::Place;
use crate::send::{self, Access};

/// A region for stores that have none but want one in the signature.
const ANY_REGION: &str = "us-east-1";

/// A bucket about to be addressed.
#[derive(Clone, Debug)]
#[must_use]
pub struct BucketBuilder {
    name: String,
    config: AwsConfig,
    endpoint: Option<String>,
    ca_certificates: Option<Vec<u8>>,
}

/// A bucket that can't be addressed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The name can't be a bucket's.
    #[error("`{0}` can't be the name of a bucket")]
    Name(String),
    /// AWS has no address without a region.
    #[error("no AWS region is named; set AWS_REGION, or `region` in the profile")]
    NoRegion,
    /// The region can't be one.
    #[error("`{0}` can't be an AWS region")]
    Region(String),
    /// The endpoint isn't an address that can be used.
    #[error(
        "`{0}` can't be the endpoint of an S3 service; write `https://HOST` or `https://HOST:PORT`"
    )]
    Endpoint(String),
    /// Plain text over a network: the keys' signature and the data could be read on the way.
    #[error("`{0}` is plain http, which goes to this computer only; use https")]
    PlainText(String),
    /// The endpoint has more than a host: most likely the bucket, which is named on its own.
    #[error("`{0}` has the bucket or a path in it; name the service alone, as `https://HOST`")]
    Path(String),
    /// The file of certificate authorities that the AWS configuration names can't be read.
    #[error("the AWS configuration's CA bundle {} can't be read", .file.display())]
    CaBundle {
        /// The file.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No connection could be opened: the trust store, a certificate or the environment's proxy can't be used.
    #[error(transparent)]
    Dial(#[from] DialError),
}

impl Bucket {
    /// Begins to address a bucket.
    pub fn builder(name: &str, config: AwsConfig) -> BucketBuilder {
        BucketBuilder {
            name: name.to_owned(),
            config,
            endpoint: None,
            ca_certificates: None,
        }
    }
}

impl BucketBuilder {
    /// Asks this S3 service instead of AWS or the one that the AWS configuration names, with the bucket in the path. Plain
    /// `http` to this machine only.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Trusts the certificate authorities of this PEM text too.
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificates = Some(pem.into());
        self
    }

    /// Makes ready to call; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the name, the endpoint, the region, a certificate or the proxy can't be used.
    pub fn build(self) -> Result<Bucket, BuildError> {
        if !is_name(&self.name) {
            return Err(BuildError::Name(self.name));
        }
        if let Some(region) = self.config.region.as_deref().filter(|r| !is_label(r)) {
            return Err(BuildError::Region(region.to_owned()));
        }
        let given = self.endpoint.or(self.config.endpoint);
        let region = match (&self.config.region, &given) {
            (Some(region), _) => region.clone(),
            (None, Some(_)) => ANY_REGION.to_owned(),
            (None, None) => return Err(BuildError::NoRegion),
        };
        // A certificate of AWS fits one label before its own name.
        let by_host = given.is_none() && !self.name.contains('.');
        let endpoint = given.unwrap_or_else(|| aws(&region));
        let uri = checked(&endpoint, &self.name)?;
        let place = if by_host {
            Place::by_host(&uri, self.name, region)
        } else {
            Place::by_path(&uri, self.name, region)
        };
        let place = place.ok_or_else(|| BuildError::Endpoint(shown_address(&endpoint)))?;
        let mut trust = Trust::default();
        if let Some(pem) = &self.ca_certificates {
            trust.add_pem(pem)?;
        }
        if let Some(file) = &self.config.ca_bundle {
            let pem = std::fs::read(file).map_err(|source| BuildError::CaBundle {
                file: file.clone(),
                source,
            })?;
            trust.add_pem(&pem)?;
        }
        let client = send::client(&uri, trust)?;
        Ok(Bucket(Access {
            place,
            credentials: self.config.credentials,
            client,
        }))
    }
}

/// Source: <https://docs.aws.amazon.com/general/latest/gr/s3.html>.
fn aws(region: &str) -> String {
    let top = if region.starts_with("cn-") {
        "com.cn"
    } else {
        "com"
    };
    format!("https://s3.{region}.amazonaws.{top}")
}

/// The address of a service that may be spoken to.
fn checked(endpoint: &str, bucket: &str) -> Result<Uri, BuildError> {
    let wrong = || BuildError::Endpoint(shown_address(endpoint));
    let uri: Uri = endpoint.parse().map_err(|_| wrong())?;
    let host = uri
        .host()
        .filter(|host| !host.is_empty())
        .ok_or_else(wrong)?;
    // A user's name and password would be ignored, so whoever writes them means something else.
    if uri.query().is_some() || uri.authority().is_some_and(|a| a.as_str().contains('@')) {
        return Err(BuildError::Endpoint(
            "an address with a user or a query".to_owned(),
        ));
    }
    if !matches!(uri.path(), "" | "/") || host.starts_with(&format!("{bucket}.s3.")) {
        return Err(BuildError::Path(shown_address(endpoint)));
    }
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_this_machine(host) => {}
        Some("http") => return Err(BuildError::PlainText(shown_address(endpoint))),
        _ => return Err(wrong()),
    }
    Ok(uri)
}

/// An address as it may be shown: without the name and password of a user, and without a query, which may hold secrets too.
///
/// ```
/// let shown = cavatica_s3::shown_address("https://user:p@ss@host:1/v2?sig=x#y");
/// assert_eq!(shown, "https://host:1/v2");
/// ```
pub fn shown_address(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let user = authority.rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}{}", &rest[user..])
}

/// Wider than AWS's own rules, because other stores have theirs; narrow enough to stand in an address.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !name.is_empty() && name.len() <= 255 && name.bytes().all(fits) && !matches!(name, "." | "..")
}

/// A region becomes part of a host's name.
fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
