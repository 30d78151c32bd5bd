//! What needs no platform: starting, and checking a manifest.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::cost::{Cost, measure};
use super::desk::program;
use crate::target;

/// Rows of the manifest that is checked.
pub(super) const ROWS: u64 = 1_000_000;

/// Of so many starts the one in the middle counts.
const STARTS: usize = 31;

/// Of so many checks the one counts that others on the machine disturbed the least.
const CHECKS: usize = 5;

#[derive(Clone, Copy, Debug)]
pub(super) struct Alone {
    pub(super) start_ms: f64,
    pub(super) check: Cost,
}

impl Alone {
    /// In one thread, so that time and processor time are the same where nobody else works on the machine.
    pub(super) fn rows_per_second(&self) -> f64 {
        ROWS as f64 / self.check.cpu_s
    }
}

pub(super) fn run() -> Result<Alone, String> {
    let folder = target().join(format!("bench/{}-alone", std::process::id()));
    let manifest = folder.join("manifest.csv");
    let written = std::fs::create_dir_all(&folder).and_then(|()| write(&manifest));
    written.map_err(|error| format!("{}: {error}", manifest.display()))?;
    let start_ms = start()?;
    let checks: Result<Vec<Cost>, String> = (0..CHECKS).map(|_| check(&manifest)).collect();
    std::fs::remove_dir_all(&folder).ok();
    let check = checks?
        .into_iter()
        .min_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s));
    Ok(Alone {
        start_ms,
        check: check.ok_or("nothing was checked")?,
    })
}

fn check(manifest: &Path) -> Result<Cost, String> {
    measure(
        Command::new(program())
            .arg("check")
            .arg(manifest)
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )
}

fn start() -> Result<f64, String> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let began = Instant::now();
        let status = Command::new(program())
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if !status.is_ok_and(|status| status.success()) {
            return Err("the program doesn't start".to_owned());
        }
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[STARTS / 2])
}

fn write(manifest: &Path) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(manifest)?);
    writeln!(out, "file_id,project,name,location")?;
    for row in 0..ROWS {
        writeln!(
            out,
            "567890abc8a5{row:012x},lab/cohort,sample-{row:07}.bam,cohort/run{:03}/sample-{row:07}.bam",
            row / 10_000
        )?;
    }
    out.flush()
}
