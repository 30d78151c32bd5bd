//! The two ways to a listing: through the platform, and through S3 itself. Both tell of a folder at a time.

use std::marker::PhantomData;
#[cfg(feature = "s3")]
use std::sync::Arc;

use cavatica_exports::model::VolumeId;
use cavatica_exports::model::volume::VolumeListing;
use cavatica_exports::transport::Client;
use cavatica_exports::{ListError, VolumeWalk, Volumes};
#[cfg(feature = "s3")]
use cavatica_s3::Bucket;

#[cfg(feature = "s3")]
use super::bucket;
use super::compare::{Against, ListedObject};
use super::listing::{ListingError, ObjectPage};
use crate::observe::{self, Habits};

/// Where to look.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Destination {
    /// Through the platform, whose endpoint has to be the plan's.
    Volume(Client),
    /// Through S3 itself.
    #[cfg(feature = "s3")]
    Bucket {
        /// The bucket.
        bucket: Arc<Bucket>,
        /// What its keys have before the locations, see [`find_beginning`](crate::find_beginning).
        beginning: String,
    },
}

impl Destination {
    /// What is looked at.
    pub fn against(&self) -> Against {
        match self {
            Destination::Volume(_) => Against::Volume,
            #[cfg(feature = "s3")]
            Destination::Bucket { .. } => Against::Bucket,
        }
    }
}

/// A listing's origin.
pub(super) enum Source<'a> {
    Volume(Volumes, &'a VolumeId),
    /// With what the platform puts before every location.
    #[cfg(feature = "s3")]
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
            #[cfg(feature = "s3")]
            Source::Bucket(..) => Ok(()),
        }
    }

    /// Lists a folder; the empty one is the whole volume.
    pub(super) fn open(&self, folder: &str) -> Pages<'_> {
        match self {
            Source::Volume(volumes, id) => Pages::Volume(volumes.walk(id, folder), PhantomData),
            #[cfg(feature = "s3")]
            Source::Bucket(bucket, prefix) => {
                Pages::Bucket(bucket::list(bucket, prefix, folder), prefix)
            }
        }
    }

    /// Whether it can be asked how an object is encrypted. The platform can't.
    pub(super) fn tells_encryption(&self) -> bool {
        match self {
            Source::Volume(..) => false,
            #[cfg(feature = "s3")]
            Source::Bucket(..) => true,
        }
    }

    /// Asks how the chosen objects are encrypted, one request for each.
    #[cfg_attr(
        not(feature = "s3"),
        expect(unused_variables, reason = "only a bucket can be asked")
    )]
    pub(super) async fn ask_encryption(&self, objects: &mut [ListedObject], chosen: &[bool]) {
        match self {
            Source::Volume(..) => {}
            #[cfg(feature = "s3")]
            Source::Bucket(bucket, prefix) => {
                bucket::ask_encryption(bucket, prefix, objects, chosen).await;
            }
        }
    }
}

/// A folder's listing under way.
pub(super) enum Pages<'a> {
    /// It borrows nothing; without buckets none does.
    Volume(VolumeWalk, PhantomData<&'a ()>),
    #[cfg(feature = "s3")]
    Bucket(cavatica_s3::Listing<'a>, &'a str),
}

impl Pages<'_> {
    /// The next page; none after the last.
    pub(super) async fn next(&mut self) -> Result<Option<ObjectPage>, ListingError> {
        match self {
            Pages::Volume(walk, _) => Ok(walk.next_page().await?.map(of_volume)),
            #[cfg(feature = "s3")]
            Pages::Bucket(listing, prefix) => {
                let page = listing.next().await?;
                Ok(page.map(|page| bucket::page(page, prefix)))
            }
        }
    }
}

fn of_volume(listing: VolumeListing) -> ObjectPage {
    let object = |object: &cavatica_exports::model::volume::VolumeObject| ListedObject {
        location: object.location.clone(),
        size: object.size(),
        etag: object.etag().map(str::to_owned),
        ..ListedObject::default()
    };
    let mut seen = Habits::default();
    for object in &listing.items {
        observe::metadata(&mut seen, object);
    }
    ObjectPage {
        objects: listing.items.iter().map(object).collect(),
        folders: listing.folders().map(str::to_owned).collect(),
        seen,
    }
}
