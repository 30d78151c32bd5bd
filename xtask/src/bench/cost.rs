//! What a process costs, read from outside of it.

use std::ops::Add;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::sandbox::Running;

/// `/proc` counts processor time in hundredths of a second on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// How often a process is looked at; what its memory does in its last moment may be missed.
const INTERVAL: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) wall_s: f64,
    /// User and system time of all its threads.
    pub(super) cpu_s: f64,
    /// The most memory that was resident.
    pub(super) peak_mb: f64,
}

/// One after the other: times add up, the larger peak counts.
impl Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost {
            wall_s: self.wall_s + other.wall_s,
            cpu_s: self.cpu_s + other.cpu_s,
            peak_mb: self.peak_mb.max(other.peak_mb),
        }
    }
}

/// How often is done what is over soon: a machine that others use is fast and slow by turns.
pub(super) const TURNS: usize = 3;

impl Cost {
    /// What one of several turns cost on average; of memory, the largest peak counts.
    pub(super) fn mean(turns: &[Cost]) -> Cost {
        let all = turns.iter().copied().fold(Cost::default(), Cost::add);
        let count = turns.len() as f64;
        Cost {
            wall_s: all.wall_s / count,
            cpu_s: all.cpu_s / count,
            peak_mb: all.peak_mb,
        }
    }
}

/// Runs a command to its end, which must be a success.
pub(super) fn measure(command: &mut Command) -> Result<Cost, String> {
    let began = Instant::now();
    let process = command
        .spawn()
        .map_err(|error| format!("{command:?} can't be started: {error}"))?;
    let mut process = Running(process);
    let mut cost = Cost::default();
    // It stays readable after its end, until somebody waits for it.
    loop {
        let Some(stat) = Stat::read(process.0.id()) else {
            return Err("there is no /proc to measure with: this chore needs Linux".to_owned());
        };
        if stat.has_ended {
            cost.cpu_s = stat.cpu_s;
            break;
        }
        cost.peak_mb = peak_mb(process.0.id()).unwrap_or(cost.peak_mb);
        sleep(INTERVAL);
    }
    cost.wall_s = began.elapsed().as_secs_f64();
    let status = process.0.wait().map_err(|error| error.to_string())?;
    if status.success() {
        Ok(cost)
    } else {
        Err(format!("{command:?}: {status}"))
    }
}

struct Stat {
    has_ended: bool,
    cpu_s: f64,
}

impl Stat {
    fn read(process: u32) -> Option<Stat> {
        let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name stands in brackets and may hold anything; what follows are the third field and on.
        let (_, fields) = text.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        Some(Stat {
            has_ended: *fields.first()? == "Z",
            cpu_s: (ticks(11)? + ticks(12)?) / TICKS_PER_SECOND,
        })
    }
}

/// None once the process has ended.
fn peak_mb(process: u32) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}
