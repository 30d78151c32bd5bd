//! Volumes, and what lies on them.

use crate::model::mount::{NewVolume, VolumeChange};
use crate::model::volume::{Member, VolumeListing, VolumeObject, VolumePermissions};
use crate::model::wire::Page;
use crate::model::{Volume, VolumeId};
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
        let call = Call::get("/storage/volumes/{volume}/members/{member}")
            .param("volume", volume)
            .param("member", name);
        self.client.fetch(call).await
    }

    /// Lists the members of a volume.
    pub fn members(&self, volume: &VolumeId) -> Pager<Page<Member>> {
        let call = Call::get("/storage/volumes/{volume}/members")
            .param("volume", volume)
            .query("fields", "_all")
            .query("limit", MAX_PAGE);
        Pager::read_by(self.client.clone(), call, Page::read_members)
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

    /// Makes a volume. It is sent once: after [`Outcome::Unknown`](crate::transport::Outcome::Unknown), look for it before
    /// you send anything again.
    ///
    /// # Errors
    ///
    /// Those of the transport; `Refused` with code 9010 for a name that is taken, 92xx for a bucket that the platform can't
    /// use with these credentials.
    pub async fn create(&self, new: &NewVolume) -> Result<Fetched<Volume>, Error> {
        let call = Call::post("/storage/volumes").json(&new.to_body());
        self.client.fetch(call).await
    }

    /// Changes a volume; sends what changes and nothing else.
    ///
    /// # Errors
    ///
    /// Those of the transport; `Refused` with code 9206 and the like where the bucket doesn't allow what is asked for.
    pub async fn change(
        &self,
        id: &VolumeId,
        change: &VolumeChange,
    ) -> Result<Fetched<Volume>, Error> {
        let call = Call::patch("/storage/volumes/{volume}")
            .param("volume", id)
            .json(&change.to_body());
        self.client.fetch(call).await
    }

    /// Deactivates a volume although jobs are under way to it. The platform ends them; in what state isn't documented, so
    /// read them afterwards.
    ///
    /// # Errors
    ///
    /// Those of the transport.
    pub async fn deactivate_by_force(&self, id: &VolumeId) -> Result<Fetched<Volume>, Error> {
        let mut change = VolumeChange::default();
        change.active = Some(false);
        let call = Call::patch("/storage/volumes/{volume}")
            .param("volume", id)
            .query("force", true)
            .json(&change.to_body());
        self.client.fetch(call).await
    }

    /// Deletes a volume. Nothing in the bucket is deleted; aliases to it can't be read any more.
    ///
    /// # Errors
    ///
    /// Those of the transport. What comes back for an active volume, or for one with aliases, isn't documented.
    pub async fn delete(&self, id: &VolumeId) -> Result<(), Error> {
        let call = Call::delete("/storage/volumes/{volume}").param("volume", id);
        self.client.send(call).await.map(drop)
    }

    /// Lets somebody do something with a volume.
    ///
    /// # Errors
    ///
    /// Those of the transport; `Refused` with status 409 for somebody who is a member already.
    pub async fn add_member(
        &self,
        volume: &VolumeId,
        name: &str,
        permissions: &VolumePermissions,
    ) -> Result<Fetched<Member>, Error> {
        let call = Call::post("/storage/volumes/{volume}/members")
            .param("volume", volume)
            .json(&serde_json::json!({"username": name, "permissions": permissions}));
        self.client.fetch(call).await
    }

    /// Replaces what a member may do; all four permissions are to be said.
    ///
    /// # Errors
    ///
    /// Those of the transport.
    pub async fn set_member(
        &self,
        volume: &VolumeId,
        name: &str,
        permissions: &VolumePermissions,
    ) -> Result<Fetched<VolumePermissions>, Error> {
        let call = Call::put("/storage/volumes/{volume}/members/{member}/permissions")
            .param("volume", volume)
            .param("member", name)
            .json(permissions);
        self.client.fetch(call).await
    }

    /// Takes a member away.
    ///
    /// # Errors
    ///
    /// Those of the transport.
    pub async fn remove_member(&self, volume: &VolumeId, name: &str) -> Result<(), Error> {
        let call = Call::delete("/storage/volumes/{volume}/members/{member}")
            .param("volume", volume)
            .param("member", name);
        self.client.send(call).await.map(drop)
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
        let mut call = Call::get("/storage/volumes/{volume}/list")
            .param("volume", volume)
            .query("fields", "_all")
            .query("limit", MAX_PAGE);
        if !prefix.is_empty() {
            call = call.query("prefix", prefix);
        }
        let folder = prefix.to_owned();
        Pager::read_by(self.client.clone(), call, move |text| {
            let listing: VolumeListing = serde_json::from_str(text)?;
            Ok(listing.below(&folder))
        })
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
            .query("location", location)
            .names("object", location);
        self.client.fetch(call).await
    }
}
