//! Listings, page by page.

use instant_xml::FromXml;
use percent_encoding::percent_decode_str;

use crate::error::{Error, ErrorKind};
use crate::object::{Object, unquoted};
use crate::send::{Access, without_namespace};

/// How many keys S3 gives at once.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.
const LARGEST_PAGE: u16 = 1000;

/// A page of a listing.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.
#[derive(Debug, FromXml)]
#[xml(rename = "ListBucketResult")]
struct ListBucketResult {
    #[xml(rename = "EncodingType")]
    encoding: Option<String>,
    contents: Vec<Contents>,
    folders: Vec<CommonPrefixes>,
    #[xml(rename = "NextContinuationToken")]
    next: Option<String>,
}

#[derive(Debug, FromXml)]
struct Contents {
    #[xml(rename = "Key")]
    key: String,
    #[xml(rename = "Size")]
    size: Option<u64>,
    #[xml(rename = "ETag")]
    etag: Option<String>,
    #[xml(rename = "LastModified")]
    modified: Option<String>,
    #[xml(rename = "StorageClass")]
    storage_class: Option<String>,
}

#[derive(Debug, FromXml)]
struct CommonPrefixes {
    #[xml(rename = "Prefix")]
    prefix: String,
}

/// A listing under way. It holds one page at a time, so a bucket of any size can be gone through.
#[derive(Debug)]
#[must_use]
pub struct Listing<'a> {
    access: &'a Access,
    prefix: String,
    delimiter: Option<&'static str>,
    limit: String,
    token: Option<String>,
    ended: bool,
}

/// Some of the keys under a prefix, in the order of their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectPage {
    /// The objects.
    pub objects: Vec<Object>,
    /// In a listing of one level the folders, each as a whole prefix with its final `/`.
    pub folders: Vec<String>,
    /// Where the next page begins, in the store's own words; none on the last page.
    pub next: Option<String>,
}

impl<'a> Listing<'a> {
    pub(crate) fn new(access: &'a Access, prefix: &str) -> Self {
        Listing {
            access,
            prefix: prefix.to_owned(),
            delimiter: None,
            limit: LARGEST_PAGE.to_string(),
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
        self.limit = limit.clamp(1, LARGEST_PAGE).to_string();
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
    pub async fn next(&mut self) -> Result<Option<ObjectPage>, Error> {
        if self.ended {
            return Ok(None);
        }
        let (status, text) = self.access.read_text("list", self.query()).await?;
        let odd = || {
            Error::new(
                ErrorKind::NotS3(status),
                "list",
                &self.access.place.bucket,
                None,
            )
        };
        let answer: ListBucketResult = instant_xml::from_str(&without_namespace(&text))
            .map_err(|error| odd().because(error))?;
        let is_encoded = answer.encoding.as_deref() == Some("url");
        let objects = answer.contents.into_iter();
        let objects: Option<Vec<_>> = objects.map(|listed| object(listed, is_encoded)).collect();
        let folders = answer.folders.into_iter();
        let next = answer.next;
        if next.is_some() && next == self.token {
            return Err(odd().because("it leads to the same page again"));
        }
        let page = ObjectPage {
            objects: objects.ok_or_else(|| odd().because("it has an object without a size"))?,
            folders: folders.map(|p| decoded(p.prefix, is_encoded)).collect(),
            next: next.clone(),
        };
        self.ended = next.is_none();
        self.token = next;
        Ok(Some(page))
    }

    fn query(&self) -> Vec<(&str, &str)> {
        let mut query = vec![
            ("list-type", "2"),
            // Without it XML couldn't hold every key.
            ("encoding-type", "url"),
            ("prefix", &*self.prefix),
            ("max-keys", &*self.limit),
        ];
        query.extend(self.delimiter.map(|delimiter| ("delimiter", delimiter)));
        let token = self.token.as_deref();
        query.extend(token.map(|token| ("continuation-token", token)));
        query
    }
}

fn object(listed: Contents, is_encoded: bool) -> Option<Object> {
    Some(Object {
        key: decoded(listed.key, is_encoded),
        size: listed.size?,
        etag: listed.etag.map(|etag| unquoted(&etag)),
        storage_class: listed.storage_class,
        modified: listed.modified.and_then(|text| text.parse().ok()),
    })
}

/// AWS writes a blank as `+`, as forms do; others write `%20`. A `+` of the key itself is `%2B` with all of them.
fn decoded(text: String, is_encoded: bool) -> String {
    if !is_encoded {
        return text;
    }
    let plain = text.replace('+', " ");
    match percent_decode_str(&plain).decode_utf8() {
        Ok(plain) => plain.into_owned(),
        Err(_) => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const PAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>lab</Name><EncodingType>url</EncodingType>
<Contents><Key>a+b%2B.txt</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>5</Size>
<Owner><ID>1</ID></Owner><StorageClass>STANDARD</StorageClass></Contents>
<CommonPrefixes><Prefix>run+1/</Prefix></CommonPrefixes><NextContinuationToken>t</NextContinuationToken></ListBucketResult>"#;

    fn read(text: &str) -> Option<(Vec<Object>, Vec<String>)> {
        let answer: ListBucketResult = instant_xml::from_str(&without_namespace(text)).ok()?;
        let objects = answer.contents.into_iter();
        let folders = answer.folders.into_iter();
        Some((
            objects
                .map(|listed| object(listed, true))
                .collect::<Option<_>>()?,
            folders.map(|folder| decoded(folder.prefix, true)).collect(),
        ))
    }

    #[test]
    fn a_page_is_read() {
        let (objects, folders) = read(PAGE).unwrap();
        assert_eq!((&*objects[0].key, objects[0].size), ("a b+.txt", 5));
        assert_eq!(objects[0].etag.as_deref(), Some("e"));
        assert_eq!(folders, ["run 1/"]);
    }

    proptest! {
        #[test]
        fn fuzz_listings(
            cuts in vec((any::<prop::sample::Index>(), 0..20_usize, select(SCRAPS)), 1..5)
        ) {
            let mut bytes = PAGE.as_bytes().to_vec();
            for (at, length, scrap) in cuts {
                let at = at.index(bytes.len());
                let end = (at + length).min(bytes.len());
                bytes.splice(at..end, scrap.bytes());
            }
            read(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Pieces that mean something to a reader of XML.
    const SCRAPS: &[&str] = &[
        "",
        "<",
        ">",
        "/>",
        "</Contents>",
        "<Contents>",
        "<!--",
        "]]>",
        "<![CDATA[",
        "&",
        "&#0;",
        "&#x110000;",
        "&e;",
        "<!DOCTYPE a [<!ENTITY e \"ee\">]>",
        "<?x?>",
        " xmlns:a=\"b\"",
        "-1",
        "18446744073709551616",
        "%",
        "%ff",
        "\0",
        "\u{feff}",
    ];
}
