//! Kills the real program again and again, and lets the sandbox say whether every file was accepted exactly once.
//!
//! Nothing in the program helps: it is killed when it is seen to do something from outside. Its rollback journal appears
//! when a commit begins and goes when it is done; the sandbox counts the calls that it gets.

mod owners;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use self::owners::Interference;
use crate::sandbox::{Running, SandboxProcess};
use crate::{Failed, cargo, say, target};

/// What strikes the program while it is being killed. All of them together, each often enough to be seen.
const FAULTS: &str = "drop-after@bulk-start,p=0.2; drop-before@bulk-start,p=0.1; error-after=502@bulk-start,p=0.1; \
     html-after=200@bulk-start,p=0.05; truncate@bulk-start,p=0.1; shuffle@bulk-start,p=0.5; omit=2@bulk-start,p=0.2; \
     shuffle@bulk-get,p=0.5; omit=3@bulk-get,p=0.2; error-after=503@bulk-get,p=0.1; late-list=1@exports; \
     throttle@bulk-start,p=0.05; maintenance@exports,p=0.05";

/// Longer than lists may lag.
const SETTLE: &str = "1300ms";

/// How often a transfer is taken up again before it counts as stuck.
const RUNS: u32 = 60;

#[derive(Debug, clap::Args)]
pub(crate) struct Campaign {
    /// How many transfers to run, each with its own seed
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How often to kill the program in each
    #[arg(long, default_value_t = 12)]
    kills: u32,
    /// How many files each transfer has
    #[arg(long, default_value_t = 2_000)]
    files: u32,
}

impl Campaign {
    /// Short enough for every change.
    pub(crate) fn short() -> Self {
        Campaign {
            seeds: 1,
            from: 1,
            kills: 6,
            files: 600,
        }
    }
}

/// When the program is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// After so many milliseconds, wherever it is.
    Anywhere(u64),
    /// While its n-th commit is under way.
    WithinCommit(u32),
    /// Right after its n-th commit: an intent is on disk and its call not sent, or an answer has been written.
    AfterCommit(u32),
    /// When the sandbox has got its n-th call of the run that starts exports.
    AfterSend(u32),
}

impl Moment {
    /// Soon, or the transfer is done before it has died often enough.
    fn choose(random: &mut fastrand::Rng) -> Self {
        match random.u8(0..4) {
            0 => Moment::Anywhere(random.u64(20..400)),
            1 => Moment::WithinCommit(random.u32(1..4)),
            2 => Moment::AfterCommit(random.u32(1..3)),
            _ => Moment::AfterSend(random.u32(1..3)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Moment::Anywhere(_) => "anywhere",
            Moment::WithinCommit(_) => "within a commit",
            Moment::AfterCommit(_) => "after a commit",
            Moment::AfterSend(_) => "after a send",
        }
    }
}

/// What the campaign must have seen to be worth anything.
type Counts = BTreeMap<String, u64>;

pub(crate) fn run(campaign: &Campaign) -> Result<(), Failed> {
    let built = cargo()
        .args(["build", "--quiet", "--locked", "--package", "cavatica-cli"])
        .status();
    if !built.is_ok_and(|status| status.success()) {
        say("the program can't be built");
        return Err(Failed);
    }
    let mut seen = Counts::new();
    for seed in campaign.from..campaign.from + campaign.seeds {
        let began = Instant::now();
        match transfer(campaign, seed, &mut seen) {
            Ok(killed) => say(format_args!(
                "seed {seed}: every file once, killed {killed} times, {} s",
                began.elapsed().as_secs()
            )),
            Err(fault) => {
                say(format_args!("seed {seed}: {fault}"));
                say(format_args!(
                    "again with `cargo xtask crash --seeds 1 --from {seed}`"
                ));
                return Err(Failed);
            }
        }
    }
    say("what really happened:");
    for (what, times) in &seen {
        say(format_args!("{times:>7}  {what}"));
    }
    // A short campaign may miss something; a long one that does proves less than it claims.
    if campaign.seeds >= 5 && seen.values().any(|times| *times == 0) {
        say("something never happened");
        return Err(Failed);
    }
    Ok(())
}

struct Setup {
    folder: PathBuf,
    sandbox: SandboxProcess,
}

impl Drop for Setup {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// Runs one transfer to its end through all its deaths; answers how many there were.
fn transfer(campaign: &Campaign, seed: u64, seen: &mut Counts) -> Result<u32, String> {
    let world = Setup::start(campaign, seed)?;
    let planned = world.program(&[
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "sandbox/demo",
        "--volume",
        "sandbox/output",
        "--prefix",
        "crash/",
        "--move",
    ]);
    let planned = planned.map_err(|error| error.to_string())?.wait();
    if !planned.is_ok_and(|status| status.success()) {
        return Err("the plan failed".to_owned());
    }
    world.sandbox.request("POST", "/_sandbox/faults", FAULTS)?;

    let mut random = fastrand::Rng::with_seed(seed);
    let mut killed = 0;
    for name in [
        "anywhere",
        "within a commit",
        "after a commit",
        "after a send",
    ] {
        seen.entry(format!("killed {name}")).or_default();
    }
    for event in Interference::ALL {
        seen.entry(event.name().to_owned()).or_default();
    }
    for _ in 0..RUNS {
        let run = [
            "run",
            "t.transfer",
            "--yes",
            "--settle",
            SETTLE,
            "--poll",
            "50ms",
            "--log-json",
            "log.jsonl",
        ];
        let mut program = Running(world.program(&run).map_err(|error| error.to_string())?);
        if killed < campaign.kills {
            let moment = Moment::choose(&mut random);
            if world.wait_for(moment, &mut program)? {
                // Before its first commit it may hold nothing yet.
                let event = match moment {
                    Moment::Anywhere(_) | Moment::WithinCommit(_) => None,
                    Moment::AfterCommit(_) | Moment::AfterSend(_) if random.bool() => {
                        random.choice(Interference::ALL)
                    }
                    Moment::AfterCommit(_) | Moment::AfterSend(_) => None,
                };
                if let Some(event) = event {
                    world.strike(event, &mut program, seen)?;
                }
                let ended = program.0.try_wait().map_err(|error| error.to_string())?;
                if ended.is_none() {
                    killed += 1;
                    program.0.kill().map_err(|error| error.to_string())?;
                    *seen.entry(format!("killed {}", moment.name())).or_default() += 1;
                }
            }
        }
        let status = program.0.wait().map_err(|error| error.to_string())?;
        match status.code() {
            Some(0 | 4) => return world.judge(campaign, seen).map(|()| killed),
            // Killed, or out of patience with a platform that is always in the way: once more.
            None | Some(6) => {}
            Some(code) => return Err(format!("the program ended with {code}")),
        }
    }
    Err(format!("{RUNS} runs did not finish it"))
}

impl Setup {
    fn start(campaign: &Campaign, seed: u64) -> Result<Self, String> {
        let folder =
            std::env::temp_dir().join(format!("cavatica-crash-{}-{seed}", std::process::id()));
        let source = folder.join("source/run1");
        std::fs::create_dir_all(&source).map_err(|error| error.to_string())?;
        for number in 1..=campaign.files {
            let path = source.join(format!("file-{number}.txt"));
            std::fs::write(path, format!("file {number}\n")).map_err(|error| error.to_string())?;
        }
        let seed = seed.to_string();
        let source = folder.join("source").display().to_string();
        let args = [
            "--rate-limit",
            "1000000/300",
            "--seed",
            &seed,
            "--project-from",
            &source,
        ];
        let sandbox = SandboxProcess::start(&program(), &args, &folder.join("data"))?;
        Ok(Setup { folder, sandbox })
    }

    /// Starts the program in the world's folder with the sandbox's credentials and nothing else.
    fn program(&self, args: &[&str]) -> std::io::Result<Child> {
        let home = self.folder.join("home");
        let sevenbridges = home.join(".sevenbridges");
        std::fs::create_dir_all(&sevenbridges)?;
        std::fs::copy(&self.sandbox.credentials, sevenbridges.join("credentials"))?;
        Command::new(program())
            .args(args)
            .env_clear()
            .env("HOME", &home)
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }

    /// Waits for the moment; false if the program ended first.
    fn wait_for(&self, moment: Moment, program: &mut Running) -> Result<bool, String> {
        let journal = self.folder.join("t.transfer-journal");
        let began = Instant::now();
        let before = match moment {
            Moment::AfterSend(_) => self.starts()?,
            Moment::Anywhere(_) | Moment::WithinCommit(_) | Moment::AfterCommit(_) => 0,
        };
        let (mut begun, mut done, mut is_there) = (0, 0, journal.exists());
        loop {
            if program
                .0
                .try_wait()
                .map_err(|error| error.to_string())?
                .is_some()
            {
                return Ok(false);
            }
            let there = journal.exists();
            begun += u32::from(there && !is_there);
            done += u32::from(!there && is_there);
            is_there = there;
            let reached = match moment {
                Moment::Anywhere(after) => began.elapsed() >= Duration::from_millis(after),
                Moment::WithinCommit(nth) => begun >= nth,
                Moment::AfterCommit(nth) => done >= nth,
                Moment::AfterSend(nth) => self.starts()? >= before + u64::from(nth),
            };
            if reached {
                return Ok(true);
            }
            sleep(Duration::from_micros(50));
        }
    }

    /// How many calls that start exports the sandbox has got.
    fn starts(&self) -> Result<u64, String> {
        let ledger = self.ledger()?;
        Ok(ledger["requests"]["bulk-start"].as_u64().unwrap_or(0))
    }

    fn ledger(&self) -> Result<Value, String> {
        self.sandbox.request("GET", "/_sandbox/ledger", "")
    }

    /// Compares what the sandbox did with what was planned, and with what the program says.
    fn judge(&self, campaign: &Campaign, seen: &mut Counts) -> Result<(), String> {
        let ledger = self.ledger()?;
        let files = ledger["files"]
            .as_object()
            .ok_or("the ledger has no files")?;
        if files.len() != campaign.files as usize {
            return Err(format!(
                "{} of {} files were accepted",
                files.len(),
                campaign.files
            ));
        }
        for (file, told) in files {
            if (told["starts"].as_u64(), told["completed"].as_u64()) != (Some(1), Some(1)) {
                return Err(format!(
                    "file {file} was not accepted and completed exactly once: {told}"
                ));
            }
        }
        if ledger["objects_overwritten"] != 0 {
            return Err(format!(
                "{} objects were overwritten",
                ledger["objects_overwritten"]
            ));
        }
        for fault in ledger["faults"].as_array().into_iter().flatten() {
            let rule = fault["rule"]["fault"].to_string();
            let route = fault["rule"]["on"]["route"]
                .as_str()
                .unwrap_or("any")
                .to_owned();
            *seen
                .entry(format!("struck by {rule} on {route}"))
                .or_default() += fault["hits"].as_u64().unwrap_or(0);
        }
        self.judge_log(seen)?;
        self.judge_journal(campaign, &ledger)
    }

    /// Compares what the journal says of every file with the job that the sandbox carried out.
    fn judge_journal(&self, campaign: &Campaign, ledger: &Value) -> Result<(), String> {
        let jobs: BTreeMap<&str, &Value> = ledger["jobs"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|job| Some((job["file"].as_str()?, job)))
            .collect();
        let report = Command::new(program())
            .args(["report", "t.transfer", "--format", "jsonl"])
            .current_dir(&self.folder)
            .output()
            .map_err(|error| error.to_string())?;
        let mut rows = 0;
        for line in report
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let row: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
            let job = row["file_id"].as_str().and_then(|file| jobs.get(file));
            let job = job.ok_or_else(|| format!("no job for {row}"))?;
            // A success that only the file's storage proves has no job's name.
            let export = row["export_id"].as_str().filter(|id| !id.is_empty());
            let same = row["state"] == "completed"
                && row["key"] == job["location"]
                && export.is_none_or(|id| job["id"] == id);
            if !same {
                return Err(format!("the journal says {row}, the sandbox did {job}"));
            }
            rows += 1;
        }
        if rows != campaign.files {
            return Err(format!("the journal tells of {rows} files"));
        }
        Ok(())
    }

    /// Counts what the program says it did about lost answers.
    fn judge_log(&self, seen: &mut Counts) -> Result<(), String> {
        let log = std::fs::read_to_string(self.folder.join("log.jsonl"))
            .map_err(|error| error.to_string())?;
        for key in ["found", "absent"] {
            seen.entry(format!("lost answers looked up: {key}"))
                .or_default();
        }
        // A line that a kill cut short is no line.
        for event in log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        {
            if event["event"] == "reconciled" {
                for key in ["found", "absent"] {
                    *seen
                        .entry(format!("lost answers looked up: {key}"))
                        .or_default() += event[key].as_u64().unwrap_or(0);
                }
            }
        }
        Ok(())
    }
}

fn program() -> PathBuf {
    target().join("debug/cavatica")
}
