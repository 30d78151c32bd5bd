//! A platform with two accounts, a plan in parts, and what a task does.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::sandbox::SandboxProcess;
use crate::{Failed, target};

/// How many parts.
pub(super) const PARTS: u32 = 4;

/// An engine that doesn't finish by then hangs.
pub(super) const LONGEST: Duration = Duration::from_secs(900);

/// A platform with two accounts, and a plan in parts of which half are the second account's.
pub(super) struct Workplace {
    pub(super) folder: PathBuf,
    sandbox: SandboxProcess,
}

impl Drop for Workplace {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl Workplace {
    pub(super) fn start(engine: &str, files: u32) -> Result<Self, String> {
        let name = format!("cavatica-engines-{engine}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name.to_lowercase());
        let home = folder.join("home/.sevenbridges");
        std::fs::create_dir_all(&home).map_err(text)?;
        for number in 1..=files {
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
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.join("home"))
            .current_dir(&self.folder);
        command
    }

    /// Runs the program to its end. Answers what it printed as JSON.
    pub(super) fn cavatica(&self, args: &[&str]) -> Result<Value, String> {
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
    pub(super) fn task(&self) -> Result<PathBuf, String> {
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
    pub(super) fn process_of(&self, number: u32) -> Result<Option<u64>, String> {
        let status = self.cavatica(&["status", &part(number)])?;
        Ok(status["owner"]["process"].as_u64())
    }

    /// Every file was accepted once and arrived, the program says the same of all parts together, and both accounts worked.
    pub(super) fn judge(&self, files: u32) -> Result<(), String> {
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

/// Kills a process that runs a part.
pub(super) fn kill(process: u64) -> Result<(), String> {
    // It may have ended a moment ago.
    let mut command = Command::new("kill");
    command
        .args(["-KILL", &process.to_string()])
        .stderr(Stdio::null());
    command.status().map(drop).map_err(text)
}

/// The name of a part's file.
pub(super) fn part(number: u32) -> String {
    format!("t.parts/part-{number}.transfer")
}

pub(super) fn program() -> PathBuf {
    target().join("debug/cavatica")
}

pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Starts a program that goes on in the background.
pub(super) fn background(command: &mut Command) -> Result<Child, String> {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    let name = quiet.get_program().to_string_lossy().into_owned();
    quiet.spawn().map_err(|error| {
        format!("`{name}` can't be started ({error}); on Debian it comes with `slurmctld slurmd slurm-client munge`")
    })
}
