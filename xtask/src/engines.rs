//! Parts of a plan under the engines that people have: two accounts, four parts, and tasks that are killed and begun again.
//! The sandbox's ledger judges: every file once.
//!
//! Slurm and GNU parallel come from the system's packages (Debian: `slurmctld slurmd slurm-client munge parallel`); the
//! daemons run from a temporary folder and leave nothing behind.

mod slurm;
mod workplace;

use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use self::slurm::Slurm;
use self::workplace::{LONGEST, PARTS, Workplace, kill, text};
use crate::sandbox::Running;
use crate::{Failed, cargo, say};

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
    let desk = Workplace::start(&format!("{engine:?}"), options.files)?;
    let mut random = fastrand::Rng::with_seed(options.seed);
    let kills = match engine {
        Engine::Slurm => Slurm::start(&desk.folder)?.run(&desk, options.kills, &mut random)?,
        Engine::Parallel => parallel(&desk, options.kills, &mut random)?,
    };
    desk.judge(options.files)?;
    Ok(kills)
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
