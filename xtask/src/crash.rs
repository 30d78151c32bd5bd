//! Kills the real program again and again, and lets the sandbox say whether every file was accepted exactly once.
//!
//! Nothing in the program helps: it is killed when it is seen to do something from outside. Its rollback journal appears
//! when a commit begins and goes when it is done; the sandbox counts the calls that it gets.

mod judge;
mod moment;
mod owners;
mod setup;

use std::time::Instant;

use self::moment::Moment;
use self::owners::Interference;
use self::setup::{Counts, Setup};
use crate::sandbox::Running;
use crate::{Failed, cargo, say};

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

/// Runs one transfer to its end through all its deaths; answers how many there were.
fn transfer(campaign: &Campaign, seed: u64, seen: &mut Counts) -> Result<u32, String> {
    let world = Setup::start(campaign.files, seed)?;
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
            Some(0 | 4) => return world.judge(campaign.files, seen).map(|()| killed),
            // Killed, or out of patience with a platform that is always in the way: once more.
            None | Some(6) => {}
            Some(code) => return Err(format!("the program ended with {code}")),
        }
    }
    Err(format!("{RUNS} runs did not finish it"))
}
