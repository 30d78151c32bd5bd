//! Following jobs to their ends.

use cavatica_exports::model::{BulkAnswer, BulkItem, ExportId, ExportMode, JobStanding};
use cavatica_exports::transport::Fetched;
use tokio::time::Instant;

use super::{Echo, READS, Runner, UNCLEAR_LOOKS, Unclear, told};
use crate::item::{Doubt, ItemId, Observation, Step};
use crate::journal::Move;
use crate::reconcile::{Moments, seen};
use crate::run::pace::Action;
use crate::run::{AskError, RunError, tasks};

impl Runner<'_> {
    pub(super) fn follow(&mut self, now: Instant) {
        while !self.jobs.is_empty() && self.hold.is_none_or(|hold| hold <= now) {
            match self.pace.action(self.jobs.len(), now) {
                Action::Read(count) if self.reads < READS => {
                    let jobs: Vec<_> = self.jobs.drain(..count).collect();
                    self.pace.reading(jobs.len());
                    self.reads += 1;
                    self.reading += jobs.len();
                    self.tasks.spawn(tasks::read(self.platform.clone(), jobs));
                }
                Action::Count if self.reads == 0 && !self.counting => {
                    self.counting = true;
                    let volume = self.terms.volume.clone();
                    self.tasks
                        .spawn(tasks::count(self.platform.clone(), volume));
                    break;
                }
                Action::Read(_) | Action::Count | Action::Wait(_) => break,
            }
        }
    }

    pub(super) fn read(
        &mut self,
        asked: Vec<(ItemId, ExportId)>,
        result: Result<Fetched<BulkAnswer<JobStanding>>, AskError>,
    ) -> Result<(), RunError> {
        let now = Instant::now();
        self.reads -= 1;
        self.reading -= asked.len();
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                self.jobs.extend(asked);
                self.pace.failed(now);
                return self.troubled(error);
            }
        };
        self.reached();
        let request_id = answer.request_id;
        let items = answer.value.items.into_iter();
        let mut shown = Shown(items.map(BulkItem::into_resource).collect());
        let count = asked.len();
        let mut moments = Moments::default();
        let mut moves = Vec::new();
        let mut echoes = Vec::new();
        for (place, (item, export)) in asked.into_iter().enumerate() {
            match shown.take(place, &export) {
                Some(job) if job.is_final() => {
                    self.unclear.remove(&item);
                    let times = moments.of(&job);
                    let seen = seen(job, request_id.as_deref());
                    let may_be_echo = match &seen.verdict {
                        crate::item::Verdict::Failed(failure) => failure.may_be_own_success(),
                        crate::item::Verdict::Unfinished | crate::item::Verdict::Completed => false,
                    };
                    let told = told(item, Step::Observation(Observation::Job(seen)), times);
                    if may_be_echo && self.terms.mode == ExportMode::Move {
                        echoes.push((item, export, told));
                    } else {
                        moves.push(told);
                    }
                }
                Some(job) if job.state.known().is_some() => {
                    self.unclear.remove(&item);
                    self.jobs.push_back((item, export));
                }
                Some(_) | None => {
                    let unclear = self.unclear.entry(item).or_insert(Unclear {
                        since: now,
                        looks: 0,
                    });
                    unclear.looks += 1;
                    if now - unclear.since >= self.options.timing.unclear_job
                        && unclear.looks >= UNCLEAR_LOOKS
                    {
                        self.unclear.remove(&item);
                        let doubt = Observation::Unclear(Doubt::JobUnclear);
                        moves.push(Move::new(item, Step::Observation(doubt)));
                    } else {
                        self.jobs.push_back((item, export));
                    }
                }
            }
        }
        let ended = moves.len() + echoes.len();
        self.pace.read(count, ended, self.jobs.len(), now);
        if !echoes.is_empty() {
            let ids: Vec<ItemId> = echoes.iter().map(|(item, ..)| *item).collect();
            let items = self.journal.items(&ids)?;
            for (item, (_, export, told)) in items.into_iter().zip(echoes) {
                self.echoes.push(Echo {
                    item,
                    export: Some(export),
                    told,
                });
            }
        }
        self.learned.append(&mut moves);
        Ok(())
    }
}

/// The jobs of an answer. Their order isn't promised, but most often each stands where it was asked for.
struct Shown(Vec<Option<JobStanding>>);

impl Shown {
    fn take(&mut self, place: usize, id: &ExportId) -> Option<JobStanding> {
        let is_it = |job: &Option<JobStanding>| job.as_ref().is_some_and(|job| job.id == *id);
        let place = match self.0.get(place) {
            Some(job) if is_it(job) => place,
            _ => self.0.iter().position(is_it)?,
        };
        self.0[place].take()
    }
}
