//! Where the bytes of a file lie.

use crate::model::file::FileStorage;
use crate::model::{Location, Tri, VolumeId};

/// Where the bytes of a file lie, as the platform tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Whereabouts {
    /// On the platform.
    Platform,
    /// On a volume, at this location.
    Volume {
        /// The volume, if it is named.
        volume: Option<VolumeId>,
        /// The location, if it is named.
        location: Option<String>,
    },
    /// The file isn't there, or not for us.
    Gone,
}

impl Whereabouts {
    /// What a file's `storage` says.
    pub fn of(storage: &Tri<FileStorage>) -> Self {
        match storage.value().filter(|storage| storage.is_on_volume()) {
            None => Whereabouts::Platform,
            Some(storage) => Whereabouts::Volume {
                volume: storage
                    .volume
                    .value()
                    .and_then(|volume| volume.parse().ok()),
                location: storage.location.value().cloned(),
            },
        }
    }

    /// Whether it is exactly where the export was to bring it.
    pub fn is_at(&self, volume: &VolumeId, wanted: &Location) -> bool {
        match self {
            Whereabouts::Volume {
                volume: Some(found),
                location: Some(location),
            } => found == volume && wanted.is_echoed_as(location),
            Whereabouts::Volume { .. } | Whereabouts::Platform | Whereabouts::Gone => false,
        }
    }
}
