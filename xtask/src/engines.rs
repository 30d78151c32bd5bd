//! Parts of a plan under the engines that people have: two accounts, four parts, and tasks that are killed and begun again.
//! The sandbox's ledger judges: every file once.
//!
//! Slurm and GNU parallel come from the system's packages (Debian: `slurmctld slurmd slurm-client munge parallel`); the
//! daemons run from a temporary folder and leave nothing behind.

mod slurm;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use self::slurm::Slurm;
use crate::sandbox::{Running, SandboxProcess};
use crate::{Failed, cargo, say, target};

/// How many parts.
const PARTS: u32 = 4;

/// An engine that doesn't finish by then hangs.
const LONGEST: Duration = Duration::from_secs(900);

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// An array job on a node of its own
    Slurm,
    /// GNU parallel, with retries
    Parallel,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EngineOptions {
    /// These only
    engines: Vec<Engine>,
    /// How many files are moved
    #[arg(long, default_value_t = 2_000)]
    files: u32,
    /// How often a task is killed
    #[arg(long, default_value_t = 8)]
    kills: u32,
    /// Decides which task is killed when
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(options: &EngineOptions) -> Result<(), Failed> {
    let built = cargo()
        .args(["build", "--quiet", "--locked", "--package", "cavatica-cli"])
        .status();
    if !built.is_ok_and(|status| status.success()) {
        say("the program can't be built");
        return Err(Failed);
    }
    let engines = match options.engines.as_slice() {
        [] => &[Engine::Slurm, Engine::Parallel],
        named => named,
    };
    for engine in engines {
        let began = Instant::now();
        match under(*engine, options) {
            Ok(kills) => say(format_args!(
                "{engine:?}: {} files in {PARTS} parts of two accounts, each once; tasks killed {kills} times, {} s",
                options.files,
                began.elapsed().as_secs()
            )),
            Err(fault) => {
                say(format_args!("{engine:?}: {fault}"));
                return Err(Failed);
            }
        }
    }
    Ok(())
}

/// Moves all files under an engine. Answers how often a task was killed.
fn under(engine: Engine, options: &EngineOptions) -> Result<u32, String> {
    let desk = Workplace::start(engine, options)?;
    let mut random = fastrand::Rng::with_seed(options.seed);
    let kills = match engine {
        Engine::Slurm => Slurm::start(&desk.folder)?.run(&desk, options.kills, &mut random)?,
        Engine::Parallel => parallel(&desk, options.kills, &mut random)?,
    };
    desk.judge(options.files)?;
    Ok(kills)
}

/// A platform with two accounts, and a plan in parts of which half are the second account's.
struct Workplace {
    folder: PathBuf,
    sandbox: SandboxProcess,
}

impl Drop for Workplace {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl Workplace {
    fn start(engine: Engine, options: &EngineOptions) -> Result<Self, String> {
        let name = format!("cavatica-engines-{engine:?}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name.to_lowercase());
        let home = folder.join("home/.sevenbridges");
        std::fs::create_dir_all(&home).map_err(text)?;
        for number in 1..=options.files {
            let batch = folder.join(format!("source/batch-{}", number / 300));
            std::fs::create_dir_all(&batch).map_err(text)?;
            let content = format!("file {number}\n");
            std::fs::write(batch.join(format!("{number}.txt")), content).map_err(text)?;
        }
        let source = folder.join("source").display().to_string();
        // The limit makes each part last for some seconds, in which its task can die.
        let world = [
            "--account",
            "colleague",
            "--project-from",
            &source,
            "--rate-limit",
            "40/5",
            "--job-duration",
            "500ms-2s",
        ];
        let sandbox = SandboxProcess::start(&program(), &world, &folder.join("data"))?;
        std::fs::copy(&sandbox.credentials, home.join("credentials")).map_err(text)?;
        let desk = Workplace { folder, sandbox };
        let parts = PARTS.to_string();
        desk.cavatica(&[
            "plan",
            "--out",
            "t.transfer",
            "--project",
            "sandbox/demo",
            "--volume",
            "sandbox/output",
            "--move",
            "--parts",
            &parts,
        ])?;
        for number in PARTS / 2 + 1..=PARTS {
            let part = part(number);
            desk.cavatica(&["take", &part, "--profile", "colleague", "--yes"])?;
        }
        Ok(desk)
    }

    /// A command with nothing in its environment but the sandbox's credentials.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.join("home"))
            .current_dir(&self.folder);
        command
    }

    /// Runs the program to its end. Answers what it printed as JSON.
    fn cavatica(&self, args: &[&str]) -> Result<Value, String> {
        let mut command = self.command(&program());
        let output = command.args(args).arg("--json").output().map_err(text)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!(
                "`cavatica {}` ended with {}: {said}",
                args.join(" "),
                output.status
            ));
        }
        serde_json::from_slice(&output.stdout).map_err(text)
    }

    /// What a task does, as a script that takes the number of its part. What was interrupted ends with 6 and is begun again.
    fn task(&self) -> Result<PathBuf, String> {
        let script = self.folder.join("task.sh");
        let lines = format!(
            "#!/bin/sh\n\
             [ \"$1\" -le {half} ] && profile=cavatica || profile=colleague\n\
             exec {program} run t.parts/part-$1.transfer --profile $profile --yes --share 1/2 \\\n\
             \x20   --no-progress --poll 100ms --settle 2s\n",
            half = PARTS / 2,
            program = program().display()
        );
        std::fs::write(&script, lines).map_err(text)?;
        Ok(script)
    }

    /// The process that runs a part now.
    fn process_of(&self, number: u32) -> Result<Option<u64>, String> {
        let status = self.cavatica(&["status", &part(number)])?;
        Ok(status["owner"]["process"].as_u64())
    }

    /// Every file was accepted once and arrived, the program says the same of all parts together, and both accounts worked.
    fn judge(&self, files: u32) -> Result<(), String> {
        let ledger = self.sandbox.request("GET", "/_sandbox/ledger", "")?;
        let told = ledger["files"]
            .as_object()
            .ok_or("the ledger has no files")?;
        for (file, told) in told {
            if (told["starts"].as_u64(), told["completed"].as_u64()) != (Some(1), Some(1)) {
                return Err(format!("file {file} was not exported exactly once: {told}"));
            }
        }
        let jobs = ledger["jobs"].as_array().ok_or("the ledger has no jobs")?;
        let of_colleague = jobs.iter().filter(|job| job["by"] != "client").count();
        if told.len() != files as usize || of_colleague == 0 || of_colleague == jobs.len() {
            return Err(format!(
                "{} of {files} files were exported, {of_colleague} by the second account",
                told.len()
            ));
        }
        let status = self.cavatica(&["status", "t.parts"])?;
        if status["completed"] != files || status["state"] != "done" {
            return Err(format!("the parts together say {status}"));
        }
        let verified = self.cavatica(&["verify", "t.parts"])?;
        if verified["same"] != files || verified["extra"] != 0 {
            return Err(format!("the destination says {verified}"));
        }
        let page = self.folder.join("all.html");
        let name = page.display().to_string();
        let mut report = self.command(&program());
        report.args(["report", "t.parts", "--format", "html", "--out", &name]);
        crate::command(report.stderr(Stdio::null())).map_err(|Failed| "no page".to_owned())?;
        let page = std::fs::read_to_string(page).map_err(text)?;
        match page.contains("Complete") && page.contains(&part(PARTS)) {
            true => Ok(()),
            false => Err("the page doesn't show all parts as complete".to_owned()),
        }
    }
}

/// Kills the tasks with the hardest signal; GNU parallel begins them again.
fn parallel(desk: &Workplace, kills: u32, random: &mut fastrand::Rng) -> Result<u32, String> {
    let task = desk.task()?;
    let numbers: Vec<String> = (1..=PARTS).map(|number| number.to_string()).collect();
    let mut command = desk.command(Path::new("parallel"));
    command
        .args(["--will-cite", "--jobs", "4", "--retries", "40", "sh"])
        .arg(task)
        .arg("{}")
        .arg(":::")
        .args(numbers)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = command.spawn().map_err(|error| {
        format!("GNU parallel can't be started ({error}); on Debian it is the package `parallel`")
    })?;
    let mut engine = Running(child);
    let (mut killed, began) = (0, Instant::now());
    while engine.0.try_wait().map_err(text)?.is_none() {
        if began.elapsed() > LONGEST {
            return Err("it doesn't come to an end".to_owned());
        }
        sleep(Duration::from_millis(random.u64(300..1500)));
        if killed < kills
            && let Some(process) = desk.process_of(random.u32(1..=PARTS))?
        {
            kill(process)?;
            killed += 1;
        }
    }
    let status = engine.0.wait().map_err(text)?;
    match status.success() {
        true => Ok(killed),
        false => Err(format!("it ended with {status}")),
    }
}

/// Kills a process that runs a part.
fn kill(process: u64) -> Result<(), String> {
    // It may have ended a moment ago.
    let mut command = Command::new("kill");
    command
        .args(["-KILL", &process.to_string()])
        .stderr(Stdio::null());
    command.status().map(drop).map_err(text)
}

/// The name of a part's file.
fn part(number: u32) -> String {
    format!("t.parts/part-{number}.transfer")
}

fn program() -> PathBuf {
    target().join("debug/cavatica")
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Starts a program that goes on in the background.
fn background(command: &mut Command) -> Result<Child, String> {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    let name = quiet.get_program().to_string_lossy().into_owned();
    quiet.spawn().map_err(|error| {
        format!("`{name}` can't be started ({error}); on Debian it comes with `slurmctld slurmd slurm-client munge`")
    })
}
