//! A sandbox before it runs: what it is to be, and how it is brought up.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cavatica_s3::AwsConfig;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::data::{Opened, Wanted, kept_token};
use super::sandbox::Sandbox;
use super::scenario::Scenario;
use crate::bytes::mover::Mover;
use crate::bytes::platform::Platform;
use crate::bytes::remote::Buckets;
use crate::bytes::store::private_file;
use crate::clock::Clock;
use crate::control::fault::{FaultPlan, Faults};
use crate::control::hub::{Account, Exposure, Hub};
use crate::control::rate::RateLimit;
use crate::error::SandboxError;
use crate::serve::guard::loopback_origins;
use crate::serve::listen::serve;
use crate::serve::tls::Tls;
use crate::world::quirk::Quirk;
use crate::world::seed::{OtherExport, ProjectSeed, VolumeSeed};

/// A sandbox about to be started.
#[derive(Clone, Debug)]
#[must_use]
pub struct SandboxBuilder {
    wanted: Wanted,
    address: SocketAddr,
    tls: bool,
    second_token: bool,
    aws: Option<AwsConfig>,
    /// What time it is when it starts without a network.
    secluded: Option<Timestamp>,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        SandboxBuilder {
            wanted: Wanted::default(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: false,
            second_token: false,
            aws: None,
            secluded: None,
        }
    }
}

impl Sandbox {
    /// Describes a sandbox.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }
}

impl SandboxBuilder {
    /// Keeps everything in this folder, made if need be. A folder that holds a world already brings that one back: its
    /// seed, projects, volumes and quirks count, not the builder's. Without this, a temporary folder goes with the sandbox.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.wanted.folder = Some(folder.into());
        self
    }

    /// Listens on this port of the loopback address; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Listens on an address that **other computers may reach**.
    pub fn expose_on(mut self, address: IpAddr) -> Self {
        self.address.set_ip(address);
        self
    }

    /// Decides ids, synthetic bytes, durations, failures and faults; 1 by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.wanted.scenario.seed = Some(seed);
        self
    }

    /// Takes this token, of visible ASCII, instead of a random one that the data folder keeps.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.wanted.token = Some(token.into());
        self
    }

    /// Takes another, random token of the first account, too, the last of [`Sandbox::accounts`]. Both have one limit, unless
    /// there is [`Quirk::LimitPerToken`].
    pub fn second_token(mut self) -> Self {
        self.second_token = true;
        self
    }

    /// Speaks TLS, with a certificate that `ca.pem` in the data folder vouches for.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Takes so many requests per window; 1000 per 5 minutes by default.
    pub fn rate_limit(mut self, requests: u64, window: Duration) -> Self {
        self.wanted.scenario.rate_limit = Some(RateLimit {
            requests,
            seconds: window,
        });
        self
    }

    /// Adds a project. The first call replaces the default one; the public project is always there.
    pub fn project(mut self, project: ProjectSeed) -> Self {
        self.wanted.scenario.projects.push(project);
        self
    }

    /// Adds a volume. The first call replaces the default ones.
    pub fn volume(mut self, volume: VolumeSeed) -> Self {
        self.wanted.scenario.volumes.push(volume);
        self
    }

    /// Adds a volume beside those that there are anyway: the default ones, those of [`volume`](Self::volume), or those of
    /// a data folder that holds a world already.
    pub fn further_volume(mut self, volume: VolumeSeed) -> Self {
        self.wanted.further_volumes.push(volume);
        self
    }

    /// Begins a new world with an export that somebody else started.
    pub fn export(mut self, export: OtherExport) -> Self {
        self.wanted.scenario.exports.push(export);
        self
    }

    /// Serves one more account, with its own token, limit and list of exports. It is a member of all projects, and of the
    /// volumes that don't name their members.
    pub fn account(mut self, username: impl Into<String>) -> Self {
        self.wanted.scenario.accounts.push(username.into());
        self
    }

    /// How long jobs take from acceptance to their end, bytes apart; a third of it in the queue. 30 to 150 ms by default.
    pub fn job_duration(mut self, range: RangeInclusive<Duration>) -> Self {
        let millis = |span: &Duration| span.as_millis().try_into().unwrap_or(u64::MAX);
        self.wanted.scenario.job_milliseconds = Some((millis(range.start()), millis(range.end())));
        self
    }

    /// Lets this share of all jobs fail, between 0 and 1, with code 9100.
    pub fn fail_share(mut self, share: f64) -> Self {
        self.wanted.scenario.fail_share = Some(share);
        self
    }

    /// Puts fault rules in force.
    pub fn faults(mut self, plan: impl Into<FaultPlan>) -> Self {
        self.wanted.scenario.faults = Some(plan.into());
        self
    }

    /// Does something the other way, where no page tells which way is the platform's.
    pub fn quirk(mut self, quirk: Quirk) -> Self {
        self.wanted.scenario.quirks.insert(quirk);
        self
    }

    /// Signs with these keys at volumes that are real buckets, instead of those that the AWS tools would find. They are
    /// kept in memory only.
    pub fn aws(mut self, config: AwsConfig) -> Self {
        self.aws = Some(config);
        self
    }

    /// Opens no port and doesn't look at the system's clock: only [`Sandbox::door`] leads in, and it is `now` when the sandbox
    /// starts. On a runtime of one thread whose time is paused it does the same at each run.
    pub fn secluded(mut self, now: Timestamp) -> Self {
        self.secluded = Some(now);
        self
    }

    /// Sets everything that a scenario names; what it doesn't name stays.
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.wanted.scenario.extend(scenario);
        self
    }

    /// Starts the sandbox on the current tokio runtime; it answers when this returns.
    ///
    /// # Errors
    ///
    /// [`SandboxError`] if the data folder or the port can't be used, or the projects and volumes make no world.
    pub async fn start(self) -> Result<Sandbox, SandboxError> {
        let clock = Clock::start(self.secluded.unwrap_or_else(Timestamp::now));
        let Opened {
            data,
            lock,
            store,
            state,
            tokens,
        } = self.open_aside(clock).await?;

        let buckets = Buckets::open(&state.world, self.aws)?;
        let (listener, address) = match self.secluded {
            // Clients take no plain address but this computer's.
            Some(_) => (None, SocketAddr::from((Ipv4Addr::LOCALHOST, 80))),
            None => listen(self.address).await?,
        };
        let tls = match self.tls {
            true => Some(Tls::prepare(data.path(), address.ip())?),
            false => None,
        };
        let endpoint = endpoint(address, tls.is_some());
        write_credentials(data.path(), &endpoint, &tokens)?;

        let exposure = match address.ip().is_loopback() {
            true => Exposure::Loopback(loopback_origins(&endpoint)),
            false => Exposure::Exposed,
        };
        let faults = self.wanted.scenario.faults.clone().unwrap_or_default();
        let faults = Faults::new(state.world.seed(), faults);
        let quirks = state.world.quirks().clone();
        let platform = Arc::new(Platform::new(clock, store, buckets, state));
        let limit = self.wanted.scenario.rate_limit.unwrap_or_default();
        let accounts = tokens.into_iter();
        let mut accounts: Vec<Account> = accounts
            .map(|(username, token)| Account::new(username, token, limit))
            .collect();
        if self.second_token {
            let token = kept_token(&data.path().join("second-token"), None)?;
            accounts.push(accounts[0].by(token, &quirks));
        }
        let hub = Arc::new(Hub::new(
            accounts,
            endpoint,
            exposure,
            Arc::clone(&platform),
            self.wanted.scenario.timing(),
            faults,
        ));
        let (stop, stopped) = watch::channel(());
        let (acceptor, ca_cert) = tls.map(|tls| (tls.acceptor, tls.ca_cert)).unzip();
        let server = listener
            .map(|listener| serve(Arc::clone(&hub), listener, acceptor, stopped.clone()))
            .map(tokio::spawn);
        let mover = Mover::new(platform).run(stopped);
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
            tasks: server.into_iter().chain([tokio::spawn(mover)]).collect(),
        })
    }

    /// Opens the world where it keeps nobody waiting; where nobody else is there, at once.
    async fn open_aside(&self, clock: Clock) -> Result<Opened, SandboxError> {
        let wanted = self.wanted.clone();
        if self.secluded.is_some() {
            return wanted.open(clock);
        }
        let opened = tokio::task::spawn_blocking(move || wanted.open(clock));
        opened.await.expect("opening a world doesn't panic")
    }
}

async fn listen(address: SocketAddr) -> Result<(Option<TcpListener>, SocketAddr), SandboxError> {
    let refused = |source| SandboxError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((Some(listener), address))
}

/// Without the scheme's own port: some clients take no other address than one without.
fn endpoint(address: SocketAddr, tls: bool) -> String {
    let (scheme, usual) = if tls {
        ("https", ":443")
    } else {
        ("http", ":80")
    };
    let text = address.to_string();
    let host = text.strip_suffix(usual).unwrap_or(&text);
    format!("{scheme}://{host}/v2")
}

/// Source: <https://docs.cavatica.org/docs/store-credentials-to-access-seven-bridges-client-applications-and-libraries>.
/// The first account has the profiles that clients read unasked, each other one a profile of its name.
fn write_credentials(
    data: &Path,
    endpoint: &str,
    tokens: &[(String, String)],
) -> Result<(), SandboxError> {
    let profiles = tokens
        .iter()
        .enumerate()
        .flat_map(|(number, (username, token))| {
            let names = match number {
                0 => vec!["default", "cavatica"],
                _ => vec![username.as_str()],
            };
            names.into_iter().map(move |name| {
                format!("[{name}]\napi_endpoint = {endpoint}\nauth_token   = {token}\n")
            })
        });
    let text = profiles.collect::<Vec<_>>().join("\n");
    let path = data.join("credentials");
    private_file(&path, &text).map_err(SandboxError::io(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that finds a port in an address it doesn't know goes to the vendor's host instead, token and all.
    #[test]
    fn the_schemes_own_port_is_left_out() {
        for (address, tls, text) in [
            ("127.0.0.1:443", true, "https://127.0.0.1/v2"),
            ("127.0.0.1:80", false, "http://127.0.0.1/v2"),
            ("127.0.0.1:443", false, "http://127.0.0.1:443/v2"),
            ("127.0.0.1:8443", true, "https://127.0.0.1:8443/v2"),
            ("[::1]:443", true, "https://[::1]/v2"),
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(endpoint(address, tls), text);
        }
    }
}
