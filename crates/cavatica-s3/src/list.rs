//! Listings, page by page.

use rusty_s3::S3Action;
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::actions::list_objects_v2::ListObjectsContent;

use crate::bucket::Bucket;
use crate::error::{Error, ErrorKind};
use crate::object::{Object, unquoted};
use crate::send::{SIGNED_FOR, in_namespace};

/// The namespace of AWS's own listings.
const S3_NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// How many keys S3 gives at once.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.
const LARGEST_PAGE: u16 = 1000;

/// A listing under way. It holds one page at a time, so a bucket of any size can be gone through.
#[derive(Debug)]
#[must_use]
pub struct Listing<'a> {
    bucket: &'a Bucket,
    prefix: String,
    delimiter: Option<&'static str>,
    limit: u16,
    token: Option<String>,
    ended: bool,
}

/// Some of the keys under a prefix, in the order of their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects.
    pub objects: Vec<Object>,
    /// In a listing of one level the folders, each as a whole prefix with its final `/`.
    pub folders: Vec<String>,
    /// Where the next page begins, in the store's own words; none on the last page.
    pub next: Option<String>,
}

impl<'a> Listing<'a> {
    pub(crate) fn new(bucket: &'a Bucket, prefix: &str) -> Self {
        Listing {
            bucket,
            prefix: prefix.to_owned(),
            delimiter: None,
            limit: LARGEST_PAGE,
            token: None,
            ended: false,
        }
    }

    /// Stays on the prefix's own level, and tells the folders on it instead of what is in them.
    pub fn one_level(mut self) -> Self {
        self.delimiter = Some("/");
        self
    }

    /// Asks for so many keys and folders at once, 1000 at most.
    pub fn page_size(mut self, limit: u16) -> Self {
        self.limit = limit.clamp(1, LARGEST_PAGE);
        self
    }

    /// Begins where a page said that the next one begins.
    pub fn resume(mut self, next: impl Into<String>) -> Self {
        self.token = Some(next.into());
        self
    }

    /// The next page; none after the last. An empty listing has one empty page.
    ///
    /// # Errors
    ///
    /// [`Error`] if the page can't be had; the same page is asked for again by the next call.
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        if self.ended {
            return Ok(None);
        }
        let (status, text) = self.bucket.read_text("list", || self.address()).await?;
        let odd = || Error::new(ErrorKind::NotS3(status), "list", self.bucket.name(), None);
        let answer = ListObjectsV2::parse_response(&in_namespace(&text, Some(S3_NAMESPACE)))
            .map_err(|error| odd().because(error))?;
        let objects = answer.contents.into_iter().map(object);
        let objects: Option<Vec<_>> = objects.collect();
        let next = answer.next_continuation_token;
        if next.is_some() && next == self.token {
            return Err(odd().because("it leads to the same page again"));
        }
        let page = Page {
            objects: objects.ok_or_else(|| odd().because("it has an object without a size"))?,
            folders: answer
                .common_prefixes
                .into_iter()
                .map(|p| p.prefix)
                .collect(),
            next: next.clone(),
        };
        self.ended = next.is_none();
        self.token = next;
        Ok(Some(page))
    }

    fn address(&self) -> String {
        let mut action = ListObjectsV2::new(self.bucket.place(), Some(self.bucket.signing()));
        action.with_prefix(self.prefix.as_str());
        action.with_max_keys(self.limit.into());
        if let Some(delimiter) = self.delimiter {
            action.with_delimiter(delimiter);
        }
        if let Some(token) = &self.token {
            action.with_continuation_token(token.as_str());
        }
        action.sign(SIGNED_FOR).into()
    }
}

fn object(listed: ListObjectsContent) -> Option<Object> {
    Some(Object {
        key: listed.key,
        size: listed.size?,
        etag: listed.etag.map(|etag| unquoted(&etag)),
        storage_class: listed.storage_class,
        modified: listed.last_modified.and_then(|text| text.parse().ok()),
    })
}
