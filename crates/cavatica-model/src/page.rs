//! Ordinary lists: a page of items and links to its neighbours.

use serde::{Deserialize, Serialize};

use crate::{Tri, UnknownKeys};

/// One page of a list. The total stands in the header `X-Total-Matching-Query`, not here.
///
/// ```
/// use cavatica_model::{ExportJob, Page};
///
/// let page: Page<ExportJob> = serde_json::from_str(
///     r#"{"href": "https://example.org/v2/storage/exports?offset=0&limit=1",
///         "items": [{"href": "", "id": "yrand0mrmxx4Zjr1u781HJaBGOhx02sd", "state": "RUNNING"}],
///         "links": [{"href": "https://example.org/v2/storage/exports?offset=1&limit=1", "rel": "next", "method": "GET"}]}"#,
/// )?;
/// assert_eq!(page.next(), Some("https://example.org/v2/storage/exports?offset=1&limit=1"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The URL of this page.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// The items of this page.
    pub items: Vec<T>,
    /// Links to the next and the previous page; empty when there is one page.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub links: Tri<Vec<Link>>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// A link to another page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The URL, absolute.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// `next` or `prev`.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub rel: Tri<String>,
    /// The HTTP method.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub method: Tri<String>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl<T> Page<T> {
    /// The URL of the next page.
    pub fn next(&self) -> Option<&str> {
        let links = self.links.value()?;
        let next = links.iter().find(|link| {
            link.rel
                .value()
                .is_some_and(|rel| rel.eq_ignore_ascii_case("next"))
        })?;
        next.href.value().map(String::as_str)
    }
}
