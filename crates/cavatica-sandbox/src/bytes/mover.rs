//! Carries out the jobs: takes them from the queue when their time comes, moves their bytes, and writes down what became
//! of them. Polling requests have no part in it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use cavatica_model::ExportProperties;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::bytes::platform::{Platform, State};
use crate::bytes::remote;
use crate::bytes::store::{Synthetic, Written, measure};
use crate::clock::Millis;
use crate::wire::refusal::{Code, JobFailure};
use crate::world::{Due, Errand, Event, Replacing, StoreKind};

/// How many jobs move bytes at once.
const CARRIERS: usize = 4;

/// How many jobs are looked at before requests get their turn.
const ROUND: usize = 512;

pub(crate) struct Mover {
    platform: Arc<Platform>,
    due: BinaryHeap<Reverse<(Millis, u32)>>,
    /// Jobs whose time has come but whose bytes have to wait.
    ready: VecDeque<u32>,
    /// The first job that isn't scheduled yet.
    next: u32,
    carriers: JoinSet<u32>,
}

/// What becomes of a job in this round.
enum Turn {
    Done,
    Again(Millis),
    Waits,
}

/// Where an errand's bytes come from and go to.
struct Delivery {
    errand: Errand,
    /// None for a synthetic file.
    source: Option<PathBuf>,
    seed: u64,
    volume: String,
    key: String,
    store: StoreKind,
    properties: ExportProperties,
}

impl Delivery {
    /// Whether a thread has to wait for a disk or for a network.
    fn moves_bytes(&self) -> bool {
        self.source.is_some() || self.store != StoreKind::KeysOnly
    }
}

impl Mover {
    pub(crate) fn new(platform: Arc<Platform>) -> Self {
        Mover {
            platform,
            due: BinaryHeap::new(),
            ready: VecDeque::new(),
            next: 0,
            carriers: JoinSet::new(),
        }
    }

    /// Works until told to stop, then lets the bytes under way arrive.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<()>) {
        let platform = Arc::clone(&self.platform);
        loop {
            let started = platform.started.notified();
            let next = self.round();
            let sleep = async {
                match next {
                    Some(at) => tokio::time::sleep_until(platform.clock.instant(at)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = sleep => {}
                () = started => {}
                Some(carried) = self.carriers.join_next() => match carried {
                    Ok(job) => self.carried(job),
                    Err(error) => tracing::error!(%error, "an export ended without an outcome"),
                },
                _ = stop.changed() => break,
            }
        }
        while self.carriers.join_next().await.is_some() {}
    }

    /// Sees to what follows a job's completion.
    fn carried(&mut self, job: u32) {
        let state = self.platform.state();
        let world = &state.world;
        if world.jobs()[job as usize].state.is_final()
            && let Some(at) = world.due(job)
        {
            self.due.push(Reverse((at, job)));
        }
    }

    /// Does what is due; tells when to look again.
    fn round(&mut self) -> Option<Millis> {
        let platform = Arc::clone(&self.platform);
        let now = platform.clock.now();
        let mut state = platform.state();
        self.schedule(&state);
        for _ in 0..self.ready.len() {
            if self.carriers.len() >= CARRIERS {
                break;
            }
            let Some(job) = self.ready.pop_front() else {
                break;
            };
            self.turn(&mut state, job, now);
        }
        let mut looked_at = 0;
        while let Some(Reverse((at, job))) = self.due.peek().copied() {
            if at > now || looked_at == ROUND {
                break;
            }
            self.due.pop();
            self.turn(&mut state, job, now);
            looked_at += 1;
        }
        if let Err(error) = state.flush() {
            tracing::error!(%error, "can't write the log of the world");
        }
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes in the jobs that were accepted since the last round, or before a restart.
    fn schedule(&mut self, state: &State) {
        let jobs = state.world.jobs();
        while (self.next as usize) < jobs.len() {
            if let Some(at) = state.world.due(self.next) {
                self.due.push(Reverse((at, self.next)));
            }
            self.next += 1;
        }
    }

    fn turn(&mut self, state: &mut State, job: u32, now: Millis) {
        match self.step(state, job, now) {
            Turn::Done => {}
            Turn::Again(at) => self.due.push(Reverse((at, job))),
            Turn::Waits => self.ready.push_back(job),
        }
    }

    fn step(&mut self, state: &mut State, number: u32, now: Millis) -> Turn {
        let job = &state.world.jobs()[number as usize];
        let file = job.file;
        let key = (job.volume, job.location.clone());
        if state.busy_files.contains(&job.file) || state.busy_keys.contains(&key) {
            return Turn::Waits;
        }
        match state.world.step(number, now) {
            None => Turn::Done,
            Some(Due::Note(event)) => {
                if let Err(error) = state.commit(&event) {
                    tracing::error!(%error, "can't write the log of the world");
                }
                if let Event::Settled { .. } = event {
                    drop_bytes(&self.platform, state, file);
                }
                state.world.due(number).map_or(Turn::Done, Turn::Again)
            }
            Some(Due::Carry(_)) if self.carriers.len() >= CARRIERS => Turn::Waits,
            Some(Due::Carry(errand)) => {
                state.busy_files.insert(errand.file);
                state.busy_keys.insert(key);
                let delivery = delivery(&self.platform, state, errand);
                let (platform, moves_bytes) = (Arc::clone(&self.platform), delivery.moves_bytes());
                let work = move || {
                    carry(&platform, &delivery);
                    delivery.errand.job
                };
                if moves_bytes {
                    self.carriers.spawn_blocking(work);
                } else {
                    self.carriers.spawn(async move { work() });
                }
                Turn::Done
            }
        }
    }
}

fn delivery(platform: &Platform, state: &State, errand: Errand) -> Delivery {
    let world = &state.world;
    let volume = &world.volumes()[errand.volume as usize];
    let source = (!world.is_synthetic(errand.file)).then(|| {
        let project = &world.projects()[world.node(errand.file).project as usize];
        platform
            .store
            .file_path(project.id.as_str(), &world.path(errand.file))
    });
    Delivery {
        source,
        seed: world.seed(),
        volume: volume.id.to_string(),
        key: world.key(errand.volume, &errand.location),
        store: volume.store.clone(),
        properties: world.effective_properties(errand.job),
        errand,
    }
}

/// Moves the bytes of one job and writes down its outcome.
fn carry(platform: &Platform, delivery: &Delivery) {
    let errand = &delivery.errand;
    let (job, outcome) = (errand.job, place(platform, delivery));
    let at = platform.state().world.moment(job, platform.clock.now());
    let event = match outcome {
        Ok(Written { size, etag }) => Event::Completed {
            job,
            at,
            size,
            etag,
        },
        Err(JobFailure { code, why }) => Event::Failed { job, at, code, why },
    };
    if let Event::Failed { why: Some(why), .. } = &event {
        tracing::warn!(
            why,
            volume = delivery.volume,
            key = delivery.key,
            "an export failed"
        );
    }
    let completed = matches!(event, Event::Completed { .. });
    let mut state = platform.state();
    let written = state.commit(&event).and_then(|()| state.flush());
    match written {
        // Only now: the object is in its place and the log says so. Nobody sees the job completed before the
        // platform's copy is gone, because the state is still locked.
        Ok(()) if completed => drop_bytes(platform, &state, errand.file),
        Ok(()) => {}
        Err(error) => tracing::error!(%error, "can't write the log of the world"),
    }
    state.busy_files.remove(&errand.file);
    state
        .busy_keys
        .remove(&(errand.volume, errand.location.clone()));
}

/// Takes the platform's copy of a file that has left the platform away.
fn drop_bytes(platform: &Platform, state: &State, file: u32) {
    let world = &state.world;
    if !world.is_alias(file) && !world.is_gone(file) {
        return;
    }
    let project = &world.projects()[world.node(file).project as usize];
    let source = platform
        .store
        .file_path(project.id.as_str(), &world.path(file));
    if let Err(error) = platform.store.remove_file(&source) {
        tracing::warn!(%error, source = %source.display(), "can't delete the platform's copy");
    }
}

/// Brings the bytes to their place, past what may lie there.
fn place(platform: &Platform, delivery: &Delivery) -> Result<Written, JobFailure> {
    let errand = &delivery.errand;
    let replacing = match (errand.replacing, platform.buckets.get(errand.volume)) {
        (Replacing::AskBucket, Some(bucket)) => {
            let occupied = remote::holds(bucket, &delivery.key)?;
            platform.state().world.replacing(errand.job, occupied)?
        }
        (known, _) => known,
    };
    if replacing == Replacing::DeleteFirst {
        clear(platform, delivery)?;
    }
    if let Some(code) = errand.doom {
        return Err(code.into());
    }
    let written = deliver(platform, delivery)?;
    if replacing == Replacing::DeleteLast {
        note_replaced(platform, delivery)?;
    }
    Ok(written)
}

/// Deletes the object that may be overwritten.
fn clear(platform: &Platform, delivery: &Delivery) -> Result<(), JobFailure> {
    match platform.buckets.get(delivery.errand.volume) {
        Some(bucket) => remote::remove(bucket, &delivery.key)?,
        None => platform.store.remove(&delivery.volume, &delivery.key)?,
    }
    Ok(note_replaced(platform, delivery)?)
}

fn note_replaced(platform: &Platform, delivery: &Delivery) -> io::Result<()> {
    let mut state = platform.state();
    state.commit(&Event::ObjectRemoved {
        volume: delivery.errand.volume,
        location: delivery.errand.location.to_string(),
        job: Some(delivery.errand.job),
    })?;
    state.flush()
}

fn deliver(platform: &Platform, delivery: &Delivery) -> Result<Written, JobFailure> {
    let errand = &delivery.errand;
    let mut source: Box<dyn io::Read + Send> = match &delivery.source {
        Some(path) => Box::new(File::open(path)?),
        None => Box::new(Synthetic::new(delivery.seed, errand.file, errand.size)),
    };
    if let Some(bucket) = platform.buckets.get(errand.volume) {
        return remote::put(
            bucket,
            &delivery.key,
            errand.size,
            source,
            &delivery.properties,
        );
    }
    Ok(match delivery.store {
        StoreKind::KeysOnly if delivery.source.is_none() => Written {
            size: errand.size,
            etag: platform
                .state()
                .world
                .stand_in_etag(errand.file, errand.size),
        },
        StoreKind::KeysOnly => measure(&mut source)?,
        StoreKind::Folder | StoreKind::Bucket { .. } => {
            platform
                .store
                .put(&delivery.volume, &delivery.key, &mut source)?
        }
    })
}

/// What this computer's disk did to a job.
impl From<io::Error> for JobFailure {
    fn from(error: io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::NotFound => Code::JOB_NO_FILE,
            _ => Code::JOB_STORAGE_ERROR,
        };
        tracing::warn!(%error, "the bytes of an export can't be moved");
        code.into()
    }
}
