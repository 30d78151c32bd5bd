//! Volumes, and what lies on them.

use crate::model::{
    Member, Page, Volume, VolumeId, VolumeListing, VolumeObject, VolumePermissions,
};
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

    /// Reads a member with what it may do, as it was given to the member alone: teams aren't taken into account.
    ///
    /// # Errors
    ///
    /// `Refused` for somebody who isn't a member, or who may not be seen.
    pub async fn member(&self, volume: &VolumeId, name: &str) -> Result<Fetched<Member>, Error> {
        let call = Call::get("/storage/volumes/{volume}/members/{username}")
            .param("volume", volume)
            .param("username", name);
        self.client.fetch(call).await
    }

    /// Lists the members of a volume.
    pub fn members(&self, volume: &VolumeId) -> Pager<Page<Member>> {
        let call = Call::get("/storage/volumes/{volume}/members")
            .param("volume", volume)
            .query("fields", "_all")
            .query("limit", MAX_PAGE);
        Pager::new(self.client.clone(), call).read_by(Page::read_members)
    }

    /// Whether the platform says that an account may not export to a volume. An owner isn't asked about, and where the
    /// platform doesn't tell, nothing speaks against it.
    pub async fn forbids_exports(&self, volume: &VolumeId, username: &str) -> bool {
        if volume.owner() == username {
            return false;
        }
        let member = self.member(volume, username).await;
        member.is_ok_and(|member| {
            let permissions = member.value.permissions.value();
            permissions.is_some_and(VolumePermissions::forbid_exports)
        })
    }

    /// Lists the volumes that the caller can see, with all their fields.
    pub fn list(&self) -> Pager<Page<Volume>> {
        let call = Call::get("/storage/volumes")
            .query("fields", "_all")
            .query("limit", MAX_PAGE);
        Pager::new(self.client.clone(), call)
    }

    /// Lists one level of a volume's contents, metadata included. A prefix names a folder, with or without a final `/`;
    /// empty is the top level. Folders are told with their final `/`, and never the one that was asked for.
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
        .of_folder(prefix)
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
