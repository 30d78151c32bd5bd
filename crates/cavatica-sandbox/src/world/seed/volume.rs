//! One volume of a new world.

use std::collections::BTreeMap;

use bytes::Bytes;
use cavatica_model::export::SseAlgorithm;
use cavatica_model::{ExportProperties, Tri, UnknownKeys};
use serde::{Deserialize, Serialize};

/// What a volume keeps of its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreKind {
    /// Everything, as files in the data folder.
    Folder,
    /// Key, size and checksum.
    KeysOnly,
    /// Nothing: everything lies in a real bucket, at this endpoint or on AWS, and others may change it at any time.
    Bucket { endpoint: Option<String> },
}

/// A volume of a new world; read-write, active, on S3 and a folder on the disk unless told otherwise.
///
/// In a scenario its keys are `id`, and any of `service` (`s3`, `gcs`), `access_mode` (`RW`, `RO`), `active`, `prefix`,
/// `bucket`, `description`, `properties`, `members`, `keys_only`, `s3` (a real bucket; without `endpoint` it is on AWS) and `objects`,
/// contents by location.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VolumeSeed {
    pub(crate) id: String,
    pub(crate) service: String,
    pub(crate) access_mode: String,
    pub(crate) active: bool,
    /// Named after the volume unless told otherwise.
    pub(crate) bucket: Option<String>,
    pub(crate) prefix: String,
    pub(crate) description: String,
    /// Further keys of its service, an endpoint for instance.
    pub(crate) place: UnknownKeys,
    /// What answers show of its credentials; made up where it is empty.
    pub(crate) credentials: UnknownKeys,
    /// The service's usual ones unless told otherwise.
    pub(crate) properties: Option<ExportProperties>,
    pub(crate) keys_only: bool,
    pub(crate) s3: Option<RealS3>,
    /// What lies there from the beginning, by location.
    pub(crate) objects: BTreeMap<String, ObjectSeed>,
    /// What its members may do there.
    pub(crate) permissions: Permissions,
    /// Its members by username; every account unless told otherwise.
    pub(crate) members: Option<Vec<String>>,
}

/// A real bucket. Keys to it have no place here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RealS3 {
    /// Of another service than AWS.
    endpoint: Option<String>,
}

/// An object that lies on a volume from the beginning.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum ObjectSeed {
    /// Still to be written.
    Content(Bytes),
    Measured {
        size: u64,
        etag: String,
    },
}

/// What a member may do on a volume.
///
/// Source: <https://docs.sevenbridges.com/reference/list-members-of-a-volume>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Permissions {
    /// Browse.
    pub(crate) read: bool,
    /// Import.
    pub(crate) copy: bool,
    /// Export.
    pub(crate) write: bool,
    pub(crate) admin: bool,
}

impl Permissions {
    pub(crate) const ALL: Permissions = Permissions {
        read: true,
        copy: true,
        write: true,
        admin: true,
    };
}

/// What becomes different about a volume; what isn't named stays.
///
/// With another bucket or prefix it leads to another place, where nothing lies yet; no call of the platform's does that.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VolumeChange {
    /// The bucket.
    pub bucket: Option<String>,
    /// The prefix of all locations.
    pub prefix: Option<String>,
    /// `RO` or `RW`.
    pub access_mode: Option<String>,
    /// Whether it can be used.
    pub active: Option<bool>,
    /// What it is for.
    pub description: Option<String>,
    /// What answers show of its credentials.
    pub credentials: Option<UnknownKeys>,
    /// The defaults of exports that ask for nothing else.
    pub properties: ExportProperties,
}

impl Default for VolumeSeed {
    fn default() -> Self {
        VolumeSeed {
            id: String::new(),
            service: "s3".to_owned(),
            access_mode: "RW".to_owned(),
            active: true,
            bucket: None,
            prefix: String::new(),
            description: String::new(),
            place: UnknownKeys::new(),
            credentials: UnknownKeys::new(),
            properties: None,
            keys_only: false,
            s3: None,
            objects: BTreeMap::new(),
            permissions: Permissions::ALL,
            members: None,
        }
    }
}

impl VolumeSeed {
    /// A volume on S3; the id is `owner/name`.
    pub fn s3(id: impl Into<String>) -> Self {
        VolumeSeed {
            id: id.into(),
            ..VolumeSeed::default()
        }
    }

    /// A volume on Google Cloud Storage, to which CAVATICA doesn't export.
    pub fn gcs(id: impl Into<String>) -> Self {
        VolumeSeed {
            service: "gcs".to_owned(),
            ..VolumeSeed::s3(id)
        }
    }

    /// Forbids writing.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.access_mode = "RO".into();
        self
    }

    /// Lets its members browse the volume and nothing else.
    #[must_use]
    pub fn browse_only(mut self) -> Self {
        self.permissions = Permissions {
            read: true,
            ..Permissions::default()
        };
        self
    }

    /// Lets only these accounts see the volume, by username.
    #[must_use]
    pub fn members<N: Into<String>>(mut self, usernames: impl IntoIterator<Item = N>) -> Self {
        self.members = Some(usernames.into_iter().map(Into::into).collect());
        self
    }

    /// Deactivates the volume.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        self.active = false;
        self
    }

    /// Puts a prefix before every location, and one `/` between them where it has none.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Names the bucket.
    #[must_use]
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// The defaults of exports that ask for nothing else.
    #[must_use]
    pub fn properties(mut self, properties: ExportProperties) -> Self {
        self.properties = Some(properties);
        self
    }

    /// Keeps no bytes of what is exported here, only keys, sizes and checksums: for very many or very large files.
    ///
    /// A synthetic file isn't even read on its way here; the checksum stands for its id and size.
    #[must_use]
    pub fn keys_only(mut self) -> Self {
        self.keys_only = true;
        self
    }

    /// Makes the volume a **real bucket**, the one that [`bucket`](Self::bucket) names, at an S3 service's endpoint or on
    /// AWS. Exports really write there, with the encryption, storage class and ACL that they ask for, and with
    /// `overwrite` they replace what lies there. What is in the bucket is asked each time.
    ///
    /// A service that isn't AWS may know no encryption, so none is asked of it unless somebody says so.
    #[must_use]
    pub fn real_s3(mut self, endpoint: Option<&str>) -> Self {
        self.s3 = Some(RealS3 {
            endpoint: endpoint.map(str::to_owned),
        });
        self
    }

    /// An object that lies there already.
    #[must_use]
    pub fn object(mut self, location: impl Into<String>, content: impl Into<Bytes>) -> Self {
        let content = ObjectSeed::Content(content.into());
        self.objects.insert(location.into(), content);
        self
    }

    pub(crate) fn bucket_name(&self) -> String {
        let named = self.bucket.clone();
        named.unwrap_or_else(|| self.id.replace(['/', '_'], "-"))
    }

    pub(crate) fn store(&self) -> StoreKind {
        match &self.s3 {
            Some(RealS3 { endpoint }) => StoreKind::Bucket {
                endpoint: endpoint.clone(),
            },
            None if self.keys_only => StoreKind::KeysOnly,
            None => StoreKind::Folder,
        }
    }

    /// AWS encrypts anyway; another service may know no encryption.
    pub(crate) fn default_properties(&self) -> ExportProperties {
        let usual = || {
            let mut properties = ExportProperties::default();
            properties.sse_algorithm = match &self.s3 {
                Some(RealS3 { endpoint: Some(_) }) => Tri::Null,
                _ if self.service == "s3" => Tri::Value(SseAlgorithm::Aes256.into()),
                _ => Tri::Absent,
            };
            properties
        };
        self.properties.clone().unwrap_or_else(usual)
    }
}
