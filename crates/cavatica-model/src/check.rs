//! Whether an export would be refused or do harm, found out before anything is sent.
//!
//! What the platform refuses: <https://docs.cavatica.org/reference/start-an-export-job-v2>.

use serde::{Serialize, Serializer};

use crate::export::{CannedAcl, SseAlgorithm, StorageClass};
use crate::file::StorageType;
use crate::finding::{Findings, Objection, Rejected, Warning};
use crate::objection::{KMS_KEY_OTHER_SPELLING, PUBLIC_HINT};
use crate::volume::{AccessMode, ServiceType};
use crate::wire::{Open, OpenName};
use crate::{ExportProperties, ExportRequest, File, Tri, Volume};

/// The largest object that S3 takes, in bytes (5 TiB).
const MAX_OBJECT_BYTES: u64 = 5 << 40;

/// An export that nothing known speaks against. The calls that start exports take only this.
///
/// It is made by [`ExportRequest::check`], or by [`ExportRequest::skip_checks`] where the caller says so in words.
///
/// ```
/// use cavatica_model::{ExportRequest, File, Volume};
///
/// let file: File = serde_json::from_str(
///     r#"{"id": "567890abc8a5639cc6722063", "type": "file",
///         "storage": {"type": "PLATFORM", "hosted_on_locations": ["aws:us-east-1"]}}"#,
/// )?;
/// let volume: Volume = serde_json::from_str(
///     r#"{"id": "rfranklin/output", "access_mode": "RW", "service": {"type": "s3", "prefix": "cavatica/"}}"#,
/// )?;
/// let request = ExportRequest::new(file.id.clone(), volume.id.clone(), "output.vcf".parse()?);
/// let checked = request.check(&file, &volume)?;
/// assert_eq!(checked.warnings()[0].name(), "prefix-with-slash");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// All objections at once, with the request.
    pub fn check(self, file: &File, volume: &Volume) -> Result<CheckedExport, Rejected> {
        let findings = self.findings(file, volume);
        if findings.objections.is_empty() {
            Ok(CheckedExport {
                request: self,
                warnings: findings.warnings,
            })
        } else {
            Err(Rejected::new(self, findings))
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
            ("", &self.unknown),
            ("source.", &self.source.unknown),
            ("destination.", &self.destination.unknown),
        ];
        let keys = bodies
            .iter()
            .flat_map(|(above, body)| body.keys().map(move |key| (above, key)));
        let (mut copy_only, mut unknown) = (None, Vec::new());
        for (above, key) in keys {
            if key == "copy_only" {
                copy_only = Some(Objection::CopyOnlyInBody);
            } else {
                let key = format!("{above}{key}");
                unknown.push(Objection::UnknownKey { key });
            }
        }
        findings.objections.extend(unknown);
        findings.objections.extend(copy_only);
        if self.overwrite == Tri::Value(true) {
            findings.warnings.push(Warning::Overwrites);
        }
        findings.add(property_findings(
            self.properties.value(),
            volume.default_properties(),
        ));
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
        if let Some(name) = self.name.value()
            && is_name_of_duplicate(name)
        {
            let name = name.clone();
            findings.warnings.push(Warning::MaybeDuplicate { name });
        }
        if !self.is_alias() {
            findings.warnings.extend(self.storage_warning());
        }
        findings
    }
}

impl File {
    /// What is odd about the storage of a file that is no alias.
    fn storage_warning(&self) -> Option<Warning> {
        let Some(storage) = self.storage.value() else {
            return Some(Warning::FileUnclear { what: "storage" });
        };
        if let Some(kind) = storage.kind.value()
            && !kind.is(StorageType::Platform)
        {
            let storage = kind.to_string();
            return Some(Warning::OddStorage { storage });
        }
        let hosts = storage.hosted_on_locations.value();
        hosts
            .is_none_or(Vec::is_empty)
            .then_some(Warning::MaybeArchived)
    }
}

/// Whether a name begins with `_`, digits and `_`, as the platform renames a file whose name is taken.
fn is_name_of_duplicate(name: &str) -> bool {
    let number = name
        .strip_prefix('_')
        .and_then(|rest| rest.split_once('_'))
        .map_or("", |(number, _)| number);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
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
        let platform = self.platform().unwrap_or_default();
        match self.service_type() {
            Some(service) if service.is(ServiceType::S3) => {}
            Some(service) if service.is(ServiceType::Gcs) && platform.exports_to_google() => {}
            Some(service) => {
                let known = service.known().map(OpenName::name);
                findings.objections.push(Objection::ServiceWithoutExports {
                    service: known.unwrap_or(service.as_str()).to_owned(),
                    platform,
                });
            }
            None => findings.warnings.push(Warning::VolumeUnclear {
                what: "cloud service",
            }),
        }
        if self.prefix().ends_with('/') {
            findings.warnings.push(Warning::PrefixWithSlash {
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

impl ExportProperties {
    /// What speaks against asking for these on this volume, whose own properties apply where these say nothing.
    pub fn findings_on(&self, volume: &Volume) -> Findings {
        property_findings(Some(self), volume.default_properties())
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
    if asked.is_empty() && defaults.is_empty() {
        return findings;
    }

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
        && acl.known().is_some_and(CannedAcl::is_public)
    {
        findings.warnings.push(Warning::PublicAcl {
            acl: acl.to_string(),
            by_default,
        });
    }
    if asked.sse_algorithm == Tri::Null {
        findings.warnings.push(Warning::NoEncryption);
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

fn unknown_value<K: OpenName>(property: &'static str, asked: &Tri<Open<K>>) -> Option<Warning> {
    let asked = asked.value()?;
    asked.known().is_none().then(|| Warning::UnknownValue {
        property,
        value: asked.to_string(),
    })
}
