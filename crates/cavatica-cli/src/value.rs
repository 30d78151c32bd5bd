//! Values of the command line, with a word about what may have been meant.

use std::num::NonZeroU16;
use std::time::Duration;

use cavatica_exports::model::account::Platform;
use cavatica_exports::model::destination::{LocationError, Prefix, Template, TemplateError};
use cavatica_exports::model::file::FileRef;
use cavatica_exports::model::id::IdError;
use cavatica_exports::model::mount::{VolumeName, VolumeNameError};
use cavatica_exports::model::volume::AccessMode;
use cavatica_exports::model::wire::OpenName;
use cavatica_exports::model::{ExportState, Location, ProjectId, TaskId, VolumeId};
use cavatica_transfer::Fingerprint;

use crate::hint::shell_word;

/// A value that can't be what it was given for: what was understood and expected, and what to type instead.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Unfit {
    message: String,
    pub(crate) hint: Option<String>,
}

impl Unfit {
    fn new(message: impl Into<String>) -> Self {
        Unfit {
            message: message.into(),
            hint: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<IdError> for Unfit {
    fn from(error: IdError) -> Self {
        Unfit::new(error.to_string())
    }
}

impl From<TemplateError> for Unfit {
    fn from(error: TemplateError) -> Self {
        Unfit::new(error.to_string())
    }
}

impl From<VolumeNameError> for Unfit {
    fn from(error: VolumeNameError) -> Self {
        Unfit::new(error.to_string())
    }
}

/// A file or folder, by its id or its project and path.
pub(crate) fn file(text: &str) -> Result<FileRef, Unfit> {
    // What is copied from a page or a table brings its blanks along.
    let text = text.trim();
    if let Some((_, behind)) = text.split_once("/files/")
        && let Some(id) = behind.split(['/', '?', '#']).next()
        && is_file_id(id)
    {
        return Err(
            Unfit::new("that is a page's address; expected the file's id")
                .hint(format!("say `{id}`")),
        );
    }
    let is_by_path = text
        .split_once(':')
        .is_some_and(|(project, _)| project.parse::<ProjectId>().is_ok());
    if !is_by_path && text.parse::<VolumeId>().is_ok() && !text.contains('.') {
        return Err(Unfit::new(
            "that looks like a volume's or a project's id; expected a file's id, or its project and path",
        )
        .hint(SHOW_FILES));
    }
    let is_name = text.rsplit_once('.').is_some_and(|(_, end)| end.len() <= 5);
    if !is_by_path && (text.contains(['/', '\\']) || is_name) {
        return Err(Unfit::new(
            "that looks like a name or a path; expected a file's id, or its project with the path",
        )
        .hint(format!(
            "say `OWNER/PROJECT:{text}`, or look with `cavatica files list --project OWNER/PROJECT --recursive`"
        )));
    }
    Ok(text.parse()?)
}

/// A folder, by its id or its project and path.
pub(crate) fn folder(text: &str) -> Result<FileRef, Unfit> {
    let text = text.trim();
    let project = text.strip_suffix(':').unwrap_or(text);
    if !project.contains(':') && project.parse::<ProjectId>().is_ok() {
        return Err(
            Unfit::new("that is a project; expected a folder in one").hint(format!(
                "say `--project {project}`, or name a folder as `{project}:PATH`"
            )),
        );
    }
    Ok(text.parse()?)
}

const SHOW_FILES: &str =
    "`cavatica files list --project OWNER/NAME --recursive` shows files with their ids";

/// A volume's id.
pub(crate) fn volume(text: &str) -> Result<VolumeId, Unfit> {
    let text = text.trim();
    text.parse().map_err(|_| {
        let meant = if text.starts_with("s3://") || text.starts_with("arn:") {
            "that is a bucket's address"
        } else if is_file_id(text) {
            "that looks like a file's id"
        } else {
            "that may be a bucket's name"
        };
        Unfit::new(format!("{meant}; expected a volume's id, owner/name"))
            .hint("`cavatica volumes list` shows each volume with its bucket")
    })
}

/// A project's id; also told from the address that the browser shows.
pub(crate) fn project(text: &str) -> Result<ProjectId, Unfit> {
    let text = text.trim();
    if let Some(id) = ProjectId::of_page(text) {
        let elsewhere = match Platform::of_page(text) {
            Some(platform) if platform != Platform::default() => {
                format!(", which is on {platform}: `--platform {}`", platform.name())
            }
            _ => String::new(),
        };
        return Err(
            Unfit::new("that is a page's address; expected the project's id")
                .hint(format!("say `{}`{elsewhere}", shell_word(id.as_str()))),
        );
    }
    if text.contains("://") {
        return Err(Unfit::new(
            "that is an address; expected the project's id, owner/short-name",
        ));
    }
    text.parse().map_err(|_| {
        let bare = text.trim_matches('/');
        let hint = match bare.parse::<ProjectId>() {
            Ok(meant) => format!("say `{}`", shell_word(meant.as_str())),
            Err(_) => "it stands in the address of the project's page behind /u/".to_owned(),
        };
        Unfit::new("expected the project's id, owner/short-name").hint(hint)
    })
}

/// A task's id; also told from the address that the browser shows.
pub(crate) fn task(text: &str) -> Result<TaskId, Unfit> {
    let text = text.trim();
    if let Some((_, behind)) = text.split_once("/tasks/") {
        let id = behind.split(['/', '?', '#']).next().unwrap_or_default();
        return Err(
            Unfit::new("that is a page's address; expected the task's id")
                .hint(format!("say `{}`", shell_word(id))),
        );
    }
    Ok(text.parse()?)
}

/// The key of a new object.
pub(crate) fn location(text: &str) -> Result<Location, Unfit> {
    elsewhere(text, "a key relative to the volume")?;
    let expected = "a key relative to the volume, such as `run1/output.vcf`";
    text.parse().map_err(|error| faults(&error, expected))
}

/// What every location begins with.
pub(crate) fn prefix(text: &str) -> Result<Prefix, Unfit> {
    elsewhere(text, "what keys begin with, relative to the volume")?;
    let expected = "what keys begin with, such as `cohort7/`";
    text.parse().map_err(|error| faults(&error, expected))
}

/// How locations are made.
pub(crate) fn template(text: &str) -> Result<Template, Unfit> {
    elsewhere(text, "how keys are made, relative to the volume")?;
    Ok(text.parse()?)
}

/// Refuses addresses of buckets and paths of Windows, where a place on a volume is expected.
fn elsewhere(text: &str, expected: &str) -> Result<(), Unfit> {
    if let Some(path) = text.strip_prefix("s3://") {
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let say = match key {
            "" => "leave it out".to_owned(),
            key => format!("say `{}`", shell_word(key)),
        };
        return Err(
            Unfit::new(format!("that is an object's address; expected {expected}")).hint(format!(
                "the volume stands for the bucket `{bucket}`; {say}"
            )),
        );
    }
    match Location::of_windows_path(text) {
        Some(key) => Err(Unfit::new(format!(
            "that looks like a Windows path; expected {expected}"
        ))
        .hint(format!(
            "S3 knows no backslashes; say `{}`",
            shell_word(key.as_str())
        ))),
        None => Ok(()),
    }
}

fn faults(error: &LocationError, expected: &str) -> Unfit {
    let faults: Vec<_> = error.faults().iter().map(ToString::to_string).collect();
    Unfit::new(format!("{}; expected {expected}", faults.join(", ")))
}

/// The name of a new volume.
pub(crate) fn volume_name(text: &str) -> Result<VolumeName, Unfit> {
    let text = text.trim();
    text.parse()
        .map_err(|error: VolumeNameError| match text.rsplit_once('/') {
            Some((_, name)) => Unfit::new("that looks like a volume's id; expected the name alone")
                .hint(format!("say `{name}`")),
            None => error.into(),
        })
}

/// RO or RW.
pub(crate) fn access_mode(text: &str) -> Result<AccessMode, Unfit> {
    AccessMode::from_name(text).ok_or_else(|| Unfit::new("expected RO or RW"))
}

/// The name of a bucket. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html> allows no `/`.
pub(crate) fn bucket(text: &str) -> Result<String, Unfit> {
    let text = text.trim();
    if let Some(path) = text.strip_prefix("s3://") {
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let prefix = match key {
            "" => String::new(),
            key => format!(", and the rest by `--prefix {}`", shell_word(key)),
        };
        return Err(Unfit::new("that is a bucket's address; expected its name")
            .hint(format!("say `{bucket}`{prefix}")));
    }
    if text.parse::<VolumeId>().is_ok() {
        return Err(
            Unfit::new("that looks like a volume's id; expected a bucket's name").hint(format!(
                "a volume is named by `--volume {}`",
                shell_word(text)
            )),
        );
    }
    Ok(text.to_owned())
}

/// How many, where none makes no sense.
pub(crate) fn at_least_one<N: std::str::FromStr + Default + PartialEq>(
    text: &str,
) -> Result<N, Unfit> {
    let number = text.parse().ok().filter(|number| *number != N::default());
    number.ok_or_else(|| Unfit::new("expected a number above 0"))
}

/// How many parts a plan gets. An array of Slurm's has no more tasks than this.
pub(crate) fn parts(text: &str) -> Result<u16, Unfit> {
    let parts = text.parse().ok().filter(|parts| (2..=1000).contains(parts));
    parts.ok_or_else(|| Unfit::new("expected a number from 2 to 1000"))
}

/// A code of the platform.
pub(crate) fn code(text: &str) -> Result<i64, Unfit> {
    text.parse().map_err(|_| {
        Unfit::new("expected a code of the platform, such as 9103")
            .hint("`cavatica status T.transfer` shows the codes of the files that failed")
    })
}

pub(crate) fn is_file_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A time, for instance `30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, Unfit> {
    let span: jiff::SignedDuration = text
        .parse()
        .map_err(|_| Unfit::new("expected a time such as 90s, 30m or 2h"))?;
    Duration::try_from(span).map_err(|_| Unfit::new("expected a time that isn't negative"))
}

/// The state of an export job, in any letter case.
pub(crate) fn state(text: &str) -> Result<ExportState, Unfit> {
    ExportState::from_name(text)
        .ok_or_else(|| Unfit::new("expected PENDING, RUNNING, COMPLETED or FAILED"))
}

/// Requests per seconds.
pub(crate) fn rate_limit(text: &str) -> Result<(u64, Duration), Unfit> {
    let parsed = text.split_once('/').and_then(|(requests, seconds)| {
        let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0)?;
        Some((
            requests.parse().ok().filter(|requests| *requests > 0)?,
            Duration::from_secs(seconds),
        ))
    });
    parsed.ok_or_else(|| Unfit::new("expected requests/seconds, for instance 1000/300"))
}

/// A time, or the shortest and the longest.
pub(crate) fn durations(text: &str) -> Result<(Duration, Duration), Unfit> {
    let (shortest, longest) = text.split_once('-').unwrap_or((text, text));
    match (duration(shortest), duration(longest)) {
        (Ok(shortest), Ok(longest)) if shortest <= longest => Ok((shortest, longest)),
        _ => Err(Unfit::new(
            "expected a time such as 5s, or the shortest and the longest as 100ms-2s",
        )),
    }
}

/// A part of the whole.
pub(crate) fn share(text: &str) -> Result<f64, Unfit> {
    let share = text
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| Unfit::new("expected a number from 0 to 1, for instance 0.05"))
}

/// One of so many equal shares: `1/4`, or `1/1` for all of it.
pub(crate) fn share_of(text: &str) -> Result<NonZeroU16, Unfit> {
    let sharers = text.strip_prefix("1/").and_then(|k| k.parse().ok());
    sharers.ok_or_else(|| Unfit::new("expected a share such as 1/4"))
}

/// A volume that is a real bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct S3Volume {
    pub(crate) name: String,
    pub(crate) bucket: String,
    pub(crate) prefix: String,
}

/// A volume's name, its bucket, and what stands before every key.
pub(crate) fn s3_volume(text: &str) -> Result<S3Volume, Unfit> {
    let expected = || {
        Unfit::new("expected NAME=BUCKET or NAME=BUCKET/PREFIX, for instance real=my-bucket/trial/")
    };
    let (name, place) = text.split_once('=').ok_or_else(expected)?;
    if place.starts_with("s3://") {
        return Err(Unfit::new(
            "the bucket stands without s3://, for instance real=my-bucket/trial/",
        ));
    }
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if name.is_empty() || bucket.is_empty() {
        return Err(expected());
    }
    Ok(S3Volume {
        name: name.to_owned(),
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
    })
}

/// The beginning of a fingerprint that somebody approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Approved(String);

impl Approved {
    /// What is approved: the whole as it was written, or the planned one if it begins so.
    pub(crate) fn of(&self, planned: Fingerprint) -> Option<Fingerprint> {
        let begins = || planned.to_string().starts_with(&self.0).then_some(planned);
        self.0.parse().ok().or_else(begins)
    }
}

/// A fingerprint, or enough of it: who plans can make two plans with the same few first digits, but not with 32.
pub(crate) fn approved(text: &str) -> Result<Approved, Unfit> {
    let text = text.trim().to_ascii_lowercase();
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) || text.len() > 64 {
        return Err(
            Unfit::new("expected the fingerprint that `plan` printed, 64 hex digits")
                .hint("`cavatica status T.transfer` shows it"),
        );
    }
    if text.len() < 32 {
        return Err(Unfit::new(format!(
            "{} digits are too few; expected at least 32 of the 64 that `plan` printed",
            text.len()
        )));
    }
    Ok(Approved(text))
}

/// A metadata field and its value, for instance `sample_id=NA12878`.
pub(crate) fn equation(text: &str) -> Result<(String, String), Unfit> {
    match text.split_once('=') {
        Some((field, value)) if !field.is_empty() => Ok((field.to_owned(), value.to_owned())),
        _ => Err(Unfit::new(
            "expected FIELD=VALUE, for instance sample_id=NA12878",
        )),
    }
}
