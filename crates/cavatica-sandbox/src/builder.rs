//! A sandbox before it runs: what it is to be, and how it is brought up.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cavatica_model::{ProjectId, VolumeId};
use cavatica_s3::AwsConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::{Clock, millis};
use crate::elsewhere::OtherExport;
use crate::error::SandboxError;
use crate::fault::{FaultPlan, Faults};
use crate::hub::{Hub, Reach, State};
use crate::journal::Journal;
use crate::mover::Mover;
use crate::number::scatter;
use crate::plant::{self, Planting};
use crate::quirk::{Quirk, Quirks};
use crate::rate::Window;
use crate::remote::Buckets;
use crate::sandbox::{Data, Sandbox};
use crate::scenario::Scenario;
use crate::seed::{ProjectSeed, VolumeSeed, default_project, default_volumes, public_project};
use crate::serve::serve;
use crate::store::Store;
use crate::tls::{Tls, private_file};
use crate::world::{Event, Pace, VolumeSpec, World, WorldSpec};

/// A sandbox about to be started.
#[derive(Clone, Debug)]
#[must_use]
pub struct SandboxBuilder {
    data: Option<PathBuf>,
    address: SocketAddr,
    seed: u64,
    token: Option<String>,
    scheme: Scheme,
    limit: u64,
    window: Duration,
    projects: Vec<ProjectSeed>,
    volumes: Vec<VolumeSeed>,
    further_volumes: Vec<VolumeSeed>,
    exports: Vec<OtherExport>,
    durations: RangeInclusive<Duration>,
    fail_share: f64,
    faults: FaultPlan,
    quirks: Quirks,
    aws: Option<AwsConfig>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        SandboxBuilder {
            data: None,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            token: None,
            scheme: Scheme::Http,
            limit: 1000,
            window: Duration::from_secs(300),
            projects: Vec::new(),
            volumes: Vec::new(),
            further_volumes: Vec::new(),
            exports: Vec::new(),
            durations: Duration::from_millis(30)..=Duration::from_millis(150),
            fail_share: 0.0,
            faults: FaultPlan::default(),
            quirks: Quirks::new(),
            aws: None,
        }
    }
}

impl SandboxBuilder {
    /// Keeps everything in this folder, made if need be. A folder that holds a world already brings that one back: its
    /// seed, projects, volumes and quirks count, not the builder's. Without this, a temporary folder goes with the sandbox.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Listens on this port of the loopback address; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Listens on an address that **other computers may reach**. Everybody who reaches it can use the sandbox's own
    /// calls without a token.
    pub fn expose_on(mut self, address: IpAddr) -> Self {
        self.address.set_ip(address);
        self
    }

    /// Decides ids, synthetic bytes, durations, failures and faults; 1 by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Takes this token instead of one made from the seed.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Speaks TLS, with a certificate that `ca.pem` in the data folder vouches for.
    pub fn tls(mut self) -> Self {
        self.scheme = Scheme::Https;
        self
    }

    /// Takes so many requests per window; 1000 per 5 minutes by default.
    pub fn rate_limit(mut self, requests: u64, window: Duration) -> Self {
        (self.limit, self.window) = (requests, window);
        self
    }

    /// Adds a project. The first call replaces the default one; the public project is always there.
    pub fn project(mut self, project: ProjectSeed) -> Self {
        self.projects.push(project);
        self
    }

    /// Adds a volume. The first call replaces the default ones.
    pub fn volume(mut self, volume: VolumeSeed) -> Self {
        self.volumes.push(volume);
        self
    }

    /// Adds a volume beside those that there are anyway: the default ones, those of [`volume`](Self::volume), or those of
    /// a data folder that holds a world already.
    pub fn further_volume(mut self, volume: VolumeSeed) -> Self {
        self.further_volumes.push(volume);
        self
    }

    /// Begins a new world with an export that somebody else started.
    pub fn export(mut self, export: OtherExport) -> Self {
        self.exports.push(export);
        self
    }

    /// How long jobs take from acceptance to their end, bytes apart; a third of it in the queue. 30 to 150 ms by default.
    pub fn job_duration(mut self, range: RangeInclusive<Duration>) -> Self {
        self.durations = range;
        self
    }

    /// Lets this share of all jobs fail, between 0 and 1, with code 9100.
    pub fn fail_share(mut self, share: f64) -> Self {
        self.fail_share = share;
        self
    }

    /// Puts fault rules in force.
    pub fn faults(mut self, plan: impl Into<FaultPlan>) -> Self {
        self.faults = plan.into();
        self
    }

    /// Does something the other way, where no page tells which way is the platform's.
    pub fn quirk(mut self, quirk: Quirk) -> Self {
        self.quirks.insert(quirk);
        self
    }

    /// Signs with these keys at volumes that are real buckets, instead of those that the AWS tools would find. They are
    /// kept in memory only.
    pub fn aws(mut self, config: AwsConfig) -> Self {
        self.aws = Some(config);
        self
    }

    /// Sets everything that a scenario names; what it doesn't name stays.
    pub fn scenario(self, scenario: Scenario) -> Self {
        scenario.apply(self)
    }

    /// Starts the sandbox on the current tokio runtime; it answers when this returns.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] if the data folder or the port can't be used, or the projects and volumes make no world.
    pub async fn start(self) -> Result<Sandbox, SandboxError> {
        if self.token.as_deref().is_some_and(is_no_token) {
            let why = "a token has at least one character, all of them visible ASCII";
            return Err(SandboxError::World(why.to_owned()));
        }
        let data = match &self.data {
            Some(folder) => {
                fs::create_dir_all(folder).map_err(SandboxError::io(folder))?;
                let whole = folder.canonicalize().map_err(SandboxError::io(folder))?;
                Data::Kept(whole)
            }
            None => {
                let folder = tempfile::Builder::new()
                    .prefix("cavatica-sandbox-")
                    .tempdir();
                Data::Temporary(folder.map_err(SandboxError::io(&std::env::temp_dir()))?)
            }
        };
        let folder = data.path().to_owned();
        let lock = lock(&folder)?;
        if !tells_letter_case_apart(&folder).map_err(SandboxError::io(&folder))? {
            return Err(SandboxError::LetterCase(folder));
        }
        let store = Store::open(&folder).map_err(SandboxError::io(&folder))?;
        let clock = Clock::start();
        let planting = (self.clone(), store.clone(), folder.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let (builder, store, folder) = planting;
            builder.open(&store, &folder, clock)
        });
        let (state, token) = opened.await.expect("opening a world doesn't panic")?;

        let buckets = Buckets::open(&state.world, self.aws.clone())?;
        let listener =
            TcpListener::bind(self.address)
                .await
                .map_err(|source| SandboxError::Listen {
                    address: self.address,
                    source,
                })?;
        let address = listener
            .local_addr()
            .map_err(|source| SandboxError::Listen {
                address: self.address,
                source,
            })?;
        let tls = match self.scheme {
            Scheme::Http => None,
            Scheme::Https => Some(Tls::prepare(&folder, address.ip())?),
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let endpoint = format!("{scheme}://{}/v2", authority(address, scheme));
        let credentials = folder.join("credentials");
        private_file(&credentials, &credentials_text(&endpoint, &token))
            .map_err(SandboxError::io(&credentials))?;

        let pace = self.pace();
        let seed = state.world.seed();
        let hub = Arc::new(Hub::new(
            token,
            endpoint,
            if address.ip().is_loopback() {
                Reach::Loopback
            } else {
                Reach::Exposed
            },
            clock,
            pace,
            store,
            buckets,
            state,
            Faults::new(seed, self.faults),
            Window::new(self.limit, self.window),
        ));
        let (stop, stopped) = watch::channel(());
        let (acceptor, ca_cert) = match tls {
            Some(tls) => (Some(tls.acceptor), Some(tls.ca_cert)),
            None => (None, None),
        };
        let server = serve(Arc::clone(&hub), listener, acceptor, stopped.clone());
        let mover = Mover::new(Arc::clone(&hub)).run(stopped);
        let mover = async move {
            mover.await;
            // Held until no byte moves any more.
            drop(lock);
        };
        Ok(Sandbox {
            hub,
            data,
            ca_cert,
            stop,
            tasks: vec![tokio::spawn(server), tokio::spawn(mover)],
        })
    }

    fn pace(&self) -> Pace {
        Pace {
            shortest: millis(*self.durations.start()),
            longest: millis(*self.durations.end()),
            fail_share: self.fail_share,
        }
    }

    /// Brings back the world of a data folder, or makes a new one there.
    fn open(
        self,
        store: &Store,
        folder: &Path,
        clock: Clock,
    ) -> Result<(State, String), SandboxError> {
        let path = folder.join("world.jsonl");
        let mut world: Option<(World, String)> = None;
        let mut journal = Journal::open(&path, |line, event| match (&mut world, event) {
            (None, Event::Seeded(spec)) => {
                world = Some((World::grow(&spec)?, spec.token));
                Ok(())
            }
            (Some((world, _)), event) => world
                .apply(&event)
                .map_err(SandboxError::misfit(&path, line)),
            (None, _) => Err(SandboxError::Log {
                path: path.clone(),
                line,
                source: "a world begins with `seeded`".into(),
            }),
        })?;
        let Some((world, token)) = world else {
            let exports = self.exports.clone();
            let (spec, plantings) = self.describe(clock)?;
            let world = World::grow(&spec)?;
            for planting in plantings {
                planting.write(store)?;
            }
            let token = spec.token.clone();
            journal
                .add(&Event::Seeded(Box::new(spec)))
                .and_then(|()| journal.flush())
                .map_err(SandboxError::io(&path))?;
            let mut state = State::new(world, journal);
            for export in &exports {
                let refused = |error: std::io::Error| SandboxError::World(error.to_string());
                state
                    .export_elsewhere(export, clock.now())
                    .map_err(refused)?;
            }
            return Ok((state, token));
        };
        // A kill between an object's arrival and the end of the platform's copy leaves that copy behind.
        for file in world.moved_files() {
            let project = &world.projects()[world.node(file).project as usize];
            let place = store.file_path(project.id.as_str(), &world.path(file));
            store
                .remove_file(&place)
                .map_err(SandboxError::io(&place))?;
        }
        let mut state = State::new(world, journal);
        for volume in self.further_volumes {
            let volume = plant::volume(volume, &self.quirks, &mut Vec::new())?;
            mount(&mut state, volume, clock, &path)?;
        }
        Ok((state, self.token.unwrap_or(token)))
    }

    fn describe(self, clock: Clock) -> Result<(WorldSpec, Vec<Planting>), SandboxError> {
        let mut plantings = Vec::new();
        let mut projects = if self.projects.is_empty() {
            vec![default_project()]
        } else {
            self.projects
        };
        // The platform's public project is everywhere.
        if projects
            .iter()
            .all(|project| project.id != ProjectId::PUBLIC)
        {
            projects.push(public_project());
        }
        let mut volumes = if self.volumes.is_empty() {
            default_volumes()
        } else {
            self.volumes
        };
        volumes.extend(self.further_volumes);
        let spec = WorldSpec {
            seed: self.seed,
            token: self.token.unwrap_or_else(|| made_token(self.seed)),
            at: clock.now(),
            quirks: self.quirks.clone(),
            projects: projects
                .into_iter()
                .map(|project| plant::project(project, &mut plantings))
                .collect::<Result<_, _>>()?,
            volumes: volumes
                .into_iter()
                .map(|volume| plant::volume(volume, &self.quirks, &mut plantings))
                .collect::<Result<_, _>>()?,
        };
        Ok((spec, plantings))
    }
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

/// Adds a volume to a world that a data folder brought back, unless it is there.
fn mount(
    state: &mut State,
    spec: VolumeSpec,
    clock: Clock,
    path: &Path,
) -> Result<(), SandboxError> {
    if let Some((_, known)) = state.world.volume(&spec.id) {
        let same = (&known.bucket, &known.prefix, &known.store)
            == (&spec.bucket, &spec.prefix, &spec.store);
        return if same {
            Ok(())
        } else {
            let why = format!(
                "the data folder has a volume `{}` in another place, the bucket `{}` with the prefix `{}`",
                spec.id, known.bucket, known.prefix
            );
            Err(SandboxError::World(why))
        };
    }
    spec.id
        .parse::<VolumeId>()
        .map_err(|error| SandboxError::World(error.to_string()))?;
    let mounted = Event::VolumeMounted {
        spec: Box::new(spec),
        at: clock.now(),
    };
    state
        .commit(&mounted)
        .and_then(|()| state.flush())
        .map_err(SandboxError::io(path))
}

/// Tokens travel in a header.
fn is_no_token(text: &str) -> bool {
    text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// 32 hex digits, as the platform's tokens.
fn made_token(seed: u64) -> String {
    let half = scatter(0x0074_6F6B_656E, seed);
    format!("{half:016x}{:016x}", scatter(half, seed))
}

/// Two sandboxes on one folder would spoil it.
fn lock(folder: &Path) -> Result<fs::File, SandboxError> {
    let path = folder.join("lock");
    let file = fs::File::create(&path).map_err(SandboxError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(SandboxError::Busy(folder.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(SandboxError::io(&path)(error)),
    }
}

/// Source: <https://docs.cavatica.org/docs/store-credentials-to-access-seven-bridges-client-applications-and-libraries>.
/// Without the scheme's own port: some clients take no other address than one without.
fn authority(address: SocketAddr, scheme: &str) -> String {
    let usual = if scheme == "https" { 443 } else { 80 };
    let text = address.to_string();
    match text.strip_suffix(&format!(":{usual}")) {
        Some(host) => host.to_owned(),
        None => text,
    }
}

fn credentials_text(endpoint: &str, token: &str) -> String {
    let profile =
        |name: &str| format!("[{name}]\napi_endpoint = {endpoint}\nauth_token   = {token}\n");
    profile("default") + "\n" + &profile("cavatica")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that finds a port in an address it doesn't know goes to the vendor's host instead, token and all.
    #[test]
    fn the_schemes_own_port_is_left_out() {
        for (address, scheme, text) in [
            ("127.0.0.1:443", "https", "127.0.0.1"),
            ("127.0.0.1:80", "http", "127.0.0.1"),
            ("127.0.0.1:443", "http", "127.0.0.1:443"),
            ("127.0.0.1:8443", "https", "127.0.0.1:8443"),
            ("[::1]:443", "https", "[::1]"),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(authority(address, scheme), text);
        }
    }
}
