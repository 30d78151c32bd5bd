use cavatica_exports::ListError;
use cavatica_exports::model::finding::Objection;
use cavatica_exports::model::manifest::RowError;
use cavatica_exports::model::{ProjectId, TaskId, VolumeId};
use cavatica_exports::transport;
use serde::Serialize;

use super::report::PlanCollision;
use super::unplanned::Unplanned;
use crate::journal::JournalError;

/// Why there is no plan. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A question to the platform went wrong.
    #[error("the selection can't be read from the platform")]
    Call(#[source] transport::Error),
    /// A list of the platform can't be read to its end.
    #[error("the selection can't be read from the platform")]
    List(#[source] ListError),
    /// The transfer's file can't be made.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The volume takes no exports.
    #[error("volume {volume} takes no exports: {}", sentences(objections))]
    Volume {
        /// The volume.
        volume: VolumeId,
        /// Everything that speaks against it.
        objections: Vec<Objection>,
    },
    /// What is asked of S3 can't be had there.
    #[error("what is asked of S3 can't be had: {}", sentences(objections))]
    Properties {
        /// Everything that speaks against it.
        objections: Vec<Objection>,
    },
    /// No volume stands for the bucket.
    #[error("no volume that you can see stands for bucket `{bucket}`")]
    NoVolume {
        /// The bucket.
        bucket: String,
    },
    /// Several volumes stand for the bucket.
    #[error("several volumes stand for bucket `{bucket}`: {}", names(volumes))]
    ManyVolumes {
        /// The bucket.
        bucket: String,
        /// The volumes.
        volumes: Vec<VolumeId>,
    },
    /// The folder isn't there.
    #[error("project `{project}` has no folder `{path}`")]
    NoFolder {
        /// The project.
        project: ProjectId,
        /// The path as far as it was followed.
        path: String,
    },
    /// A task's outputs can't be understood.
    #[error("the outputs of task {task} can't be read: {reason}")]
    Task {
        /// The task.
        task: TaskId,
        /// Why not.
        reason: String,
    },
    /// Nothing is selected.
    #[error("nothing was planned: {why}")]
    Nothing {
        /// What matched nothing.
        why: String,
    },
    /// Rows of the manifest are bad; the first thousand of them.
    #[error("{} of the manifest can't be used", rows(errors))]
    Manifest {
        /// What is wrong with each.
        errors: Vec<RowError>,
    },
    /// Something stands against the plan.
    #[error("{0}")]
    Refused(Box<Refusal>),
}

fn sentences(objections: &[Objection]) -> String {
    let all: Vec<String> = objections.iter().map(Objection::to_string).collect();
    all.join("; ")
}

fn names(volumes: &[VolumeId]) -> String {
    let all: Vec<&str> = volumes.iter().map(VolumeId::as_str).collect();
    all.join(", ")
}

fn rows(errors: &[RowError]) -> String {
    match errors {
        [error] => format!("line {}", error.line),
        errors => format!("{} lines", errors.len()),
    }
}

/// Everything that stands against a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    /// Locations that several files would go to.
    pub collisions: Vec<PlanCollision>,
    /// Files that must not be there, the first thousand of them.
    pub refused: Vec<Unplanned>,
    /// How many there are in all.
    pub refused_files: u64,
}

/// The most refused files that are kept.
const KEPT: usize = 1_000;

impl Refusal {
    /// Whether nothing stands against the plan.
    pub fn is_empty(&self) -> bool {
        self.collisions.is_empty() && self.refused_files == 0
    }

    pub(super) fn add(&mut self, file: Unplanned) {
        self.refused_files += 1;
        if self.refused.len() < KEPT {
            self.refused.push(file);
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the plan is refused")?;
        let mut separator = ": ";
        if let Some(first) = self.collisions.first() {
            write!(
                f,
                "{separator}{} files would go to `{}`",
                first.files,
                first.locations.first().map_or("", String::as_str)
            )?;
            if self.collisions.len() > 1 {
                write!(f, " (and {} locations more)", self.collisions.len() - 1)?;
            }
            separator = "; ";
        }
        if let Some(first) = self.refused.first() {
            let name = first.path.as_deref().or(first.file_id.as_deref());
            write!(
                f,
                "{separator}refused: {}, the first is `{}`{}: {}",
                match self.refused_files {
                    1 => "1 file".to_owned(),
                    files => format!("{files} files"),
                },
                name.unwrap_or_default(),
                first
                    .line
                    .map(|line| format!(" (line {line})"))
                    .unwrap_or_default(),
                first.reason
            )?;
        }
        Ok(())
    }
}
