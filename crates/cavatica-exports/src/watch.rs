//! Following a handful of jobs to their ends.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::Exports;
use crate::model::bulk::{Batch, BulkItem};
use crate::model::wire::Open;
use crate::model::{ExportId, ExportJob, ExportState};
use crate::transport::{Error, Outcome};

/// The wait before the second look; it grows by half each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait between two looks.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Why a job's end was not seen. The jobs go on all the same: the platform can't cancel one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The jobs could not be read.
    #[error(transparent)]
    Call(#[from] Error),
    /// The time was up.
    #[error("{} not ended after {} s", several(jobs), limit.as_secs_f64())]
    #[non_exhaustive]
    TimedOut {
        /// The jobs that were not seen to end.
        jobs: Vec<Unended>,
        /// The limit that was set.
        limit: Duration,
    },
    /// The platform doesn't show jobs that it was asked for.
    #[error("the platform doesn't show {}", several(jobs))]
    #[non_exhaustive]
    Missing {
        /// The jobs.
        jobs: Vec<Unended>,
    },
}

impl WaitError {
    /// What happened to the request, where one failed.
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            WaitError::Call(error) => Some(*error.outcome()),
            WaitError::TimedOut { .. } | WaitError::Missing { .. } => None,
        }
    }
}

/// A job whose end was not seen.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Unended {
    /// The job.
    pub id: ExportId,
    /// Where it stood when it was last seen; `None` if it never was.
    pub state: Option<Open<ExportState>>,
}

fn several(jobs: &[Unended]) -> String {
    match jobs {
        [job] => format!("export job {}", job.id),
        jobs => format!("{} export jobs", jobs.len()),
    }
}

/// Follows jobs to their ends, 100 per request, with waits that grow from half a second to half a minute.
///
/// All that it knows is its own: a future of [`next`](Self::next) that is dropped, or that ends with an error, loses nothing.
/// What was asked goes on when the next one is awaited, and a wait ends when it would have ended. So it can stand in a
/// `select!` beside anything that ticks. Dropping the watch ends the looking; the jobs go on.
pub struct Watch {
    exports: Exports,
    unfinished: Vec<ExportId>,
    seen: HashMap<ExportId, Open<ExportState>>,
    /// Those of this look that are still to be read.
    unread: VecDeque<ExportId>,
    /// Those of this look that were not shown.
    missing: usize,
    /// The first of the unread, while they are being read.
    asking: Option<Asking>,
    next_look: Instant,
    wait: Duration,
    limit: Option<(Instant, Duration)>,
}

type Asking = Pin<Box<dyn Future<Output = Result<Vec<ExportJob>, Error>> + Send>>;

impl Exports {
    /// Follows jobs to their ends.
    pub fn watch(&self, ids: impl IntoIterator<Item = ExportId>) -> Watch {
        Watch::new(self.clone(), ids)
    }

    /// Waits until one job has ended. A failed one has ended, too: its `state` and its `error` tell.
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] after `limit`, whatever is under way then; the job goes on all the same.
    pub async fn wait(&self, id: &ExportId, limit: Duration) -> Result<ExportJob, WaitError> {
        let mut watch = self.watch([id.clone()]).with_limit(limit);
        while let Some(jobs) = watch.next().await? {
            if let Some(job) = jobs.into_iter().find(ExportJob::is_final) {
                return Ok(job);
            }
        }
        Err(WaitError::Missing { jobs: Vec::new() })
    }
}

impl Watch {
    pub(crate) fn new(exports: Exports, ids: impl IntoIterator<Item = ExportId>) -> Self {
        let mut known = HashSet::new();
        let ids = ids.into_iter().filter(|id| known.insert(id.clone()));
        Watch {
            exports,
            unfinished: ids.collect(),
            seen: HashMap::new(),
            unread: VecDeque::new(),
            missing: 0,
            asking: None,
            next_look: Instant::now(),
            wait: FIRST_WAIT,
            limit: None,
        }
    }

    /// Gives up after this time from now on, in the midst of a request if need be.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        // What is too far away to be told is no limit.
        self.limit = Instant::now()
            .checked_add(limit)
            .map(|moment| (moment, limit));
        self
    }

    /// Looks at the jobs until at least one has changed and returns those that have, those of one request together; `None`
    /// once all have ended.
    ///
    /// # Errors
    ///
    /// [`WaitError::TimedOut`] if a limit was set and is over. [`WaitError::Missing`] if none of those that haven't ended is
    /// shown. After [`WaitError::Call`] the same jobs are asked for again.
    pub async fn next(&mut self) -> Result<Option<Vec<ExportJob>>, WaitError> {
        let Some((moment, limit)) = self.limit else {
            return self.changes().await;
        };
        match timeout_at(moment, self.changes()).await {
            Ok(changes) => changes,
            Err(_) => Err(WaitError::TimedOut {
                jobs: self.unended(),
                limit,
            }),
        }
    }

    async fn changes(&mut self) -> Result<Option<Vec<ExportJob>>, WaitError> {
        while !self.unfinished.is_empty() {
            if self.unread.is_empty() {
                sleep_until(self.next_look).await;
                self.unread.extend(self.unfinished.iter().cloned());
                self.missing = 0;
            }
            let asked = self.unread.len().min(Batch::<ExportId>::MAX);
            let asking = match &mut self.asking {
                Some(asking) => asking,
                none => {
                    let ids = self.unread.iter().take(asked).cloned().collect();
                    none.insert(Box::pin(read(self.exports.clone(), ids)))
                }
            };
            let answer = asking.as_mut().await;
            // From here on nothing is awaited until all that was read is told.
            self.asking = None;
            let changed = self.learn(asked, answer?);
            if self.unread.is_empty() {
                self.next_look = Instant::now() + self.wait;
                self.wait = (self.wait * 3 / 2).min(LONGEST_WAIT);
            }
            if !changed.is_empty() {
                return Ok(Some(changed));
            }
            if self.unread.is_empty() && self.missing > 0 && self.missing == self.unfinished.len() {
                return Err(WaitError::Missing {
                    jobs: self.unended(),
                });
            }
        }
        Ok(None)
    }

    /// Takes note of what was read of the first `asked` jobs, and gives those that have changed.
    fn learn(&mut self, asked: usize, jobs: Vec<ExportJob>) -> Vec<ExportJob> {
        let mut jobs: HashMap<_, _> = jobs.into_iter().map(|job| (job.id.clone(), job)).collect();
        let mut changed = Vec::new();
        for id in self.unread.drain(..asked) {
            match jobs.remove(&id) {
                None => self.missing += 1,
                Some(job) if self.seen.get(&id) == Some(&job.state) => {}
                Some(job) => {
                    self.seen.insert(id, job.state.clone());
                    changed.push(job);
                }
            }
        }
        let ended = |job: &ExportId| {
            let state = self.seen.get(job).and_then(Open::known);
            state.is_some_and(ExportState::is_final)
        };
        self.unfinished.retain(|id| !ended(id));
        changed
    }

    fn unended(&self) -> Vec<Unended> {
        let unended = |id: &ExportId| Unended {
            id: id.clone(),
            state: self.seen.get(id).cloned(),
        };
        self.unfinished.iter().map(unended).collect()
    }
}

/// One job is read by itself, because its answer says why it isn't shown.
async fn read(exports: Exports, ids: Vec<ExportId>) -> Result<Vec<ExportJob>, Error> {
    if let [id] = &ids[..] {
        return Ok(vec![exports.get(id).await?.value]);
    }
    let batch = Batch::new(ids).expect("1 to MAX jobs are asked for");
    let answer = exports.get_bulk(&batch).await?.value;
    let jobs = answer.items.into_iter().filter_map(BulkItem::into_resource);
    Ok(jobs.collect())
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("unfinished", &self.unfinished)
            .field("seen", &self.seen)
            .field("next_look", &self.next_look)
            .finish_non_exhaustive()
    }
}
