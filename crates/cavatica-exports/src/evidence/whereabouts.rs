//! Where the bytes of a file lie.

use crate::model::file::FileStorage;
use crate::model::{ApiError, Location, Tri, VolumeId};

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

/// Whether this answer for a file means that there is none for us.
pub(super) fn is_of_no_file(error: &ApiError) -> bool {
    matches!(error.http_status(), Some(403 | 404)) || error.code() == Some(5002)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_or_a_code_says_that_there_is_no_file() {
        for (status, code, expected) in [
            (404, 9000, true),
            (403, 9000, true),
            (400, 5002, true),
            (404, 5002, true),
            (400, 9000, false),
            (500, 0, false),
        ] {
            let error = json!({"status": status, "code": code});
            let error = serde_json::from_value(error).expect("an error");
            assert_eq!(is_of_no_file(&error), expected, "{status}, {code}");
        }
    }
}
