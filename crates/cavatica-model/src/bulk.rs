//! Bulk calls: one to a hundred items out, one resource or error per item back.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use crate::{ApiError, ExportId, ExportRequest, FileId, Tri, UnknownKeys};

/// One to a hundred items: what a bulk call takes.
///
/// Source: <https://docs.cavatica.org/docs/start-a-bulk-export-job>.
///
/// ```
/// use cavatica_model::{Batch, FileId};
///
/// let ids: Vec<FileId> = vec!["567890abc8a5639cc6722063".parse()?];
/// assert_eq!(Batch::new(ids)?.len(), 1);
/// assert!(Batch::<FileId>::new(Vec::new()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Batch<T>(Vec<T>);

/// A number of items that no bulk call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a bulk call takes 1 to {} items, not {count}", Batch::<()>::MAX)]
pub struct BatchSizeError {
    /// How many there were.
    pub count: usize,
}

impl<T> Batch<T> {
    /// The most items that one call takes.
    pub const MAX: usize = 100;

    /// Takes 1 to [`MAX`](Self::MAX) items.
    ///
    /// # Errors
    ///
    /// [`BatchSizeError`] for none or more.
    pub fn new(items: Vec<T>) -> Result<Self, BatchSizeError> {
        match items.len() {
            1..=100 => Ok(Batch(items)),
            count => Err(BatchSizeError { count }),
        }
    }

    /// How many items there are, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The items in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// The items in their order.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T> TryFrom<Vec<T>> for Batch<T> {
    type Error = BatchSizeError;

    fn try_from(items: Vec<T>) -> Result<Self, BatchSizeError> {
        Batch::new(items)
    }
}

impl<'a, T> IntoIterator for &'a Batch<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Batch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Batch::new(Vec::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The body of `POST /bulk/storage/exports/create`. Whether to move or copy is said once for the whole call.
///
/// ```
/// use cavatica_model::{Batch, BulkExportRequest, ExportRequest};
///
/// let one = ExportRequest::new("567890abc8a5639cc6722063".parse()?, "rfranklin/output".parse()?, "a.vcf".parse()?);
/// let body = BulkExportRequest { items: Batch::new(vec![one])? };
/// assert_eq!(serde_json::to_value(&body)?["items"][0]["destination"]["location"], "a.vcf");
///
/// // None, or more than a hundred, are not a request.
/// assert!(serde_json::from_str::<BulkExportRequest>(r#"{"items": []}"#).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BulkExportRequest {
    /// The exports to start.
    pub items: Batch<ExportRequest>,
}

/// The body of `POST /bulk/storage/exports/get`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BulkGetRequest {
    /// The jobs to read.
    pub export_ids: Batch<ExportId>,
}

/// The body of `POST /bulk/files/get`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BulkFilesRequest {
    /// The files to read.
    pub file_ids: Batch<FileId>,
}

/// The answer of a bulk call. Its order isn't promised to be that of the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
pub struct BulkAnswer<T> {
    /// One per item of the request, if all goes well; more or fewer harm only themselves.
    pub items: Vec<BulkItem<T>>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// One item of a bulk answer.
///
/// An item is written with the one key that matters, `resource` or `error`; a null that stood beside it isn't kept.
///
/// ```
/// use cavatica_model::{BulkAnswer, BulkItem, ExportJob};
///
/// let answer: BulkAnswer<ExportJob> = serde_json::from_str(
///     r#"{"items": [
///         {"resource": {"id": "yrand0mrmxx4Zjr1u781HJaBGOhx02sd", "state": "PENDING"}},
///         {"error": {"status": 403, "code": 9006, "message": "Requested file cannot be exported."}},
///         {"surprise": true}]}"#,
/// )?;
/// assert!(answer.items[0].resource().is_some());
/// assert!(matches!(&answer.items[1], BulkItem::Error(error) if error.code() == Some(9006)));
/// assert!(matches!(&answer.items[2], BulkItem::Unreadable { .. }));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum BulkItem<T> {
    /// It succeeded.
    Resource(T),
    /// It was refused; the others are not harmed.
    Error(ApiError),
    /// It is neither, or can't be read: what became of it isn't known. The others are not harmed.
    Unreadable {
        /// The item as it came.
        raw: Value,
        /// Why it can't be read.
        reason: String,
    },
}

impl<T> BulkItem<T> {
    /// The resource, if the item succeeded.
    pub fn resource(&self) -> Option<&T> {
        match self {
            BulkItem::Resource(resource) => Some(resource),
            BulkItem::Error(_) | BulkItem::Unreadable { .. } => None,
        }
    }

    /// The resource, if the item succeeded.
    pub fn into_resource(self) -> Option<T> {
        match self {
            BulkItem::Resource(resource) => Some(resource),
            BulkItem::Error(_) | BulkItem::Unreadable { .. } => None,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    #[serde(default = "absent", skip_serializing_if = "Tri::is_absent")]
    resource: Tri<T>,
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    error: Tri<ApiError>,
}

fn absent<T>() -> Tri<T> {
    Tri::Absent
}

impl<T: Serialize> Serialize for BulkItem<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            BulkItem::Resource(resource) => Envelope {
                resource: Tri::Value(resource),
                error: Tri::Absent,
            }
            .serialize(serializer),
            BulkItem::Error(error) => Envelope::<()> {
                resource: Tri::Absent,
                error: Tri::Value(error.clone()),
            }
            .serialize(serializer),
            BulkItem::Unreadable { raw, .. } => raw.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for BulkItem<T> {
    /// Never fails on a JSON value, so that one bad item doesn't spoil the answer.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Value::deserialize(deserializer)?;
        let reason = match Envelope::<T>::deserialize(&raw) {
            // Valid means that `error` is absent or null.
            Ok(Envelope {
                error: Tri::Value(error),
                ..
            }) => return Ok(BulkItem::Error(error)),
            Ok(Envelope {
                resource: Tri::Value(resource),
                ..
            }) => return Ok(BulkItem::Resource(resource)),
            Ok(_) => "neither `resource` nor `error`".to_owned(),
            Err(error) => error.to_string(),
        };
        Ok(BulkItem::Unreadable { raw, reason })
    }
}

impl<T> fmt::Display for BulkItem<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BulkItem::Resource(_) => f.write_str("accepted"),
            BulkItem::Error(error) => error.fmt(f),
            BulkItem::Unreadable { reason, .. } => write!(f, "unreadable item: {reason}"),
        }
    }
}
