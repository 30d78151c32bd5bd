//! Volumes: buckets mounted on the platform, and what lies on them.
//!
//! Source: <https://docs.cavatica.org/reference/get-details-of-a-volume-v2>.

use serde::{Deserialize, Serialize};

use crate::account::Platform;
pub use crate::key::{expected_beginning, key_beginnings};
use crate::open::open_names;
use crate::wire::{DateTime, Open, Page};
use crate::{ExportProperties, Tri, UnknownKeys, VolumeId};

open_names! {
    /// Whether the platform may write to a volume.
    #[non_exhaustive]
    pub enum AccessMode {
        /// Exports are possible.
        ReadWrite = "RW",
        /// Exports are refused.
        ReadOnly = "RO",
    }
}

open_names! {
    /// The cloud service behind a volume. Only S3 takes exports on CAVATICA.
    #[non_exhaustive]
    pub enum ServiceType {
        /// Amazon S3.
        S3 = "s3",
        /// Google Cloud Storage.
        Gcs = "gcs",
        /// Alibaba Cloud OSS; always read-only.
        Oss = "OSS",
        /// Azure Blob Storage; always read-only.
        Azure = "azure",
    }
}

/// The bucket behind a volume. Secrets are not part of answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VolumeService {
    /// The cloud service, in any letter case.
    #[serde(rename = "type", default, skip_serializing_if = "Tri::is_absent")]
    pub kind: Tri<Open<ServiceType>>,
    /// The bucket's name.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub bucket: Tri<String>,
    /// Put before every location, may be empty.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub prefix: Tri<String>,
    /// The service's address.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub endpoint: Tri<String>,
    /// The service's address in older answers and on Google's cloud.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub root_url: Tri<String>,
    /// The public part of the credentials.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub credentials: Tri<UnknownKeys>,
    /// The defaults that an export's properties override.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub properties: Tri<ExportProperties>,
    /// Where the documentation prints the access mode; real answers have it on the volume.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub access_mode: Tri<Open<AccessMode>>,
    /// Seen in answers, explained nowhere.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub export_enabled: Tri<bool>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// A volume. Lists show only `href`, `id` and `name` unless all fields are asked for.
///
/// ```
/// use cavatica_model::volume::{AccessMode, ServiceType};
/// use cavatica_model::Volume;
///
/// let volume: Volume = serde_json::from_str(
///     r#"{"id": "rfranklin/output", "access_mode": "RW",
///         "service": {"type": "S3", "bucket": "franklin-lab", "prefix": "cavatica/"}}"#,
/// )?;
/// assert!(volume.access_mode().is_some_and(|mode| mode.is(AccessMode::ReadWrite)));
/// assert!(volume.service_type().is_some_and(|service| service.is(ServiceType::S3)));
/// assert_eq!((volume.bucket(), volume.prefix()), (Some("franklin-lab"), "cavatica/"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Volume {
    /// The URL of this volume.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// `owner/name`.
    pub id: VolumeId,
    /// The name alone.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub name: Tri<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub description: Tri<String>,
    /// Whether the platform may write to it; read it through [`access_mode`](Self::access_mode).
    #[serde(
        rename = "access_mode",
        default,
        skip_serializing_if = "Tri::is_absent"
    )]
    pub top_level_access_mode: Tri<Open<AccessMode>>,
    /// The bucket behind it.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub service: Tri<VolumeService>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub created_on: Tri<DateTime>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub modified_on: Tri<DateTime>,
    /// False once deactivated: it can then neither be browsed nor exported to.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub active: Tri<bool>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// What a member may do with a volume.
///
/// Source: <https://docs.sevenbridges.com/reference/list-members-of-a-volume>.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VolumePermissions {
    /// Browse it.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub read: Tri<bool>,
    /// Import from it.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub copy: Tri<bool>,
    /// Export to it.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub write: Tri<bool>,
    /// Change it and its members.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub admin: Tri<bool>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl VolumePermissions {
    /// Whether they say that exports are refused.
    pub fn forbid_exports(&self) -> bool {
        self.write.value() == Some(&false)
    }
}

/// Somebody who may do something with a volume.
///
/// Source: <https://docs.cavatica.org/reference/add-members-to-a-volume>; the shape of the list on CAVATICA's pages has
/// `level` and `joined_on` in place of `type`, `href` and `id`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// The URL of this member.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// A user's name; a team's or division's own id.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub id: Tri<String>,
    /// The name.
    pub username: String,
    /// The address.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub email: Tri<String>,
    /// `USER`, `TEAM` or `DIVISION`.
    #[serde(rename = "type", default, skip_serializing_if = "Tri::is_absent")]
    pub kind: Tri<String>,
    /// What the member may do; what it doesn't name is unknown, not denied.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub permissions: Tri<VolumePermissions>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl Page<Member> {
    /// Reads a list of members in each of its shapes: a page, a bare list, or a single member.
    ///
    /// # Errors
    ///
    /// If the text is none of them.
    ///
    /// ```
    /// use cavatica_model::volume::Member;
    /// use cavatica_model::wire::Page;
    ///
    /// let page = Page::read_members(r#"[{"username": "ada", "joined_on": 1459947345}]"#)?;
    /// assert_eq!(page.items[0].username, "ada");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn read_members(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text).or_else(|error| {
            let bare = serde_json::from_str::<Vec<Member>>(text)
                .or_else(|_| Ok(vec![serde_json::from_str::<Member>(text)?]));
            let items = bare.map_err(|_: serde_json::Error| error)?;
            Ok(Page::new(items))
        })
    }
}

impl Volume {
    /// A volume of which only the id is known.
    pub fn new(id: VolumeId) -> Self {
        Volume {
            href: Tri::Absent,
            id,
            name: Tri::Absent,
            description: Tri::Absent,
            top_level_access_mode: Tri::Absent,
            service: Tri::Absent,
            created_on: Tri::Absent,
            modified_on: Tri::Absent,
            active: Tri::Absent,
            unknown: UnknownKeys::new(),
        }
    }

    /// The access mode, from the volume or, failing that, from its service.
    pub fn access_mode(&self) -> Option<&Open<AccessMode>> {
        self.top_level_access_mode
            .value()
            .or_else(|| self.service.value()?.access_mode.value())
    }

    /// The cloud service behind it.
    pub fn service_type(&self) -> Option<&Open<ServiceType>> {
        self.service.value()?.kind.value()
    }

    /// What the volume asks of S3 for exports that ask nothing themselves.
    pub(crate) fn default_properties(&self) -> Option<&ExportProperties> {
        self.service.value()?.properties.value()
    }

    /// The environment that the volume belongs to, as its own address tells; `None` if it tells none that is known.
    pub fn platform(&self) -> Option<Platform> {
        Platform::of_address(self.href.value()?)
    }

    /// The bucket's name.
    pub fn bucket(&self) -> Option<&str> {
        self.service.value()?.bucket.value().map(String::as_str)
    }

    /// What the platform puts before every location; empty if the answer names none.
    pub fn prefix(&self) -> &str {
        self.service
            .value()
            .and_then(|service| service.prefix.value())
            .map_or("", String::as_str)
    }
}

/// One level of a volume's contents. It isn't an ordinary [`Page`]: no total, no way back.
///
/// ```
/// use cavatica_model::volume::VolumeListing;
///
/// let listing: VolumeListing = serde_json::from_str(
///     r#"{"items": [{"location": "a.vcf"}], "prefixes": [{"prefix": "run1/"}],
///         "links": [{"next": "https://example.org/v2/storage/volumes/o/v/list?continuation_token=x"}]}"#,
/// )?;
/// assert_eq!(listing.items[0].location, "a.vcf");
/// assert!(listing.next().is_some());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VolumeListing {
    /// The URL of this page.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// The objects of this level.
    pub items: Vec<VolumeObject>,
    /// The folders of this level.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub prefixes: Tri<Vec<VolumePrefix>>,
    /// Where the next page is, if there is one.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub links: Tri<Vec<VolumeLink>>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl VolumeListing {
    /// The same, where each folder has one `/` at its end and lies below the folder that was asked for.
    ///
    /// Answers leave the final `/` out or not, and may list the folder itself; who walks down would never come to an end
    /// with that one.
    ///
    /// ```
    /// use cavatica_model::volume::VolumeListing;
    ///
    /// let listing: VolumeListing = serde_json::from_str(
    ///     r#"{"items": [], "prefixes": [{"prefix": "run1/"}, {"prefix": "run1/qc"}, {"prefix": "run1/qc/"}]}"#,
    /// )?;
    /// assert_eq!(listing.below("run1").folders().collect::<Vec<_>>(), ["run1/qc/"]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn below(mut self, asked: &str) -> Self {
        let asked = asked.trim_end_matches('/');
        if let Tri::Value(prefixes) = &mut self.prefixes {
            for folder in prefixes.iter_mut() {
                let name = folder.prefix.trim_end_matches('/');
                folder.prefix = format!("{name}/");
            }
            prefixes.retain(|folder| {
                let inside = folder.prefix.strip_prefix(asked).unwrap_or_default();
                let inside = if asked.is_empty() {
                    Some(inside)
                } else {
                    inside.strip_prefix('/')
                };
                inside.is_some_and(|inside| !matches!(inside, "" | "/"))
            });
            prefixes.dedup_by(|one, other| one.prefix == other.prefix);
        }
        self
    }

    /// The folders of this level, as they came.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let prefixes = self.prefixes.value().into_iter().flatten();
        prefixes.map(|folder| folder.prefix.as_str())
    }

    /// The URL of the next page.
    pub fn next(&self) -> Option<&str> {
        self.links
            .value()?
            .iter()
            .find_map(|link| link.next.value().map(String::as_str))
    }
}

/// An object on a volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VolumeObject {
    /// The URL of this object's details.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// Its key relative to the volume.
    pub location: String,
    /// The volume, as it came; has been seen missing.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub volume: Tri<String>,
    /// The service, spelled in several ways.
    #[serde(rename = "type", default, skip_serializing_if = "Tri::is_absent")]
    pub kind: Tri<String>,
    /// What the storage provider returns; its keys aren't documented.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub metadata: Tri<UnknownKeys>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl VolumeObject {
    /// The object's bytes, if the storage's metadata tell. No page documents their names, so those of S3 and the usual
    /// spellings of them are understood, in any letter case and as number or text.
    ///
    /// ```
    /// use cavatica_model::volume::VolumeObject;
    ///
    /// let object: VolumeObject = serde_json::from_str(
    ///     r#"{"location": "a.vcf", "metadata": {"Content-Length": "12", "ETag": "\"9b2cf5\""}}"#,
    /// )?;
    /// assert_eq!((object.size(), object.etag()), (Some(12), Some("9b2cf5")));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn size(&self) -> Option<u64> {
        let value = self.said(&["contentlength", "size"])?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    /// The object's ETag without its quotes, if the storage's metadata tell.
    pub fn etag(&self) -> Option<&str> {
        let etag = self.said(&["etag"])?.as_str()?.trim_matches('"');
        (!etag.is_empty()).then_some(etag)
    }

    /// What the metadata say under one of these names, written small and without `-` and `_`.
    fn said(&self, names: &[&str]) -> Option<&serde_json::Value> {
        let metadata = self.metadata.value()?;
        metadata.iter().find_map(|(key, value)| {
            let key = key.replace(['-', '_'], "").to_ascii_lowercase();
            names.contains(&key.as_str()).then_some(value)
        })
    }
}

/// A folder on a volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VolumePrefix {
    /// The URL of this folder's listing.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// Its key relative to the volume, with or without a `/` at the end: both were observed.
    pub prefix: String,
    /// The volume, as it came.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub volume: Tri<String>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// A link of a volume's listing, `{"next": url}` without `rel` or `method`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VolumeLink {
    /// The URL of the next page.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub next: Tri<String>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl Volume {
    /// Whether an object of one volume may lie at the same key as one of the other: they have the same bucket, and one's
    /// keys may be among the other's, however prefix and location are joined.
    ///
    /// ```
    /// use cavatica_model::Volume;
    ///
    /// let volume = |prefix: &str| -> Volume {
    ///     let service = serde_json::json!({"type": "s3", "bucket": "lab", "prefix": prefix});
    ///     serde_json::from_value(serde_json::json!({"id": "ada/v", "service": service})).unwrap()
    /// };
    /// assert!(volume("").may_share_keys(&volume("run1")));
    /// assert!(volume("run").may_share_keys(&volume("run1")), "`run` + `1/a` is `run1/a` without a `/` between");
    /// assert!(!volume("run1/").may_share_keys(&volume("run2")));
    /// ```
    pub fn may_share_keys(&self, other: &Volume) -> bool {
        let service = |volume: &Volume| {
            volume
                .service_type()
                .map(|kind| kind.as_str().to_lowercase())
        };
        let same_bucket = self.bucket().is_some()
            && self.bucket() == other.bucket()
            && service(self) == service(other);
        let others = key_beginnings(other.prefix());
        let mut pairs = key_beginnings(self.prefix())
            .into_iter()
            .flat_map(|one| others.iter().map(move |other| (one.clone(), other)));
        same_bucket && pairs.any(|(one, other)| one.starts_with(other) || other.starts_with(&one))
    }
}
