//! Completed jobs whose files don't show it yet.

use std::time::Duration;

use cavatica_exports::model::{ExportState, VolumeId};
use tokio::time::Instant;

use super::judge::is_at;
use super::{Evidence, LATEST, Question};

/// How many completed jobs to a file's planned place were seen, and since when. A file that was moved by one of them shows it
/// at most [`LATEST`] settling times after that; a job that is listed late may have ended a moment before.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Completed {
    jobs: usize,
    since: Option<Instant>,
}

impl Completed {
    /// None was seen.
    pub(crate) fn none() -> Self {
        Completed {
            jobs: 0,
            since: None,
        }
    }

    /// What a look that began at this moment shows.
    pub(crate) fn saw(
        &mut self,
        question: &Question,
        volume: &VolumeId,
        evidence: &Evidence,
        began: Instant,
    ) {
        let jobs = evidence.jobs.get(&question.item.file).into_iter().flatten();
        let completed = jobs.filter(|job| {
            job.state.is(ExportState::Completed)
                && !question.earlier.contains(&job.id)
                && is_at(job, volume, &question.item)
        });
        let jobs = completed.count();
        if jobs > self.jobs {
            *self = Completed {
                jobs,
                since: Some(began),
            };
        }
    }

    /// Whether a look that began at this moment would have shown a file that was moved.
    pub(crate) fn must_show(&self, began: Instant, settle: Duration) -> bool {
        self.since
            .is_some_and(|since| began >= since + settle * LATEST)
    }

    /// The same, with its moment set elsewhere.
    #[cfg(feature = "proof")]
    pub(crate) fn with_moments(self, set: impl Fn(Instant) -> Instant) -> Self {
        Completed {
            since: self.since.map(set),
            ..self
        }
    }
}
