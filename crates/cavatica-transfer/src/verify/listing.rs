//! A page of a listing, and why there is none.

use cavatica_exports::ListError;

use super::compare::ListedObject;
use crate::observe::Habits;

/// Why a listing can't be read on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListingError {
    /// The platform doesn't give it.
    #[error(transparent)]
    Volume(#[from] ListError),
    /// S3 doesn't give it.
    #[cfg(feature = "s3")]
    #[error(transparent)]
    Bucket(#[from] cavatica_s3::Error),
}

/// Some of what lies in a folder.
#[derive(Debug, Default)]
pub(super) struct ObjectPage {
    pub(super) objects: Vec<ListedObject>,
    /// Folders in it that are to be read on their own, each with a `/` at its end.
    pub(super) folders: Vec<String>,
    /// What it shows of the platform.
    pub(super) seen: Habits,
}
