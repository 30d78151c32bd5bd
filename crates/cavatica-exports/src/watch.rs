//! Following a handful of jobs to their ends.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::Exports;
use crate::model::{Batch, ExportId, ExportJob, ExportState, Open};
use crate::transport::Error;

/// The wait before the second look; it grows by half each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait between two looks.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Why a job's end was not seen. The jobs go on all the same: the platform can't cancel one.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// The jobs could not be read.
    #[error(transparent)]
    Call(#[from] Error),
    /// The time was up.
    #[error("{} not ended after {} s", jobs(ids), limit.as_secs())]
    TimedOut {
        /// The jobs that had not ended.
        ids: Vec<ExportId>,
        /// The limit that was set.
        limit: Duration,
    },
    /// The platform doesn't show jobs that it was asked for.
    #[error("the platform doesn't show {}", jobs(ids))]
    Missing {
        /// The jobs.
        ids: Vec<ExportId>,
    },
}

fn jobs(ids: &[ExportId]) -> String {
    match ids {
        [id] => format!("export job {id}"),
        ids => format!("{} export jobs", ids.len()),
    }
}

/// Follows jobs to their ends, 100 per request, with waits that grow from half a second to half a minute.
#[derive(Debug)]
pub struct Watch {
    exports: Exports,
    unfinished: Vec<ExportId>,
    seen: HashMap<ExportId, Open<ExportState>>,
    wait: Option<Duration>,
    started: Instant,
    limit: Option<Duration>,
}

impl Watch {
    pub(crate) fn new(exports: Exports, ids: impl IntoIterator<Item = ExportId>) -> Self {
        Watch {
            exports,
            unfinished: ids.into_iter().collect(),
            seen: HashMap::new(),
            wait: None,
            started: Instant::now(),
            limit: None,
        }
    }

    /// Gives up after this time, counted from the making of the watch.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Looks at the jobs until at least one has changed and returns those that have; `None` once all have ended.
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] if a limit was set and is over.
    pub async fn next(&mut self) -> Result<Option<Vec<ExportJob>>, WaitError> {
        while !self.unfinished.is_empty() {
            self.pause().await?;
            let changed = self.look().await?;
            if !changed.is_empty() {
                return Ok(Some(changed));
            }
        }
        Ok(None)
    }

    async fn pause(&mut self) -> Result<(), WaitError> {
        let Some(wait) = self.wait else {
            self.wait = Some(FIRST_WAIT);
            return Ok(());
        };
        let left = self
            .limit
            .map(|limit| limit.saturating_sub(self.started.elapsed()));
        if let (Some(limit), Some(Duration::ZERO)) = (self.limit, left) {
            return Err(WaitError::TimedOut {
                ids: self.unfinished.clone(),
                limit,
            });
        }
        tokio::time::sleep(left.map_or(wait, |left| wait.min(left))).await;
        self.wait = Some((wait * 3 / 2).min(LONGEST_WAIT));
        Ok(())
    }

    async fn look(&mut self) -> Result<Vec<ExportJob>, WaitError> {
        let mut changed = Vec::new();
        let mut missing = Vec::new();
        for ids in self.unfinished.clone().chunks(Batch::<ExportId>::MAX) {
            let batch = Batch::new(ids.to_vec()).expect("chunks of a vector have 1 to MAX items");
            let mut jobs: HashMap<_, _> = if let [id] = ids {
                HashMap::from([(id.clone(), self.exports.get(id).await?.value)])
            } else {
                let answer = self.exports.get_bulk(&batch).await?.value;
                let jobs = answer
                    .items
                    .into_iter()
                    .filter_map(|item| item.into_resource());
                jobs.map(|job| (job.id.clone(), job)).collect()
            };
            for id in ids {
                match jobs.remove(id) {
                    None => missing.push(id.clone()),
                    Some(job) if self.seen.get(id) == Some(&job.state) => {}
                    Some(job) => {
                        self.seen.insert(id.clone(), job.state.clone());
                        changed.push(job);
                    }
                }
            }
        }
        let seen = &self.seen;
        let ended = |id: &ExportId| {
            seen.get(id)
                .and_then(Open::known)
                .is_some_and(ExportState::is_final)
        };
        self.unfinished.retain(|id| !ended(id));
        if changed.is_empty() && missing.len() == self.unfinished.len() && !missing.is_empty() {
            return Err(WaitError::Missing { ids: missing });
        }
        Ok(changed)
    }
}
