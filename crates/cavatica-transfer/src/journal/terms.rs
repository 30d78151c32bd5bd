//! What a transfer is, apart from its files.

use std::path::Path;

use cavatica_exports::model::destination::Prefix;
use cavatica_exports::model::{ExportMode, ExportProperties, ExportRequest, Tri, VolumeId};
use cavatica_exports::transport::Endpoint;
use serde::{Deserialize, Serialize};

use super::{Item, JournalError};

/// What a transfer is: what never changes once it is planned, but for the account, which may be another until something was
/// sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// The endpoint that it was planned against; it runs against no other.
    pub endpoint: String,
    /// The account that it was planned with, or that [took](super::SqliteJournal::take_over) it before anything was sent. It
    /// runs with no other, for export jobs are listed per account.
    pub account: String,
    /// What becomes of the platform's copies.
    pub mode: ExportMode,
    /// Where the files go.
    pub volume: VolumeId,
    /// The bucket behind the volume, if the platform tells.
    pub bucket: Option<String>,
    /// What the platform puts before every location.
    pub volume_prefix: String,
    /// What every location of this transfer begins with.
    pub prefix: Prefix,
    /// Whether the platform may delete objects that are already there.
    pub overwrite: Overwrite,
    /// What to ask of S3 for files that nothing else is said about.
    pub properties: Tri<ExportProperties>,
}

/// Whether the platform may delete an object that is already at a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overwrite {
    /// It may; the user said so when the transfer was planned. Nothing else ever turns this on.
    Allowed,
    /// It may not.
    Forbidden,
}

impl Terms {
    /// The request that an item stands for.
    pub fn request(&self, item: &Item) -> ExportRequest {
        let mut request = ExportRequest::new(
            item.file.clone(),
            self.volume.clone(),
            item.location.clone(),
        );
        request.properties = item.properties.clone();
        match item.overwrite {
            Overwrite::Allowed => request.overwriting(),
            Overwrite::Forbidden => request,
        }
    }

    /// Refuses another endpoint than the transfer at this path was planned for.
    ///
    /// # Errors
    ///
    /// [`JournalError::OtherTerms`] with both.
    pub fn must_be_at(&self, path: &Path, endpoint: &Endpoint) -> Result<(), JournalError> {
        if self.is_at(endpoint) {
            return Ok(());
        }
        must_agree(path, "endpoint", &self.endpoint, &endpoint.to_string())
    }

    /// Whether it was planned for this endpoint, however that was written.
    pub(crate) fn is_at(&self, endpoint: &Endpoint) -> bool {
        self.endpoint
            .parse()
            .is_ok_and(|planned: Endpoint| planned == *endpoint)
    }

    /// Refuses another account than the transfer at this path was planned with.
    ///
    /// # Errors
    ///
    /// [`JournalError::OtherTerms`] with both.
    pub fn must_be_of(&self, path: &Path, account: &str) -> Result<(), JournalError> {
        must_agree(path, "account", &self.account, account)
    }
}

fn must_agree(
    path: &Path,
    what: &'static str,
    planned: &str,
    given: &str,
) -> Result<(), JournalError> {
    if planned == given {
        return Ok(());
    }
    Err(JournalError::OtherTerms {
        path: path.to_owned(),
        what,
        planned: planned.to_owned(),
        given: given.to_owned(),
    })
}
