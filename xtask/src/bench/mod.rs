//! Measures the program beside the platform's official Python client, on the same sandbox in one run, and holds what it
//! finds against what is demanded.
//!
//! Ratios count: both sides run on the same machine at the same time. Nothing here is an absolute claim.

mod accounts;
mod alone;
mod clients;
mod contest;
mod cost;
mod desk;
mod findings;
mod limit;
mod micro;
mod page;
mod plot;
mod scale;
mod table;
mod targets;

use std::path::Path;
use std::thread::{self, ScopedJoinHandle};

use findings::Findings;

use crate::{Failed, cargo, command, conformance, say};

#[derive(Debug, clap::Args)]
pub(crate) struct BenchOptions {
    /// How many files the competitors export
    #[arg(long, default_value_t = 10_000)]
    files: u64,
    /// Only the competitors with short and long jobs, and what needs no platform
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Only a part
    #[arg(long, conflicts_with_all = ["quick", "full", "write"])]
    only: Option<BenchPart>,
    /// Go up to a million files
    #[arg(long)]
    full: bool,
    /// Write what was found to docs/performance.md
    #[arg(long, conflicts_with = "quick")]
    write: bool,
}

/// What is measured by itself.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum BenchPart {
    /// What needs no platform: starting, and checking a manifest
    Alone,
    /// Two accounts beside one
    Accounts,
    /// The memory of plans of a million files
    Memory,
}

impl BenchOptions {
    /// The command that these options come from.
    fn command(&self) -> String {
        let full = if self.full { " --full" } else { "" };
        format!("cargo xtask bench --files {}{full} --write", self.files)
    }

    /// How many files the program exports alone.
    fn sizes(&self) -> &'static [u64] {
        if self.quick {
            &[]
        } else if self.full {
            &[10_000, 30_000, 100_000, 300_000, 1_000_000]
        } else {
            &[10_000, 100_000]
        }
    }
}

pub(crate) fn run(options: &BenchOptions) -> Result<(), Failed> {
    command(cargo().args([
        "build",
        "--profile",
        "dist",
        "--locked",
        "--package",
        "cavatica-cli",
    ]))?;
    let python = conformance::python()?;
    tell(options, &python).map_err(|fault| {
        say(fault);
        Failed
    })
}

/// Measures, prints, judges.
fn tell(options: &BenchOptions, python: &Path) -> Result<(), String> {
    let findings = find(options, python)?;
    let verdicts = targets::judge(&findings);
    let is_whole = options.only.is_none();
    if is_whole {
        say(format_args!("\n{}", page::contest(&findings)));
    }
    if is_whole && !options.quick {
        say(page::limit(&findings));
        say(page::scale(&findings));
    }
    say(page::verdicts(&verdicts));
    if options.write {
        page::write(&findings, &verdicts, &options.command())?;
    }
    let missed = verdicts.iter().filter(|one| one.is_met == Some(false));
    match missed.count() {
        0 => Ok(()),
        missed => Err(format!("{missed} of {} targets are missed", verdicts.len())),
    }
}

fn find(options: &BenchOptions, python: &Path) -> Result<Findings, String> {
    if let Some(part) = options.only {
        let mut findings = Findings::default();
        match part {
            BenchPart::Alone => findings.alone = Some(alone::run()?),
            BenchPart::Accounts => {
                findings.accounts = Some(accounts::two_beside_one(options.files)?)
            }
            BenchPart::Memory => findings.plans_mb = scale::memory_of_plans(targets::MILLION)?,
        }
        return Ok(findings);
    }
    let (files, sizes) = (options.files, options.sizes());
    let mut findings = Findings {
        alone: Some(alone::run()?),
        contest: contest::short(files, python)?,
        scale: scale::short(sizes)?,
        ..Findings::default()
    };
    if let Some(largest) = sizes.last() {
        findings.decode = Some(micro::decode_beside_untyped()?);
        findings.resume = Some(scale::resume(*largest)?);
        findings.accounts = Some(accounts::two_beside_one(files)?);
    }
    if options.full {
        findings.plans_mb = scale::memory_of_plans(targets::MILLION)?;
    }
    // From here on everybody mostly waits.
    thread::scope(|scope| {
        let scales = scope.spawn(|| scale::long(sizes));
        findings.contest.extend(contest::long(files, python)?);
        findings.scale.extend(join(scales)?);
        Ok::<(), String>(())
    })?;
    if options.quick {
        return Ok(findings);
    }
    thread::scope(|scope| {
        let failing = scope.spawn(|| contest::failing(files, python));
        findings.limit = limit::run(&findings.contest, files, python)?;
        findings.contest.push(join(failing)?);
        findings
            .contest
            .sort_by_key(|row| (row.jobs, row.client, row.case));
        Ok(findings)
    })
}

fn join<T>(thread: ScopedJoinHandle<'_, Result<T, String>>) -> Result<T, String> {
    thread.join().expect("what is measured doesn't panic")
}
