//! A fresh platform for each competitor: the same world, the same limit, the same jobs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::target;

pub(super) const PROJECT: &str = "lab/cohort";
pub(super) const VOLUME: &str = "lab/output";

/// In how many folders the files lie.
const FOLDERS: u64 = 10;

/// So much faster than the platform is the sandbox here: its window of 300 s takes 5, a job of an hour a minute.
pub(super) const FASTER: f64 = 60.0;

/// How long jobs take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jobs {
    /// Seconds on the platform.
    Short,
    /// An hour on the platform, give or take a few minutes.
    Hour,
}

impl Jobs {
    pub(super) const BOTH: [Jobs; 2] = [Jobs::Short, Jobs::Hour];

    pub(super) fn words(self) -> &'static str {
        match self {
            Jobs::Short => "seconds",
            Jobs::Hour => "an hour",
        }
    }

    pub(super) fn milliseconds(self) -> [u64; 2] {
        match self {
            Jobs::Short => [30, 150],
            Jobs::Hour => [57_000, 63_000],
        }
    }
}

/// What the platform is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    pub(super) files: u64,
    pub(super) job_milliseconds: [u64; 2],
    /// Requests and seconds.
    pub(super) limit: (u64, f64),
}

impl World {
    /// The platform's own limit, so much faster.
    pub(super) fn faster(files: u64, jobs: Jobs) -> Self {
        World {
            files,
            job_milliseconds: jobs.milliseconds(),
            limit: (1000, 300.0 / FASTER),
        }
    }

    fn scenario(&self) -> Value {
        let folders: Vec<Value> = (0..FOLDERS)
            .map(|number| {
                let count = self.files / FOLDERS + u64::from(number < self.files % FOLDERS);
                json!({"folder": format!("run{number:02}"), "count": count, "size": 4096})
            })
            .collect();
        json!({
            "rate_limit": {"requests": self.limit.0, "seconds": self.limit.1},
            "job_milliseconds": self.job_milliseconds,
            "projects": [{"id": PROJECT, "synthetic": folders}],
            "volumes": [{"id": VOLUME, "keys_only": true}],
        })
    }
}

/// A sandbox and a folder to work in; both go with it.
pub(super) struct Desk {
    pub(super) folder: PathBuf,
    pub(super) sandbox: Sandbox,
}

impl Drop for Desk {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl Desk {
    pub(super) fn start(name: &str, world: &World) -> Result<Self, String> {
        let folder = target().join(format!("bench/{}-{name}", std::process::id()));
        let home = folder.join("home/.sevenbridges");
        let prepare = || {
            std::fs::create_dir_all(&home)?;
            std::fs::write(folder.join("scenario.json"), world.scenario().to_string())
        };
        prepare().map_err(|error| format!("{}: {error}", folder.display()))?;
        let scenario = folder.join("scenario.json").display().to_string();
        let args = ["--scenario", scenario.as_str()];
        let sandbox = Sandbox::start(&program(), &args, &folder.join("data"))?;
        std::fs::copy(&sandbox.credentials, home.join("credentials"))
            .map_err(|error| error.to_string())?;
        Ok(Desk { folder, sandbox })
    }

    /// The program with the sandbox's credentials and nothing else.
    pub(super) fn program(&self, args: &[&str]) -> Command {
        let mut command = self.quiet(&program());
        command.args(args).env("HOME", self.folder.join("home"));
        command
    }

    /// A command that works in the folder, knows nothing of the user, and says nothing.
    pub(super) fn quiet(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    pub(super) fn state(&self) -> Result<State, String> {
        let state = self.sandbox.request("GET", "/_sandbox/state", "")?;
        Ok(State(state))
    }
}

/// What the sandbox has seen and done.
pub(super) struct State(Value);

impl State {
    /// How many requests it has had, those over the limit included.
    pub(super) fn requests(&self) -> u64 {
        let requests = self.0["requests"].as_object();
        requests.map_or(0, |routes| routes.values().filter_map(Value::as_u64).sum())
    }

    pub(super) fn completed(&self) -> u64 {
        self.0["states"]["COMPLETED"].as_u64().unwrap_or(0)
    }
}

/// What is measured is what people run.
pub(super) fn program() -> PathBuf {
    target().join("release/cavatica")
}
