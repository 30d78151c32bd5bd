//! Measures the program beside the platform's official Python client, on the same sandbox in one run, and holds what it
//! finds against what is demanded.
//!
//! Ratios count: both sides run on the same machine at the same time. Nothing here is an absolute claim.

mod alone;
mod clients;
mod contest;
mod cost;
mod desk;
mod table;
mod targets;

use alone::Alone;
use clients::Client;
use contest::Row;
use table::table;
use targets::{judge, number};

use crate::{Failed, cargo, command, conformance, say};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many files the competitors export
    #[arg(long, default_value_t = 10_000)]
    files: u64,
}

/// Everything that was measured.
#[derive(Debug, Default)]
struct Findings {
    contest: Vec<Row>,
    alone: Option<Alone>,
}

impl Findings {
    fn ours(&self) -> impl Iterator<Item = &Row> {
        self.contest.iter().filter(|row| row.client == Client::Ours)
    }
}

pub(crate) fn run(options: &Options) -> Result<(), Failed> {
    command(cargo().args([
        "build",
        "--release",
        "--locked",
        "--package",
        "cavatica-cli",
    ]))?;
    let python = conformance::python()?;
    let findings = find(options, &python).map_err(|fault| {
        say(fault);
        Failed
    })?;
    say(format_args!("\n{}", contest_table(&findings)));
    let verdicts = judge(&findings);
    let rows: Vec<Vec<String>> = verdicts
        .iter()
        .map(|verdict| {
            let mark = match verdict.is_met {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "",
            };
            vec![
                verdict.words.to_owned(),
                verdict.wanted.clone(),
                verdict.found.clone(),
                mark.to_owned(),
            ]
        })
        .collect();
    say(table(&["demand", "wanted", "found", "met"], &rows));
    if verdicts.iter().any(|verdict| verdict.is_met == Some(false)) {
        say("a target is missed");
        return Err(Failed);
    }
    Ok(())
}

fn find(options: &Options, python: &std::path::Path) -> Result<Findings, String> {
    Ok(Findings {
        alone: Some(alone::run()?),
        contest: contest::run(options.files, python)?,
    })
}

fn contest_table(findings: &Findings) -> String {
    let rows: Vec<Vec<String>> = findings
        .contest
        .iter()
        .map(|row| {
            vec![
                row.client.words().to_owned(),
                row.jobs.words().to_owned(),
                row.files.to_string(),
                number(row.requests_per_file()),
                number(row.cpu_ms_per_file()),
                number(row.cost.peak_mb),
            ]
        })
        .collect();
    table(
        &[
            "",
            "jobs take",
            "files",
            "requests per file",
            "CPU, s per 1,000 files",
            "peak memory, MB",
        ],
        &rows,
    )
}
