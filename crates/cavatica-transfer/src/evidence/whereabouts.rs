//! Where the bytes of a file lie.

use cavatica_exports::model::{FileStorage, Tri, VolumeId};

use crate::journal::Item;
use crate::state::Failure;

/// Where the bytes of a file lie, as the platform tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Whereabouts {
    /// On the platform.
    Platform,
    /// On a volume, at this location.
    Volume {
        volume: Option<VolumeId>,
        location: Option<String>,
    },
    /// The file isn't there, or not for us.
    Gone,
}

impl Whereabouts {
    pub(crate) fn of(storage: &Tri<FileStorage>) -> Self {
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

    /// Whether it is exactly where the transfer wanted it.
    pub(crate) fn is_at(&self, volume: &VolumeId, item: &Item) -> bool {
        match self {
            Whereabouts::Volume {
                volume: Some(found),
                location: Some(location),
            } => found == volume && item.location.is_echoed_as(location),
            Whereabouts::Volume { .. } | Whereabouts::Platform | Whereabouts::Gone => false,
        }
    }

    /// Why a file that isn't on the platform any more can't be exported, of which it is known that it wasn't our doing.
    pub(crate) fn moved_away(&self) -> Option<Failure> {
        let message = match self {
            Whereabouts::Platform => return None,
            Whereabouts::Volume {
                volume: Some(volume),
                location: Some(location),
            } => format!("somebody else moved the file to volume {volume} at {location}"),
            Whereabouts::Volume { .. } => {
                "somebody else moved the file to a volume that the platform doesn't name".to_owned()
            }
            Whereabouts::Gone => {
                "somebody deleted the file, or it can't be seen any more".to_owned()
            }
        };
        Some(Failure {
            code: None,
            status: None,
            message,
            request_id: None,
        })
    }
}
