//! What goes on beside the loop, and what it brings back.

mod reading;

pub(super) use reading::{Reading, What, read};

use std::collections::{HashMap, HashSet};

use cavatica_exports::model::account::User;
use cavatica_exports::model::bulk::{Batch, BulkAnswer, BulkItem};
use cavatica_exports::model::file::StoredFile;
use cavatica_exports::model::job::{JobStanding, StartedJob};
use cavatica_exports::model::wire::Entry;
use cavatica_exports::model::{
    CheckedExport, ExportBatch, ExportId, ExportJob, ExportMode, ExportState, FileId, Volume,
    VolumeId,
};
use cavatica_exports::transport::{Error, Fetched};
use cavatica_exports::{Cavatica, ExportFilter, ListError, Parent};
use jiff::Timestamp;
use tokio::time::Instant;

use super::folders::{FileList, PageWish};
use super::way::LARGEST_PAGE;
use crate::evidence::{
    AskError, Asked, Evidence, ListOrder, ListedJobs, Whereabouts, gather, whereabouts,
};
use crate::journal::{Failed, FolderId, Intent, Terms};
use crate::mutation::Mutation;

/// What a task brought back.
#[derive(Debug)]
pub(super) enum Done {
    /// The platform was looked at before anything was sent.
    Opened {
        account: Result<Fetched<User>, Error>,
        volume: Box<Result<Fetched<Volume>, Error>>,
        unfinished: Result<Unfinished, AskError>,
    },
    /// A bulk start ended, one way or another.
    Started {
        intent: Intent,
        /// When it began: its request wasn't sent before.
        began: Instant,
        result: Result<Fetched<BulkAnswer<StartedJob>>, Error>,
    },
    /// A bulk start was not sent: its files were read before, and not all of them were still on the platform.
    Withheld {
        intent: Intent,
        result: Result<HashMap<FileId, Whereabouts>, AskError>,
    },
    /// Unfinished jobs were counted.
    Counted(Result<Unfinished, AskError>),
    /// All unfinished jobs were read.
    Swept(Result<Unfinished, AskError>),
    /// Files or jobs were read.
    Read(Box<Reading>),
    /// A page of a folder was read.
    Listed(Box<ListedPage>),
    /// Failed jobs were listed, or the first of them.
    Failures(Result<FailedJobs, AskError>),
    /// Failed files that are to be sent again were read.
    Revisited(Box<Revisited>),
    /// Files whose fate isn't known were inquired about.
    Inquired {
        asked: Box<Asked>,
        began: Instant,
        /// The same moment on the platform's clock.
        at: Timestamp,
        result: Result<Evidence, AskError>,
    },
    /// The source of the first copy was read again.
    SourceRead {
        file: FileId,
        result: Result<Option<Whereabouts>, AskError>,
    },
}

/// Jobs on the volume that are unfinished, of all that the account started.
#[derive(Debug)]
pub(super) struct Unfinished {
    /// How many, if the platform says.
    pub(super) total: Option<u64>,
    /// Those that were read, with their files.
    pub(super) jobs: Vec<(ExportId, FileId)>,
    /// Whether these are all.
    pub(super) are_all: bool,
    /// The order in which a page of them came, if that shows.
    pub(super) order: Option<ListOrder>,
}

/// Failed jobs on the volume, of all that the account started.
#[derive(Debug)]
pub(super) struct FailedJobs {
    /// How many, if the platform says.
    pub(super) total: Option<u64>,
    /// Those that were read.
    pub(super) jobs: HashSet<ExportId>,
}

/// A page of a folder.
#[derive(Debug)]
pub(super) struct ListedPage {
    pub(super) folder: FolderId,
    /// When it was begun.
    pub(super) began: Instant,
    /// How many of our files were expected on it.
    pub(super) expected: usize,
    /// What is on it.
    pub(super) files: Result<Vec<StoredFile>, ListError>,
    /// How many entries the folder has, if the platform says.
    pub(super) entries: Option<u64>,
    /// The list, unless it has ended.
    pub(super) list: Option<Box<FileList>>,
    /// Whether it was the first page.
    pub(super) first: bool,
}

/// Looks at the volume and at what is under way there.
pub(super) async fn open(platform: Cavatica, volume: VolumeId) -> Done {
    let (account, read, unfinished) = tokio::join!(
        platform.account.user(),
        platform.volumes.get(&volume),
        unfinished(&platform, &volume, 1)
    );
    Done::Opened {
        account,
        volume: Box::new(read),
        unfinished,
    }
}

/// Sends a call. Where it is to be careful, it reads the files first, and sends nothing unless all are on the platform.
pub(super) async fn start(platform: Cavatica, terms: Terms, intent: Intent, careful: bool) -> Done {
    if careful {
        let files: Vec<FileId> = intent.items.iter().map(|item| item.file.clone()).collect();
        let result = whereabouts(&platform, &files).await;
        let is_there = |places: &HashMap<FileId, Whereabouts>| {
            let there = |file| places.get(file) == Some(&Whereabouts::Platform);
            files.iter().all(there)
        };
        if !result.as_ref().is_ok_and(is_there) {
            return Done::Withheld { intent, result };
        }
    }
    // The plan checked every file when it was made; what changed since then the platform decides.
    let exports: Vec<CheckedExport> = intent
        .items
        .iter()
        .map(|item| terms.request(item).skip_checks())
        .collect();
    let batch = match ExportBatch::new(exports) {
        Ok(batch) => batch,
        // No plan has two files in one place, but a journal that somebody has edited may.
        Err(error) => {
            return Done::Withheld {
                intent,
                result: Err(error.into()),
            };
        }
    };
    let began = Instant::now();
    let mut result = platform.exports.start_each(&batch, terms.mode).await;
    if let Ok(answer) = &mut result {
        name_jobs(&platform, &mut answer.value.items).await;
        if Mutation::ItemErrorBelieved.is_on() {
            for item in &mut answer.value.items {
                if let BulkItem::Error(error, _) = item {
                    error.status = 403.into();
                }
            }
        }
    }
    Done::Started {
        intent,
        began,
        result,
    }
}

/// Reads those jobs of an answer by their ids that don't say whose they are: together, and if that says no more, one of them
/// by itself. Where that one says it, the others can be told apart too, if not here: they are lost answers. Else their order
/// is all there is.
async fn name_jobs(platform: &Cavatica, items: &mut [BulkItem<StartedJob>]) {
    let jobs = items.iter().filter_map(BulkItem::resource);
    let nameless = jobs.filter(|job| is_nameless(job));
    let ids: Vec<ExportId> = nameless.map(|job| job.id.clone()).collect();
    let Some(first) = ids.first().cloned() else {
        return;
    };
    let Ok(batch) = Batch::new(ids) else { return };
    let Ok(read) = platform.exports.get_bulk::<ExportJob>(&batch).await else {
        return;
    };
    let read = read
        .value
        .items
        .into_iter()
        .filter_map(BulkItem::into_resource);
    let mut read: HashMap<ExportId, ExportJob> = read.map(|job| (job.id.clone(), job)).collect();
    for item in &mut *items {
        if let BulkItem::Resource(job, _) = item
            && let Some(read) = read.remove(&job.id)
        {
            job.source = read.source;
            job.destination = read.destination;
        }
    }
    if !items.iter().filter_map(BulkItem::resource).any(is_nameless) {
        return;
    }
    let named_alone = platform.exports.get(&first).await.is_ok_and(|job| {
        job.value.source.value().is_some() && job.value.destination.value().is_some()
    });
    for item in items {
        if named_alone && item.resource().is_some_and(is_nameless) {
            *item = BulkItem::Unreadable {
                raw: serde_json::Value::Null,
                reason: "the job doesn't say whose it is".to_owned(),
            };
        }
    }
}

fn is_nameless(job: &StartedJob) -> bool {
    job.source.value().is_none() || job.destination.value().is_none()
}

/// The total of a list costs one request, however many of its entries come with it. So a page of them does, to see whose they
/// are.
pub(super) async fn count(platform: Cavatica, volume: VolumeId) -> Done {
    Done::Counted(unfinished(&platform, &volume, 1).await)
}

pub(super) async fn sweep(platform: Cavatica, volume: VolumeId) -> Done {
    Done::Swept(all_unfinished(&platform, &volume).await)
}

/// Reads the list once more where some of it may be missing, because jobs ended meanwhile.
async fn all_unfinished(platform: &Cavatica, volume: &VolumeId) -> Result<Unfinished, AskError> {
    let first = unfinished(platform, volume, usize::MAX).await?;
    if first.are_all {
        return Ok(first);
    }
    let mut again = unfinished(platform, volume, usize::MAX).await?;
    again.jobs.extend(first.jobs);
    Ok(again)
}

/// Reads so many pages of the unfinished jobs.
async fn unfinished(
    platform: &Cavatica,
    volume: &VolumeId,
    pages: usize,
) -> Result<Unfinished, AskError> {
    let unfinished = [ExportState::Pending, ExportState::Running];
    let filter = ExportFilter::to(volume.clone()).in_states(unfinished);
    let mut pager = platform.exports.list(&filter);
    let (mut jobs, mut order, mut listed) = (Vec::new(), None, ListedJobs::default());
    for _ in 0..pages {
        let Some(page) = pager.next_page().await? else {
            break;
        };
        order = ListOrder::of(&page.items).or(order);
        listed.came(&page.items, pager.total());
        let named = page.items.into_iter().filter(|job| !job.is_final());
        jobs.extend(named.filter_map(|job| {
            let file = job.source.value()?.file.clone();
            Some((job.id, file))
        }));
    }
    Ok(Unfinished {
        total: pager.total(),
        are_all: listed.are_all_unfinished(None),
        jobs,
        order,
    })
}

/// Lists the jobs that have failed, as far as they fit on a page.
pub(super) async fn failures(platform: Cavatica, volume: VolumeId) -> Done {
    let filter = ExportFilter::to(volume).in_states([ExportState::Failed]);
    let mut pager = platform.exports.list(&filter);
    let page = pager.next_page().await;
    Done::Failures(match page {
        Ok(page) => {
            let jobs = page.into_iter().flat_map(|page| page.items);
            Ok(FailedJobs {
                total: pager.total(),
                jobs: jobs.map(|job| job.id).collect(),
            })
        }
        Err(error) => Err(error.into()),
    })
}

/// Reads the next page of a folder.
pub(super) async fn list(platform: Cavatica, wish: PageWish) -> Done {
    let began = Instant::now();
    let first = wish.list.is_none();
    let mut list = wish.list.unwrap_or_else(|| {
        let page = u32::try_from(LARGEST_PAGE).expect("a thousand");
        let parent = Parent::Folder(wish.parent);
        Box::new(platform.files.scroll(&parent, page).leniently())
    });
    let page = list.next_page().await;
    let files = page.map(|page| {
        let entries = page.into_iter().flat_map(|page| page.items);
        let files = entries.filter_map(|entry| match entry {
            Entry::Read(file) => Some(file),
            Entry::Unreadable { .. } => None,
        });
        files.collect()
    });
    let ended = files.is_ok() && list.has_ended();
    Done::Listed(Box::new(ListedPage {
        folder: wish.folder,
        began,
        expected: wish.expected,
        files,
        entries: list.total(),
        list: (!ended).then_some(list),
        first,
    }))
}

/// What was read of failed files.
#[derive(Debug)]
pub(super) struct Revisited {
    pub(super) failed: Vec<Failed>,
    pub(super) jobs: Vec<JobStanding>,
    pub(super) places: HashMap<FileId, Whereabouts>,
    /// Files of unfinished jobs.
    pub(super) in_flight: HashSet<FileId>,
    pub(super) error: Option<AskError>,
}

/// Reads the jobs of failed files, what is under way on the volume, and for a move where the files lie.
pub(super) async fn revisit(platform: Cavatica, terms: Terms, failed: Vec<Failed>) -> Done {
    let mut revisited = Revisited {
        failed,
        jobs: Vec::new(),
        places: HashMap::new(),
        in_flight: HashSet::new(),
        error: None,
    };
    if let Err(error) = revisited.read(&platform, &terms).await {
        revisited.error = Some(error);
    }
    Done::Revisited(Box::new(revisited))
}

impl Revisited {
    async fn read(&mut self, platform: &Cavatica, terms: &Terms) -> Result<(), AskError> {
        let exports = self
            .failed
            .iter()
            .filter_map(|failed| failed.export.clone());
        if let Ok(batch) = Batch::new(exports.collect()) {
            let answer = platform.exports.get_bulk(&batch).await?.value;
            self.jobs = answer
                .items
                .into_iter()
                .filter_map(BulkItem::into_resource)
                .collect();
        }
        let unfinished = all_unfinished(platform, &terms.volume).await?;
        self.in_flight = unfinished.jobs.into_iter().map(|(_, file)| file).collect();
        if terms.mode == ExportMode::Move {
            let files: Vec<FileId> = self
                .failed
                .iter()
                .map(|failed| failed.item.file.clone())
                .collect();
            self.places = whereabouts(platform, &files).await?;
        }
        Ok(())
    }
}

pub(super) async fn inquire(
    platform: Cavatica,
    asked: Asked,
    began: Instant,
    at: Timestamp,
) -> Done {
    let result = gather(&platform, &asked).await;
    Done::Inquired {
        asked: Box::new(asked),
        began,
        at,
        result,
    }
}

pub(super) async fn read_source(platform: Cavatica, file: FileId) -> Done {
    let places = whereabouts(&platform, std::slice::from_ref(&file)).await;
    let result = places.map(|mut places| places.remove(&file));
    Done::SourceRead { file, result }
}
