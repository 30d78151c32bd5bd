//! How many items a bulk call takes, and which of them can't go together.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{CheckedExport, Location, VolumeId};

/// One to a hundred items: what a bulk call takes.
///
/// Source: <https://docs.cavatica.org/docs/start-a-bulk-export-job>.
///
/// ```
/// use cavatica_model::bulk::Batch;
/// use cavatica_model::FileId;
///
/// let ids: Vec<FileId> = vec!["567890abc8a5639cc6722063".parse()?];
/// assert_eq!(Batch::new(ids)?.len(), 1);
/// assert!(Batch::<FileId>::new(Vec::new()).is_err());
///
/// // However many there are.
/// let sizes: Vec<usize> = Batch::chunks(0..250).map(|batch| batch.len()).collect();
/// assert_eq!(sizes, [100, 100, 50]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Batch<T>(Vec<T>);

/// A number of items that no bulk call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a bulk call takes 1 to {} items, not {count}", Batch::<()>::MAX)]
#[non_exhaustive]
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

    /// Any number of items in batches that are as large as can be; none for none.
    pub fn chunks(items: impl IntoIterator<Item = T>) -> impl Iterator<Item = Batch<T>> {
        let mut items = items.into_iter();
        std::iter::from_fn(move || Batch::new(items.by_ref().take(Self::MAX).collect()).ok())
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

/// Exports that one call may start: 1 to [`Batch::MAX`], no two to the same place. With `overwrite` one would destroy what
/// the other has just written, and its file with it; without, one of them fails.
///
/// ```
/// use cavatica_model::{ExportBatch, ExportRequest};
///
/// let to = |file: &str, place: &str| -> Result<_, Box<dyn std::error::Error>> {
///     Ok(ExportRequest::new(file.parse()?, "rfranklin/output".parse()?, place.parse()?).skip_checks())
/// };
/// assert!(ExportBatch::new(vec![to("f1", "a.vcf")?, to("f2", "b.vcf")?]).is_ok());
/// let meeting = ExportBatch::new(vec![to("f1", "a.vcf")?, to("f2", "a.vcf")?]);
/// assert_eq!(
///     meeting.unwrap_err().to_string(),
///     "requests 0 and 1 both go to `a.vcf` on volume rfranklin/output"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ExportBatch(Batch<CheckedExport>);

/// Exports that no call may start together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportBatchError {
    /// None, or too many.
    #[error(transparent)]
    Size(#[from] BatchSizeError),
    /// Two that go to one place.
    #[error(transparent)]
    Meet(#[from] MeetError),
}

/// Two exports that go to one place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("requests {first} and {second} both go to `{location}` on volume {volume}")]
#[non_exhaustive]
pub struct MeetError {
    /// The first of the two, counted from 0.
    pub first: usize,
    /// The second.
    pub second: usize,
    /// Where both go to.
    pub volume: VolumeId,
    /// Where both go to.
    pub location: Location,
}

impl ExportBatch {
    /// Takes 1 to [`Batch::MAX`] exports.
    ///
    /// # Errors
    ///
    /// [`ExportBatchError`] for none or more, or for two that meet.
    pub fn new(exports: Vec<CheckedExport>) -> Result<Self, ExportBatchError> {
        must_not_meet(&exports)?;
        Ok(ExportBatch(Batch::new(exports)?))
    }

    /// Any number of exports in batches that are as large as can be, none of which meets any other.
    ///
    /// # Errors
    ///
    /// [`MeetError`] for the first two that meet, in whatever batches they would be.
    pub fn chunks(exports: Vec<CheckedExport>) -> Result<Vec<Self>, MeetError> {
        must_not_meet(&exports)?;
        Ok(Batch::chunks(exports).map(ExportBatch).collect())
    }

    /// How many exports there are, at least one.
    #[expect(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The exports in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, CheckedExport> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a ExportBatch {
    type Item = &'a CheckedExport;
    type IntoIter = std::slice::Iter<'a, CheckedExport>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn must_not_meet(exports: &[CheckedExport]) -> Result<(), MeetError> {
    let mut taken = HashMap::with_capacity(exports.len());
    for (second, export) in exports.iter().enumerate() {
        let to = &export.request().destination;
        if let Some(first) = taken.insert((&to.volume, &to.location), second) {
            return Err(MeetError {
                first,
                second,
                volume: to.volume.clone(),
                location: to.location.clone(),
            });
        }
    }
    Ok(())
}
