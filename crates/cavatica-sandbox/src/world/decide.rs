//! What the platform accepts, and what becomes of it.

use cavatica_model::destination::MAX_KEY_BYTES;
use cavatica_model::finding::{Objection, Warning};
use cavatica_model::{ApiError, ExportMode, ExportProperties, ExportRequest, ExportState, Tri};

use super::view::{Links, USUAL_LOCATION};
use super::{By, Event, NodeKind, Place, Start, StoreKind, Twist, World};
use crate::clock::Millis;
use crate::wire::refusal::Code;
use crate::world::number::scatter;
use crate::world::quirk::Quirk;

/// How many unfinished jobs an account may have, with a quirk.
const FEW_JOBS: u64 = 120;

/// An export that somebody asks for, as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) by: By,
    pub(crate) file: String,
    pub(crate) volume: String,
    pub(crate) location: String,
    pub(crate) mode: ExportMode,
    pub(crate) overwrite: bool,
    pub(crate) properties: Tri<Box<ExportProperties>>,
}

/// How long jobs take and how many of them fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobTiming {
    pub(crate) shortest: Millis,
    pub(crate) longest: Millis,
    /// Between 0 and 1.
    pub(crate) fail_share: f64,
}

impl JobTiming {
    /// Between two spans in milliseconds.
    pub(crate) fn between(shortest: u64, longest: u64, fail_share: f64) -> Self {
        let millis = |span| Millis::try_from(span).unwrap_or(Millis::MAX);
        JobTiming {
            shortest: millis(shortest),
            longest: millis(longest),
            fail_share,
        }
    }
}

/// What goes wrong with one job on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    /// The code that it will fail with.
    pub(crate) doom: Option<Code>,
    /// What is odd about its completion.
    pub(crate) twist: Option<Twist>,
}

/// What is to be done for a job whose time has come.
pub(crate) enum Due {
    /// Write this down; nothing else is to be done.
    Note(Event),
    /// Bytes have to be moved first.
    Carry(Errand),
}

/// The bytes of one job.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    pub(crate) job: u32,
    pub(crate) file: u32,
    pub(crate) volume: u32,
    pub(crate) location: Box<str>,
    pub(crate) size: u64,
    pub(crate) replacing: Replacing,
    pub(crate) doom: Option<Code>,
}

/// What becomes of an object that lies where another is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replacing {
    /// There is none.
    Nothing,
    /// It is deleted before anything is written, as documented: a failure leaves neither.
    DeleteFirst,
    /// It is deleted when the new one has arrived.
    DeleteLast,
    /// Only the bucket knows whether there is one: ask it, then [`World::replacing`].
    AskBucket,
}

impl World {
    /// Accepts or refuses an export, by the model's own rules and by what only the platform knows.
    pub(crate) fn start(
        &self,
        wish: Wish,
        timing: JobTiming,
        fate: Fate,
        now: Millis,
    ) -> Result<Start, ApiError> {
        let (volume, state) = self
            .volume(&wish.volume)
            .ok_or_else(|| Code::NO_VOLUME.error())?;
        let account = wish.by.account();
        if wish.by.is_client() && !state.members.contains_key(account) {
            return Err(Code::NO_VOLUME.error());
        }
        if wish.by.is_client() && !state.permissions(account).write {
            return Err(Code::NO_VOLUME_RIGHT.error());
        }
        let file = self
            .file_by_id(&wish.file)
            .ok_or_else(|| Code::NO_FILE_TO_EXPORT.error())?;
        if state.prefix.is_empty() && wish.location.is_empty() {
            return Err(Code::INVALID_SYNTAX.because("Location can't be empty."));
        }
        if wish.location.ends_with('/') {
            return Err(Code::LOCATION_IS_FOLDER.error());
        }
        let mut doom = fate.doom;
        match self.judge(file, volume, &wish.properties) {
            Err(Code::NOT_EXPORTABLE) if self.quirks.contains(&Quirk::RefuseInJob) => {
                doom = Some(Code::NOT_EXPORTABLE);
            }
            Err(code) => return Err(code.error()),
            Ok(()) => {}
        }
        let occupied = state.objects.contains_key(&*wish.location);
        if occupied && !wish.overwrite && self.quirks.contains(&Quirk::OccupiedAtStart) {
            return Err(Code::JOB_LOCATION_OCCUPIED.error());
        }

        if self.quirks.contains(&Quirk::FewJobs) && self.unfinished_of(account) >= FEW_JOBS {
            return Err(Code::RATE_LIMIT.because("Too many jobs are unfinished."));
        }

        let job = u64::try_from(self.jobs.len()).unwrap_or(u64::MAX);
        let mut chance = fastrand::Rng::with_seed(scatter(self.seed, job));
        let span = chance.i64(timing.shortest..=timing.longest.max(timing.shortest));
        let fails = chance.f64() < timing.fail_share;
        Ok(Start {
            file,
            volume,
            location: wish.location.into(),
            mode: wish.mode,
            overwrite: wish.overwrite,
            properties: self.heeded(wish.properties),
            at: now,
            runs_at: now + span / 3,
            ends_at: now + span,
            doom: doom.or(fails.then_some(Code::JOB_STORAGE_ERROR)),
            twist: fate.twist,
            by: wish.by,
        })
    }

    fn unfinished_of(&self, account: &str) -> u64 {
        [ExportState::Pending, ExportState::Running]
            .into_iter()
            .map(|state| self.count(Some(account), None, state))
            .sum()
    }

    /// What counts of the properties that are asked for.
    fn heeded(&self, mut asked: Tri<Box<ExportProperties>>) -> Tri<Box<ExportProperties>> {
        if let Tri::Value(properties) = &mut asked
            && self.quirks.contains(&Quirk::OtherKmsKey)
        {
            properties.sse_aws_kms_key_id = Tri::Absent;
        }
        asked
    }

    /// The object that a start deletes although it is going to be refused, because it looks at the file last.
    pub(crate) fn deleted_by_start(&self, wish: &Wish) -> Option<(u32, Box<str>)> {
        let careless = self.quirks.contains(&Quirk::DeleteBeforeCheck)
            && !self.quirks.contains(&Quirk::RefuseInJob);
        if !careless || !wish.overwrite {
            return None;
        }
        let (volume, state) = self.volume(&wish.volume)?;
        let ours = !matches!(state.store, StoreKind::Bucket { .. });
        let there = ours && state.objects.contains_key(&*wish.location);
        let file = self.file_by_id(&wish.file)?;
        let refused = self.judge(file, volume, &wish.properties) == Err(Code::NOT_EXPORTABLE);
        (there && refused).then(|| (volume, wish.location.as_str().into()))
    }

    fn judge(
        &self,
        file: u32,
        volume: u32,
        properties: &Tri<Box<ExportProperties>>,
    ) -> Result<(), Code> {
        let links = Links(String::new());
        let file_view = self.file_view(file, &links);
        let volume_view = self.volume_view(volume, &links);
        // The platform keeps locations literally, so a harmless one stands in for the wish's own.
        let location = "location".parse().expect("an ordinary location");
        let mut request =
            ExportRequest::new(file_view.id.clone(), volume_view.id.clone(), location);
        if let Some(properties) = properties.value() {
            request = request.with_properties((**properties).clone());
        }
        let findings = request.findings(&file_view, &volume_view);
        if let Some(code) = findings.objections.iter().find_map(objection_code) {
            return Err(code);
        }
        if let Some(code) = findings.warnings.iter().find_map(warning_code) {
            return Err(code);
        }
        if let NodeKind::File(content) = &self.node(file).kind {
            let is_empty = content.size == 0 && self.quirks.contains(&Quirk::NoEmptyFiles);
            if content.archived || content.public_copy || is_empty {
                return Err(Code::NOT_EXPORTABLE);
            }
        }
        let project = &self.projects[self.node(file).project as usize];
        if project.location != USUAL_LOCATION && self.quirks.contains(&Quirk::RegionBound) {
            return Err(Code::OTHER_CLOUD);
        }
        let class = properties
            .value()
            .and_then(|asked| asked.aws_storage_class.value());
        if class.is_some() && self.quirks.contains(&Quirk::NoStorageClass) {
            return Err(Code::BAD_STORAGE_CLASS);
        }
        Ok(())
    }

    /// What is to be done for an unfinished job now, or `None` if it has ended.
    pub(crate) fn step(&self, number: u32, now: Millis) -> Option<Due> {
        let job = self.jobs.get(number as usize)?;
        match job.state {
            ExportState::Pending => Some(Due::Note(Event::Running { job: number })),
            ExportState::Running => Some(self.finish(number, self.moment(number, now))),
            ExportState::Completed => job
                .twist
                .and_then(Twist::settles_after)
                .map(|_| Due::Note(Event::Settled { job: number })),
            ExportState::Failed => None,
        }
    }

    /// When a job that ends now is said to have ended: what somebody else did before may lie in the past.
    pub(crate) fn moment(&self, number: u32, now: Millis) -> Millis {
        let job = &self.jobs[number as usize];
        match job.by.is_client() {
            true => now,
            false => job.ends_at.min(now),
        }
    }

    /// When something is to be done for a job next.
    pub(crate) fn due(&self, number: u32) -> Option<Millis> {
        let job = &self.jobs[number as usize];
        match job.state {
            ExportState::Pending => Some(job.runs_at),
            ExportState::Running => Some(job.ends_at),
            ExportState::Completed => {
                let after = job.twist.and_then(Twist::settles_after)?;
                Some(job.finished_at.saturating_add(after))
            }
            ExportState::Failed => None,
        }
    }

    fn finish(&self, number: u32, now: Millis) -> Due {
        let job = &self.jobs[number as usize];
        let volume = &self.volumes[job.volume as usize];
        let fail = |code| {
            Due::Note(Event::Failed {
                job: number,
                at: now,
                code,
                why: None,
            })
        };
        if !volume.active {
            return fail(Code::VOLUME_INACTIVE);
        }
        if volume.access_mode != "RW" {
            return fail(Code::JOB_VOLUME_NOT_WRITABLE);
        }
        let NodeKind::File(content) = &self.node(job.file).kind else {
            return fail(Code::NOT_EXPORTABLE);
        };
        let replacing = match &volume.store {
            StoreKind::Bucket { .. } => Ok(Replacing::AskBucket),
            StoreKind::Folder | StoreKind::KeysOnly => {
                self.replacing(number, volume.objects.contains_key(&job.location))
            }
        };
        let replacing = match replacing {
            Ok(replacing) => replacing,
            Err(code) => return fail(code),
        };
        // Another job for the same file was faster.
        let mut doom = job.doom;
        if matches!(content.place, Place::Alias { .. } | Place::Gone) {
            if !self.quirks.contains(&Quirk::DeleteBeforeCheck) {
                return fail(Code::NOT_EXPORTABLE);
            }
            doom = Some(Code::NOT_EXPORTABLE);
        }
        let key_bytes = self.key(job.volume, &job.location).len();
        if key_bytes > MAX_KEY_BYTES || key_bytes == 0 {
            return fail(Code::JOB_LOCATION_NOT_ACCESSIBLE);
        }
        if let Some(code) = doom
            && matches!(replacing, Replacing::Nothing | Replacing::DeleteLast)
        {
            return fail(code);
        }
        if job.twist == Some(Twist::Hollow) && doom.is_none() {
            return Due::Note(Event::Completed {
                job: number,
                at: now,
                size: content.size,
                etag: String::new(),
            });
        }
        let bytes_to_move =
            volume.store != StoreKind::KeysOnly || matches!(content.place, Place::Disk);
        if replacing == Replacing::Nothing && !bytes_to_move {
            return Due::Note(Event::Completed {
                job: number,
                at: now,
                size: content.size,
                etag: self.stand_in_etag(job.file, content.size),
            });
        }
        Due::Carry(Errand {
            job: number,
            file: job.file,
            volume: job.volume,
            location: job.location.clone(),
            size: content.size,
            replacing,
            doom,
        })
    }

    /// What becomes of an object in a job's way, or the code with which it stops the job.
    pub(crate) fn replacing(&self, number: u32, occupied: bool) -> Result<Replacing, Code> {
        let overwrite = self.jobs[number as usize].overwrite;
        if !occupied {
            Ok(Replacing::Nothing)
        } else if !overwrite && !self.quirks.contains(&Quirk::LastWins) {
            Err(Code::JOB_LOCATION_OCCUPIED)
        } else if self.quirks.contains(&Quirk::DeleteLast) {
            Ok(Replacing::DeleteLast)
        } else {
            Ok(Replacing::DeleteFirst)
        }
    }

    /// What stands for the checksum of bytes that were never made.
    pub(crate) fn stand_in_etag(&self, file: u32, size: u64) -> String {
        let key = scatter(self.seed, file.into());
        format!("{key:016x}{:016x}", scatter(key, size))
    }

    pub(crate) fn is_synthetic(&self, file: u32) -> bool {
        matches!(
            &self.node(file).kind,
            NodeKind::File(content) if matches!(content.place, Place::Synthetic)
        )
    }
}

/// The code with which the platform refuses what the model objects to.
fn objection_code(objection: &Objection) -> Option<Code> {
    match objection {
        Objection::Alias { .. }
        | Objection::PublicFile
        | Objection::Folder
        | Objection::TooLarge { .. } => Some(Code::NOT_EXPORTABLE),
        Objection::VolumeReadOnly { .. } => Some(Code::VOLUME_NOT_WRITABLE),
        Objection::VolumeInactive => Some(Code::VOLUME_INACTIVE),
        Objection::ServiceWithoutExports { service, .. } if service.eq_ignore_ascii_case("gcs") => {
            Some(Code::GCS_IS_READ_ONLY)
        }
        Objection::ServiceWithoutExports { .. } => Some(Code::OTHER_CLOUD),
        Objection::KmsKeyWithoutKms { .. } | Objection::KmsKeyTwice => Some(Code::INVALID_SYNTAX),
        // The platform isn't documented to look at unknown properties; locations are kept literally; the others can't
        // come up, because the check is given what the request names.
        _ => None,
    }
}

fn warning_code(warning: &Warning) -> Option<Code> {
    match warning {
        Warning::UnknownValue { property, .. } => Some(match *property {
            "sse_algorithm" => Code::BAD_SSE,
            "aws_canned_acl" => Code::BAD_ACL,
            _ => Code::BAD_STORAGE_CLASS,
        }),
        _ => None,
    }
}
