//! Whether an export would be refused or do harm, found out before anything is sent.
//!
//! What the platform refuses: <https://docs.cavatica.org/reference/start-an-export-job-v2>.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    AccessMode, ExportProperties, ExportRequest, File, LocationFault, OpenName, ServiceType,
    SseAlgorithm, StorageClass, Tri, Volume,
};

/// The largest object that S3 takes, in bytes (5 TiB).
const MAX_OBJECT_BYTES: u64 = 5 << 40;

/// The metadata field that files of the public project carry; copies of them keep it.
const PUBLIC_HINT: &str = "sbg_public_files_category";

/// The other spelling of `sse_aws_kms_key_id`, as one official client writes it.
const KMS_KEY_OTHER_SPELLING: &str = "sse_aws_kms_key_Id";

/// Why an export must not be sent.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
    /// The volume isn't on S3.
    #[error("the volume is on `{service}`; CAVATICA exports to Amazon S3 only")]
    ServiceWithoutExports {
        /// The volume's service as it came.
        service: String,
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

impl Objection {
    /// A name for programs and filters; it doesn't change.
    pub fn name(&self) -> &'static str {
        match self {
            Objection::Alias { .. } => "alias",
            Objection::PublicFile => "public",
            Objection::Folder => "folder",
            Objection::TooLarge { .. } => "too-large",
            Objection::VolumeReadOnly { .. } => "volume-read-only",
            Objection::VolumeInactive => "volume-inactive",
            Objection::ServiceWithoutExports { .. } => "service-without-exports",
            Objection::Location(_) => "location",
            Objection::KmsKeyWithoutKms { .. } => "kms-key-without-kms",
            Objection::KmsKeyTwice => "kms-key-twice",
            Objection::UnknownProperty { .. } => "unknown-property",
            Objection::CopyOnlyInBody => "copy-only-in-body",
            Objection::OtherFile { .. } => "other-file",
            Objection::OtherVolume { .. } => "other-volume",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Objection::Alias { .. } => {
                "leave the file out; copy it from the bucket where it lies if you need it elsewhere"
            }
            Objection::PublicFile => {
                "leave the file out; download it, or take it from the public bucket it came from"
            }
            Objection::Folder => "export the files in the folder",
            Objection::TooLarge { .. } => "leave the file out, or split it in a task first",
            Objection::VolumeReadOnly { .. } => {
                "set the volume's access mode to RW, or choose another volume"
            }
            Objection::VolumeInactive => "activate the volume, or choose another one",
            Objection::ServiceWithoutExports { .. } => "choose a volume on Amazon S3",
            Objection::Location(_) => "give a relative key such as `run1/output.vcf`",
            Objection::KmsKeyWithoutKms { .. } => "ask for `aws:kms` too, or leave the key out",
            Objection::KmsKeyTwice => "leave one of the two out",
            Objection::UnknownProperty { .. } => {
                "the properties are sse_algorithm, sse_aws_kms_key_id, aws_canned_acl and aws_storage_class"
            }
            Objection::CopyOnlyInBody => "choose the mode of the call instead",
            Objection::OtherFile { .. } => "check with the file that the request names",
            Objection::OtherVolume { .. } => "check with the volume that the request names",
        }
    }
}

/// What a careful person would want to know before sending an export.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The answer doesn't say where the file's bytes are hosted, as with archived files.
    #[error("the file may be archived: the platform doesn't say where its bytes are hosted")]
    MaybeArchived,
    /// The file's metadata look like those of a public file.
    #[error("the file may be a copy of a public file (it has the metadata field `{PUBLIC_HINT}`)")]
    MaybePublicCopy,
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
    /// The volume's prefix has no `/` at its end.
    #[error(
        "the volume's prefix `{prefix}` doesn't end in `/`; it may join the location without one"
    )]
    PrefixWithoutSlash {
        /// The prefix as it came.
        prefix: String,
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
        match self {
            Warning::MaybeArchived => "maybe-archived",
            Warning::MaybePublicCopy => "maybe-public-copy",
            Warning::PublicAcl { .. } => "public-acl",
            Warning::Overwrites => "overwrites",
            Warning::PrefixWithoutSlash { .. } => "prefix-without-slash",
            Warning::StorageClassUndocumented { .. } => "storage-class-undocumented",
            Warning::UnknownValue { .. } => "unknown-value",
            Warning::ExportsDisabled => "exports-disabled",
            Warning::FileUnclear { .. } => "file-unclear",
            Warning::VolumeUnclear { .. } => "volume-unclear",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Warning::MaybeArchived => "restore the file first; the platform refuses archived ones",
            Warning::MaybePublicCopy => {
                "leave the file out if it is; the platform refuses copies of public files"
            }
            Warning::PublicAcl {
                by_default: false, ..
            } => "choose `private` or `bucket-owner-full-control`",
            Warning::PublicAcl {
                by_default: true, ..
            } => "change the volume's default, or ask for another ACL",
            Warning::Overwrites => {
                "leave `overwrite` out unless you are sure that the object can go"
            }
            Warning::PrefixWithoutSlash { .. } => "export one file first and look where it lies",
            Warning::StorageClassUndocumented { .. } => {
                "export one file first, or set a lifecycle rule on the bucket"
            }
            Warning::UnknownValue { .. } => "compare the spelling with the documentation",
            Warning::ExportsDisabled => "export one file first",
            Warning::FileUnclear { .. } => "read the file itself, not its entry in a list",
            Warning::VolumeUnclear { .. } => "read the volume itself, not its entry in a list",
        }
    }
}

/// All that speaks against an export.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// What must not be sent.
    pub objections: Vec<Objection>,
    /// What one should know.
    pub warnings: Vec<Warning>,
}

impl Findings {
    fn add(&mut self, other: Findings) {
        self.objections.extend(other.objections);
        self.warnings.extend(other.warnings);
    }
}

/// At least one reason why an export must not be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Objections(Vec<Objection>);

impl Objections {
    /// Every reason, in a fixed order.
    pub fn iter(&self) -> std::slice::Iter<'_, Objection> {
        self.0.iter()
    }

    /// Every reason, in a fixed order.
    pub fn into_vec(self) -> Vec<Objection> {
        self.0
    }
}

impl<'a> IntoIterator for &'a Objections {
    type Item = &'a Objection;
    type IntoIter = std::slice::Iter<'a, Objection>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Objections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, objection) in self.iter().enumerate() {
            write!(f, "{}{objection}", if position > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Objections {}

/// An export that nothing known speaks against. The calls that start exports take only this.
///
/// It is made by [`ExportRequest::check`], or by [`ExportRequest::skip_checks`] where the caller says so in words.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedExport {
    request: ExportRequest,
    warnings: Vec<Warning>,
}

impl CheckedExport {
    /// The request that will be sent.
    pub fn request(&self) -> &ExportRequest {
        &self.request
    }

    /// What one should know before sending it; empty where checks were skipped.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The request that will be sent.
    pub fn into_request(self) -> ExportRequest {
        self.request
    }
}

/// Writes the request.
impl Serialize for CheckedExport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.request.serialize(serializer)
    }
}

impl ExportRequest {
    /// Everything that is known to speak against exporting this file to this volume in this way.
    pub fn findings(&self, file: &File, volume: &Volume) -> Findings {
        let mut findings = self.mismatches(file, volume);
        findings.add(file.export_findings());
        findings.add(volume.export_findings());
        findings.add(self.own_findings(volume));
        findings
    }

    /// Takes the request if nothing is known to speak against it.
    ///
    /// # Errors
    ///
    /// All objections at once.
    pub fn check(self, file: &File, volume: &Volume) -> Result<CheckedExport, Objections> {
        let Findings {
            objections,
            warnings,
        } = self.findings(file, volume);
        if objections.is_empty() {
            Ok(CheckedExport {
                request: self,
                warnings,
            })
        } else {
            Err(Objections(objections))
        }
    }

    /// Takes the request without any check: the way round for callers that checked elsewhere, or must let the platform
    /// decide.
    pub fn skip_checks(self) -> CheckedExport {
        CheckedExport {
            request: self,
            warnings: Vec::new(),
        }
    }

    fn mismatches(&self, file: &File, volume: &Volume) -> Findings {
        let mut objections = Vec::new();
        if file.id != self.source.file {
            let (requested, given) = (self.source.file.to_string(), file.id.to_string());
            objections.push(Objection::OtherFile { requested, given });
        }
        if volume.id != self.destination.volume {
            let (requested, given) = (self.destination.volume.to_string(), volume.id.to_string());
            objections.push(Objection::OtherVolume { requested, given });
        }
        Findings {
            objections,
            warnings: Vec::new(),
        }
    }

    fn own_findings(&self, volume: &Volume) -> Findings {
        let mut findings = Findings::default();
        if let Err(error) = self.destination.location.key_with_prefix(volume.prefix()) {
            findings
                .objections
                .extend(error.faults().iter().copied().map(Objection::Location));
        }
        let bodies = [
            &self.unknown,
            &self.source.unknown,
            &self.destination.unknown,
        ];
        if bodies.iter().any(|body| body.contains_key("copy_only")) {
            findings.objections.push(Objection::CopyOnlyInBody);
        }
        if self.overwrite == Tri::Value(true) {
            findings.warnings.push(Warning::Overwrites);
        }
        let defaults = volume
            .service
            .value()
            .and_then(|service| service.properties.value());
        findings.add(property_findings(self.properties.value(), defaults));
        findings
    }
}

impl File {
    /// What speaks against exporting this file, wherever to.
    pub fn export_findings(&self) -> Findings {
        let mut findings = Findings::default();
        if self.is_folder() {
            findings.objections.push(Objection::Folder);
            // Folders have no storage of their own; nothing below says anything about them.
            return findings;
        }
        if self.is_alias() {
            let storage = self.storage.value();
            let volume = storage.and_then(|storage| storage.volume.value());
            let location = storage.and_then(|storage| storage.location.value());
            let place = match (volume, location) {
                (Some(volume), Some(location)) => format!("volume `{volume}` at `{location}`"),
                (Some(volume), None) => format!("volume `{volume}`"),
                (None, _) => "a volume".to_owned(),
            };
            findings.objections.push(Objection::Alias { place });
        }
        if self.is_public() {
            findings.objections.push(Objection::PublicFile);
        } else if self
            .metadata
            .value()
            .is_some_and(|metadata| metadata.contains_key(PUBLIC_HINT))
        {
            findings.warnings.push(Warning::MaybePublicCopy);
        }
        if let Tri::Value(bytes) = self.size
            && bytes > MAX_OBJECT_BYTES
        {
            findings.objections.push(Objection::TooLarge { bytes });
        }
        match self.storage.value() {
            None => findings
                .warnings
                .push(Warning::FileUnclear { what: "storage" }),
            Some(storage) => {
                let hosts = storage.hosted_on_locations.value();
                if !self.is_alias() && hosts.is_none_or(Vec::is_empty) {
                    findings.warnings.push(Warning::MaybeArchived);
                }
            }
        }
        findings
    }
}

impl Volume {
    /// What speaks against exporting to this volume, whatever file.
    pub fn export_findings(&self) -> Findings {
        let mut findings = Findings::default();
        match self.access_mode() {
            Some(mode) if mode.is(AccessMode::ReadWrite) => {}
            Some(mode) => findings.objections.push(Objection::VolumeReadOnly {
                access_mode: mode.to_string(),
            }),
            None => findings.warnings.push(Warning::VolumeUnclear {
                what: "access mode",
            }),
        }
        if self.active == Tri::Value(false) {
            findings.objections.push(Objection::VolumeInactive);
        }
        match self.service_type() {
            Some(service) if service.is(ServiceType::S3) => {}
            Some(service) => {
                findings.objections.push(Objection::ServiceWithoutExports {
                    service: service.to_string(),
                });
            }
            None => findings.warnings.push(Warning::VolumeUnclear {
                what: "cloud service",
            }),
        }
        if !self.prefix().is_empty() && !self.prefix().ends_with('/') {
            findings.warnings.push(Warning::PrefixWithoutSlash {
                prefix: self.prefix().to_owned(),
            });
        }
        if self
            .service
            .value()
            .is_some_and(|service| service.export_enabled == Tri::Value(false))
        {
            findings.warnings.push(Warning::ExportsDisabled);
        }
        findings
    }
}

/// Judges the properties that would apply: the request's own, and the volume's defaults where it has none.
pub(crate) fn property_findings(
    asked: Option<&ExportProperties>,
    defaults: Option<&ExportProperties>,
) -> Findings {
    let mut findings = Findings::default();
    let nothing = ExportProperties::default();
    let (asked, defaults) = (asked.unwrap_or(&nothing), defaults.unwrap_or(&nothing));

    let algorithm = if asked.sse_algorithm.is_absent() {
        &defaults.sse_algorithm
    } else {
        &asked.sse_algorithm
    };
    let other_spelling = asked.unknown.contains_key(KMS_KEY_OTHER_SPELLING);
    let names_key = asked.sse_aws_kms_key_id.value().is_some() || other_spelling;
    if names_key
        && !algorithm
            .value()
            .is_some_and(|algorithm| algorithm.is(SseAlgorithm::AwsKms))
    {
        let algorithm = match algorithm {
            Tri::Absent => "the default `AES256`".to_owned(),
            Tri::Null => "none".to_owned(),
            Tri::Value(algorithm) => format!("`{algorithm}`"),
        };
        findings
            .objections
            .push(Objection::KmsKeyWithoutKms { algorithm });
    }
    if other_spelling && !asked.sse_aws_kms_key_id.is_absent() {
        findings.objections.push(Objection::KmsKeyTwice);
    }
    for name in asked
        .unknown
        .keys()
        .filter(|name| *name != KMS_KEY_OTHER_SPELLING)
    {
        findings
            .objections
            .push(Objection::UnknownProperty { name: name.clone() });
    }

    let by_default = asked.aws_canned_acl.is_absent();
    let acl = if by_default {
        &defaults.aws_canned_acl
    } else {
        &asked.aws_canned_acl
    };
    if let Some(acl) = acl.value()
        && acl.known().is_some_and(crate::CannedAcl::is_public)
    {
        findings.warnings.push(Warning::PublicAcl {
            acl: acl.to_string(),
            by_default,
        });
    }
    findings
        .warnings
        .extend(unknown_value("sse_algorithm", &asked.sse_algorithm));
    findings
        .warnings
        .extend(unknown_value("aws_canned_acl", &asked.aws_canned_acl));
    findings.warnings.extend(unknown_value::<StorageClass>(
        "aws_storage_class",
        &asked.aws_storage_class,
    ));
    if let Some(class) = asked.aws_storage_class.value() {
        findings.warnings.push(Warning::StorageClassUndocumented {
            class: class.to_string(),
        });
    }
    findings
}

fn unknown_value<K: OpenName>(
    property: &'static str,
    asked: &Tri<crate::Open<K>>,
) -> Option<Warning> {
    let asked = asked.value()?;
    asked.known().is_none().then(|| Warning::UnknownValue {
        property,
        value: asked.to_string(),
    })
}
