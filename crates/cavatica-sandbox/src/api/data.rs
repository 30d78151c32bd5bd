//! The data folder of a sandbox: the world that it holds, or a new one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring::default_provider;

use super::scenario::Scenario;
use crate::bytes::event_log::EventLog;
use crate::bytes::plant;
use crate::bytes::platform::State;
use crate::bytes::store::{Store, private_file, private_folder};
use crate::clock::Clock;
use crate::error::SandboxError;
use crate::world::seed::{VolumeSeed, WorldSeed, public_project, usual_project, usual_volumes};
use crate::world::{Event, World};

/// A folder to keep, or one that goes with the sandbox.
#[derive(Debug)]
pub(super) enum Data {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Data {
    pub(super) fn path(&self) -> &Path {
        match self {
            Data::Kept(path) => path,
            Data::Temporary(folder) => folder.path(),
        }
    }
}

/// What a data folder holds.
pub(super) struct Opened {
    pub(super) data: Data,
    /// To be held as long as anything happens in the folder.
    pub(super) lock: fs::File,
    pub(super) store: Store,
    pub(super) state: State,
    /// Of every account by username, the first one first.
    pub(super) tokens: Vec<(String, String)>,
}

/// What is wanted of a data folder: the world in it, or the one to begin with.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// A temporary folder if none is named.
    pub(super) folder: Option<PathBuf>,
    /// The first account's; a random one if none is named.
    pub(super) token: Option<String>,
    pub(super) scenario: Scenario,
    /// Volumes that even a world has that was there.
    pub(super) further_volumes: Vec<VolumeSeed>,
}

impl Wanted {
    /// Brings back the world of the data folder, or makes a new one there.
    pub(super) fn open(mut self, clock: Clock) -> Result<Opened, SandboxError> {
        if self.token.as_deref().is_some_and(is_no_token) {
            let why = "a token has at least one character, all of them visible ASCII";
            return Err(SandboxError::World(why.to_owned()));
        }
        for project in &mut self.scenario.projects {
            plant::survey(project)?;
        }
        let data = self.data()?;
        let folder = data.path();
        let lock = lock(folder)?;
        if !tells_letter_case_apart(folder).map_err(SandboxError::io(folder))? {
            return Err(SandboxError::LetterCase(folder.to_owned()));
        }
        let store = Store::open(folder).map_err(SandboxError::io(folder))?;
        let path = folder.join("world.jsonl");
        let mut world: Option<World> = None;
        let log = EventLog::open(&path, |line, event| match (&mut world, event) {
            (None, Event::Seeded(seed)) => {
                world = Some(World::grow(&seed)?);
                Ok(())
            }
            (Some(world), event) => world
                .apply(&event)
                .map_err(SandboxError::misfit(&path, line)),
            (None, _) => Err(SandboxError::Log {
                path: path.clone(),
                line,
                source: "a world begins with `seeded`".into(),
            }),
        })?;
        let asked_for = self.token.take();
        let state = match world {
            Some(world) => self.bring_back(world, log, &store, clock, &path)?,
            None => self.begin(log, &store, clock, &path)?,
        };
        let mut tokens = Vec::new();
        for (number, username) in state.world.accounts().iter().enumerate() {
            let token = match number {
                0 => kept_token(&folder.join("token"), asked_for.clone())?,
                _ => kept_token(&folder.join(format!("token-{username}")), None)?,
            };
            tokens.push((username.clone(), token));
        }
        Ok(Opened {
            data,
            lock,
            store,
            state,
            tokens,
        })
    }

    fn data(&self) -> Result<Data, SandboxError> {
        Ok(match &self.folder {
            Some(folder) => {
                private_folder(folder).map_err(SandboxError::io(folder))?;
                Data::Kept(folder.canonicalize().map_err(SandboxError::io(folder))?)
            }
            None => {
                let folder = tempfile::Builder::new()
                    .prefix("cavatica-sandbox-")
                    .tempdir();
                Data::Temporary(folder.map_err(SandboxError::io(&std::env::temp_dir()))?)
            }
        })
    }

    fn begin(
        self,
        mut log: EventLog,
        store: &Store,
        clock: Clock,
        path: &Path,
    ) -> Result<State, SandboxError> {
        let exports = self.scenario.exports.clone();
        let mut seed = self.world_seed(clock);
        let mut plantings = Vec::new();
        for project in &mut seed.projects {
            plant::project(project, store, &mut plantings);
        }
        for volume in &mut seed.volumes {
            plant::volume(volume, &seed.quirks, &mut plantings)?;
        }
        let world = World::grow(&seed)?;
        for planting in plantings {
            planting.write(store)?;
        }
        log.add(&Event::Seeded(Box::new(seed)))
            .and_then(|()| log.flush())
            .map_err(SandboxError::io(path))?;
        let mut state = State::new(world, log);
        for export in &exports {
            state
                .export_elsewhere(export, clock.now())
                .map_err(|error| SandboxError::World(error.to_string()))?;
        }
        Ok(state)
    }

    fn world_seed(self, clock: Clock) -> WorldSeed {
        let mut projects = self.scenario.projects;
        if projects.is_empty() {
            projects.push(usual_project());
        }
        // The platform's public project is everywhere.
        let public = public_project();
        if projects.iter().all(|project| project.id != public.id) {
            projects.push(public);
        }
        let mut volumes = self.scenario.volumes;
        if volumes.is_empty() {
            volumes = usual_volumes();
        }
        volumes.extend(self.further_volumes);
        WorldSeed {
            seed: self.scenario.seed.unwrap_or(1),
            at: clock.now(),
            quirks: self.scenario.quirks,
            accounts: self.scenario.accounts,
            projects,
            volumes,
        }
    }

    fn bring_back(
        self,
        world: World,
        log: EventLog,
        store: &Store,
        clock: Clock,
        path: &Path,
    ) -> Result<State, SandboxError> {
        // A kill between an object's arrival and the end of the platform's copy leaves that copy behind.
        for file in world.moved_files() {
            let project = &world.projects()[world.node(file).project as usize];
            let place = store.file_path(project.id.as_str(), &world.path(file));
            store
                .remove_file(&place)
                .map_err(SandboxError::io(&place))?;
        }
        let mut state = State::new(world, log);
        for volume in self.further_volumes {
            mount(&mut state, volume, clock, path)?;
        }
        Ok(state)
    }
}

/// Adds a volume to a world that a data folder brought back, unless it is there.
fn mount(
    state: &mut State,
    seed: VolumeSeed,
    clock: Clock,
    path: &Path,
) -> Result<(), SandboxError> {
    if let Some((_, known)) = state.world.volume(&seed.id) {
        let same = (&known.bucket, &known.prefix, &known.store)
            == (&seed.bucket_name(), &seed.prefix, &seed.store());
        return if same {
            Ok(())
        } else {
            let why = format!(
                "the data folder has a volume `{}` in another place, the bucket `{}` with the prefix `{}`",
                seed.id, known.bucket, known.prefix
            );
            Err(SandboxError::World(why))
        };
    }
    seed.check()?;
    let mounted = Event::VolumeMounted {
        seed: Box::new(seed),
        at: clock.now(),
    };
    state
        .commit(&mounted)
        .and_then(|()| state.flush())
        .map_err(SandboxError::io(path))
}

/// The token that the folder keeps, the one that is asked for, or a new one: 32 hex digits, as the platform's tokens.
pub(super) fn kept_token(path: &Path, asked_for: Option<String>) -> Result<String, SandboxError> {
    let token = match asked_for {
        Some(token) => token,
        None => match fs::read_to_string(path) {
            Ok(kept) if !is_no_token(&kept) => return Ok(kept),
            _ => {
                let mut bytes = [0; 16];
                let random = default_provider().secure_random.fill(&mut bytes);
                random.map_err(|_| SandboxError::io(path)(io::Error::other("no random bytes")))?;
                bytes.iter().map(|byte| format!("{byte:02x}")).collect()
            }
        },
    };
    private_file(path, &token).map_err(SandboxError::io(path))?;
    Ok(token)
}

/// Tokens travel in a header.
fn is_no_token(text: &str) -> bool {
    text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether names that differ in letter case are two files there, as they are on the platform and on S3.
fn tells_letter_case_apart(folder: &Path) -> io::Result<bool> {
    let probe = tempfile::Builder::new()
        .prefix("Case-")
        .tempfile_in(folder)?;
    let name = probe.path().file_name().unwrap_or_default();
    let other = name.to_string_lossy().to_ascii_lowercase();
    Ok(!folder.join(other).exists())
}

/// Two sandboxes on one folder would spoil it.
fn lock(folder: &Path) -> Result<fs::File, SandboxError> {
    let path = folder.join("lock");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let file = options.open(&path).map_err(SandboxError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(SandboxError::Busy(folder.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(SandboxError::io(&path)(error)),
    }
}
