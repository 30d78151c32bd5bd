//! What a sandbox saw and did, independent of any client: the judge of programs that export.

use std::collections::BTreeMap;

use cavatica_model::{ExportMode, ExportProperties, ExportState, OpenName, Tri};
use serde::{Deserialize, Serialize};

use crate::fault::FaultHits;
use crate::world::World;

/// Everything that was accepted and done. Jobs, files and objects are part of the world and survive a restart; requests,
/// answers and faults are counted from the sandbox's start.
///
/// It holds no moments and no addresses, so that the same scenario run twice gives the same ledger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// How many exports were accepted.
    pub starts: u64,
    /// How many exports stand in each state, by its name.
    pub states: BTreeMap<String, u64>,
    /// How many objects were deleted to make room for another.
    pub objects_overwritten: u64,
    /// Every accepted export, in the order of acceptance.
    pub jobs: Vec<LedgerJob>,
    /// Per file that was ever started, by its id.
    pub files: BTreeMap<String, LedgerFile>,
    /// How many objects lie on each volume.
    pub objects: BTreeMap<String, u64>,
    /// Requests by method and route, refused ones included.
    pub requests: BTreeMap<String, u64>,
    /// Answers by HTTP status; a request whose connection was dropped has none.
    pub answers: BTreeMap<u16, u64>,
    /// How many requests were over the limit.
    pub over_limit: u64,
    /// Where the token was seen though it has no business there, for instance `query of GET /files`, and how often.
    pub stray_tokens: BTreeMap<String, u64>,
    /// The fault rules in force, and how often each struck.
    pub faults: Vec<FaultHits>,
}

/// One accepted export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerJob {
    /// The job.
    pub id: String,
    /// The file.
    pub file: String,
    /// The volume.
    pub volume: String,
    /// The location as passed.
    pub location: String,
    /// Whether the platform's copy was to go.
    pub mode: ExportMode,
    /// Whether another object might be deleted for it.
    pub overwrite: bool,
    /// What was asked of S3, as it was passed; absent if nothing was.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub properties: Tri<Box<ExportProperties>>,
    /// Where it stands.
    pub state: String,
    /// The platform's status code of its failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
}

/// What happened to one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerFile {
    /// How many exports of it were accepted.
    pub starts: u64,
    /// How many of them completed.
    pub completed: u64,
    /// How many of them failed.
    pub failed: u64,
}

impl Ledger {
    /// The files for which more than one export was accepted.
    pub fn started_twice(&self) -> impl Iterator<Item = &str> {
        let twice = self.files.iter().filter(|(_, file)| file.starts > 1);
        twice.map(|(id, _)| id.as_str())
    }

    /// How many exports stand in a state.
    pub fn in_state(&self, state: ExportState) -> u64 {
        self.states.get(state.name()).copied().unwrap_or(0)
    }

    /// How many requests a route got, for instance `POST /storage/exports`.
    pub fn requests_to(&self, route: &str) -> u64 {
        self.requests.get(route).copied().unwrap_or(0)
    }

    /// The part that the world tells.
    pub(crate) fn of_world(world: &World) -> Ledger {
        let jobs = world
            .jobs()
            .iter()
            .enumerate()
            .map(|(number, job)| LedgerJob {
                id: world.export_id(u32::try_from(number).unwrap_or(u32::MAX)),
                file: world.file_id(job.file),
                volume: world.volumes()[job.volume as usize].id.to_string(),
                location: job.location.to_string(),
                mode: job.mode,
                overwrite: job.overwrite,
                properties: job.properties.clone(),
                state: job.state.name().to_owned(),
                code: job.failure.as_ref().map(|failure| failure.code.0),
            });
        let mut files: BTreeMap<String, LedgerFile> = BTreeMap::new();
        let jobs: Vec<LedgerJob> = jobs.collect();
        for (job, summary) in world.jobs().iter().zip(&jobs) {
            let file = files.entry(summary.file.clone()).or_default();
            file.starts += 1;
            match job.state {
                ExportState::Completed => file.completed += 1,
                ExportState::Failed => file.failed += 1,
                ExportState::Pending | ExportState::Running => {}
            }
        }
        let objects = world.mounted().map(|(_, volume)| {
            let count = volume.objects.len().try_into().unwrap_or(u64::MAX);
            (volume.id.to_string(), count)
        });
        let states = ExportState::ALL
            .iter()
            .map(|state| (state.name().to_owned(), world.count(None, *state)));
        Ledger {
            starts: jobs.len().try_into().unwrap_or(u64::MAX),
            states: states.collect(),
            objects_overwritten: world.overwritten(),
            objects: objects.collect(),
            jobs,
            files,
            ..Ledger::default()
        }
    }
}

/// What is counted as requests come in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: BTreeMap<String, u64>,
    pub(crate) answers: BTreeMap<u16, u64>,
    pub(crate) over_limit: u64,
    pub(crate) stray_tokens: BTreeMap<String, u64>,
    /// For request ids.
    pub(crate) served: u64,
}

impl Counters {
    pub(crate) fn request(&mut self, name: &str) {
        *self.requests.entry(name.to_owned()).or_default() += 1;
    }

    pub(crate) fn answer(&mut self, status: u16) {
        *self.answers.entry(status).or_default() += 1;
    }

    pub(crate) fn stray_token(&mut self, place: String) {
        *self.stray_tokens.entry(place).or_default() += 1;
    }
}
