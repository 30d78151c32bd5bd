//! Volumes, and what lies on them.

use crate::model::{Page, Volume, VolumeId, VolumeListing, VolumeObject, VolumePermissions};
use crate::pager::{MAX_PAGE, Pager};
use crate::transport::{Call, Client, Error, Fetched};

/// Calls about volumes.
///
/// Source: <https://docs.cavatica.org/reference/get-details-of-a-volume-v2> and the pages beside it.
#[derive(Clone, Debug)]
pub struct Volumes {
    client: Client,
}

impl Volumes {
    /// Calls through this client.
    pub fn new(client: Client) -> Self {
        Volumes { client }
    }

    /// Reads one volume.
    ///
    /// # Errors
    ///
    /// `Refused` with code 9007 for a volume that doesn't exist or can't be seen.
    pub async fn get(&self, id: &VolumeId) -> Result<Fetched<Volume>, Error> {
        self.client
            .fetch(Call::get("/storage/volumes/{volume}").param("volume", id))
            .await
    }

    /// Reads what a member may do with a volume, as it was given to the member alone: teams aren't taken into account.
    ///
    /// # Errors
    ///
    /// `Refused` with status 404 for somebody who isn't a member.
    pub async fn permissions(
        &self,
        volume: &VolumeId,
        username: &str,
    ) -> Result<Fetched<VolumePermissions>, Error> {
        let call = Call::get("/storage/volumes/{volume}/members/{username}/permissions")
            .param("volume", volume)
            .param("username", username);
        self.client.fetch(call).await
    }

    /// Whether the platform says that an account may not export to a volume. An owner isn't asked about, and where the
    /// platform doesn't tell, nothing speaks against it.
    pub async fn forbids_exports(&self, volume: &VolumeId, username: &str) -> bool {
        if volume.owner() == username {
            return false;
        }
        let permissions = self.permissions(volume, username).await;
        permissions.is_ok_and(|permissions| permissions.value.forbid_exports())
    }

    /// Lists the volumes that the caller can see, with all their fields.
    pub fn list(&self) -> Pager<Page<Volume>> {
        let call = Call::get("/storage/volumes")
            .query("fields", "_all")
            .query("limit", MAX_PAGE);
        Pager::new(self.client.clone(), call)
    }

    /// Lists one level of a volume's contents, metadata included. A prefix names a folder and ends in `/`; empty is the
    /// top level.
    pub fn list_objects(&self, volume: &VolumeId, prefix: &str) -> Pager<VolumeListing> {
        let call = Call::get("/storage/volumes/{volume}/list").param("volume", volume);
        let call = if prefix.is_empty() {
            call
        } else {
            call.query("prefix", prefix)
        };
        Pager::new(
            self.client.clone(),
            call.query("fields", "_all").query("limit", MAX_PAGE),
        )
    }

    /// Reads what the storage says of one object.
    ///
    /// # Errors
    ///
    /// `Refused` with status 404 if there is none at the location.
    pub async fn object(
        &self,
        volume: &VolumeId,
        location: &str,
    ) -> Result<Fetched<VolumeObject>, Error> {
        let call = Call::get("/storage/volumes/{volume}/object")
            .param("volume", volume)
            .query("location", location);
        self.client.fetch(call).await
    }
}
