//! What speaks against an export: objections, which forbid it, and warnings.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::ExportRequest;
use crate::account::Platform;
use crate::destination::LocationFault;
use crate::finding::Reason;
use crate::text::visible;

/// The key of a request that names its file.
const SOURCE: &str = "source.file";

/// The key of a request that names its volume.
const VOLUME: &str = "destination.volume";

/// The metadata field that files of the public project carry; copies of them keep it.
pub(crate) const PUBLIC_HINT: &str = "sbg_public_files_category";

/// The other spelling of `sse_aws_kms_key_id`, as one official client writes it.
pub(crate) const KMS_KEY_OTHER_SPELLING: &str = "sse_aws_kms_key_Id";

/// Why an export must not be sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Objection {
    /// The file's bytes lie on a volume already.
    #[error(
        "the file is an alias: its bytes lie on {place} already, and the platform exports a file once"
    )]
    Alias {
        /// `volume/location`, or `a volume` where the answer doesn't say.
        place: String,
    },
    /// The file belongs to the platform's public project.
    #[error("the file is public; the platform exports neither public files nor copies of them")]
    PublicFile,
    /// It is a folder.
    #[error("it is a folder; only files can be exported")]
    Folder,
    /// The file is larger than an S3 object can be.
    #[error("the file has {bytes} bytes, more than the 5 TiB of an S3 object")]
    TooLarge {
        /// The file's size.
        bytes: u64,
    },
    /// The volume doesn't allow writing.
    #[error("the volume is not read-write (its access mode is `{access_mode}`)")]
    VolumeReadOnly {
        /// The volume's access mode as it came.
        access_mode: String,
    },
    /// The volume was deactivated.
    #[error("the volume is deactivated")]
    VolumeInactive,
    /// The volume isn't on a cloud that its platform exports to.
    #[error("the volume is on `{service}`; {platform} exports to Amazon S3{} only", google(*platform))]
    ServiceWithoutExports {
        /// The volume's service, as the pages spell it if they know it.
        service: String,
        /// The platform that the volume belongs to; CAVATICA where its address doesn't tell.
        platform: Platform,
    },
    /// The location and the volume's prefix don't make an S3 key.
    #[error("the location is bad: {0}")]
    Location(LocationFault),
    /// A KMS key is named but the encryption isn't `aws:kms`.
    #[error("a KMS key is named, but the server-side encryption is {algorithm}, not `aws:kms`")]
    KmsKeyWithoutKms {
        /// The encryption that would be used.
        algorithm: String,
    },
    /// The KMS key is given in both spellings.
    #[error(
        "the KMS key is given twice, as `sse_aws_kms_key_id` and as `{KMS_KEY_OTHER_SPELLING}`"
    )]
    KmsKeyTwice,
    /// A property that no documentation knows. The platform might ignore it, and with it the wish behind it.
    #[error("`{name}` is no property of an export")]
    UnknownProperty {
        /// The key as it came.
        name: String,
    },
    /// A key that no documentation knows. The platform might ignore it, and with it the wish behind it: `overwrit`, or
    /// a `prefix` in the destination.
    #[error("`{}` is no key of an export request", visible(.key))]
    UnknownKey {
        /// Where it stands, as `destination.prefix`.
        key: String,
    },
    /// `copy_only` stands in the body, where it is presumably ignored and the file moved.
    #[error(
        "`copy_only` stands in the body, where the platform doesn't look for it: the file would be moved"
    )]
    CopyOnlyInBody,
    /// The check was given another file than the request names.
    #[error("the request names file `{requested}`, but file `{given}` was checked")]
    OtherFile {
        /// The request's file.
        requested: String,
        /// The file that was given.
        given: String,
    },
    /// The check was given another volume than the request names.
    #[error("the request names volume `{requested}`, but volume `{given}` was checked")]
    OtherVolume {
        /// The request's volume.
        requested: String,
        /// The volume that was given.
        given: String,
    },
}

/// What a platform exports to besides.
fn google(platform: Platform) -> &'static str {
    if platform.exports_to_google() {
        " and Google"
    } else {
        ""
    }
}

impl Objection {
    /// A name for programs and filters; it doesn't change.
    pub fn name(&self) -> &'static str {
        self.reason().name
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        self.reason().advice
    }

    /// Where in the request it is to be mended, as `destination.location`.
    pub fn place(&self) -> String {
        match self {
            Objection::Alias { .. }
            | Objection::PublicFile
            | Objection::Folder
            | Objection::TooLarge { .. }
            | Objection::OtherFile { .. } => SOURCE.to_owned(),
            Objection::VolumeReadOnly { .. }
            | Objection::VolumeInactive
            | Objection::ServiceWithoutExports { .. }
            | Objection::OtherVolume { .. } => VOLUME.to_owned(),
            Objection::Location(_) => "destination.location".to_owned(),
            Objection::KmsKeyWithoutKms { .. } | Objection::KmsKeyTwice => {
                "properties.sse_aws_kms_key_id".to_owned()
            }
            Objection::UnknownProperty { name } => format!("properties.{name}"),
            Objection::UnknownKey { key } => key.clone(),
            Objection::CopyOnlyInBody => "copy_only".to_owned(),
        }
    }

    /// What it means in general, whatever the file and the volume.
    pub fn reason(&self) -> &'static Reason {
        match self {
            Objection::Alias { .. } => &Reason::ALIAS,
            Objection::PublicFile => &Reason::PUBLIC,
            Objection::Folder => &Reason::FOLDER,
            Objection::TooLarge { .. } => &Reason::TOO_LARGE,
            Objection::VolumeReadOnly { .. } => &Reason::VOLUME_READ_ONLY,
            Objection::VolumeInactive => &Reason::VOLUME_INACTIVE,
            Objection::ServiceWithoutExports { .. } => &Reason::SERVICE_WITHOUT_EXPORTS,
            Objection::Location(_) => &Reason::LOCATION,
            Objection::KmsKeyWithoutKms { .. } => &Reason::KMS_KEY_WITHOUT_KMS,
            Objection::KmsKeyTwice => &Reason::KMS_KEY_TWICE,
            Objection::UnknownProperty { .. } => &Reason::UNKNOWN_PROPERTY,
            Objection::UnknownKey { .. } => &Reason::UNKNOWN_KEY,
            Objection::CopyOnlyInBody => &Reason::COPY_ONLY_IN_BODY,
            Objection::OtherFile { .. } => &Reason::OTHER_FILE,
            Objection::OtherVolume { .. } => &Reason::OTHER_VOLUME,
        }
    }
}

/// What a careful person would want to know before sending an export.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The answer doesn't say where the file's bytes are hosted, as with archived files.
    #[error("the file may be archived: the platform doesn't say where its bytes are hosted")]
    MaybeArchived,
    /// The file's metadata look like those of a public file.
    #[error("the file may be a copy of a public file (it has the metadata field `{PUBLIC_HINT}`)")]
    MaybePublicCopy,
    /// The file's name begins as those do that the platform gives to duplicates, for instance `_1_a.bam`.
    #[error("the file may be a duplicate: the platform itself gives names such as `{name}`")]
    MaybeDuplicate {
        /// The file's name.
        name: String,
    },
    /// The file's bytes lie neither on the platform nor on a volume.
    #[error("the file's bytes lie on `{storage}`, from where nobody has documented exports")]
    OddStorage {
        /// The storage's type as it came.
        storage: String,
    },
    /// Encryption is asked away: not even the platform's own default applies.
    #[error("`sse_algorithm: null` asks the platform not to encrypt the object")]
    NoEncryption,
    /// The ACL lets strangers read.
    #[error(
        "the canned ACL `{acl}` lets people outside your lab read the object; these are patients' data"
    )]
    PublicAcl {
        /// The ACL as it would apply.
        acl: String,
        /// Whether the volume's default asks for it, not the request.
        by_default: bool,
    },
    /// The platform may delete what is already there.
    #[error(
        "`overwrite` lets the platform delete an object that is already there, before it writes the new one"
    )]
    Overwrites,
    /// The volume's prefix has a `/` at its end.
    #[error(
        "the volume's prefix `{prefix}` ends in `/`; the platform may put another one behind it"
    )]
    PrefixWithSlash {
        /// The prefix as it came.
        prefix: String,
    },
    /// The file lies in another region than the files before it.
    #[error(
        "the file lies in `{region}`, others of the selection in `{first}`: they may not all go to one volume"
    )]
    OtherRegion {
        /// The file's cloud and region.
        region: String,
        /// Those of the first file.
        first: String,
    },
    /// The storage class is documented in answers only.
    #[error(
        "storage class `{class}`: the platform documents the property in answers only and may refuse it"
    )]
    StorageClassUndocumented {
        /// The class as it would be sent.
        class: String,
    },
    /// A value that no documentation knows.
    #[error("`{value}` is no known value of `{property}`; the platform may refuse it")]
    UnknownValue {
        /// The property.
        property: &'static str,
        /// The value as it would be sent.
        value: String,
    },
    /// The volume says that exports are off.
    #[error("the volume says `export_enabled: false`, which no documentation explains")]
    ExportsDisabled,
    /// The account is a member of the volume without the permission that exports need.
    #[error(
        "the platform says that your account may not write to the volume; it would refuse every file"
    )]
    NoWritePermission,
    /// The file's answer leaves out something that matters.
    #[error("the platform doesn't tell the file's {what}")]
    FileUnclear {
        /// What is left out.
        what: &'static str,
    },
    /// The volume's answer leaves out something that matters.
    #[error("the platform doesn't tell the volume's {what}")]
    VolumeUnclear {
        /// What is left out.
        what: &'static str,
    },
}

impl Warning {
    /// A name for programs and filters; it doesn't change.
    pub fn name(&self) -> &'static str {
        self.reason().name
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Warning::PublicAcl {
                by_default: true, ..
            } => "change the volume's default, or ask for another ACL",
            other => other.reason().advice,
        }
    }

    /// Whether files that it is about are likely to be refused (code 9006), so that the warning explains the refusal.
    pub fn foretells_refusal(&self) -> bool {
        matches!(
            self,
            Warning::MaybeArchived | Warning::MaybePublicCopy | Warning::OddStorage { .. }
        )
    }

    /// Where in the request it may be mended, as `destination.location`.
    pub fn place(&self) -> String {
        match self {
            Warning::MaybeArchived
            | Warning::MaybePublicCopy
            | Warning::MaybeDuplicate { .. }
            | Warning::OddStorage { .. }
            | Warning::OtherRegion { .. }
            | Warning::FileUnclear { .. } => SOURCE.to_owned(),
            Warning::PrefixWithSlash { .. }
            | Warning::ExportsDisabled
            | Warning::NoWritePermission
            | Warning::VolumeUnclear { .. } => VOLUME.to_owned(),
            Warning::Overwrites => "overwrite".to_owned(),
            Warning::NoEncryption => "properties.sse_algorithm".to_owned(),
            Warning::PublicAcl { .. } => "properties.aws_canned_acl".to_owned(),
            Warning::StorageClassUndocumented { .. } => "properties.aws_storage_class".to_owned(),
            Warning::UnknownValue { property, .. } => format!("properties.{property}"),
        }
    }

    /// What it means in general, whatever the file and the volume.
    pub fn reason(&self) -> &'static Reason {
        match self {
            Warning::MaybeArchived => &Reason::MAYBE_ARCHIVED,
            Warning::MaybePublicCopy => &Reason::MAYBE_PUBLIC_COPY,
            Warning::MaybeDuplicate { .. } => &Reason::MAYBE_DUPLICATE,
            Warning::OddStorage { .. } => &Reason::ODD_STORAGE,
            Warning::NoEncryption => &Reason::NO_ENCRYPTION,
            Warning::PublicAcl { .. } => &Reason::PUBLIC_ACL,
            Warning::Overwrites => &Reason::OVERWRITES,
            Warning::PrefixWithSlash { .. } => &Reason::PREFIX_WITH_SLASH,
            Warning::OtherRegion { .. } => &Reason::OTHER_REGION,
            Warning::StorageClassUndocumented { .. } => &Reason::STORAGE_CLASS_UNDOCUMENTED,
            Warning::UnknownValue { .. } => &Reason::UNKNOWN_VALUE,
            Warning::ExportsDisabled => &Reason::EXPORTS_DISABLED,
            Warning::NoWritePermission => &Reason::NO_WRITE_PERMISSION,
            Warning::FileUnclear { .. } => &Reason::FILE_UNCLEAR,
            Warning::VolumeUnclear { .. } => &Reason::VOLUME_UNCLEAR,
        }
    }
}

/// One of the two as JSON has it.
#[derive(Serialize)]
struct FindingJson<'a> {
    name: &'a str,
    message: String,
    advice: &'a str,
    r#where: String,
}

/// As an object with the keys `name`, `message`, `advice` and `where`.
impl Serialize for Objection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FindingJson {
            name: self.name(),
            message: self.to_string(),
            advice: self.advice(),
            r#where: self.place(),
        }
        .serialize(serializer)
    }
}

/// As an object with the keys `name`, `message`, `advice` and `where`.
impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FindingJson {
            name: self.name(),
            message: self.to_string(),
            advice: self.advice(),
            r#where: self.place(),
        }
        .serialize(serializer)
    }
}

/// All that speaks against an export.
///
/// ```
/// use cavatica_model::{File, Volume};
///
/// let file: File = serde_json::from_str(r#"{"id": "568cf5dce4b0307bc0462060", "type": "folder"}"#)?;
/// let findings = file.export_findings();
/// assert_eq!(findings.objections[0].name(), "folder");
/// assert_eq!(findings.objections[0].advice(), "export the files in the folder");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Findings {
    /// What must not be sent.
    pub objections: Vec<Objection>,
    /// What one should know.
    pub warnings: Vec<Warning>,
}

impl Findings {
    pub(crate) fn add(&mut self, other: Findings) {
        self.objections.extend(other.objections);
        self.warnings.extend(other.warnings);
    }
}

/// A request that must not be sent, with at least one objection.
///
/// As JSON it is its [`Findings`]: what a form or another service needs to say what is wrong, and where.
///
/// ```
/// use cavatica_model::{ExportRequest, File, Volume};
///
/// let file: File = serde_json::from_str(r#"{"id": "568cf5dce4b0307bc0462060", "type": "folder"}"#)?;
/// let volume: Volume = serde_json::from_str(
///     r#"{"id": "rfranklin/output", "access_mode": "RW", "service": {"type": "s3"}}"#,
/// )?;
/// let request = ExportRequest::new(file.id.clone(), volume.id.clone(), "output.vcf".parse()?);
/// let rejected = request.clone().check(&file, &volume).unwrap_err();
/// assert_eq!(
///     serde_json::to_value(&rejected)?["objections"][0],
///     serde_json::json!({
///         "name": "folder",
///         "message": "it is a folder; only files can be exported",
///         "advice": "export the files in the folder",
///         "where": "source.file",
///     })
/// );
/// assert_eq!(rejected.into_request(), request);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rejected(Box<RejectedInner>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct RejectedInner {
    request: ExportRequest,
    findings: Findings,
}

impl Rejected {
    pub(crate) fn new(request: ExportRequest, findings: Findings) -> Self {
        Rejected(Box::new(RejectedInner { request, findings }))
    }

    /// The request that was checked.
    pub fn request(&self) -> &ExportRequest {
        &self.0.request
    }

    /// The request that was checked, to be mended.
    pub fn into_request(self) -> ExportRequest {
        self.0.request
    }

    /// All that was found, warnings too.
    pub fn findings(&self) -> &Findings {
        &self.0.findings
    }

    /// Every objection, in a fixed order.
    pub fn objections(&self) -> &[Objection] {
        &self.0.findings.objections
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, objection) in self.objections().iter().enumerate() {
            write!(f, "{}{objection}", if position > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejected {}

impl Serialize for Rejected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.findings().serialize(serializer)
    }
}
