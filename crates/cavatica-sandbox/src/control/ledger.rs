//! What a sandbox saw and did, independent of any client: the judge of programs that export.

use std::collections::BTreeMap;

use cavatica_model::wire::OpenName;
use cavatica_model::{ExportMode, ExportProperties, ExportState, Tri};
use serde::{Deserialize, Serialize};

use super::fault::FaultHits;
use crate::wire::route::Route;
use crate::world::{By, Came, Job, NodeKind, Place, StoreKind, Twist, Went, World};

/// Everything that was accepted and done. Jobs, files and objects are part of the world and survive a restart; requests,
/// answers and faults are counted from the sandbox's start.
///
/// It holds no moments and no addresses, so that the same scenario run twice gives the same ledger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// How many exports were accepted from clients, of all accounts.
    pub starts: u64,
    /// How many exports somebody else started.
    #[serde(default)]
    pub starts_elsewhere: u64,
    /// How many exports of all accounts that are served stand in each state, by its name.
    pub states: BTreeMap<String, u64>,
    /// How many objects were deleted to make room for another.
    pub objects_overwritten: u64,
    /// Every accepted export, in the order of acceptance.
    pub jobs: Vec<LedgerJob>,
    /// Per file that was ever started, or deleted, by its id.
    pub files: BTreeMap<String, LedgerFile>,
    /// The files of which a client's start was accepted while an earlier one was under way or had completed.
    #[serde(default)]
    pub files_doubled: Vec<String>,
    /// The files that are aliases of objects that aren't there; those in real buckets count as there.
    #[serde(default)]
    pub dangling: Vec<String>,
    /// How many objects lie on each volume.
    pub objects: BTreeMap<String, u64>,
    /// Every location at which an object lies or ever lay.
    #[serde(default)]
    pub locations: Vec<LedgerObject>,
    /// Requests by route, refused ones included.
    pub requests: BTreeMap<Route, u64>,
    /// Requests to what the sandbox doesn't serve.
    #[serde(default)]
    pub requests_elsewhere: u64,
    /// Answers by HTTP status; a request whose connection was dropped has none.
    pub answers: BTreeMap<u16, u64>,
    /// How many requests were over the limit.
    pub over_limit: u64,
    /// Where the token was seen though it has no business there, for instance `address of files`, and how often.
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
    /// Who started it.
    #[serde(default)]
    pub by: StartedBy,
}

/// Who started an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartedBy {
    /// A client of the sandbox, with the first account.
    #[default]
    Client,
    /// A client of the sandbox, with this account.
    ClientOf(String),
    /// Somebody else of the same account.
    SameAccount,
    /// Somebody else of this account, whose jobs don't show to clients unless the sandbox serves it.
    OtherAccount(String),
}

/// What happened to one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LedgerFile {
    /// How many exports of it were accepted from clients.
    pub starts: u64,
    /// How many of these were accepted while an earlier one was under way or had completed.
    #[serde(default)]
    pub doubled: u64,
    /// How many of these were accepted while a job of somebody else of the same account was under way, for all to see.
    #[serde(default)]
    pub collided: u64,
    /// How many exports of it somebody else started.
    #[serde(default)]
    pub starts_elsewhere: u64,
    /// How many of all exports completed.
    pub completed: u64,
    /// How many of these really brought an object.
    #[serde(default)]
    pub delivered: u64,
    /// How many of all exports failed.
    pub failed: u64,
    /// Where it is now.
    #[serde(default)]
    pub now: LedgerPlace,
}

/// Where a file really is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerPlace {
    /// Its bytes lie on the platform.
    #[default]
    Platform,
    /// It is an alias of this object.
    Alias {
        /// The volume.
        volume: String,
        /// The location.
        location: String,
    },
    /// It was deleted.
    Gone,
}

/// What became of one location of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerObject {
    /// The volume.
    pub volume: String,
    /// The location.
    pub location: String,
    /// How what lies there came, or what lay there last.
    pub came: ObjectOrigin,
    /// How many objects were deleted there to make room for another.
    pub overwritten: u64,
    /// How it stands now.
    pub fate: ObjectFate,
}

/// How an object came to its volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectOrigin {
    /// It was there from the beginning.
    Seeded,
    /// Somebody put it there, past the platform.
    Put,
    /// This job brought it.
    Export(String),
}

/// How a location stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectFate {
    /// An object lies there.
    There,
    /// An export deleted it to overwrite it, and nothing has come in its place.
    Destroyed,
    /// Somebody took it away.
    Removed,
}

impl Ledger {
    /// The files for which more than one export of a client was accepted, for whatever reason.
    pub fn started_twice(&self) -> impl Iterator<Item = &str> {
        let twice = self.files.iter().filter(|(_, file)| file.starts > 1);
        twice.map(|(id, _)| id.as_str())
    }

    /// The objects that an export deleted without putting another in their place.
    pub fn destroyed(&self) -> impl Iterator<Item = &LedgerObject> {
        let locations = self.locations.iter();
        locations.filter(|object| object.fate == ObjectFate::Destroyed)
    }

    /// Whether an object lies at a location.
    pub fn holds(&self, volume: &str, location: &str) -> bool {
        self.locations.iter().any(|object| {
            object.fate == ObjectFate::There
                && object.volume == volume
                && object.location == location
        })
    }

    /// How many exports stand in a state.
    pub fn in_state(&self, state: ExportState) -> u64 {
        self.states.get(state.name()).copied().unwrap_or(0)
    }

    /// How many requests a route got.
    pub fn requests_to(&self, route: Route) -> u64 {
        self.requests.get(&route).copied().unwrap_or(0)
    }

    /// The part that the world tells.
    pub(crate) fn of_world(world: &World) -> Ledger {
        let objects = world.mounted().map(|(_, volume)| {
            let count = volume.objects.len().try_into().unwrap_or(u64::MAX);
            (volume.id.to_string(), count)
        });
        let states = ExportState::ALL
            .iter()
            .map(|state| (state.name().to_owned(), world.count(None, None, *state)));
        let files = files(world);
        let doubled = files.iter().filter(|(_, file)| file.doubled > 0);
        Ledger {
            starts: files.values().map(|file| file.starts).sum(),
            starts_elsewhere: files.values().map(|file| file.starts_elsewhere).sum(),
            states: states.collect(),
            objects_overwritten: world.overwritten(),
            objects: objects.collect(),
            jobs: jobs(world),
            files_doubled: doubled.map(|(id, _)| id.clone()).collect(),
            files,
            dangling: dangling(world),
            locations: locations(world),
            ..Ledger::default()
        }
    }
}

impl LedgerPlace {
    pub(crate) fn of(world: &World, file: &str) -> Option<LedgerPlace> {
        let number = crate::world::number::file_number(world.seed(), file)?;
        let node = world.nodes().get(number as usize)?;
        let NodeKind::File(file) = &node.kind else {
            return None;
        };
        Some(LedgerPlace::from(&file.place))
    }
}

impl From<&Place> for LedgerPlace {
    fn from(place: &Place) -> Self {
        match place {
            Place::Disk | Place::Synthetic => LedgerPlace::Platform,
            Place::Alias { volume, location } => LedgerPlace::Alias {
                volume: volume.to_string(),
                location: location.to_string(),
            },
            Place::Gone => LedgerPlace::Gone,
        }
    }
}

fn export_id(world: &World, job: usize) -> String {
    world.export_id(u32::try_from(job).unwrap_or(u32::MAX))
}

fn jobs(world: &World) -> Vec<LedgerJob> {
    let jobs = world.jobs().iter().enumerate();
    jobs.map(|(number, job)| LedgerJob {
        id: export_id(world, number),
        file: world.file_id(job.file),
        volume: world.volumes()[job.volume as usize].id.to_string(),
        location: job.location.to_string(),
        mode: job.mode,
        overwrite: job.overwrite,
        properties: job.properties.clone(),
        state: job.state.name().to_owned(),
        code: job.failure.as_ref().map(|failure| failure.code.0),
        by: match &job.by {
            By::Client => StartedBy::Client,
            By::ClientOf(name) => StartedBy::ClientOf(name.to_string()),
            By::SameAccount => StartedBy::SameAccount,
            By::OtherAccount(name) => StartedBy::OtherAccount(name.to_string()),
        },
    })
    .collect()
}

fn files(world: &World) -> BTreeMap<String, LedgerFile> {
    let jobs = world.jobs();
    // By file, and within a file in the order of acceptance.
    let mut order: Vec<usize> = (0..jobs.len()).collect();
    order.sort_by_key(|number| jobs[*number].file);
    let started = order.chunk_by(|one, other| jobs[*one].file == jobs[*other].file);
    let started = started.map(|numbers| {
        let jobs: Vec<&Job> = numbers.iter().map(|number| &jobs[*number]).collect();
        (jobs[0].file, LedgerFile::of(&jobs))
    });
    let deleted = (0..)
        .zip(world.nodes())
        .filter(|(number, _)| world.any_gone() && world.is_gone(*number))
        .map(|(number, _)| (number, LedgerFile::default()));
    let mut files = BTreeMap::new();
    for (number, file) in deleted.chain(started) {
        let now = match &world.node(number).kind {
            NodeKind::File(content) => LedgerPlace::from(&content.place),
            NodeKind::Folder { .. } => LedgerPlace::Platform,
        };
        files.insert(world.file_id(number), LedgerFile { now, ..file });
    }
    files
}

impl LedgerFile {
    /// What the jobs of one file tell, in the order of their acceptance.
    fn of(jobs: &[&Job]) -> LedgerFile {
        let mut file = LedgerFile::default();
        for (position, job) in jobs.iter().enumerate() {
            let mut earlier = jobs[..position].iter();
            if job.by.is_client() {
                file.starts += 1;
                file.doubled += u64::from(earlier.clone().any(|other| is_doubled_by(other, job)));
                file.collided += u64::from(earlier.any(|other| collides_with(other, job)));
            } else {
                file.starts_elsewhere += 1;
            }
            match job.state {
                ExportState::Completed => {
                    file.completed += 1;
                    file.delivered += u64::from(job.twist != Some(Twist::Hollow));
                }
                ExportState::Failed => file.failed += 1,
                ExportState::Pending | ExportState::Running => {}
            }
        }
        file
    }
}

/// Whether a start was accepted although an earlier one of a client was under way or had completed.
fn is_doubled_by(earlier: &Job, job: &Job) -> bool {
    let over = earlier.state == ExportState::Failed && earlier.finished_at <= job.started_at;
    earlier.by.is_client() && !over
}

/// Whether a start was accepted while somebody else of the account had a job under way.
fn collides_with(earlier: &Job, job: &Job) -> bool {
    let over = earlier.state.is_final() && earlier.finished_at <= job.started_at;
    !earlier.by.is_client() && earlier.by.account() == job.by.account() && !over
}

fn dangling(world: &World) -> Vec<String> {
    let nodes = (0..).zip(world.nodes());
    nodes
        .filter(|(_, node)| match &node.kind {
            NodeKind::File(file) => match &file.place {
                Place::Alias { volume, location } => !holds(world, volume.as_str(), location),
                Place::Disk | Place::Synthetic | Place::Gone => false,
            },
            NodeKind::Folder { .. } => false,
        })
        .map(|(number, _)| world.file_id(number))
        .collect()
}

fn holds(world: &World, volume: &str, location: &str) -> bool {
    world.volume(volume).is_some_and(|(_, volume)| {
        matches!(volume.store, StoreKind::Bucket { .. }) || volume.objects.contains_key(location)
    })
}

fn locations(world: &World) -> Vec<LedgerObject> {
    let came = |came: Came| match came {
        Came::Seeded => ObjectOrigin::Seeded,
        Came::Put => ObjectOrigin::Put,
        Came::Job(job) => ObjectOrigin::Export(world.export_id(job)),
    };
    let mut locations = Vec::new();
    for (number, volume) in world.mounted() {
        for (location, object) in &volume.objects {
            let loss = world.losses().get(&(number, location.clone()));
            locations.push(LedgerObject {
                volume: volume.id.to_string(),
                location: location.to_string(),
                came: came(object.came),
                overwritten: loss.map_or(0, |loss| loss.overwritten),
                fate: ObjectFate::There,
            });
        }
    }
    for ((number, location), loss) in world.losses() {
        let volume = &world.volumes()[*number as usize];
        if volume.objects.contains_key(location) {
            continue;
        }
        locations.push(LedgerObject {
            volume: volume.id.to_string(),
            location: location.to_string(),
            came: came(loss.came),
            overwritten: loss.overwritten,
            fate: match loss.went {
                Went::Removed => ObjectFate::Removed,
                Went::Overwritten => ObjectFate::Destroyed,
            },
        });
    }
    locations
}

/// What is counted as requests come in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: BTreeMap<Route, u64>,
    pub(crate) requests_elsewhere: u64,
    pub(crate) answers: BTreeMap<u16, u64>,
    pub(crate) over_limit: u64,
    pub(crate) stray_tokens: BTreeMap<String, u64>,
    /// For request ids.
    pub(crate) served: u64,
}

impl Counters {
    pub(crate) fn request(&mut self, route: Option<Route>) {
        match route {
            Some(route) => *self.requests.entry(route).or_default() += 1,
            None => self.requests_elsewhere += 1,
        }
    }

    pub(crate) fn answer(&mut self, status: u16) {
        *self.answers.entry(status).or_default() += 1;
    }

    /// Headers have the names that clients give them, so there is an end to the places that are told apart.
    pub(crate) fn stray_token(&mut self, place: String) {
        let known = self.stray_tokens.len() < 100 || self.stray_tokens.contains_key(&place);
        let place = if known { place } else { "elsewhere".to_owned() };
        *self.stray_tokens.entry(place).or_default() += 1;
    }
}
