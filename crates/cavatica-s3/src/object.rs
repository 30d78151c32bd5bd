//! What S3 tells about objects.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use jiff::Timestamp;

use crate::error::{Error, ErrorKind};

/// An object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Object {
    /// The whole key, the listing's prefix included.
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// Without the quotes around it. For an upload in one piece that isn't encrypted with KMS it is the content's MD5.
    pub etag: Option<String>,
    /// As S3 names it, `STANDARD` included; some stores name none.
    pub storage_class: Option<String>,
    /// When it was written, if the store tells.
    pub modified: Option<Timestamp>,
}

/// An object as S3 describes it when asked for it alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// In bytes.
    pub size: u64,
    /// Without the quotes around it.
    pub etag: Option<String>,
    /// None for `STANDARD`, which S3 doesn't name here.
    pub storage_class: Option<String>,
    /// `AES256`, `aws:kms`, ...; none where the object isn't encrypted or the store doesn't tell.
    pub encryption: Option<String>,
    /// The KMS key of `aws:kms`.
    pub kms_key_id: Option<String>,
    /// When it was written, as the header says it.
    pub modified: Option<String>,
    /// By algorithm in lower case, as `sha256` or `crc64nvme`, in base64. Of an upload in parts it may be a checksum of
    /// checksums; then it ends in `-` and the number of parts.
    pub checksums: BTreeMap<String, String>,
}

impl Head {
    pub(crate) fn read(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let checksum = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let algorithm = name.as_str().strip_prefix("x-amz-checksum-")?;
            (algorithm != "type").then_some(())?;
            Some((algorithm.to_owned(), value.to_str().ok()?.to_owned()))
        };
        Some(Head {
            size: text("content-length")?.parse().ok()?,
            etag: text("etag").map(|etag| unquoted(&etag)),
            storage_class: text("x-amz-storage-class"),
            encryption: text("x-amz-server-side-encryption"),
            kms_key_id: text("x-amz-server-side-encryption-aws-kms-key-id"),
            modified: text("last-modified"),
            checksums: headers.iter().filter_map(checksum).collect(),
        })
    }
}

/// The ETag's value.
pub(crate) fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

/// An object on its way here.
#[derive(Debug)]
#[non_exhaustive]
pub struct Download {
    /// What S3 says of it.
    pub head: Head,
    pub(crate) body: Incoming,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) patience: Duration,
}

impl Download {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    ///
    /// [`Error`] if the connection breaks or nothing comes for a minute.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let error = |kind| Error::new(kind, "read", &self.bucket, Some(&self.key));
        loop {
            match tokio::time::timeout(self.patience, self.body.frame()).await {
                Err(_) => return Err(error(ErrorKind::TimedOut(self.patience))),
                Ok(None) => return Ok(None),
                Ok(Some(Err(broken))) => return Err(error(ErrorKind::Broken).because(broken)),
                // Trailers say nothing here.
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}
