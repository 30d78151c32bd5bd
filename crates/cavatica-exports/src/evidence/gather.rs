//! Asking the platform what became of files.

use std::collections::{HashMap, HashSet};

use super::judge::{Clocks, Question, Trace, judge};
use super::list_order::ListOrder;
use super::settling::Extent;
use super::shown::Evidence;
use super::whereabouts::{Whereabouts, is_of_no_file};
use super::whole_list::ListedJobs;
use crate::model::bulk::{Batch, BulkItem, ExportBatchError};
use crate::model::file::StoredFile;
use crate::model::job::JobStanding;
use crate::model::{ExportId, ExportMode, ExportState, FileId, Location, VolumeId};
use crate::transport::Error;
use crate::{Cavatica, ExportFilter, ListError};

/// How much an inquiry may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Lists are read where that is cheap.
    Cheap,
    /// All of the account's jobs on the volume are read whatever it costs: there is nothing else to do.
    Whole,
}

/// A list of at most so many pages is always read.
const CHEAP_PAGES: u64 = 20;

/// How often a list is read again that turned out to be incomplete.
const LIST_ATTEMPTS: u32 = 3;

/// What is asked.
#[derive(Debug)]
pub struct Asked {
    /// Whether the files were moved or copied.
    pub mode: ExportMode,
    /// The volume they were sent to.
    pub volume: VolumeId,
    /// The files.
    pub questions: Vec<Question>,
    /// How much it may cost.
    pub effort: Effort,
    /// Jobs of ours that were accepted long ago: those that are unfinished must be listed.
    pub in_flight: Vec<ExportId>,
    /// For copies, of which only a date or the object itself says whose they are.
    pub clocks: Clocks,
}

/// Why a question went unanswered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] Error),
    /// A list couldn't be read.
    #[error(transparent)]
    List(#[from] ListError),
    /// A file couldn't be read.
    #[error("file {file} can't be read now")]
    Unread {
        /// The file.
        file: FileId,
    },
    /// The requests meet.
    #[error(transparent)]
    Batch(#[from] ExportBatchError),
}

impl AskError {
    /// The platform's refusal of the account as a whole, if it is one: asking again is useless.
    pub fn refusal(self) -> Result<Error, Self> {
        let refused = |error: &Error| matches!(error.status(), Some(401 | 403));
        match self {
            AskError::Call(error) | AskError::List(ListError::Call(error)) if refused(&error) => {
                Ok(error)
            }
            other @ (AskError::Call(_)
            | AskError::List(_)
            | AskError::Unread { .. }
            | AskError::Batch(_)) => Err(other),
        }
    }
}

/// Asks the platform about files, cheapest question first.
///
/// 1. The jobs that are unfinished: few.
/// 2. For a move, where the files' bytes lie: a hundred files per request. After the list, so that a job that ends in
///    between is missing from neither.
/// 3. For those still open, all jobs. Jobs can't be deleted, so the unfiltered list only grows: read forward, it can't
///    lose a job that was in it before. Then, for a move, the files once more.
/// 4. Where the whole list is too dear, for a move the failed jobs, the files once more, and the unfinished ones once more.
pub async fn gather(platform: &Cavatica, asked: &Asked) -> Result<Evidence, AskError> {
    let wanted: HashSet<&FileId> = asked
        .questions
        .iter()
        .map(|question| &question.file)
        .collect();
    let mut reading = Gathering {
        platform,
        asked,
        wanted,
        evidence: Evidence {
            jobs: HashMap::new(),
            whereabouts: HashMap::new(),
            objects: HashSet::new(),
            extent: Extent::Unfinished,
            clean: true,
            listed: HashSet::new(),
            order: None,
        },
    };
    let unfinished = reading.filter(&[ExportState::Pending, ExportState::Running]);
    // Only what it shows counts: that something is missing there, the other lists have to say.
    reading.list_once(&unfinished).await?;
    reading.files().await?;
    let open = reading.open();
    if open == 0 {
        return Ok(reading.evidence);
    }
    let all = reading.filter(&[]);
    if reading.is_affordable(&all, open).await? {
        reading.evidence.clean = reading.list(&all).await?;
        reading.files().await?;
        reading.objects().await?;
        reading.evidence.extent = Extent::Whole;
    } else if asked.mode == ExportMode::Move {
        let failed = reading.filter(&[ExportState::Failed]);
        if reading.is_affordable(&failed, open).await? {
            let mut is_whole = reading.list(&failed).await?;
            reading.files().await?;
            is_whole &= reading.list(&unfinished).await?;
            reading.must_list_in_flight().await?;
            if is_whole {
                reading.evidence.extent = Extent::States;
            }
        }
    }
    Ok(reading.evidence)
}

struct Gathering<'a> {
    platform: &'a Cavatica,
    asked: &'a Asked,
    wanted: HashSet<&'a FileId>,
    evidence: Evidence,
}

impl Gathering<'_> {
    fn filter(&self, states: &[ExportState]) -> ExportFilter {
        ExportFilter::to(self.asked.volume.clone()).in_states(states.iter().copied())
    }

    /// How many of the files show neither a job under way nor their own arrival.
    fn open(&self) -> usize {
        let is_open = |question: &&Question| {
            let file = &question.file;
            let mut jobs = self.evidence.jobs.get(file).into_iter().flatten();
            let place = self.evidence.whereabouts.get(file);
            let arrived =
                place.is_some_and(|place| place.is_at(&self.asked.volume, &question.location));
            !arrived && !jobs.any(|job| !job.is_final())
        };
        self.asked.questions.iter().filter(is_open).count()
    }

    async fn is_affordable(&self, list: &ExportFilter, open: usize) -> Result<bool, AskError> {
        if self.asked.effort == Effort::Whole {
            return Ok(true);
        }
        let total = self.platform.exports.count(list).await?;
        let pages = total.map_or(u64::MAX, |total| total.div_ceil(100));
        Ok(pages <= CHEAP_PAGES.max(open as u64))
    }

    /// Reads a list to its end, again if some of it may be missing. Whether all of it came in the end.
    async fn list(&mut self, filter: &ExportFilter) -> Result<bool, AskError> {
        let jobs_leave = filter.states.iter().any(|state| !state.is_final());
        let mut before = None;
        for _ in 0..LIST_ATTEMPTS {
            let listed = self.list_once(filter).await?;
            let are_all = match jobs_leave {
                true => listed.are_all_unfinished(before.as_ref()),
                false => listed.are_all(),
            };
            if are_all {
                return Ok(true);
            }
            before = Some(listed);
        }
        Ok(false)
    }

    async fn list_once(&mut self, filter: &ExportFilter) -> Result<ListedJobs, AskError> {
        let mut pager = self.platform.exports.list(filter);
        let mut listed = ListedJobs::default();
        while let Some(page) = pager.next_page().await? {
            listed.came(&page.items, pager.total());
            self.evidence.order = ListOrder::of(&page.items).or(self.evidence.order);
            for job in page.items {
                let file = job.source.value().map(|source| source.file.clone());
                if let Some(file) = file.filter(|file| self.wanted.contains(file)) {
                    let known = self.evidence.jobs.entry(file).or_default();
                    // The newest look at a job counts.
                    known.retain(|known| known.id != job.id);
                    known.push(job);
                }
            }
        }
        // What an earlier list showed, this one need not know yet.
        if filter.states.is_empty() {
            self.evidence.listed.clear();
        }
        self.evidence.listed.extend(listed.hashes());
        Ok(listed)
    }

    /// Looks where the bytes of the files lie. A copy leaves its source alone, so there it says nothing.
    async fn files(&mut self) -> Result<(), AskError> {
        if self.asked.mode == ExportMode::Copy {
            return Ok(());
        }
        let files = self
            .asked
            .questions
            .iter()
            .map(|question| question.file.clone());
        let places = whereabouts(self.platform, &files.collect::<Vec<_>>()).await?;
        self.evidence.whereabouts.extend(places);
        Ok(())
    }

    /// Looks for the objects of copies of which nothing else says whose they are.
    async fn objects(&mut self) -> Result<(), AskError> {
        if self.asked.mode == ExportMode::Move {
            return Ok(());
        }
        let Asked {
            mode,
            volume,
            clocks,
            ..
        } = self.asked;
        let whose = |question: &&Question| {
            let trace = judge(question, *mode, volume, &self.evidence, clocks);
            matches!(trace, Trace::Whose(_))
        };
        let unclear: Vec<&Question> = self.asked.questions.iter().filter(whose).collect();
        for question in unclear {
            if object_exists(self.platform, volume, &question.location).await? {
                self.evidence.objects.insert(question.file.clone());
            }
        }
        Ok(())
    }

    /// A job of ours that is unfinished by its id must be in the lists of unfinished ones, or they don't show everything.
    async fn must_list_in_flight(&mut self) -> Result<(), AskError> {
        let missing = self.asked.in_flight.iter();
        let missing: Vec<ExportId> = missing
            .filter(|export| !self.evidence.shows(export.as_str()))
            .cloned()
            .collect();
        for ids in missing.chunks(Batch::<ExportId>::MAX) {
            let batch = Batch::new(ids.to_vec()).expect("a chunk has 1 to 100 items");
            let answer = self
                .platform
                .exports
                .get_bulk::<JobStanding>(&batch)
                .await?
                .value;
            let mut jobs = answer.items.iter().filter_map(BulkItem::resource);
            self.evidence.clean &= jobs.all(|job| job.is_final());
        }
        Ok(())
    }
}

/// Whether there is an object at a location of a volume.
pub async fn object_exists(
    platform: &Cavatica,
    volume: &VolumeId,
    location: &Location,
) -> Result<bool, AskError> {
    match platform.volumes.object(volume, location.as_str()).await {
        Ok(_) => Ok(true),
        Err(error) if error.status() == Some(404) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Where the bytes of these files lie; a file that can't be read now is left out.
pub async fn whereabouts(
    platform: &Cavatica,
    files: &[FileId],
) -> Result<HashMap<FileId, Whereabouts>, AskError> {
    let mut places = HashMap::new();
    for chunk in files.chunks(Batch::<FileId>::MAX) {
        let batch = Batch::new(chunk.to_vec()).expect("a chunk has 1 to 100 items");
        let answer = platform.files.get_bulk::<StoredFile>(&batch).await?.value;
        let count_agrees = answer.items.len() == chunk.len();
        let mut refusals = Vec::new();
        for (position, item) in answer.items.into_iter().enumerate() {
            match item {
                BulkItem::Resource(file, _) => {
                    places.insert(file.id.clone(), Whereabouts::of(&file.storage));
                }
                BulkItem::Error(error, _) => refusals.push((position, error)),
                BulkItem::Unreadable { .. } => {}
            }
        }
        for (position, error) in refusals {
            // An error names no file; it is believed only where its place is free.
            if count_agrees && is_of_no_file(&error) {
                places
                    .entry(chunk[position].clone())
                    .or_insert(Whereabouts::Gone);
            }
        }
    }
    Ok(places)
}
