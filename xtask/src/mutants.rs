//! How strong the tests are: every small change to the core has to fail one of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Parser;
use serde::Deserialize;

use crate::{Failed, cargo, command, root, say, target, unspoilt};

/// Other versions make other mutants.
const VERSION: &str = "27.1.0";

/// Some files of a package, and the package whose tests are held against them.
struct Core {
    package: &'static str,
    tests: &'static str,
    files: &'static [&'static str],
}

/// What decides whether a file is sent, and what is said of it.
const CORE: [Core; 5] = [
    Core {
        package: "cavatica-model",
        tests: "cavatica-model",
        files: &["bulk/fate.rs", "check.rs", "location.rs", "status.rs"],
    },
    Core {
        package: "cavatica-transport",
        tests: "cavatica-transport",
        files: &["budget.rs", "classify.rs", "gate.rs", "retry.rs"],
    },
    Core {
        package: "cavatica-exports",
        tests: "cavatica-exports",
        files: &[
            "evidence/completed.rs",
            "evidence/job_clock.rs",
            "evidence/judge.rs",
            "evidence/settling.rs",
            "evidence/whereabouts.rs",
        ],
    },
    // What asks the platform is tried on one that lies.
    Core {
        package: "cavatica-exports",
        tests: "cavatica-transfer",
        files: &["evidence/gather.rs"],
    },
    Core {
        package: "cavatica-transfer",
        tests: "cavatica-transfer",
        files: &["evidence.rs", "run/poll_schedule.rs", "state.rs"],
    },
];

#[derive(Debug, Parser)]
pub(crate) struct MutantsOptions {
    /// These files of the core only, for instance `state.rs`
    #[arg(long)]
    file: Vec<String>,
}

/// The mutants of one file, by what became of them.
#[derive(Debug, Default)]
struct FileMutants {
    all: usize,
    caught: usize,
    missed: usize,
}

#[derive(Deserialize)]
struct MutantsOut {
    outcomes: Vec<Tried>,
}

#[derive(Deserialize)]
struct Tried {
    scenario: Subject,
    summary: TriedAs,
}

#[derive(Deserialize)]
enum Subject {
    Baseline,
    Mutant { file: String },
}

#[derive(Deserialize)]
enum TriedAs {
    /// Of the baseline.
    Success,
    CaughtMutant,
    /// A loop that doesn't end is noticed as well.
    Timeout,
    MissedMutant,
    /// It doesn't compile.
    Unviable,
    Failure,
}

pub(crate) fn run(options: &MutantsOptions) -> Result<(), Failed> {
    let tool = installed()?;
    let mut rows = BTreeMap::new();
    for core in CORE {
        let asked = |file: &&&str| {
            options.file.is_empty() || options.file.iter().any(|asked| asked == **file)
        };
        let files: Vec<&str> = core.files.iter().filter(asked).copied().collect();
        if !files.is_empty() {
            mutate(&tool, &core, &files, &mut rows)?;
        }
    }
    say("| file | mutants | caught | missed |\n|---|--:|--:|--:|");
    for (file, row) in &rows {
        let FileMutants {
            all,
            caught,
            missed,
        } = row;
        say(format_args!("| `{file}` | {all} | {caught} | {missed} |"));
    }
    if rows.values().all(|row| row.missed == 0) {
        Ok(())
    } else {
        Err(Failed)
    }
}

/// Makes the mutants of some files, and tries them.
fn mutate(
    tool: &Path,
    core: &Core,
    files: &[&str],
    rows: &mut BTreeMap<String, FileMutants>,
) -> Result<(), Failed> {
    let Core { package, tests, .. } = core;
    let folder = target().join("mutants").join(package);
    fs::create_dir_all(&folder).map_err(|error| {
        say(format_args!("{} can't be made: {error}", folder.display()));
        Failed
    })?;
    let mut mutants = Command::new(tool);
    unspoilt(&mut mutants);
    mutants
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target().join("mutants/build"))
        .args([
            "mutants",
            "--package",
            package,
            "--test-package",
            tests,
            "--no-times",
            "--colors=never",
            // A busy machine is no mutant.
            "--minimum-test-timeout=300",
        ])
        .arg("--output")
        .arg(&folder);
    for file in files {
        mutants.args(["--file", &format!("crates/{package}/src/{file}")]);
    }
    // 2: some were missed; 3: some ran into the time limit, which counts as noticed. The table tells.
    match mutants.status().ok().and_then(|status| status.code()) {
        Some(0 | 2 | 3) => {}
        code => {
            say(format_args!("cargo-mutants ended with {code:?}"));
            return Err(Failed);
        }
    }
    count(&folder.join("mutants.out/outcomes.json"), rows)
}

fn count(outcomes: &Path, rows: &mut BTreeMap<String, FileMutants>) -> Result<(), Failed> {
    let failed = |error: &dyn std::error::Error| {
        say(format_args!(
            "{} can't be read: {error}",
            outcomes.display()
        ));
        Failed
    };
    let text = fs::read(outcomes).map_err(|error| failed(&error))?;
    let read: MutantsOut = serde_json::from_slice(&text).map_err(|error| failed(&error))?;
    for outcome in read.outcomes {
        let Subject::Mutant { file } = outcome.scenario else {
            continue;
        };
        let row = rows.entry(file).or_default();
        match outcome.summary {
            TriedAs::CaughtMutant | TriedAs::Timeout => row.caught += 1,
            TriedAs::MissedMutant => row.missed += 1,
            TriedAs::Success | TriedAs::Unviable | TriedAs::Failure => continue,
        }
        row.all += 1;
    }
    Ok(())
}

/// Installs it once, from crates.io, below the target folder.
fn installed() -> Result<std::path::PathBuf, Failed> {
    let folder = target().join("mutants").join(VERSION);
    let program = folder.join("bin/cargo-mutants");
    if !program.exists() {
        command(
            cargo()
                .args([
                    "install",
                    "--quiet",
                    "--locked",
                    "cargo-mutants",
                    "--version",
                    VERSION,
                ])
                .arg("--root")
                .arg(&folder),
        )?;
    }
    Ok(program)
}
