//! The export job as the platform shows it: whole, as the answer to its start, and how it stands.
//!
//! Source: <https://docs.cavatica.org/reference/get-details-of-an-export-job-v2>.

use serde::{Deserialize, Serialize};

use crate::export::Source;
use crate::objection::KMS_KEY_OTHER_SPELLING;
use crate::open::open_names;
use crate::wire::{DateTime, Open};
use crate::{ApiError, ExportId, ExportProperties, ExportRequest, File, Tri, UnknownKeys};
#[cfg(doc)]
use crate::{Location, VolumeId};

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

/// The destination of a job, as passed when it was started: another program may have named what a [`Location`] or a
/// [`VolumeId`] refuses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
#[non_exhaustive]
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

impl JobDestination {
    /// What was named.
    pub fn new(volume: impl Into<String>, location: impl Into<String>) -> Self {
        JobDestination {
            volume: volume.into(),
            location: location.into(),
            unknown: UnknownKeys::new(),
        }
    }
}

impl ExportJob {
    /// A job of which only this is known.
    pub fn new(id: ExportId, state: impl Into<Open<ExportState>>) -> Self {
        ExportJob {
            href: Tri::Absent,
            id,
            state: state.into(),
            source: Tri::Absent,
            destination: Tri::Absent,
            started_on: Tri::Absent,
            finished_on: Tri::Absent,
            properties: Tri::Absent,
            overwrite: Tri::Absent,
            result: Tri::Absent,
            error: Tri::Absent,
            unknown: UnknownKeys::new(),
        }
    }

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
/// use cavatica_model::job::JobStanding;
/// use cavatica_model::ExportState;
///
/// let job: JobStanding = serde_json::from_str(
///     r#"{"id": "yrand0mrmxx4Zjr1u781HJaBGOhx02sd", "state": "COMPLETED", "result": {"id": 7}}"#,
/// )?;
/// assert!(job.is_final() && job.state.is(ExportState::Completed));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
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
#[non_exhaustive]
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

impl From<ExportJob> for StartedJob {
    fn from(job: ExportJob) -> Self {
        StartedJob {
            id: job.id,
            state: job.state,
            source: job.source,
            destination: job.destination,
            started_on: job.started_on,
            finished_on: job.finished_on,
            error: job.error,
        }
    }
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
        StartedJob::from(job).into()
    }
}
