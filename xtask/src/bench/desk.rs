//! A fresh platform for each competitor: the same world, the same limit, the same jobs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::sandbox::SandboxProcess;
use crate::target;

pub(super) const PROJECT: &str = "lab/cohort";
pub(super) const VOLUME: &str = "lab/output";

/// In how many folders the files lie.
const FOLDERS: u64 = 10;

/// The platform's limit: so many requests in so many seconds.
const LIMIT: (u64, f64) = (1000, 300.0);

/// So much faster than the platform is the sandbox: its window of 300 s takes 5, a job of an hour a minute.
pub(super) const FASTER: f64 = 60.0;

/// How long jobs take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

    /// The shortest and the longest, in seconds of the platform.
    pub(super) fn seconds(self) -> [f64; 2] {
        match self {
            Jobs::Short => [2.0, 9.0],
            Jobs::Hour => [3400.0, 3800.0],
        }
    }
}

/// What is done with the files, and what stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Case {
    Moves,
    /// The platform refuses to scroll.
    MovesWithoutScroll,
    /// Some jobs fail in a way that passes by waiting.
    MovesThatFail,
    Copies,
}

impl Case {
    pub(super) fn words(self) -> &'static str {
        match self {
            Case::Moves => "moves",
            Case::MovesWithoutScroll => "moves, scrolling refused",
            Case::MovesThatFail => "moves of which 5 % fail",
            Case::Copies => "copies",
        }
    }
}

/// How many jobs fail where some do.
const FAILING: f64 = 0.05;

/// What the platform is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    pub(super) files: u64,
    pub(super) jobs: Jobs,
    pub(super) case: Case,
    /// So much faster than the platform is everything here.
    pub(super) faster: f64,
    /// How many requests a window takes.
    pub(super) limit: u64,
}

impl Setup {
    /// The platform, with its own limit, only faster.
    pub(super) fn new(files: u64, jobs: Jobs) -> Self {
        Setup {
            files,
            jobs,
            case: Case::Moves,
            faster: FASTER,
            limit: LIMIT.0,
        }
    }

    /// How long a window is, in seconds.
    pub(super) fn window_s(&self) -> f64 {
        LIMIT.1 / self.faster
    }

    /// A time on the platform as an argument, for a client that is to be as patient here as there.
    pub(super) fn patience(&self, seconds: f64) -> String {
        format!("{:.0}ms", seconds / self.faster * 1e3)
    }

    fn scenario(&self) -> Value {
        let folders: Vec<Value> = (0..FOLDERS)
            .map(|number| {
                let count = self.files / FOLDERS + u64::from(number < self.files % FOLDERS);
                json!({"folder": format!("run{number:02}"), "count": count, "size": 4096})
            })
            .collect();
        let milliseconds = self
            .jobs
            .seconds()
            .map(|time| (time / self.faster * 1e3) as u64);
        let (faults, failing) = match self.case {
            Case::Moves | Case::Copies => ("", 0.0),
            Case::MovesWithoutScroll => ("refuse=403/9003@scroll", 0.0),
            Case::MovesThatFail => ("", FAILING),
        };
        json!({
            "rate_limit": {"requests": self.limit, "seconds": self.window_s()},
            "job_milliseconds": milliseconds,
            "accounts": ["colleague"],
            "fail_share": failing,
            "faults": faults,
            "projects": [{"id": PROJECT, "synthetic": folders}],
            "volumes": [{"id": VOLUME, "keys_only": true}],
        })
    }
}

/// A sandbox and a folder to work in; both go with it.
pub(super) struct Desk {
    pub(super) folder: PathBuf,
    pub(super) sandbox: SandboxProcess,
    pub(super) world: Setup,
}

impl Drop for Desk {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl Desk {
    pub(super) fn start(name: &str, world: &Setup) -> Result<Self, String> {
        let folder = target().join(format!("bench/{}-{name}", std::process::id()));
        let home = folder.join("home/.sevenbridges");
        let prepare = || {
            std::fs::create_dir_all(&home)?;
            std::fs::write(folder.join("scenario.json"), world.scenario().to_string())
        };
        prepare().map_err(|error| format!("{}: {error}", folder.display()))?;
        let scenario = folder.join("scenario.json").display().to_string();
        let args = ["--scenario", scenario.as_str()];
        let sandbox = SandboxProcess::start(&program(), &args, &folder.join("data"))?;
        std::fs::copy(&sandbox.credentials, home.join("credentials"))
            .map_err(|error| error.to_string())?;
        Ok(Desk {
            folder,
            sandbox,
            world: *world,
        })
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

    /// How often the file was started that was started most often.
    pub(super) fn most_starts(&self) -> Result<u32, String> {
        let ledger = self.sandbox.request("GET", "/_sandbox/ledger", "")?;
        let files = ledger["files"].as_object().into_iter().flatten();
        let starts = files.filter_map(|(_, file)| file["starts"].as_u64());
        let most = starts.max().unwrap_or(0);
        u32::try_from(most).map_err(|error| error.to_string())
    }

    pub(super) fn state(&self) -> Result<SandboxState, String> {
        let state = self.sandbox.request("GET", "/_sandbox/state", "")?;
        Ok(SandboxState(state))
    }
}

/// What the sandbox has seen and done.
pub(super) struct SandboxState(Value);

impl SandboxState {
    /// How many requests it has had, those over the limit included.
    pub(super) fn requests(&self) -> u64 {
        let requests = self.0["requests"].as_object();
        requests.map_or(0, |routes| routes.values().filter_map(Value::as_u64).sum())
    }

    /// How many requests came without those that ask who is asking.
    pub(super) fn requests_but_user(&self) -> u64 {
        self.requests() - self.0["requests"]["user"].as_u64().unwrap_or(0)
    }

    /// How many were refused because they were over the limit.
    pub(super) fn over_limit(&self) -> u64 {
        self.0["over_limit"].as_u64().unwrap_or(0)
    }

    /// How many exports were accepted.
    pub(super) fn accepted(&self) -> u64 {
        let states = self.0["states"].as_object();
        states.map_or(0, |states| states.values().filter_map(Value::as_u64).sum())
    }

    pub(super) fn completed(&self) -> u64 {
        self.0["states"]["COMPLETED"].as_u64().unwrap_or(0)
    }
}

/// What is measured is what people run.
pub(super) fn program() -> PathBuf {
    target().join("dist/cavatica")
}
