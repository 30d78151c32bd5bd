//! Looking up what became of files whose answers were lost.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use cavatica_exports::ExportFilter;
use cavatica_exports::model::{
    Batch, BulkItem, ExportId, ExportJob, ExportMode, ExportState, FileId, VolumeId,
};
use jiff::SignedDuration;

use super::AskError;
use crate::platform::Platform;
use crate::reconcile::{ListReach, Look, Question, Whereabouts, judge};

/// How much a look may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Only what shows success at once: unfinished jobs and, for a move, where the bytes lie.
    Unfinished,
    /// Reading all of the account's jobs on the volume is allowed only where that is cheap.
    Cheap,
    /// It is allowed whatever it costs: there is nothing else to do.
    Whole,
}

/// A whole list of at most so many pages is always read.
const CHEAP_PAGES: u64 = 20;

/// How often a list is read again that turned out to be incomplete.
const LIST_ATTEMPTS: u32 = 3;

/// What was seen.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) mode: ExportMode,
    pub(crate) volume: VolumeId,
    pub(crate) skew: SignedDuration,
    pub(crate) jobs: HashMap<FileId, Vec<ExportJob>>,
    pub(crate) reach: ListReach,
    pub(crate) whereabouts: HashMap<FileId, Whereabouts>,
    /// Whether the whole list was read and did not have as many jobs as it said.
    pub(crate) list: ListState,
}

/// Whether the list of jobs could be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListState {
    /// It was not needed, or too dear for now.
    NotRead,
    /// It was.
    Whole,
    /// It was tried, and fewer jobs came than the list said it had.
    Incomplete,
}

impl Seen {
    pub(crate) fn look(&self) -> Look<'_> {
        Look {
            mode: self.mode,
            volume: &self.volume,
            jobs: &self.jobs,
            reach: self.reach,
            whereabouts: &self.whereabouts,
            skew: self.skew,
        }
    }

    fn settles(&self, question: &Question) -> bool {
        judge(question, &self.look()).is_some()
    }
}

/// Asks the platform about files, cheapest question first.
///
/// 1. The jobs that are unfinished: few.
/// 2. For a move, where the files' bytes lie: a hundred files per request. After the list, so that a job that ends in
///    between is missing from neither.
/// 3. For those still open, all jobs. Jobs can't be deleted, so the unfiltered list only grows: read forward, it can't
///    lose a job that was in it before. Only this can prove that there is no job.
/// 4. For a move, where the bytes of those lie that the list didn't show.
pub(crate) async fn look_up(
    platform: &Platform,
    mode: ExportMode,
    volume: &VolumeId,
    skew: SignedDuration,
    questions: &[Question],
    reach: Reach,
) -> Result<Seen, AskError> {
    let mut seen = Seen {
        mode,
        volume: volume.clone(),
        skew,
        jobs: HashMap::new(),
        reach: ListReach::Part,
        whereabouts: HashMap::new(),
        list: ListState::NotRead,
    };
    let wanted: HashSet<&FileId> = questions
        .iter()
        .map(|question| &question.item.file)
        .collect();
    let unfinished = ExportFilter {
        volume: Some(volume.clone()),
        states: vec![ExportState::Pending, ExportState::Running],
    };
    read_list(platform, &unfinished, &wanted, &mut seen.jobs).await?;
    look_at_files(platform, questions, &mut seen).await?;

    let open = questions
        .iter()
        .filter(|question| !seen.settles(question))
        .count();
    if open == 0 || reach == Reach::Unfinished {
        return Ok(seen);
    }
    let all = ExportFilter {
        volume: Some(volume.clone()),
        states: Vec::new(),
    };
    if reach == Reach::Cheap {
        let total = platform.exports.count(&all).await?;
        let pages = total.map_or(u64::MAX, |total| total.div_ceil(100));
        if pages > CHEAP_PAGES.max(open as u64) {
            return Ok(seen);
        }
    }
    seen.list = ListState::Incomplete;
    for _ in 0..LIST_ATTEMPTS {
        let counts = read_list(platform, &all, &wanted, &mut seen.jobs).await?;
        // Without a total the links alone say where the list ends.
        if counts.told.is_none_or(|told| counts.distinct >= told) {
            seen.list = ListState::Whole;
            break;
        }
    }
    seen.whereabouts.clear();
    look_at_files(platform, questions, &mut seen).await?;
    if seen.list == ListState::Whole {
        seen.reach = ListReach::Everything;
    }
    Ok(seen)
}

/// How many jobs came, and how many the list said it had.
struct Counts {
    distinct: u64,
    told: Option<u64>,
}

async fn read_list(
    platform: &Platform,
    filter: &ExportFilter,
    wanted: &HashSet<&FileId>,
    jobs: &mut HashMap<FileId, Vec<ExportJob>>,
) -> Result<Counts, AskError> {
    let mut pager = platform.exports.list(filter);
    // Eight bytes for each job: should two hashes meet, the list counts as incomplete, which is the safe side.
    let mut distinct: HashSet<u64> = HashSet::new();
    while let Some(page) = pager.next_page().await? {
        for job in page.items {
            let file = job.source.value().map(|source| source.file.clone());
            distinct.insert(hashed(&job.id));
            if let Some(file) = file.filter(|file| wanted.contains(file)) {
                let known = jobs.entry(file).or_default();
                // The newest look at a job counts.
                known.retain(|known| known.id != job.id);
                known.push(job);
            }
        }
    }
    Ok(Counts {
        distinct: distinct.len() as u64,
        told: pager.total(),
    })
}

fn hashed(id: &ExportId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// Looks where the bytes of those files lie that no job speaks for. A copy leaves its source alone, so there it says
/// nothing.
async fn look_at_files(
    platform: &Platform,
    questions: &[Question],
    seen: &mut Seen,
) -> Result<(), AskError> {
    if seen.mode == ExportMode::Copy {
        return Ok(());
    }
    let open: Vec<FileId> = questions
        .iter()
        .filter(|question| !seen.settles(question))
        .map(|question| question.item.file.clone())
        .collect();
    seen.whereabouts.extend(whereabouts(platform, &open).await?);
    Ok(())
}

/// Where the bytes of these files lie; a file that can't be read now is left out.
pub(crate) async fn whereabouts(
    platform: &Platform,
    files: &[FileId],
) -> Result<HashMap<FileId, Whereabouts>, AskError> {
    let mut places = HashMap::new();
    for chunk in files.chunks(Batch::<FileId>::MAX) {
        let batch = Batch::new(chunk.to_vec()).expect("a chunk has 1 to 100 items");
        let answer = platform.files.get_bulk(&batch).await?.value;
        let count_agrees = answer.items.len() == chunk.len();
        let mut refusals = Vec::new();
        for (position, item) in answer.items.into_iter().enumerate() {
            match item {
                BulkItem::Resource(file, _) => {
                    places.insert(file.id.clone(), Whereabouts::of(&file));
                }
                BulkItem::Error(error, _) => refusals.push((position, error)),
                BulkItem::Unreadable { .. } => {}
            }
        }
        for (position, error) in refusals {
            // An error names no file; it is believed only where its place is free. 5002: the file does not exist.
            if count_agrees && error.code() == Some(5002) {
                places
                    .entry(chunk[position].clone())
                    .or_insert(Whereabouts::Gone);
            }
        }
    }
    Ok(places)
}
