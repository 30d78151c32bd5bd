//! Mounting a bucket as a volume, and changing how it is mounted.
//!
//! Sources: <https://docs.cavatica.org/reference/create-a-volume-v2>, <https://docs.cavatica.org/reference/update-a-volume-v2>
//! and their companions for roles; Azure's keys are BioData Catalyst's, federation and OSS those of the official clients.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::ExportProperties;
use crate::text::visible;
use crate::volume::{AccessMode, VolumePermissions};
use crate::wire::OpenName;

/// A text that must not be seen: it has no `Display`, no `Serialize`, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Secret(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The name of a new volume, within its owner's volumes.
///
/// Three pages give three rules; a name that meets all of them has 3 to 32 English letters and digits, with single
/// underscores between them. Volumes that are there already may be called otherwise.
///
/// ```
/// use cavatica_model::mount::VolumeName;
///
/// assert!("lab_output2".parse::<VolumeName>().is_ok());
/// assert_eq!(
///     "_my-volume".parse::<VolumeName>().unwrap_err().to_string(),
///     "`_my-volume` can't be the name of a new volume: it has 3 to 32 letters and digits, with single underscores between them"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VolumeName(Box<str>);

/// A text that can't be the name of a new volume.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` can't be the name of a new volume: it has 3 to 32 letters and digits, with single underscores between them",
    visible(.0)
)]
pub struct VolumeNameError(Box<str>);

impl VolumeName {
    /// The name as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VolumeName {
    type Err = VolumeNameError;

    fn from_str(text: &str) -> Result<Self, VolumeNameError> {
        let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        if (3..=32).contains(&text.len()) && text.split('_').all(word) {
            Ok(VolumeName(text.into()))
        } else {
            Err(VolumeNameError(text.into()))
        }
    }
}

/// An access key with its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessKey {
    /// The public half.
    pub id: String,
    /// The other one.
    pub secret: Secret,
}

impl AccessKey {
    /// Both halves.
    pub fn new(id: impl Into<String>, secret: Secret) -> Self {
        AccessKey {
            id: id.into(),
            secret,
        }
    }
}

/// How the platform gets at a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VolumeCredentials {
    /// The keys of an IAM user, or of Alibaba Cloud.
    Key(AccessKey),
    /// An IAM role that the platform assumes.
    Role {
        /// Its ARN.
        arn: String,
        /// What its trust policy asks for besides, if it asks.
        external_id: Option<String>,
    },
    /// The key of a Google service account.
    GoogleKey {
        /// The account.
        client_email: String,
        /// Its key, in PEM.
        private_key: Secret,
    },
    /// The configuration file of Google's workload federation, as a text.
    GoogleFederation(Secret),
    /// An application of Azure's directory.
    Azure {
        /// The directory.
        tenant_id: String,
        /// The application.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
    },
}

impl VolumeCredentials {
    /// As they are sent: with their secrets.
    fn to_body(&self) -> Value {
        match self {
            VolumeCredentials::Key(AccessKey { id, secret }) => {
                json!({"access_key_id": id, "secret_access_key": &*secret.0})
            }
            VolumeCredentials::Role { arn, external_id } => {
                let mut body = json!({"role_arn": arn});
                if let Some(id) = external_id {
                    body["external_id"] = id.as_str().into();
                }
                body
            }
            VolumeCredentials::GoogleKey {
                client_email,
                private_key,
            } => json!({"client_email": client_email, "private_key": &*private_key.0}),
            VolumeCredentials::GoogleFederation(configuration) => {
                json!({"configuration": &*configuration.0})
            }
            VolumeCredentials::Azure {
                tenant_id,
                client_id,
                client_secret,
            } => json!({
                "tenant_id": tenant_id,
                "client_id": client_id,
                "client_secret": &*client_secret.0,
            }),
        }
    }
}

/// The bucket that is to be mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketPlace {
    /// On Amazon S3, or with an endpoint on a service that speaks its language; those are read-only on CAVATICA.
    S3 {
        /// The bucket.
        bucket: String,
        /// The service's address, where it isn't Amazon's.
        endpoint: Option<String>,
    },
    /// On Google's cloud.
    Google {
        /// The bucket.
        bucket: String,
    },
    /// On Azure.
    Azure {
        /// The storage account.
        storage_account: String,
        /// The container in it.
        container: String,
        /// The service's address, where it isn't the usual one.
        endpoint: Option<String>,
        /// The resource's id.
        resource_id: Option<String>,
    },
    /// On Alibaba Cloud.
    Oss {
        /// The bucket.
        bucket: String,
        /// The service's address.
        endpoint: String,
    },
}

impl BucketPlace {
    /// The bucket's or container's name.
    pub fn bucket(&self) -> &str {
        match self {
            BucketPlace::S3 { bucket, .. }
            | BucketPlace::Google { bucket }
            | BucketPlace::Oss { bucket, .. } => bucket,
            BucketPlace::Azure { container, .. } => container,
        }
    }

    fn to_body(&self) -> Map<String, Value> {
        let pairs: Vec<(&str, Option<&str>)> = match self {
            BucketPlace::S3 { bucket, endpoint } => vec![
                ("type", Some("s3")),
                ("bucket", Some(bucket)),
                ("endpoint", endpoint.as_deref()),
            ],
            BucketPlace::Google { bucket } => vec![("type", Some("gcs")), ("bucket", Some(bucket))],
            BucketPlace::Azure {
                storage_account,
                container,
                endpoint,
                ..
            } => vec![
                ("type", Some("azure")),
                ("storage_account", Some(storage_account)),
                ("container", Some(container)),
                ("endpoint", endpoint.as_deref()),
            ],
            BucketPlace::Oss { bucket, endpoint } => vec![
                ("type", Some("OSS")),
                ("bucket", Some(bucket)),
                ("endpoint", Some(endpoint)),
            ],
        };
        let named = pairs.into_iter();
        let named = named.filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
        named.collect()
    }
}

/// A volume that is to be made. It isn't `Serialize`, so that nobody prints its secrets; [`to_body`](Self::to_body) is.
///
/// ```
/// use cavatica_model::mount::{AccessKey, BucketPlace, NewVolume, Secret, VolumeCredentials};
/// use cavatica_model::volume::AccessMode;
///
/// let volume = NewVolume::new(
///     "lab_out".parse()?,
///     AccessMode::ReadWrite,
///     BucketPlace::S3 { bucket: "lab".to_owned(), endpoint: None },
///     VolumeCredentials::Key(AccessKey::new("EXAMPLE-ID", Secret::new("EXAMPLE-SECRET"))),
/// );
/// assert!(!format!("{volume:?}").contains("EXAMPLE-SECRET"));
/// assert_eq!(volume.to_body()["service"]["credentials"]["secret_access_key"], "EXAMPLE-SECRET");
/// # Ok::<(), cavatica_model::mount::VolumeNameError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NewVolume {
    /// Its name.
    pub name: VolumeName,
    /// Whether the platform may write to it. Always sent: the pages disagree on the default.
    pub access_mode: AccessMode,
    /// Free text.
    pub description: Option<String>,
    /// The bucket.
    pub place: BucketPlace,
    /// What stands before every location; best empty, with the folders in the location.
    pub prefix: String,
    /// How the platform gets at it.
    pub credentials: VolumeCredentials,
    /// The defaults of exports to it.
    pub properties: ExportProperties,
}

impl NewVolume {
    /// A volume without description, prefix and defaults.
    pub fn new(
        name: VolumeName,
        access_mode: AccessMode,
        place: BucketPlace,
        credentials: VolumeCredentials,
    ) -> Self {
        NewVolume {
            name,
            access_mode,
            description: None,
            place,
            prefix: String::new(),
            credentials,
            properties: ExportProperties::default(),
        }
    }

    /// The body of the call, **with the secrets**: for nothing but sending.
    pub fn to_body(&self) -> Value {
        let mut service = self.place.to_body();
        service.insert("prefix".to_owned(), self.prefix.as_str().into());
        service.insert("credentials".to_owned(), self.credentials.to_body());
        let mut properties = properties(&self.properties);
        if let BucketPlace::Azure {
            resource_id: Some(id),
            ..
        } = &self.place
        {
            properties["resource_id"] = id.as_str().into();
        }
        if properties.as_object().is_some_and(|keys| !keys.is_empty()) {
            service.insert("properties".to_owned(), properties);
        }
        let mut body = json!({
            "name": self.name.as_str(),
            "access_mode": self.access_mode.name(),
            "service": service,
        });
        if let Some(description) = &self.description {
            body["description"] = description.as_str().into();
        }
        body
    }
}

fn properties(properties: &ExportProperties) -> Value {
    serde_json::to_value(properties).expect("properties are texts and nulls")
}

/// What is to become different about a volume; what is `None` stays.
///
/// Type, bucket, prefix and name aren't here: aliases and jobs name locations relative to them, and would point elsewhere.
///
/// ```
/// use cavatica_model::mount::VolumeChange;
/// use cavatica_model::volume::AccessMode;
///
/// let mut change = VolumeChange::default();
/// change.access_mode = Some(AccessMode::ReadWrite);
/// assert_eq!(change.to_body(), serde_json::json!({"access_mode": "RW"}));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct VolumeChange {
    /// Whether the platform may write to it.
    pub access_mode: Option<AccessMode>,
    /// Free text.
    pub description: Option<String>,
    /// Whether it can be used at all.
    pub active: Option<bool>,
    /// How the platform gets at the bucket, whole: a part of them might be all that is kept.
    pub credentials: Option<VolumeCredentials>,
    /// Defaults of exports to it.
    pub properties: ExportProperties,
}

impl VolumeChange {
    /// Whether nothing is to become different.
    pub fn is_empty(&self) -> bool {
        *self == VolumeChange::default()
    }

    /// The body of the call, only what changes, **with the secrets**: for nothing but sending.
    pub fn to_body(&self) -> Value {
        let mut service = Map::new();
        if let Some(credentials) = &self.credentials {
            service.insert("credentials".to_owned(), credentials.to_body());
        }
        if !self.properties.is_empty() {
            service.insert("properties".to_owned(), properties(&self.properties));
        }
        let pairs = [
            (
                "access_mode",
                self.access_mode.map(|mode| mode.name().into()),
            ),
            ("description", self.description.as_deref().map(Value::from)),
            ("active", self.active.map(Value::from)),
            ("service", (!service.is_empty()).then(|| service.into())),
        ];
        let named = pairs.into_iter();
        let named = named.filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Value::Object(named.collect())
    }
}

impl VolumePermissions {
    /// All four, said one by one: what isn't named would stay, or be an error.
    pub fn exactly(read: bool, copy: bool, write: bool, admin: bool) -> Self {
        VolumePermissions {
            read: read.into(),
            copy: copy.into(),
            write: write.into(),
            admin: admin.into(),
            ..VolumePermissions::default()
        }
    }
}

/// The policy that an IAM user or role needs, so that the platform can use a bucket of Amazon S3: the least rights that
/// its checks ask for (codes 9204 to 9208).
///
/// The platform's own buckets, from which exports are copied with the volume's rights, are named by the policy that the
/// official Perl client's scripts write (*client*).
///
/// ```
/// use cavatica_model::mount::IamPolicy;
/// use cavatica_model::volume::AccessMode;
///
/// let policy = IamPolicy::new("lab", "run1", AccessMode::ReadOnly);
/// let text = serde_json::to_string(&policy)?;
/// assert!(text.contains("arn:aws:s3:::lab/run1/*") && !text.contains("s3:PutObject"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct IamPolicy(Value);

/// From where the platform copies what it exports.
const PLATFORM_BUCKETS: [&str; 2] = [
    "arn:aws:s3:::sbg-main/*",
    "arn:aws:s3:::sbg-main-us-west-2/*",
];

impl IamPolicy {
    /// For a bucket, what stands before every location, and a mode.
    pub fn new(bucket: &str, prefix: &str, mode: AccessMode) -> Self {
        let beginning = crate::volume::expected_beginning(prefix);
        let all = format!("arn:aws:s3:::{bucket}/{beginning}*");
        let allow = |sid: &str, actions: &[&str], resource: Value| json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource});
        let bucket = format!("arn:aws:s3:::{bucket}");
        let on_bucket = ["s3:ListBucket", "s3:GetBucketLocation"];
        let mut statements = vec![
            allow("ReadBucket", &on_bucket, bucket.into()),
            allow("ReadObjects", &["s3:GetObject"], all.as_str().into()),
        ];
        if mode == AccessMode::ReadWrite {
            let writing = [
                "s3:PutObject",
                "s3:PutObjectAcl",
                "s3:GetObjectAcl",
                "s3:AbortMultipartUpload",
                "s3:ListMultipartUploadParts",
            ];
            statements.push(allow("WriteObjects", &writing, all.into()));
            let platform = json!(PLATFORM_BUCKETS);
            statements.push(allow("CopyFromPlatform", &["s3:GetObject"], platform));
        }
        IamPolicy(json!({"Version": "2012-10-17", "Statement": statements}))
    }
}

impl Serialize for IamPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
