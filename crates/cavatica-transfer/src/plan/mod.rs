//! From a selection to a transfer: what would be sent, where to, and what stands against it. Nothing is started here.

mod companion;
mod error;
mod existing;
mod files;
mod filter;
mod glob;
mod manifest;
mod meet;
mod outputs;
mod paths;
mod select;
mod sieve;
mod tree;
mod unplanned;

pub use error::{PlanError, Refusal};
pub(crate) use files::read as read_files;
pub use filter::Filter;
pub use glob::Glob;
pub use unplanned::Unplanned;

use std::collections::BTreeMap;
use std::path::Path;

use cavatica_exports::Cavatica;
use cavatica_exports::model::finding::{Findings, Warning};
use cavatica_exports::model::manifest::{Row, RowError};
use cavatica_exports::model::volume::expected_beginning;
use cavatica_exports::model::{
    ExportMode, ExportProperties, Layout, ProjectId, TaskId, Tri, Volume, VolumeId,
};
use cavatica_exports::transport::Client;
use serde::Serialize;

use crate::journal::{Draft, JournalError, Overwrite, Terms, TransferFile};
use meet::{Drafted, meet};
use sieve::Sieve;

/// What to plan.
#[non_exhaustive]
pub struct PlanOptions {
    /// Which files.
    pub selection: Selection,
    /// Where to.
    pub target: PlanTarget,
    /// What every location begins with, and how the rest of it is made.
    pub layout: Layout,
    /// What becomes of the platform's copies.
    pub mode: ExportMode,
    /// What to do about objects that are already there.
    pub existing: Existing,
    /// What to do about files that can't or shouldn't be exported, by the name of the reason. See [`Policy`].
    pub policies: BTreeMap<String, Policy>,
    /// What to ask of S3, for files of which a manifest says nothing else.
    pub properties: Tri<ExportProperties>,
    /// What to do about rows of a manifest that ask for an ACL which lets everybody read.
    pub public_acl: PublicAcl,
    /// Plans no more than so many files: a first few, to see that all is well.
    pub limit: Option<u64>,
    /// A name for people.
    pub label: Option<String>,
    /// The metadata fields that are kept for the report.
    pub metadata: Vec<String>,
}

impl PlanOptions {
    /// Moves what is selected to the target, laid out as on the platform; whatever lies there already fails the plan.
    pub fn new(selection: Selection, target: PlanTarget) -> Self {
        PlanOptions {
            selection,
            target,
            layout: Layout::default(),
            mode: ExportMode::Move,
            existing: Existing::default(),
            policies: BTreeMap::new(),
            properties: Tri::Absent,
            public_acl: PublicAcl::default(),
            limit: None,
            label: None,
            metadata: Vec::new(),
        }
    }
}

/// The rows of a manifest.
pub type Rows = Box<dyn Iterator<Item = Result<Row, RowError>> + Send>;

/// Which files.
pub enum Selection {
    /// A project, the whole tree.
    Project {
        /// The project.
        project: ProjectId,
        /// Only what lies under this folder, a path from the project's root.
        folder: Option<String>,
        /// Only files that are like this.
        filter: Filter,
    },
    /// What tasks put out, with companions such as indexes, once each.
    Tasks(Vec<TaskId>),
    /// What a manifest lists.
    Manifest {
        /// How messages call it.
        name: String,
        /// Its rows.
        rows: Rows,
    },
}

impl Selection {
    /// A whole project.
    pub fn project(project: ProjectId) -> Self {
        Selection::Project {
            project,
            folder: None,
            filter: Filter::default(),
        }
    }

    /// What is selected, in words.
    fn words(&self) -> String {
        match self {
            Selection::Project {
                project,
                folder,
                filter,
            } => {
                let mut words = format!("project {project}");
                if let Some(folder) = folder {
                    words += &format!(", folder {folder}");
                }
                words + &filter.to_string()
            }
            Selection::Tasks(tasks) => {
                let ids: Vec<&str> = tasks.iter().map(TaskId::as_str).collect();
                format!("outputs of task {}", ids.join(", "))
            }
            Selection::Manifest { name, .. } => format!("manifest {name}"),
        }
    }
}

/// Where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanTarget {
    /// A volume.
    Volume(VolumeId),
    /// The one volume that stands for this bucket.
    Bucket(String),
}

/// What to do about rows of a manifest that ask for an ACL which lets people outside read the objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PublicAcl {
    /// The plan fails and names them: these are patients' data.
    #[default]
    Refused,
    /// The user has confirmed it.
    Confirmed,
}

/// What to do about objects that are already at a planned location.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Existing {
    /// The plan fails and names them.
    #[default]
    Fail,
    /// Those files are left out, and listed.
    Skip,
    /// The platform may delete the objects. It deletes before it writes, and nothing brings them back.
    Overwrite,
}

/// What to do about a file that an objection or a warning is about.
///
/// Without a policy, what the platform is known to refuse is left out and listed, and what is only suspicious is planned
/// with a warning. A row of a manifest that contradicts the platform, or whose file isn't there, fails the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Leave it out and list it.
    Skip,
    /// The plan fails and names it.
    Fail,
}

/// The names of all reasons that a [`Policy`] can be about: what the platform refuses, what is suspicious, what has no place
/// to go, what isn't there, what can't be read, what a manifest lists twice, and what it says otherwise than the platform.
pub const KINDS: &[&str] = &[
    "alias",
    "public",
    "folder",
    "too-large",
    "maybe-archived",
    "maybe-public-copy",
    "location",
    "missing",
    "unreadable",
    "listed-twice",
    "contradicts",
];

/// What a plan came to, in the shape that the program prints as JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlanReport {
    /// The transfer's file.
    pub transfer: String,
    /// What a second person approves.
    pub fingerprint: String,
    /// `move` or `copy`.
    pub mode: &'static str,
    /// The volume.
    pub volume: String,
    /// The bucket behind it, if the platform tells.
    pub bucket: Option<String>,
    /// What the platform puts before every location.
    pub volume_prefix: String,
    /// What every location begins with.
    pub prefix: String,
    /// Files to be sent.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were left out, by the name of the reason.
    pub skipped: BTreeMap<String, u64>,
    /// The first few of them, of each kind.
    pub left_out: Vec<Unplanned>,
    /// What one should know.
    pub warnings: Vec<PlanWarning>,
    /// Locations that differ only in letter case, Unicode form or what nobody sees, and those that are folders of others.
    pub collisions: Vec<PlanCollision>,
    /// The first few files with their keys in the bucket.
    pub sample: Vec<PlanSample>,
    /// Requests made.
    pub requests: u64,
}

/// What one should know about a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanWarning {
    /// A name for programs.
    pub name: &'static str,
    /// A sentence, about the first file where it concerns files.
    pub message: String,
    /// What to do about it.
    pub remedy: &'static str,
    /// How many files it concerns; 0 if it is about the volume or the whole.
    pub files: u64,
}

/// Locations that meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanCollision {
    /// `same`, `twins`, or `nested`: the first location is the folder of the second.
    pub kind: &'static str,
    /// The locations.
    pub locations: Vec<String>,
    /// The first files that go there.
    pub file_ids: Vec<String>,
    /// How many files there are.
    pub files: u64,
}

/// A file and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlanSample {
    /// The file.
    pub file_id: String,
    /// Its path on the platform.
    pub path: Option<String>,
    /// Its key in the bucket.
    pub key: String,
}

/// Where a plan stands, for progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanProgress {
    /// Files to be sent so far.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files left out so far.
    pub skipped: u64,
}

/// Plans a transfer into a new file.
///
/// The file is written as the selection is read, so the memory doesn't grow with the files but for some forty bytes each.
/// If anything stands against the plan, or nothing is selected, there is no file afterwards.
///
/// # Errors
///
/// [`PlanError::Refused`] with everything that stands against the plan at once; else what went wrong on the way.
pub async fn plan(
    path: &Path,
    client: &Client,
    options: PlanOptions,
    progress: &mut (dyn FnMut(PlanProgress) + Send),
) -> Result<PlanReport, PlanError> {
    let platform = Cavatica::new(client.clone());
    let requests_before = client.budget().sent;
    let Ground {
        terms,
        volume,
        warnings: mut all_warnings,
    } = {
        let seen = survey_volume(&platform, &options.target).await?;
        ground(&options, client.endpoint().to_string(), seen)?
    };
    let selection = options.selection.words();
    let (label, now) = (options.label.as_deref(), client.now());
    let draft = Draft::create(path, terms, &selection, label, now)?;
    let mut sieve = Sieve::new(
        draft,
        volume,
        options.layout,
        options.policies,
        options.limit,
        options.metadata,
        progress,
    );
    sieve.public_acl = options.public_acl;
    let nothing = select::select(&platform, options.selection, &mut sieve).await?;
    let Sieve {
        draft,
        volume,
        refusal,
        warnings,
        left_out,
        seen,
        ..
    } = sieve;
    // What follows needs as much memory again.
    drop(seen);
    let mut drafted = Drafted {
        draft,
        refusal,
        left_out,
    };
    let twins = meet(&platform, &volume, options.existing, &mut drafted).await?;
    let Drafted {
        draft,
        refusal,
        left_out,
    } = drafted;
    if !refusal.is_empty() {
        return Err(PlanError::Refused(Box::new(refusal)));
    }
    let (files, bytes, skipped) = draft.counts();
    if files + skipped == 0 {
        return Err(PlanError::Nothing { why: nothing });
    }
    all_warnings.extend(warnings);
    let terms = draft.terms().clone();
    let fingerprint = draft.finish()?;
    let written = TransferFile::open(path)?;
    Ok(PlanReport {
        transfer: path.display().to_string(),
        fingerprint: fingerprint.to_string(),
        mode: terms.mode.as_str(),
        volume: terms.volume.to_string(),
        prefix: terms.prefix.to_string(),
        files,
        bytes,
        skipped: written.skipped_by_kind()?.into_iter().collect(),
        left_out: left_out.into_list(),
        warnings: all_warnings,
        collisions: twins,
        sample: sample(&written, &terms)?,
        requests: client.budget().sent - requests_before,
        bucket: terms.bucket,
        volume_prefix: terms.volume_prefix,
    })
}

/// What is known before the first file is looked at.
struct Ground {
    terms: Terms,
    volume: Volume,
    warnings: Vec<PlanWarning>,
}

/// The volume, and what is known of it.
struct SurveyedVolume {
    account: String,
    volume: Volume,
    findings: Findings,
}

/// Finds out whether the volume takes exports of this account.
async fn survey_volume(
    platform: &Cavatica,
    target: &PlanTarget,
) -> Result<SurveyedVolume, PlanError> {
    let user = platform.account.user().await.map_err(PlanError::Call)?;
    let account = user.value.username.into_value().unwrap_or_default();
    let volume = find_volume(platform, target).await?;
    let mut findings = volume.export_findings();
    if !findings.objections.is_empty() {
        return Err(PlanError::Volume {
            volume: volume.id,
            objections: findings.objections,
        });
    }
    if platform.volumes.forbids_exports(&volume.id, &account).await {
        findings.warnings.push(Warning::NoWritePermission);
    }
    Ok(SurveyedVolume {
        account,
        volume,
        findings,
    })
}

/// Finds out whether the volume takes what is asked for.
fn ground(
    options: &PlanOptions,
    endpoint: String,
    seen: SurveyedVolume,
) -> Result<Ground, PlanError> {
    let SurveyedVolume {
        account,
        volume,
        findings,
    } = seen;
    let asked = options.properties.value().cloned().unwrap_or_default();
    let of_properties = asked.findings_on(&volume);
    if !of_properties.objections.is_empty() {
        return Err(PlanError::Properties {
            objections: of_properties.objections,
        });
    }
    let terms = Terms {
        endpoint,
        account,
        mode: options.mode,
        volume: volume.id.clone(),
        bucket: volume.bucket().map(str::to_owned),
        volume_prefix: volume.prefix().to_owned(),
        prefix: options.layout.prefix.clone(),
        overwrite: match options.existing {
            Existing::Overwrite => Overwrite::Allowed,
            Existing::Fail | Existing::Skip => Overwrite::Forbidden,
        },
        properties: options.properties.clone(),
    };
    let warnings = findings.warnings.iter().chain(&of_properties.warnings);
    let warnings = warnings.map(|warning| PlanWarning {
        name: warning.name(),
        message: warning.to_string(),
        remedy: warning.advice(),
        files: 0,
    });
    Ok(Ground {
        warnings: warnings.collect(),
        terms,
        volume,
    })
}

/// How many files the sample shows.
const SAMPLE: usize = 5;

/// The first files that would be sent.
fn sample(written: &TransferFile, terms: &Terms) -> Result<Vec<PlanSample>, JournalError> {
    let first = written.items(None)?.into_iter().take(SAMPLE);
    let sample = first.map(|item| PlanSample {
        file_id: item.file.to_string(),
        key: expected_beginning(&terms.volume_prefix) + &item.location,
        path: item.path,
    });
    Ok(sample.collect())
}

async fn find_volume(platform: &Cavatica, target: &PlanTarget) -> Result<Volume, PlanError> {
    let bucket = match target {
        PlanTarget::Volume(id) => {
            let volume = platform.volumes.get(id).await.map_err(PlanError::Call)?;
            return Ok(volume.value);
        }
        PlanTarget::Bucket(bucket) => bucket,
    };
    let mut pager = platform.volumes.list();
    let mut found = Vec::new();
    while let Some(page) = pager.next_page().await.map_err(PlanError::List)? {
        found.extend(
            page.items
                .into_iter()
                .filter(|volume| volume.bucket() == Some(bucket)),
        );
    }
    // Several volumes may stand for one bucket, with different prefixes or rights; which is meant only the user knows.
    match found.len() {
        0 => Err(PlanError::NoVolume {
            bucket: bucket.clone(),
        }),
        1 => Ok(found.remove(0)),
        _ => Err(PlanError::ManyVolumes {
            bucket: bucket.clone(),
            volumes: found.into_iter().map(|volume| volume.id).collect(),
        }),
    }
}
