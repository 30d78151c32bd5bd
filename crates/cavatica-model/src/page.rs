//! Ordinary lists: a page of items and links to its neighbours.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{Tri, UnknownKeys};

/// One page of a list. The total stands in the header `X-Total-Matching-Query`, not here.
///
/// An item that can't be read makes the whole page unreadable, so that nothing is missed in silence. Who would rather go on
/// without it asks for a `Page<Entry<T>>`, see [`Entry`].
///
/// ```
/// use cavatica_model::wire::Page;
/// use cavatica_model::ExportJob;
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
#[non_exhaustive]
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
#[non_exhaustive]
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
    /// A page of these items, which links to no other.
    pub fn new(items: Vec<T>) -> Self {
        Page {
            href: Tri::Absent,
            items,
            links: Tri::Absent,
            unknown: UnknownKeys::new(),
        }
    }

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

impl<T: DeserializeOwned> Page<Entry<T>> {
    /// Reads a page: the same as [`Deserialize`] gives, and cheaper where all items can be read, as nearly always: the text
    /// is looked through once.
    ///
    /// # Errors
    ///
    /// If the text is no JSON object with a list of `items`.
    ///
    /// ```
    /// use cavatica_model::wire::{Entry, Page};
    /// use cavatica_model::File;
    ///
    /// let text = r#"{"items": [{"id": "568cf5dce4b0307bc0462060", "name": "a.bam"}], "links": []}"#;
    /// let page: Page<Entry<File>> = Page::read(text)?;
    /// assert_eq!(page, serde_json::from_str(text)?);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn read(text: &str) -> serde_json::Result<Self> {
        match serde_json::from_str::<Page<T>>(text) {
            Ok(page) => Ok(Page {
                href: page.href,
                items: page.items.into_iter().map(Entry::Read).collect(),
                links: page.links,
                unknown: page.unknown,
            }),
            Err(_) => serde_json::from_str(text),
        }
    }
}

/// An item of a list that may be unreadable without spoiling the page that it stands on.
///
/// ```
/// use cavatica_model::wire::{Entry, Page};
/// use cavatica_model::File;
///
/// let page: Page<Entry<File>> = serde_json::from_str(
///     r#"{"items": [{"id": "568cf5dce4b0307bc0462060", "name": "a.bam"}, {"name": "without an id"}], "links": []}"#,
/// )?;
/// assert!(matches!(&page.items[0], Entry::Read(file) if file.id.as_str() == "568cf5dce4b0307bc0462060"));
/// assert!(matches!(&page.items[1], Entry::Unreadable { reason, .. } if reason.contains("id")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<T> {
    /// It could be read.
    Read(T),
    /// It isn't of the expected shape. The others are not harmed.
    Unreadable {
        /// The item as it came.
        raw: Value,
        /// Why it can't be read.
        reason: String,
    },
}

impl<T: Serialize> Serialize for Entry<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Entry::Read(item) => item.serialize(serializer),
            Entry::Unreadable { raw, .. } => raw.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entry<T> {
    /// Never fails on a JSON value, so that one bad item doesn't spoil the list.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        // Nearly all items can be read. Why one can't is found out at leisure.
        if let Ok(item) = serde_json::from_str(text.get()) {
            return Ok(Entry::Read(item));
        }
        let raw: Value = serde_json::from_str(text.get()).map_err(de::Error::custom)?;
        Ok(match T::deserialize(&raw) {
            Ok(item) => Entry::Read(item),
            Err(error) => Entry::Unreadable {
                reason: error.to_string(),
                raw,
            },
        })
    }
}
