//! What goes on beside the loop, and what it brings back.

use cavatica_exports::ExportFilter;
use cavatica_exports::model::{
    Batch, BulkAnswer, CheckedExport, ExportId, ExportMode, ExportState, FileId, JobStanding,
    StartedJob, VolumeId,
};
use cavatica_exports::transport::{Error, Fetched};
use jiff::SignedDuration;

use super::AskError;
use super::look::{Reach, Seen, look_up, whereabouts};
use crate::item::ItemId;
use crate::journal::{Intent, Terms};
use crate::platform::Platform;
use crate::reconcile::{Question, Whereabouts};

/// What a task brought back.
#[derive(Debug)]
pub(super) enum Done {
    /// A bulk start ended, one way or another.
    Started {
        intent: Intent,
        result: Result<Fetched<BulkAnswer<StartedJob>>, Error>,
    },
    /// The number of unfinished jobs, if the platform told.
    Counted(Result<Option<u64>, AskError>),
    /// Jobs were read.
    Read {
        jobs: Vec<(ItemId, ExportId)>,
        result: Result<Fetched<BulkAnswer<JobStanding>>, AskError>,
    },
    /// Files whose answers were lost were looked up.
    Looked {
        questions: Vec<Question>,
        reach: Reach,
        result: Result<Seen, AskError>,
    },
    /// The source of the first copy was read again.
    SourceRead {
        file: FileId,
        result: Result<Option<Whereabouts>, AskError>,
    },
}

pub(super) async fn start(platform: Platform, terms: Terms, intent: Intent) -> Done {
    // The plan checked every file when it was made; what changed since then the platform decides.
    let exports: Vec<CheckedExport> = intent
        .items
        .iter()
        .map(|item| terms.request(item).skip_checks())
        .collect();
    let batch = Batch::new(exports).expect("an intent has 1 to 100 files");
    let result = platform.exports.submit_bulk(&batch, terms.mode).await;
    Done::Started { intent, result }
}

pub(super) async fn count(platform: Platform, volume: VolumeId) -> Done {
    let filter = ExportFilter {
        volume: Some(volume),
        states: vec![ExportState::Pending, ExportState::Running],
    };
    Done::Counted(
        platform
            .exports
            .count(&filter)
            .await
            .map_err(AskError::from),
    )
}

pub(super) async fn read(platform: Platform, jobs: Vec<(ItemId, ExportId)>) -> Done {
    let ids = jobs.iter().map(|(_, export)| export.clone()).collect();
    let batch = Batch::new(ids).expect("1 to 100 jobs are read at a time");
    let result = platform.exports.standings(&batch).await;
    Done::Read {
        jobs,
        result: result.map_err(AskError::from),
    }
}

pub(super) async fn look(
    platform: Platform,
    mode: ExportMode,
    volume: VolumeId,
    skew: SignedDuration,
    questions: Vec<Question>,
    reach: Reach,
) -> Done {
    let result = look_up(&platform, mode, &volume, skew, &questions, reach).await;
    Done::Looked {
        questions,
        reach,
        result,
    }
}

pub(super) async fn read_source(platform: Platform, file: FileId) -> Done {
    let places = whereabouts(&platform, std::slice::from_ref(&file)).await;
    let result = places.map(|mut places| places.remove(&file));
    Done::SourceRead { file, result }
}
