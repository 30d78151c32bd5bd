//! How strong the tests are: every small change to the core has to fail one of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use serde::Deserialize;

use crate::{Failed, because, cargo, command, root, say, target, unspoilt};

/// Other versions make other mutants.
const VERSION: &str = "27.1.0";

/// Some files of a package.
struct Core {
    package: &'static str,
    files: &'static [&'static str],
    /// What cargo builds for the first try. Most mutants fall to few tests that are soon built and run.
    first: &'static [&'static str],
    /// Which of these tests are run; all where no name is given.
    names: &'static [&'static str],
    /// The packages all of whose tests are tried on what is left.
    tests: &'static str,
}

/// What decides whether a file is sent, and what is said of it.
const CORE: [Core; 5] = [
    Core {
        package: "cavatica-transfer",
        files: &["evidence.rs", "run/poll_schedule.rs", "state.rs"],
        first: &["--lib"],
        names: &["evidence", "poll_schedule", "state"],
        tests: "cavatica-transfer",
    },
    Core {
        package: "cavatica-exports",
        files: &[
            "evidence/completed.rs",
            "evidence/job_clock.rs",
            "evidence/judge.rs",
            "evidence/list_order.rs",
            "evidence/settling.rs",
            "evidence/shown.rs",
            "evidence/whereabouts.rs",
            "evidence/whole_list.rs",
        ],
        first: &["--lib"],
        names: &[],
        tests: "cavatica-exports",
    },
    // What asks the platform is tried on one that lies, too.
    Core {
        package: "cavatica-exports",
        files: &["evidence/gather.rs"],
        first: &["--test=it"],
        names: &[],
        tests: "cavatica-exports,cavatica-transfer",
    },
    Core {
        package: "cavatica-model",
        files: &["bulk/fate.rs", "check.rs", "location.rs", "status.rs"],
        first: &["--lib", "--test=it"],
        names: &["check", "fate", "location", "status"],
        tests: "cavatica-model",
    },
    Core {
        package: "cavatica-transport",
        files: &["budget.rs", "classify.rs", "gate.rs", "retry.rs"],
        first: &["--lib", "--test=it"],
        names: &[],
        tests: "cavatica-transport",
    },
];

#[derive(Debug, Parser)]
pub(crate) struct MutantsOptions {
    /// These files of the core only, for instance `state.rs`
    #[arg(long)]
    file: Vec<String>,
}

/// The mutants of one file, by what became of them. Those that don't compile are none.
#[derive(Debug, Default)]
struct FileMutants {
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

#[derive(Clone, Copy, Deserialize, PartialEq)]
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

impl TriedAs {
    /// Whether more tests may catch it.
    fn is_open(self) -> bool {
        matches!(self, TriedAs::MissedMutant | TriedAs::Timeout)
    }
}

pub(crate) fn run(options: &MutantsOptions) -> Result<(), Failed> {
    let tool = installed()?;
    let tree = tree()?;
    let mut rows = BTreeMap::new();
    for core in CORE {
        let asked = |file: &&&str| {
            options.file.is_empty() || options.file.iter().any(|asked| asked == **file)
        };
        let files: Vec<&str> = core.files.iter().filter(asked).copied().collect();
        if !files.is_empty() {
            mutate(&tool, &tree, &core, &files, &mut rows)?;
        }
    }
    say("| file | mutants | caught | missed |\n|---|--:|--:|--:|");
    for (file, FileMutants { caught, missed }) in &rows {
        let all = caught + missed;
        say(format_args!("| `{file}` | {all} | {caught} | {missed} |"));
    }
    if rows.values().all(|row| row.missed == 0) {
        Ok(())
    } else {
        Err(Failed)
    }
}

/// Makes the mutants of some files, and tries them: first on the tests that are soon built, then what these didn't catch on
/// all that the packages have.
fn mutate(
    tool: &Path,
    tree: &Path,
    core: &Core,
    files: &[&str],
    rows: &mut BTreeMap<String, FileMutants>,
) -> Result<(), Failed> {
    let Core { package, tests, .. } = core;
    let folder = target().join("mutants").join(tests);
    fs::create_dir_all(&folder).map_err(because(&format!("{} can't be made", folder.display())))?;
    let tries = |arguments: &[&str], names: &[&str]| {
        let mut mutants = Command::new(tool);
        unspoilt(&mut mutants);
        mutants
            .current_dir(tree)
            .env("CARGO_TARGET_DIR", target().join("mutants/build"))
            .args(["mutants", "--in-place", "--no-times", "--colors=never"])
            .args(["--package", package, "--output"])
            .arg(&folder)
            .args(arguments);
        for file in files {
            mutants.args(["--file", &format!("crates/{package}/src/{file}")]);
        }
        mutants.args(["--", "--"]).args(names);
        tried(&mut mutants, &folder.join("mutants.out/outcomes.json"))
    };
    let mut first = vec!["--test-package", package, "--minimum-test-timeout=60"];
    first.extend(core.first.iter().flat_map(|only| ["--cargo-arg", only]));
    let mut outcomes = tries(&first, core.names)?;
    if outcomes.iter().any(|(_, how)| how.is_open()) {
        say("once more what was missed or ran out of time, on more tests:");
        outcomes.retain(|(_, how)| !how.is_open());
        // A busy machine is no mutant.
        let rest = [
            "--iterate",
            "--test-package",
            tests,
            "--minimum-test-timeout=300",
        ];
        outcomes.extend(tries(&rest, &[])?);
    }
    for (file, how) in outcomes {
        let row = rows.entry(file).or_default();
        match how {
            TriedAs::CaughtMutant | TriedAs::Timeout => row.caught += 1,
            TriedAs::MissedMutant => row.missed += 1,
            TriedAs::Success | TriedAs::Unviable | TriedAs::Failure => {}
        }
    }
    Ok(())
}

/// What became of each mutant, with the file that it is of.
fn tried(mutants: &mut Command, outcomes: &Path) -> Result<Vec<(String, TriedAs)>, Failed> {
    // 2: some were missed; 3: some ran out of time. The outcomes tell.
    match mutants.status().ok().and_then(|status| status.code()) {
        Some(0 | 2 | 3) => {}
        code => {
            say(format_args!("cargo-mutants ended with {code:?}"));
            return Err(Failed);
        }
    }
    let unread = format!("{} can't be read", outcomes.display());
    let text = fs::read(outcomes).map_err(because(&unread))?;
    let read: MutantsOut = serde_json::from_slice(&text).map_err(because(&unread))?;
    let of_mutant = |tried: Tried| match tried.scenario {
        Subject::Baseline => None,
        Subject::Mutant { file } => Some((file, tried.summary)),
    };
    Ok(read.outcomes.into_iter().filter_map(of_mutant).collect())
}

/// What git knows of, as it is now, in a place of its own: what was built of it is used again, and no mutant is left here.
fn tree() -> Result<PathBuf, Failed> {
    let tree = target().join("mutants/tree");
    let git = || {
        let mut git = Command::new("git");
        git.current_dir(root());
        git
    };
    if !tree.exists() {
        command(
            git()
                .args(["worktree", "add", "--quiet", "--detach", "--force"])
                .arg(&tree),
        )?;
    }
    // The one says nothing where nothing was changed since the other.
    let mut commit = String::new();
    for name in [["rev-parse", "HEAD"], ["stash", "create"]] {
        let said = git().args(name).output().map_err(because("git"))?;
        let said = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        if !said.is_empty() {
            commit = said;
        }
    }
    command(
        git()
            .arg("-C")
            .arg(&tree)
            .args(["checkout", "--quiet", "--force", "--detach", &commit]),
    )?;
    Ok(tree)
}

/// Installs it once, from crates.io, below the target folder.
fn installed() -> Result<PathBuf, Failed> {
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
