//! The export job: the request that starts one, and the job as the platform shows it.
//!
//! Source: <https://docs.cavatica.org/reference/start-an-export-job-v2>.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::check::property_findings;
use crate::objection::KMS_KEY_OTHER_SPELLING;
use crate::open::open_names;
use crate::{
    ApiError, DateTime, ExportId, File, FileId, Findings, Location, NameError, Open, OpenName, Tri,
    UnknownKeys, Volume, VolumeId,
};

/// What becomes of the platform's copy. It is said per call, as the query parameter `copy_only`, never in the body.
///
/// ```
/// use cavatica_model::ExportMode;
///
/// assert!(ExportMode::Copy.copy_only() && !ExportMode::Move.copy_only());
/// assert_eq!(ExportMode::Move.to_string(), "move");
/// assert_eq!("copy".parse(), Ok(ExportMode::Copy));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportMode {
    /// The platform deletes its copy and turns the project file into an alias of the new object. Can't be undone.
    Move,
    /// The platform keeps its copy. CAVATICA's own page doesn't document this; read one file back before relying on it.
    Copy,
}

impl ExportMode {
    /// The value of the query parameter `copy_only`.
    pub fn copy_only(self) -> bool {
        self == ExportMode::Copy
    }

    /// `move` or `copy`.
    pub fn as_str(self) -> &'static str {
        match self {
            ExportMode::Move => "move",
            ExportMode::Copy => "copy",
        }
    }
}

impl OpenName for ExportMode {
    const ALL: &'static [Self] = &[ExportMode::Move, ExportMode::Copy];

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl FromStr for ExportMode {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        ExportMode::from_name(text).ok_or_else(|| NameError::new::<Self>(text))
    }
}

impl fmt::Display for ExportMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

open_names! {
    /// Where an export job stands. `Completed` and `Failed` are final.
    pub enum ExportState {
        /// Queued.
        Pending = "PENDING",
        /// Under way.
        Running = "RUNNING",
        /// The object lies in the bucket.
        Completed = "COMPLETED",
        /// It ended with an error.
        Failed = "FAILED",
    }
}

impl ExportState {
    /// Whether the job has ended.
    pub fn is_final(self) -> bool {
        match self {
            ExportState::Pending | ExportState::Running => false,
            ExportState::Completed | ExportState::Failed => true,
        }
    }
}

open_names! {
    /// S3 server-side encryption.
    pub enum SseAlgorithm {
        /// With keys that S3 manages.
        Aes256 = "AES256",
        /// With a key of the AWS Key Management Service.
        AwsKms = "aws:kms",
    }
}

open_names! {
    /// S3 canned ACL; the list is AWS's own.
    pub enum CannedAcl {
        /// The owner alone.
        Private = "private",
        /// Everybody on the internet may read.
        PublicRead = "public-read",
        /// Everybody on the internet may read and write.
        PublicReadWrite = "public-read-write",
        /// Amazon EC2 may read.
        AwsExecRead = "aws-exec-read",
        /// Every AWS account may read.
        AuthenticatedRead = "authenticated-read",
        /// The bucket's owner may read.
        BucketOwnerRead = "bucket-owner-read",
        /// The bucket's owner has full control.
        BucketOwnerFullControl = "bucket-owner-full-control",
        /// S3's log delivery may write.
        LogDeliveryWrite = "log-delivery-write",
    }
}

impl CannedAcl {
    /// Whether people outside the lab can read the object.
    pub fn is_public(self) -> bool {
        matches!(
            self,
            CannedAcl::PublicRead | CannedAcl::PublicReadWrite | CannedAcl::AuthenticatedRead
        )
    }
}

open_names! {
    /// S3 storage class, as the platform names it in answers.
    pub enum StorageClass {
        /// Read at any time.
        Standard = "STANDARD",
        /// Must be restored before it can be read.
        Glacier = "GLACIER",
    }
}

/// What to ask of S3 for one object. Each key overrides the volume's default; an absent one leaves it.
///
/// ```
/// use cavatica_model::{CannedAcl, ExportProperties, Tri};
///
/// let properties = ExportProperties {
///     sse_algorithm: Tri::Null,
///     aws_canned_acl: Tri::Value(CannedAcl::BucketOwnerFullControl.into()),
///     ..ExportProperties::default()
/// };
/// assert_eq!(
///     serde_json::to_string(&properties)?,
///     r#"{"sse_algorithm":null,"aws_canned_acl":"bucket-owner-full-control"}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExportProperties {
    /// Server-side encryption; `null` asks for none. The platform's own default is `AES256`.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub sse_algorithm: Tri<Open<SseAlgorithm>>,
    /// The KMS key, only with `aws:kms`. The platform's documentation also spells it `sse_aws_kms_key_Id`; that spelling
    /// is kept where it is read.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub sse_aws_kms_key_id: Tri<String>,
    /// The ACL to apply; `null` applies none.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub aws_canned_acl: Tri<Open<CannedAcl>>,
    /// The storage class. Documented in answers only.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub aws_storage_class: Tri<Open<StorageClass>>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl ExportProperties {
    /// Whether they say nothing, not even `null`.
    pub fn is_empty(&self) -> bool {
        self.sse_algorithm.is_absent()
            && self.sse_aws_kms_key_id.is_absent()
            && self.aws_canned_acl.is_absent()
            && self.aws_storage_class.is_absent()
            && self.unknown.is_empty()
    }

    /// These, and of `others` what these leave open.
    ///
    /// A KMS key goes with its algorithm: whoever names another algorithm doesn't get the key of `others`.
    ///
    /// ```
    /// use cavatica_model::{ExportProperties, SseAlgorithm, StorageClass, Tri};
    ///
    /// let all = ExportProperties {
    ///     sse_algorithm: Tri::Value(SseAlgorithm::AwsKms.into()),
    ///     sse_aws_kms_key_id: Tri::Value("key-1".to_owned()),
    ///     ..ExportProperties::default()
    /// };
    /// let cold = ExportProperties {
    ///     aws_storage_class: Tri::Value(StorageClass::Glacier.into()),
    ///     ..ExportProperties::default()
    /// };
    /// let both = cold.or(&all);
    /// assert_eq!(both.sse_aws_kms_key_id, all.sse_aws_kms_key_id);
    /// assert_eq!(both.aws_storage_class, cold.aws_storage_class);
    /// ```
    #[must_use]
    pub fn or(&self, others: &ExportProperties) -> ExportProperties {
        fn first<T: Clone>(one: &Tri<T>, other: &Tri<T>) -> Tri<T> {
            if one.is_absent() { other } else { one }.clone()
        }
        let algorithm = &self.sse_algorithm;
        let takes_key = algorithm.is_absent()
            || algorithm
                .value()
                .is_some_and(|algorithm| algorithm.is(SseAlgorithm::AwsKms));
        let mut unknown = others.unknown.clone();
        unknown.extend(self.unknown.clone());
        ExportProperties {
            sse_algorithm: first(algorithm, &others.sse_algorithm),
            sse_aws_kms_key_id: match &self.sse_aws_kms_key_id {
                Tri::Absent if takes_key => others.sse_aws_kms_key_id.clone(),
                own => own.clone(),
            },
            aws_canned_acl: first(&self.aws_canned_acl, &others.aws_canned_acl),
            aws_storage_class: first(&self.aws_storage_class, &others.aws_storage_class),
            unknown,
        }
    }

    /// What speaks against asking for these on this volume, whose own properties apply where these say nothing.
    pub fn findings_on(&self, volume: &Volume) -> Findings {
        property_findings(Some(self), volume.default_properties())
    }
}

/// What is exported.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Source {
    /// The project file.
    pub file: FileId,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// Where it is to go.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Destination {
    /// The volume; it must be read-write.
    pub volume: VolumeId,
    /// The key of the new object; the platform puts the volume's prefix before it.
    pub location: Location,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// The body of the call that starts an export job, and an item of the bulk call.
///
/// ```
/// use cavatica_model::{ExportProperties, ExportRequest, SseAlgorithm, Tri};
///
/// let request = ExportRequest::new("567890abc8a5639cc6722063".parse()?, "rfranklin/output".parse()?, "output.vcf".parse()?)
///     .with_properties(ExportProperties {
///         sse_algorithm: Tri::Value(SseAlgorithm::Aes256.into()),
///         ..ExportProperties::default()
///     });
/// assert_eq!(
///     serde_json::to_value(&request)?,
///     serde_json::json!({
///         "source": {"file": "567890abc8a5639cc6722063"},
///         "destination": {"volume": "rfranklin/output", "location": "output.vcf"},
///         "properties": {"sse_algorithm": "AES256"}
///     })
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExportRequest {
    /// What is to be exported.
    pub source: Source,
    /// Where it is to go.
    pub destination: Destination,
    /// Whether the platform may delete an object that is already there; absent means no. It deletes before it writes,
    /// so a failure in between can leave neither.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub overwrite: Tri<bool>,
    /// What to ask of S3; absent, null and `{}` all leave the volume's defaults.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub properties: Tri<ExportProperties>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl ExportRequest {
    /// A request that overwrites nothing and leaves the volume's defaults.
    pub fn new(file: FileId, volume: VolumeId, location: Location) -> Self {
        ExportRequest {
            source: Source {
                file,
                unknown: UnknownKeys::new(),
            },
            destination: Destination {
                volume,
                location,
                unknown: UnknownKeys::new(),
            },
            overwrite: Tri::Absent,
            properties: Tri::Absent,
            unknown: UnknownKeys::new(),
        }
    }

    /// Lets the platform delete an object that is already at the location. It can't be brought back.
    #[must_use]
    pub fn overwriting(mut self) -> Self {
        self.overwrite = Tri::Value(true);
        self
    }

    /// Asks something of S3 other than the volume's defaults.
    #[must_use]
    pub fn with_properties(mut self, properties: ExportProperties) -> Self {
        self.properties = Tri::Value(properties);
        self
    }
}

/// The destination of a job, as passed when it was started: another program may have named what a [`Location`] or a
/// [`VolumeId`] refuses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobDestination {
    /// The volume that was named; a text, so that an odd one spoils nothing but itself.
    pub volume: String,
    /// The location that was named, without the volume's prefix.
    pub location: String,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

/// An export job. Lists show only `href`, `id` and `state` unless all fields are asked for.
///
/// Source: <https://docs.cavatica.org/reference/get-details-of-an-export-job-v2>.
///
/// ```
/// use cavatica_model::{ExportJob, ExportState};
///
/// let job: ExportJob = serde_json::from_str(
///     r#"{"id": "yrand0mrmxx4Zjr1u781HJaBGOhx02sd", "state": "FAILED",
///         "error": {"status": 409, "code": 9107, "message": "Location on volume already contains a file."}}"#,
/// )?;
/// assert!(job.is_final() && job.state.is(ExportState::Failed));
/// assert_eq!(job.error.value().and_then(|error| error.code()), Some(9107));
///
/// // A state that nobody has documented is kept, and isn't taken for an end.
/// let odd: ExportJob = serde_json::from_str(r#"{"id": "yrand0mrmxx4Zjr1u781HJaBGOhx02sd", "state": "ABORTED"}"#)?;
/// assert_eq!((odd.state.as_str(), odd.state.known(), odd.is_final()), ("ABORTED", None, false));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExportJob {
    /// The URL of this job.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// The job's id.
    pub id: ExportId,
    /// Where it stands. Treat an unknown state as not known to be finished.
    pub state: Open<ExportState>,
    /// The source, as passed.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub source: Tri<Source>,
    /// The destination, as passed.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub destination: Tri<JobDestination>,
    /// When it was queued.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub started_on: Tri<DateTime>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub finished_on: Tri<DateTime>,
    /// What is asked of S3, the volume's defaults filled in.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub properties: Tri<ExportProperties>,
    /// Whether it may delete an object that is already there.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub overwrite: Tri<bool>,
    /// The exported file, once completed.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub result: Tri<Box<File>>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub error: Tri<ApiError>,
    /// Keys that this version has no field for.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}

impl ExportJob {
    /// Whether the job is known to have ended.
    pub fn is_final(&self) -> bool {
        self.state.known().is_some_and(ExportState::is_final)
    }

    /// Whether a KMS key was asked for, and the job's properties name none: it was started without the key (*inferred*; the
    /// key has two spellings in the documentation, and one of them may be passed over).
    pub fn lost_kms_key(&self, request: &ExportRequest) -> bool {
        let asked = request.properties.value();
        let asked = asked.is_some_and(|asked| asked.sse_aws_kms_key_id.value().is_some());
        let told = self.properties.value().is_some_and(|told| {
            told.sse_aws_kms_key_id.value().is_none()
                && !told.unknown.contains_key(KMS_KEY_OTHER_SPELLING)
        });
        asked && told
    }

    /// Whether this job was started for exactly this file and destination; `None` if the answer doesn't say.
    pub fn answers(&self, request: &ExportRequest) -> Option<bool> {
        let (source, destination) = (self.source.value()?, self.destination.value()?);
        Some(
            source.file == request.source.file
                && destination.volume == request.destination.volume
                && request
                    .destination
                    .location
                    .is_echoed_as(&destination.location),
        )
    }
}

/// How an export job stands: of an [`ExportJob`] what following it to its end takes.
///
/// The rest of the answer is passed over. That is faster, and whatever else is told of a completed file, its metadata for
/// instance, can't make its job unreadable.
///
/// ```
/// use cavatica_model::{ExportState, JobStanding};
///
/// let job: JobStanding = serde_json::from_str(
///     r#"{"id": "yrand0mrmxx4Zjr1u781HJaBGOhx02sd", "state": "COMPLETED", "result": {"id": 7}}"#,
/// )?;
/// assert!(job.is_final() && job.state.is(ExportState::Completed));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct JobStanding {
    /// The job's id.
    pub id: ExportId,
    /// Where it stands. Treat an unknown state as not known to be finished.
    pub state: Open<ExportState>,
    /// When it was queued.
    #[serde(default)]
    pub started_on: Tri<DateTime>,
    /// When it ended.
    #[serde(default)]
    pub finished_on: Tri<DateTime>,
    /// Why it failed.
    #[serde(default)]
    pub error: Tri<ApiError>,
}

impl JobStanding {
    /// Whether the job is known to have ended.
    pub fn is_final(&self) -> bool {
        self.state.known().is_some_and(ExportState::is_final)
    }
}

/// A job as the answer to its start shows it: of an [`ExportJob`] how it stands, and what tells whose job it is.
///
/// The rest of the answer is passed over, as for [`JobStanding`]: a job that was accepted stays one, whatever else is said
/// of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct StartedJob {
    /// The job's id.
    pub id: ExportId,
    /// Where it stands. Treat an unknown state as not known to be finished.
    pub state: Open<ExportState>,
    /// The source, as passed.
    #[serde(default)]
    pub source: Tri<Source>,
    /// The destination, as passed.
    #[serde(default)]
    pub destination: Tri<JobDestination>,
    /// When it was queued.
    #[serde(default)]
    pub started_on: Tri<DateTime>,
    /// When it ended.
    #[serde(default)]
    pub finished_on: Tri<DateTime>,
    /// Why it failed.
    #[serde(default)]
    pub error: Tri<ApiError>,
}

impl From<StartedJob> for JobStanding {
    fn from(job: StartedJob) -> Self {
        JobStanding {
            id: job.id,
            state: job.state,
            started_on: job.started_on,
            finished_on: job.finished_on,
            error: job.error,
        }
    }
}

impl From<ExportJob> for JobStanding {
    fn from(job: ExportJob) -> Self {
        JobStanding {
            id: job.id,
            state: job.state,
            started_on: job.started_on,
            finished_on: job.finished_on,
            error: job.error,
        }
    }
}
