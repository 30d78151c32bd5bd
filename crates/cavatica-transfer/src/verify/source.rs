//! The two ways to a listing: through the platform, and through S3 itself. Both tell of a folder at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use cavatica_exports::model::{VolumeId, VolumeListing, key_beginnings};
use cavatica_exports::transport::Client;
use cavatica_exports::{ListError, VolumeWalk, Volumes};
use cavatica_s3::Bucket;
use tokio::task::JoinSet;

use super::compare::{Against, Encryption, ListedObject};
use crate::journal::Terms;

/// How many objects S3 is asked about at the same time.
const HEADS_AT_ONCE: usize = 32;

/// Where to look.
#[derive(Clone, Debug)]
pub enum Destination {
    /// Through the platform, whose endpoint has to be the plan's.
    Volume(Client),
    /// Through S3 itself.
    Bucket {
        /// The bucket.
        bucket: Arc<Bucket>,
        /// What its keys have before the locations, see [`find_beginning`].
        beginning: String,
    },
}

/// What stands in the bucket before the locations: of what may stand there, the expected one unless only another has
/// anything below it.
///
/// # Errors
///
/// If the bucket can't be listed.
pub async fn find_beginning(bucket: &Bucket, terms: &Terms) -> Result<String, ListingError> {
    let beginnings = key_beginnings(&terms.volume_prefix);
    let doubted = if beginnings.len() > 1 {
        &*beginnings
    } else {
        &[]
    };
    for beginning in doubted {
        let below = format!("{beginning}{}", terms.prefix);
        let page = bucket.list(&below).page_size(1).next().await?;
        if page.is_some_and(|page| !page.objects.is_empty()) {
            return Ok(beginning.clone());
        }
    }
    Ok(beginnings.into_iter().next().unwrap_or_default())
}

impl Destination {
    /// What is looked at.
    pub fn against(&self) -> Against {
        match self {
            Destination::Volume(_) => Against::Volume,
            Destination::Bucket { .. } => Against::Bucket,
        }
    }
}

/// Why a listing can't be read on.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// The platform doesn't give it.
    #[error(transparent)]
    Volume(#[from] ListError),
    /// S3 doesn't give it.
    #[error(transparent)]
    Bucket(#[from] cavatica_s3::Error),
}

/// Some of what lies in a folder.
#[derive(Debug, Default)]
pub(super) struct ObjectPage {
    pub(super) objects: Vec<ListedObject>,
    /// Folders in it that are to be read on their own, each with a `/` at its end.
    pub(super) folders: Vec<String>,
}

/// A listing's origin.
pub(super) enum Source<'a> {
    Volume(Volumes, &'a VolumeId),
    /// With what the platform puts before every location.
    Bucket(&'a Arc<Bucket>, &'a str),
}

impl Source<'_> {
    /// Whether there is anything to be listed at all; a volume that is gone must not look like an empty one.
    pub(super) async fn check(&self) -> Result<(), ListingError> {
        match self {
            Source::Volume(volumes, id) => {
                volumes.get(id).await.map_err(ListError::Call)?;
                Ok(())
            }
            // S3 itself answers that way for a bucket that is gone.
            Source::Bucket(..) => Ok(()),
        }
    }

    /// Lists a folder; the empty one is the whole volume.
    pub(super) fn open(&self, folder: &str) -> Pages<'_> {
        match self {
            Source::Volume(volumes, id) => Pages::Volume(volumes.walk(id, folder)),
            Source::Bucket(bucket, prefix) => {
                let listing = bucket.list(&format!("{prefix}{folder}"));
                // All below a folder comes in one listing. Only the volume's top level is read on its own: other people's
                // folders may lie there.
                let listing = if folder.is_empty() {
                    listing.one_level()
                } else {
                    listing
                };
                Pages::Bucket(listing, prefix)
            }
        }
    }

    /// Whether it can be asked how an object is encrypted. The platform can't.
    pub(super) fn tells_encryption(&self) -> bool {
        matches!(self, Source::Bucket(..))
    }

    /// Asks how the chosen objects are encrypted, one request for each.
    pub(super) async fn ask_encryption(&self, objects: &mut [ListedObject], chosen: &[bool]) {
        let Source::Bucket(bucket, prefix) = self else {
            return;
        };
        let chosen = chosen.iter().enumerate().filter(|(_, chosen)| **chosen);
        let mut waiting: VecDeque<usize> = chosen.map(|(position, _)| position).collect();
        let mut asked = JoinSet::new();
        loop {
            while asked.len() < HEADS_AT_ONCE
                && let Some(position) = waiting.pop_front()
            {
                let bucket = Arc::clone(bucket);
                let key = format!("{prefix}{}", objects[position].location);
                asked.spawn(async move { (position, bucket.head(&key).await) });
            }
            let Some(answer) = asked.join_next().await else {
                return;
            };
            let (position, answer) = answer.expect("asking doesn't panic and isn't given up");
            objects[position].encryption = Some(match answer {
                Ok(Some(head)) => Encryption::Told {
                    algorithm: head.encryption,
                    kms_key: head.kms_key_id,
                },
                Ok(None) => Encryption::Untold("it was gone a moment after it was listed".into()),
                Err(error) => Encryption::Untold(error.to_string()),
            });
        }
    }
}

/// A folder's listing under way.
pub(super) enum Pages<'a> {
    Volume(VolumeWalk),
    Bucket(cavatica_s3::Listing<'a>, &'a str),
}

impl Pages<'_> {
    /// The next page; none after the last.
    pub(super) async fn next(&mut self) -> Result<Option<ObjectPage>, ListingError> {
        match self {
            Pages::Volume(walk) => Ok(walk.next_page().await?.map(of_volume)),
            Pages::Bucket(listing, prefix) => {
                let page = listing.next().await?;
                Ok(page.map(|page| of_bucket(page, prefix)))
            }
        }
    }
}

fn of_volume(listing: VolumeListing) -> ObjectPage {
    let object = |object: &cavatica_exports::model::VolumeObject| ListedObject {
        location: object.location.clone(),
        size: object.size(),
        etag: object.etag().map(str::to_owned),
        ..ListedObject::default()
    };
    ObjectPage {
        objects: listing.items.iter().map(object).collect(),
        folders: listing.folders().map(str::to_owned).collect(),
    }
}

fn of_bucket(page: cavatica_s3::ObjectPage, prefix: &str) -> ObjectPage {
    let relative = |key: String| key.strip_prefix(prefix).map(str::to_owned);
    let object = |object: cavatica_s3::Object| {
        Some(ListedObject {
            location: relative(object.key)?,
            size: Some(object.size),
            etag: object.etag,
            storage_class: object.storage_class,
            encryption: None,
        })
    };
    ObjectPage {
        objects: page.objects.into_iter().filter_map(object).collect(),
        folders: page.folders.into_iter().filter_map(relative).collect(),
    }
}
