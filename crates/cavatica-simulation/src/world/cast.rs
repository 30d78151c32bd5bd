//! Who plays: the platform with its files, the client, the plan.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cavatica_exports::model::ExportMode;
use cavatica_exports::transport::{Client, Clock, Endpoint, Token};
use cavatica_sandbox::{OtherExport, ProjectSeed, Sandbox, VolumeSeed};
use cavatica_transfer::plan::{Existing, PlanError, PlanOptions, PlanTarget, Selection, plan};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::{Mode, Order, World};
use crate::log::Log;
use crate::log::locked;
use crate::process::{Mortal, Process};
use crate::scenario::{PROJECT, Scenario, Trouble, VOLUME};
use crate::wire::{Network, Strike};

const FOLDER: &str = "run1/r\u{e9}sum\u{e9} 50%";

/// A clock that follows tokio's.
#[derive(Debug)]
pub(crate) struct WallClock {
    pub(crate) began: Instant,
    /// What it shows at the beginning.
    pub(crate) at: Timestamp,
    pub(crate) chance: Mutex<fastrand::Rng>,
}

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let since = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        self.at.saturating_add(since).unwrap_or(self.at)
    }

    fn sleep(&self, how_long: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(sleep(how_long))
    }

    fn chance(&self) -> f64 {
        locked(&self.chance).f64()
    }
}

/// The path of a planned file, which is its location too.
pub(crate) fn path(number: u32) -> String {
    format!("{FOLDER}/file-{number:07}.dat")
}

pub(crate) fn named(number: u32) -> String {
    format!("{PROJECT}:{}", path(number))
}

/// The copy of a file to the key that it will be planned for.
fn earlier(number: u32) -> OtherExport {
    let minute = Duration::from_secs(60);
    OtherExport::new(named(number), VOLUME, path(number))
        .copy()
        .ago(minute)
}

/// An export of another file, which ended long ago.
fn past(number: u32) -> OtherExport {
    OtherExport::new(
        "lab/past:old/file-0000001.dat",
        VOLUME,
        format!("past/{number}"),
    )
    .copy()
    .lasting(Duration::from_secs(1))
    .ago(Duration::from_secs(86_400))
}

impl World {
    pub(super) async fn make(scenario: &Scenario, mode: Mode, folder: &Path, log: &Log) -> World {
        let at: Timestamp = "2026-03-01T09:00:00Z".parse().expect("a moment");
        let data = folder.join("platform");
        let mut volume = VolumeSeed::s3(VOLUME).keys_only();
        if scenario.overwrite {
            volume = (1..=scenario.files)
                .step_by(10)
                .fold(volume, |volume, number| {
                    volume.object(path(number), "older")
                });
        }
        let longest = Duration::from_secs(scenario.job);
        let shortest = match mode {
            Mode::Safety | Mode::Liveness => longest / 3,
            Mode::Harm => longest,
        };
        let mut builder = Sandbox::builder()
            .secluded(at)
            .seed(scenario.seed)
            .token("0123456789abcdef0123456789abcdef")
            .data(data)
            .project(ProjectSeed::new(PROJECT).synthetic(FOLDER, scenario.files, 1_000))
            .volume(volume)
            .job_duration(shortest..=longest);
        let mut strikes: Vec<Strike> = Vec::new();
        for trouble in &scenario.troubles {
            match trouble {
                Trouble::Quirk(quirk) => builder = builder.quirk(*quirk),
                Trouble::Wire(strike) => strikes.push(*strike),
                Trouble::Earlier => {
                    builder = (5..=scenario.files)
                        .step_by(10)
                        .fold(builder, |builder, number| builder.export(earlier(number)));
                }
                Trouble::Past(jobs) => {
                    builder = builder.project(ProjectSeed::new("lab/past").synthetic("old", 1, 10));
                    builder =
                        (1..=*jobs).fold(builder, |builder, number| builder.export(past(number)));
                }
                _ => {}
            }
        }
        World {
            scenario: scenario.clone(),
            order: Order::Files,
            sandbox: Arc::new(builder.start().await.expect("the platform starts")),
            network: Network::new(scenario.seed, strikes, log),
            folder: folder.to_owned(),
            at,
            began: Instant::now(),
            log: log.clone(),
            met: Mutex::default(),
            wrongs: Mutex::default(),
            others: Mutex::default(),
        }
    }

    /// A client of one program, whose clock is so far ahead.
    pub(super) fn client(&self, process: &Arc<Process>, ahead: i64) -> Client {
        let endpoint: Endpoint = self.sandbox.endpoint().parse().expect("an endpoint");
        let token = Token::new(self.sandbox.token().to_owned()).expect("a token");
        let ahead = SignedDuration::from_secs(ahead);
        let clock = WallClock {
            began: self.began,
            at: self.at.saturating_add(ahead).expect("a moment"),
            chance: Mutex::new(fastrand::Rng::with_seed(self.scenario.seed)),
        };
        Client::builder(endpoint, token)
            .connect(self.network.connector(self.sandbox.door(), process))
            .clock(clock)
            .build()
            .expect("a client")
    }

    /// Plans under the truth.
    pub(super) async fn plan(&mut self) -> Result<(), PlanError> {
        let process = Process::new("planner", None, &self.log);
        let client = self.client(&process, 0);
        let mut options = PlanOptions::new(
            Selection::project(PROJECT.parse().expect("a project")),
            PlanTarget::Volume(VOLUME.parse().expect("a volume")),
        );
        options.mode = self.scenario.mode;
        options.existing = if self.scenario.overwrite {
            Existing::Overwrite
        } else {
            Existing::Fail
        };
        let transfer = self.transfer();
        let mut ignore = |_| {};
        let planning = plan(&transfer, &client, options, &mut ignore);
        let report = Mortal::new(process, planning)
            .await
            .expect("it doesn't die")?;
        debug_assert!(self.scenario.mode == ExportMode::Move || self.scenario.is_copy());
        drop(report);
        Ok(())
    }
}
