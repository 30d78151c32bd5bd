//! Bulk calls: one to a hundred items out, one resource or error per item back.

mod batch;
mod fate;

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use serde_json::value::RawValue;

pub use batch::{Batch, BatchSizeError, ExportBatch, ExportBatchError, MeetError};
pub use fate::{ExportKey, Fate};

use crate::{ApiError, ExportId, ExportRequest, FileId, UnknownKeys};

/// The body of `POST /bulk/storage/exports/create`. Whether to move or copy is said once for the whole call.
///
/// ```
/// use cavatica_model::bulk::{Batch, BulkExportRequest};
/// use cavatica_model::ExportRequest;
///
/// let one = ExportRequest::new("567890abc8a5639cc6722063".parse()?, "rfranklin/output".parse()?, "a.vcf".parse()?);
/// let body = BulkExportRequest::new(Batch::new(vec![one])?);
/// assert_eq!(serde_json::to_value(&body)?["items"][0]["destination"]["location"], "a.vcf");
///
/// // None, or more than a hundred, are not a request.
/// assert!(serde_json::from_str::<BulkExportRequest>(r#"{"items": []}"#).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BulkExportRequest {
    /// The exports to start.
    pub items: Batch<ExportRequest>,
}

impl BulkExportRequest {
    /// A request for these.
    pub fn new(items: Batch<ExportRequest>) -> Self {
        BulkExportRequest { items }
    }
}

/// The body of `POST /bulk/storage/exports/get`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BulkGetRequest {
    /// The jobs to read.
    pub export_ids: Batch<ExportId>,
}

impl BulkGetRequest {
    /// A request for these.
    pub fn new(export_ids: Batch<ExportId>) -> Self {
        BulkGetRequest { export_ids }
    }
}

/// The body of `POST /bulk/files/get`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BulkFilesRequest {
    /// The files to read.
    pub file_ids: Batch<FileId>,
}

impl BulkFilesRequest {
    /// A request for these.
    pub fn new(file_ids: Batch<FileId>) -> Self {
        BulkFilesRequest { file_ids }
    }
}

/// The answer of a bulk call. Its order isn't promised to be that of the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
#[non_exhaustive]
pub struct BulkAnswer<T> {
    /// One per item of the request, if all goes well; more or fewer harm only themselves.
    pub items: Vec<BulkItem<T>>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl<T> BulkAnswer<T> {
    /// An answer of these items.
    pub fn new(items: Vec<BulkItem<T>>) -> Self {
        BulkAnswer {
            items,
            unknown: UnknownKeys::new(),
        }
    }
}

impl<T: DeserializeOwned> BulkAnswer<T> {
    /// Reads the answer of a bulk call: the same as [`Deserialize`] gives, and cheaper where all items are resources, as
    /// nearly always: the text is looked through once.
    ///
    /// # Errors
    ///
    /// If the text is no JSON object with a list of `items`.
    ///
    /// ```
    /// use cavatica_model::bulk::BulkAnswer;
    /// use cavatica_model::ExportJob;
    ///
    /// let text = r#"{"items": [{"resource": {"id": "yrand0mrmxx4Zjr1u781HJaBGOhx02sd", "state": "PENDING"}}]}"#;
    /// let answer: BulkAnswer<ExportJob> = BulkAnswer::read(text)?;
    /// assert_eq!(answer, serde_json::from_str(text)?);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn read(text: &str) -> serde_json::Result<Self> {
        match serde_json::from_str::<AllTaken<T>>(text) {
            Ok(answer) if answer.items.iter().all(Whole::succeeded) => Ok(BulkAnswer {
                items: answer.items.into_iter().map(BulkItem::from).collect(),
                unknown: answer.unknown,
            }),
            Ok(_) | Err(_) => serde_json::from_str(text),
        }
    }
}

/// One item of a bulk answer.
///
/// What stood beside the key that counts, a null `error` for instance, is kept as the second part, so that it can be
/// written again.
///
/// ```
/// use cavatica_model::bulk::{BulkAnswer, BulkItem};
/// use cavatica_model::ExportJob;
///
/// let answer: BulkAnswer<ExportJob> = serde_json::from_str(
///     r#"{"items": [
///         {"resource": {"id": "yrand0mrmxx4Zjr1u781HJaBGOhx02sd", "state": "PENDING"}},
///         {"error": {"status": 403, "code": 9006, "message": "Requested file cannot be exported."}},
///         {"surprise": true}]}"#,
/// )?;
/// assert!(answer.items[0].resource().is_some());
/// assert!(matches!(&answer.items[1], BulkItem::Error(error, _) if error.code() == Some(9006)));
/// assert!(matches!(&answer.items[2], BulkItem::Unreadable { .. }));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum BulkItem<T> {
    /// It succeeded.
    Resource(T, UnknownKeys),
    /// It was refused; the others are not harmed.
    Error(ApiError, UnknownKeys),
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
            BulkItem::Resource(resource, _) => Some(resource),
            BulkItem::Error(..) | BulkItem::Unreadable { .. } => None,
        }
    }

    /// The resource, if the item succeeded.
    pub fn into_resource(self) -> Option<T> {
        match self {
            BulkItem::Resource(resource, _) => Some(resource),
            BulkItem::Error(..) | BulkItem::Unreadable { .. } => None,
        }
    }
}

#[derive(Serialize)]
struct Refused<'a> {
    error: &'a ApiError,
    #[serde(flatten)]
    beside: &'a UnknownKeys,
}

#[derive(Serialize)]
struct Made<'a, T> {
    resource: &'a T,
    #[serde(flatten)]
    beside: &'a UnknownKeys,
}

impl<T: Serialize> Serialize for BulkItem<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            BulkItem::Resource(resource, beside) => Made { resource, beside }.serialize(serializer),
            BulkItem::Error(error, beside) => Refused { error, beside }.serialize(serializer),
            BulkItem::Unreadable { raw, .. } => raw.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for BulkItem<T> {
    /// Never fails on a JSON value, so that one bad item doesn't spoil the answer.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        // Nearly all items are whole resources. What else they may be is found out at leisure.
        match serde_json::from_str::<Whole<T>>(text.get()) {
            Ok(item) if item.succeeded() => Ok(item.into()),
            Ok(_) | Err(_) => serde_json::from_str(text.get())
                .map(BulkItem::of)
                .map_err(de::Error::custom),
        }
    }
}

/// An answer without refusals.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct AllTaken<T> {
    items: Vec<Whole<T>>,
    #[serde(flatten)]
    unknown: UnknownKeys,
}

/// An item with a resource.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct Whole<T> {
    resource: T,
    #[serde(flatten)]
    beside: UnknownKeys,
}

impl<T> Whole<T> {
    /// Valid means that `error` is absent or null.
    fn succeeded(&self) -> bool {
        self.beside.get("error").is_none_or(Value::is_null)
    }
}

impl<T> From<Whole<T>> for BulkItem<T> {
    fn from(item: Whole<T>) -> Self {
        BulkItem::Resource(item.resource, item.beside)
    }
}

impl<T: DeserializeOwned> BulkItem<T> {
    fn of(raw: Value) -> Self {
        let unreadable = |raw, reason: String| BulkItem::Unreadable { raw, reason };
        let Value::Object(object) = &raw else {
            return unreadable(raw, "it is no object".to_owned());
        };
        let counts = ["error", "resource"]
            .into_iter()
            .find(|key| object.get(*key).is_some_and(|part| !part.is_null()));
        let Some(counts) = counts else {
            return unreadable(raw, "neither `resource` nor `error`".to_owned());
        };
        let beside = || {
            object
                .iter()
                .filter(|(key, _)| *key != counts)
                .map(|(key, part)| (key.clone(), part.clone()))
                .collect()
        };
        let part = &object[counts];
        let item = if counts == "error" {
            ApiError::deserialize(part).map(|error| BulkItem::Error(error, beside()))
        } else {
            T::deserialize(part).map(|resource| BulkItem::Resource(resource, beside()))
        };
        match item {
            Ok(item) => item,
            Err(error) => unreadable(raw, error.to_string()),
        }
    }
}

impl<T> fmt::Display for BulkItem<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BulkItem::Resource(..) => f.write_str("accepted"),
            BulkItem::Error(error, _) => error.fmt(f),
            BulkItem::Unreadable { reason, .. } => write!(f, "unreadable item: {reason}"),
        }
    }
}
