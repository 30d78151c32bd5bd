//! The steps of a rehearsal.

use std::time::Duration;

use cavatica_exports::model::bulk::{Batch, BulkItem, ExportKey};
use cavatica_exports::model::file::StoredFile;
use cavatica_exports::model::job::JobStanding;
use cavatica_exports::model::wire::Entry;
use cavatica_exports::model::{
    CheckedExport, ExportBatch, ExportId, ExportJob, ExportMode, ExportRequest, ExportState, File,
    Location, Volume,
};
use cavatica_exports::transport::Outcome;
use cavatica_exports::{Cavatica, ExportFilter, ListError, Parent};
use tokio::time::Instant;

use super::scene::{Halt, Left, NotListed, Rehearsal, Scene};
use crate::evidence::Whereabouts;
use crate::observe::{self, Came, Habit, Habits, Measure, OpenQuestion};
use crate::run::Stop;
use crate::state::Failure;

/// How often a job is read, a copy's and a move's, and one that has to fail. So many fit into what a rehearsal may ask.
const LOOKS_AT_A_COPY: u32 = 5;
const LOOKS_AT_A_MOVE: u32 = 4;
const LOOKS_AT_A_FAILURE: u32 = 3;

/// How often a moved file is read.
const LOOKS_AT_AN_ALIAS: u32 = 2;

/// By how much each wait is longer than the one before.
const LONGER: u32 = 3;

/// A rehearsal under way.
pub(super) struct Player<'a> {
    pub(super) platform: Cavatica,
    pub(super) wish: &'a Rehearsal,
    pub(super) stop: &'a Stop,
    /// Requests that the client had made before.
    pub(super) before: u64,
    pub(super) seen: Habits,
    pub(super) left: Vec<Left>,
    pub(super) account: Option<String>,
    pub(super) volume: Option<Volume>,
    /// The copy's.
    pub(super) first_job: Option<ExportId>,
    pub(super) unlisted: Option<NotListed>,
}

/// How a job ended.
enum JobEnd {
    Completed,
    Failed(Failure),
}

impl Player<'_> {
    pub(super) async fn play(&mut self, tell: &mut (dyn FnMut(Scene) + Send)) -> Result<(), Halt> {
        let mut begin = |player: &Self, act| {
            player.may_go_on()?;
            tell(act);
            Ok::<_, Halt>(())
        };
        begin(self, Scene::Look)?;
        let (file, volume) = self.look().await?;
        begin(self, Scene::Scroll)?;
        self.scroll(&file).await?;
        begin(self, Scene::Copy)?;
        let copy = self.location("copy")?;
        if self.copy(&file, &volume, &copy).await? == Habit::SourceKept {
            begin(self, Scene::CopyAgain)?;
            self.copy_again(&file, &volume, &copy).await?;
            if self.wish.mode == ExportMode::Copy {
                return Ok(());
            }
            begin(self, Scene::Move)?;
            self.move_away(&file, &volume).await?;
        }
        if self.wish.mode == ExportMode::Move {
            begin(self, Scene::ExportAlias)?;
            self.export_alias(&file).await?;
        }
        Ok(())
    }

    pub(super) fn requests(&self) -> u64 {
        self.platform.client.budget().sent - self.before
    }

    /// Asked before each request.
    fn may_go_on(&self) -> Result<(), Halt> {
        if self.stop.is_asked() {
            return Err(Halt::Stopped);
        }
        if self.requests() >= self.wish.most_requests {
            return Err(Halt::OutOfRequests);
        }
        Ok(())
    }

    async fn wait(&self, how_long: Duration) -> Result<(), Halt> {
        tokio::select! {
            () = tokio::time::sleep(how_long) => self.may_go_on(),
            () = self.stop.asked() => Err(Halt::Stopped),
        }
    }

    /// A place of its own in the rehearsal's folder. It has nothing of the file's name.
    fn location(&self, name: &str) -> Result<Location, Halt> {
        let name: Location = name.parse().expect("a plain word");
        Ok(self.wish.folder.join(&name)?)
    }

    async fn look(&mut self) -> Result<(File, Volume), Halt> {
        let user = self.platform.account.user().await?.value;
        self.account = user.username.into_value();
        self.may_go_on()?;
        let file = self.platform.files.get(&self.wish.file).await?.value;
        self.may_go_on()?;
        let volume = self.platform.volumes.get(&self.wish.volume).await?.value;
        self.volume = Some(volume.clone());
        let copy = self.location("copy")?;
        self.checked(&file, &volume, copy)?;
        Ok((file, volume))
    }

    fn checked(&self, file: &File, volume: &Volume, to: Location) -> Result<CheckedExport, Halt> {
        let request = ExportRequest::new(self.wish.file.clone(), self.wish.volume.clone(), to);
        request.check(file, volume).map_err(Halt::Rejected)
    }

    async fn scroll(&mut self, file: &File) -> Result<(), Halt> {
        let Some(folder) = file.parent.value() else {
            return Ok(());
        };
        let parent = Parent::Folder(folder.clone());
        let mut list = self
            .platform
            .files
            .scroll::<StoredFile>(&parent, 1_000)
            .leniently();
        match list.next_page().await {
            Ok(Some(page)) if !list.has_ended() => {
                let entries: &[Entry<StoredFile>] = &page.items;
                observe::page(&mut self.seen, entries.len());
                Ok(())
            }
            // A folder that fits on a page tells nothing of the largest one.
            Ok(_) => Ok(()),
            Err(ListError::Call(error)) if *error.outcome() == Outcome::Refused => {
                self.seen.saw(Habit::NoScroll);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Copies the file. Answers whether the platform kept its own copy.
    async fn copy(&mut self, file: &File, volume: &Volume, to: &Location) -> Result<Habit, Halt> {
        let export = self.checked(file, volume, to.clone())?;
        let job = match self.start(export, ExportMode::Copy, to).await? {
            Ok(job) => job,
            Err(failure) => return Err(failed(failure)),
        };
        self.first_job = Some(job.clone());
        self.look_at_list(&job, None).await?;
        if let JobEnd::Failed(failure) = self.follow(&job, LOOKS_AT_A_COPY, to).await? {
            return Err(failed(failure));
        }
        // Until the file was looked at, the object may be its only copy.
        let place = self.whereabouts().await?;
        let kept = if place == Whereabouts::Platform {
            self.leaves(to, Some(Left::Object(to.clone())));
            Habit::SourceKept
        } else {
            self.became_alias(&place, to);
            Habit::SourceMoved
        };
        self.seen.saw(kept);
        self.may_go_on()?;
        let object = self.platform.volumes.object(&self.wish.volume, to.as_str());
        observe::metadata(&mut self.seen, &object.await?.value);
        Ok(kept)
    }

    /// Copies the file to where its copy lies.
    async fn copy_again(
        &mut self,
        file: &File,
        volume: &Volume,
        to: &Location,
    ) -> Result<(), Halt> {
        let export = self.checked(file, volume, to.clone())?;
        match self.start(export, ExportMode::Copy, to).await? {
            Err(failure) => observe::failed(&mut self.seen, &failure, Came::AtOnce),
            Ok(job) => {
                match self.follow(&job, LOOKS_AT_A_FAILURE, to).await? {
                    // It lies where the first one lay.
                    JobEnd::Completed => {
                        self.leaves(to, None);
                        self.seen.saw(Habit::Overwritten);
                    }
                    JobEnd::Failed(failure) => {
                        observe::failed(&mut self.seen, &failure, Came::InJob);
                        self.read_failed(&job).await?;
                    }
                }
                let first = self.first_job.clone();
                self.look_at_list(&job, first.as_ref()).await?;
            }
        }
        Ok(())
    }

    async fn move_away(&mut self, file: &File, volume: &Volume) -> Result<(), Halt> {
        let to = self.location("move")?;
        let export = self.checked(file, volume, to.clone())?;
        let job = match self.start(export, ExportMode::Move, &to).await? {
            Ok(job) => job,
            Err(failure) => return Err(failed(failure)),
        };
        if let JobEnd::Failed(failure) = self.follow(&job, LOOKS_AT_A_MOVE, &to).await? {
            return Err(failed(failure));
        }
        let completed = Instant::now();
        let mut wait = self.wish.first_wait;
        for look in 0..LOOKS_AT_AN_ALIAS {
            if look > 0 {
                self.wait(wait).await?;
                wait *= LONGER;
            }
            let place = self.whereabouts().await?;
            if let Whereabouts::Volume { .. } = place {
                if look == 0 {
                    self.seen.saw(Habit::AliasAtOnce);
                } else {
                    self.seen.saw(Habit::AliasLate);
                    self.seen.lasted(Measure::AliasAfter, completed.elapsed());
                }
                self.became_alias(&place, &to);
                let first = self.first_job.clone();
                return self.look_at_list(&job, first.as_ref()).await;
            }
        }
        Err(Halt::NotMoved)
    }

    fn became_alias(&mut self, place: &Whereabouts, to: &Location) {
        observe::alias(&mut self.seen, place, to);
        // Where its alias leads elsewhere, or it is gone, nobody knows what lies here.
        if place.is_at(&self.wish.volume, to) {
            self.leaves(to, Some(Left::OnlyCopy(to.clone())));
        }
    }

    /// What an export has left, once that is known: until then there may be an object.
    fn leaves(&mut self, to: &Location, what: Option<Left>) {
        let perhaps = Left::PerhapsObject(to.clone());
        self.left.retain(|left| *left != perhaps);
        self.left.extend(what);
    }

    /// Exports the alias as a copy: it names a place of its own, and may not overwrite, so that nothing is lost whatever
    /// the platform does.
    async fn export_alias(&mut self, file: &File) -> Result<(), Halt> {
        let to = self.location("alias")?;
        let request = ExportRequest::new(file.id.clone(), self.wish.volume.clone(), to.clone());
        match self
            .start(request.skip_checks(), ExportMode::Copy, &to)
            .await?
        {
            Err(failure) => observe::failed(&mut self.seen, &failure, Came::AtOnce),
            Ok(job) => match self.follow(&job, LOOKS_AT_A_FAILURE, &to).await? {
                // Of which object it is an alias now, nobody has looked.
                JobEnd::Completed => {}
                JobEnd::Failed(failure) => {
                    observe::failed(&mut self.seen, &failure, Came::InJob);
                    if self.seen.habits(OpenQuestion::FailedJob).next().is_none() {
                        self.read_failed(&job).await?;
                    }
                }
            },
        }
        Ok(())
    }

    /// Starts one export by a bulk call. An answer that is lost ends the rehearsal: nothing is sent again.
    async fn start(
        &mut self,
        export: CheckedExport,
        mode: ExportMode,
        to: &Location,
    ) -> Result<Result<ExportId, Failure>, Halt> {
        self.may_go_on()?;
        let batch = ExportBatch::new(vec![export]).expect("one export meets none");
        self.left.push(Left::PerhapsObject(to.clone()));
        let answer = match self.platform.exports.start_each(&batch, mode).await {
            Ok(answer) => answer,
            Err(error) => {
                if matches!(error.outcome(), Outcome::NotSent | Outcome::Refused) {
                    self.leaves(to, None);
                }
                return Err(error.into());
            }
        };
        let asked = batch.iter().map(ExportKey::from);
        observe::bulk(&mut self.seen, answer.status, &answer.value.items, asked);
        let request_id = answer.request_id.as_deref();
        match answer.value.items.into_iter().next() {
            Some(BulkItem::Resource(job, _)) => Ok(Ok(job.id)),
            Some(BulkItem::Error(error, _)) => {
                self.leaves(to, None);
                Ok(Err(Failure::of(&error, request_id)))
            }
            Some(BulkItem::Unreadable { .. }) | None => Err(Halt::Unsaid),
        }
    }

    /// Reads a job until it has ended.
    async fn follow(&mut self, job: &ExportId, looks: u32, to: &Location) -> Result<JobEnd, Halt> {
        let mut wait = self.wish.first_wait;
        for _ in 0..looks {
            self.wait(wait).await?;
            wait *= LONGER;
            let batch = Batch::new(vec![job.clone()]).expect("one job");
            let read = self
                .platform
                .exports
                .get_bulk::<JobStanding>(&batch)
                .await?
                .value;
            let Some(standing) = read.items.into_iter().find_map(BulkItem::into_resource) else {
                continue;
            };
            observe::states(&mut self.seen, std::slice::from_ref(&standing));
            match standing.state.known() {
                Some(ExportState::Completed) => return Ok(JobEnd::Completed),
                Some(ExportState::Failed) => {
                    self.leaves(to, None);
                    return Ok(JobEnd::Failed(why(&standing)));
                }
                Some(ExportState::Pending | ExportState::Running) | None => {}
            }
        }
        Err(Halt::Unended {
            export: job.clone(),
        })
    }

    /// Reads one failed job by itself: the status under which it comes is a question of its own.
    async fn read_failed(&mut self, job: &ExportId) -> Result<(), Halt> {
        self.may_go_on()?;
        let status = self.platform.exports.get(job).await?.status;
        self.seen.saw(if status == 200 {
            Habit::FailedJob200
        } else {
            Habit::FailedJobError
        });
        Ok(())
    }

    async fn whereabouts(&self) -> Result<Whereabouts, Halt> {
        self.may_go_on()?;
        match self.platform.files.get(&self.wish.file).await {
            Ok(file) => Ok(Whereabouts::of(&file.value.storage)),
            Err(error) if error.status() == Some(404) => Ok(Whereabouts::Gone),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a page of the list of jobs: whether it shows this one, and where beside an older one.
    async fn look_at_list(&mut self, job: &ExportId, older: Option<&ExportId>) -> Result<(), Halt> {
        self.may_go_on()?;
        let filter = ExportFilter::to(self.wish.volume.clone());
        let asked = Instant::now();
        let mut list = self.platform.exports.list(&filter);
        let page = list.next_page().await?.map(|page| page.items);
        let page: Vec<ExportJob> = page.unwrap_or_default();
        let is_listed = |id: &ExportId| page.iter().any(|listed| listed.id == *id);
        match (&self.first_job, self.unlisted) {
            (Some(first), Some(unlisted)) if is_listed(first) => {
                self.seen.saw(Habit::ListedLate);
                let late = asked - unlisted.accepted;
                self.seen.lasted(Measure::ListedAfter, late);
                self.unlisted = None;
            }
            _ if is_listed(job) => self.seen.saw(Habit::ListedAtOnce),
            // Where the list has more pages, it may stand on another.
            (_, None) if list.has_ended() && older.is_none() => {
                self.unlisted = Some(NotListed { accepted: asked });
            }
            (_, Some(_) | None) => {}
        }
        let places = older.map(|older| observe::order_of(&page, older, job));
        if let Some(order) = places.flatten() {
            self.seen.saw(order);
        }
        Ok(())
    }
}

fn why(job: &JobStanding) -> Failure {
    match job.error.value() {
        Some(error) => Failure::of(error, None),
        None => Failure {
            code: None,
            status: None,
            message: "the platform gives no reason".to_owned(),
            request_id: None,
        },
    }
}

fn failed(failure: Failure) -> Halt {
    Halt::Failed {
        code: failure.code,
        message: failure.message,
    }
}
