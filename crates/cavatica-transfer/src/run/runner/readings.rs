//! What was read of files and jobs that are followed.

use cavatica_exports::model::job::JobStanding;
use cavatica_exports::model::{ExportMode, ExportState, FileId};
use tokio::time::Instant;

use super::Runner;
use crate::event::Event;
use crate::evidence::{AskError, Moments, Question, SentBy, Settling, Whereabouts, seen};
use crate::journal::{Change, Copying, IntentId, Overwrite};
use crate::mutation::Mutation;
use crate::observe::{self, Belief};
use crate::run::RunError;
use crate::run::followed::Followed;
use crate::run::follower::{Errand, doubt_of};
use crate::run::inquiry::Cause;
use crate::run::tasks::{self, Reading, What};
use crate::state::{Doubt, Observation, SeenJob, Step, Verdict};

/// What a reading brought, sorted.
#[derive(Default)]
struct Sorted {
    ended: Vec<Change>,
    echoes: Vec<(Followed, Change)>,
    go_on: Vec<Followed>,
    stragglers: Vec<Followed>,
    puzzles: Vec<(Followed, Doubt)>,
    /// Their jobs have completed, and their files weren't read.
    unread: Vec<Followed>,
}

impl Runner<'_> {
    /// Reads what there is to read now.
    pub(super) fn follow(&mut self, now: Instant) -> Result<(), RunError> {
        while let Some(errand) = self.follower.next(now) {
            let (asked, what) = match errand {
                Errand::Count => {
                    let (platform, volume) = (self.platform.clone(), self.terms.volume.clone());
                    self.spawn(tasks::count(platform, volume));
                    continue;
                }
                Errand::Failures => {
                    let (platform, volume) = (self.platform.clone(), self.terms.volume.clone());
                    self.spawn(tasks::failures(platform, volume));
                    continue;
                }
                Errand::Page(wish) => {
                    self.spawn(tasks::list(self.platform.clone(), wish));
                    continue;
                }
                Errand::Sample(page, asked) => (asked, What::Sample(page)),
                Errand::Files(asked) => (asked, What::Files),
                Errand::Jobs(asked) => (asked, What::Jobs),
                Errand::Both(asked) => match self.terms.mode {
                    ExportMode::Move => (asked, What::Both),
                    ExportMode::Copy => (asked, What::Jobs),
                },
            };
            let ids: Vec<_> = asked.iter().map(|followed| followed.item).collect();
            let items = match (self.terms.mode, what) {
                (ExportMode::Move, What::Files | What::Both) => self.journal.items(&ids)?,
                (ExportMode::Move, What::Jobs | What::Sample(_)) | (ExportMode::Copy, _) => {
                    Vec::new()
                }
            };
            let (platform, terms) = (self.platform.clone(), self.terms.clone());
            self.spawn(tasks::read(platform, terms, asked, items, what));
        }
        Ok(())
    }

    pub(super) fn read(&mut self, mut reading: Reading) -> Result<(), RunError> {
        let now = Instant::now();
        if let Some(error) = reading.failed.take() {
            self.follower.not_read(reading.asked, now);
            return self.troubled(error);
        }
        self.outage.is_over();
        let scheduled = match self.terms.mode {
            ExportMode::Move => reading.what == What::Files,
            ExportMode::Copy => true,
        };
        if let What::Sample(page) = reading.what {
            let count = |state| {
                let jobs = reading.jobs.iter().filter(|job| job.state.is(state));
                jobs.count()
            };
            let (failed, done) = (count(ExportState::Failed), count(ExportState::Completed));
            self.follower
                .sampled(page, reading.asked.len(), failed, done, now);
        }
        observe::states(self.observed.seen(), &reading.jobs);
        let sorted = self.sort(reading)?;
        let asked = sorted.count();
        let ended = sorted.ended.len() + sorted.echoes.len();
        self.follower
            .read(asked, ended, sorted.go_on, scheduled, now);
        self.follower.straggle(sorted.stragglers);
        for followed in sorted.unread {
            self.follower.completed(followed, now);
        }
        for (followed, doubt) in sorted.puzzles {
            if self.follower.puzzled(&followed, doubt, &self.timing, now) {
                self.give_up(&followed, doubt)?;
            }
        }
        for (followed, change) in sorted.echoes {
            self.ask_for_echo(&followed, change, now)?;
        }
        self.saving.learn(sorted.ended);
        Ok(())
    }

    /// Sorts files by what became of them.
    fn sort(&mut self, mut reading: Reading) -> Result<Sorted, RunError> {
        let mut sorted = Sorted::default();
        let mut moments = Moments::default();
        let asked = std::mem::take(&mut reading.asked);
        let items = std::mem::take(&mut reading.items);
        // Where files were read, jobs were read of those alone that haven't arrived.
        let mut place_of_job = 0;
        for (position, followed) in asked.into_iter().enumerate() {
            let item = items.get(position);
            let place = item
                .and_then(|item| reading.places.get(&item.file))
                .cloned();
            let place = place.as_ref();
            if let (Some(item), Some(place)) = (item, place)
                && place.is_at(&self.terms.volume, &item.location)
            {
                let late = self.follower.unmoved_for(followed.item);
                self.observe_arrival(place, item, late)?;
                self.follower.saw_alias();
                self.follower.understood(followed.item);
                let alias = Step::Observation(Observation::AliasAtDestination);
                sorted.ended.push(Change::new(followed.item, alias));
                continue;
            }
            if !reading.jobs_read {
                sorted.stragglers.push(followed);
                continue;
            }
            let job = reading.take_job(place_of_job, &followed.export);
            place_of_job += 1;
            let unread = item.is_none() && self.terms.mode == ExportMode::Move;
            let unread = unread && !Mutation::CompletedBelieved.is_on();
            if unread && job.as_ref().is_some_and(has_completed) {
                sorted.unread.push(followed);
                continue;
            }
            let object = item
                .and_then(|item| reading.objects.get(&item.file))
                .copied();
            let request_id = reading.request_id.as_deref();
            self.sort_job(
                &mut sorted,
                &mut moments,
                followed,
                job,
                (place, object),
                request_id,
            );
        }
        Ok(sorted)
    }

    /// Sorts a file that hasn't arrived, as far as it shows, by its job.
    fn sort_job(
        &mut self,
        sorted: &mut Sorted,
        moments: &mut Moments,
        followed: Followed,
        job: Option<JobStanding>,
        (place, object): (Option<&Whereabouts>, Option<bool>),
        request_id: Option<&str>,
    ) {
        let state = job.as_ref().and_then(|job| job.state.known());
        let (job, state) = match (job, state) {
            (Some(job), Some(state)) => (job, state),
            (Some(_), None) => {
                sorted.puzzles.push((followed, Doubt::JobUnclear));
                return;
            }
            (None, _) => {
                sorted.puzzles.push((followed, Doubt::JobGone));
                return;
            }
        };
        let (started, finished) = moments.of(&job);
        let change = |job: SeenJob| Change {
            started,
            finished,
            ..Change::new(followed.item, Step::Observation(Observation::Job(job)))
        };
        match (state, self.terms.mode) {
            (ExportState::Pending | ExportState::Running, _) => {
                self.follower.understood(followed.item);
                sorted.go_on.push(followed);
            }
            (ExportState::Failed, mode) => {
                self.follower.understood(followed.item);
                if followed.since.is_none() {
                    self.retrying.failed_before(followed.item);
                }
                let job = seen(job, mode, request_id);
                if let Verdict::Failed(failure) = &job.verdict {
                    self.observe_failed_job(followed.item, failure);
                }
                let may_be_echo = matches!(&job.verdict, Verdict::Failed(failure) if failure.may_be_own_success());
                if may_be_echo {
                    let change = change(job);
                    sorted.echoes.push((followed, change));
                } else {
                    sorted.ended.push(change(job));
                }
            }
            (ExportState::Completed, ExportMode::Copy) => {
                self.follower.understood(followed.item);
                sorted
                    .ended
                    .push(change(seen(job, ExportMode::Copy, request_id)));
            }
            // The object is there under a form of its name that we don't know; or somebody deleted the alias since.
            (ExportState::Completed, ExportMode::Move)
                if object == Some(true)
                    || place == Some(&Whereabouts::Gone)
                    || Mutation::CompletedBelieved.is_on() =>
            {
                self.follower.understood(followed.item);
                sorted.ended.push(change(SeenJob {
                    export: job.id,
                    verdict: Verdict::Completed,
                }));
            }
            (ExportState::Completed, ExportMode::Move) => {
                let doubt = doubt_of(place);
                sorted.puzzles.push((followed, doubt));
            }
        }
    }

    /// A file that never showed anything that is understood.
    fn give_up(&mut self, followed: &Followed, doubt: Doubt) -> Result<(), RunError> {
        let unclear = Step::Observation(Observation::Unclear(doubt));
        self.saving.learn([Change::new(followed.item, unclear)]);
        if doubt == Doubt::JobGone {
            self.contradict(Belief::JobsKept)?;
        }
        // Before any file was seen to become an alias, it may be that none ever will.
        if doubt == Doubt::NotMoved && !self.follower.alias_seen() {
            let item = self.journal.items(&[followed.item])?.pop();
            if let Some(item) = item {
                return Err(RunError::NotMoved { file: item.file });
            }
        }
        Ok(())
    }

    /// A job failed in a way that may be the echo of our own success.
    fn ask_for_echo(
        &mut self,
        followed: &Followed,
        change: Change,
        now: Instant,
    ) -> Result<(), RunError> {
        let mut earlier = self.journal.known_exports(followed.item)?;
        earlier.push(followed.export.clone());
        let sent = self.since_plan(self.platform_now());
        let settling = Settling::since(now, self.timing.settle);
        for item in self.journal.items(&[followed.item])? {
            let question = Question {
                file: item.file,
                location: item.location,
                sent,
                run: SentBy::ThisRun,
                planned_free: self.terms.overwrite == Overwrite::Forbidden,
                earlier: earlier.clone(),
                others_count: true,
            };
            let cause = Cause::Echo(change.clone());
            self.inquiry
                .ask(item.id, IntentId(0), question, cause, settling);
        }
        Ok(())
    }

    pub(super) fn source_read(
        &mut self,
        file: FileId,
        result: Result<Option<Whereabouts>, AskError>,
    ) -> Result<(), RunError> {
        match result {
            Ok(Some(Whereabouts::Platform)) => {
                self.journal.note_copying(Copying::KeepsSource)?;
                self.observe_copy(Copying::KeepsSource);
                self.copy_proof.given();
                (self.report)(Event::CopyProven);
                Ok(())
            }
            Ok(Some(Whereabouts::Volume { .. } | Whereabouts::Gone)) => {
                self.journal.note_copying(Copying::MovesSource)?;
                self.observe_copy(Copying::MovesSource);
                Err(RunError::CopyMoved { file: Some(file) })
            }
            // It could not be read this time.
            Ok(None) => {
                self.copy_proof.failed();
                self.outage.pause(Instant::now() + self.timing.pause);
                Ok(())
            }
            Err(error) => {
                self.copy_proof.failed();
                self.troubled(error)
            }
        }
    }
}

fn has_completed(job: &JobStanding) -> bool {
    job.state.is(ExportState::Completed)
}

impl Sorted {
    fn count(&self) -> usize {
        self.ended.len()
            + self.echoes.len()
            + self.go_on.len()
            + self.stragglers.len()
            + self.puzzles.len()
            + self.unread.len()
    }
}
