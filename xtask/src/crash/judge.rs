//! Whether every file was accepted exactly once: by the sandbox's ledger, the journal and the program's own words.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::setup::{Counts, Setup, program};

impl Setup {
    /// Compares what the sandbox did with what was planned, and with what the program says.
    pub(super) fn judge(&self, planned: u32, seen: &mut Counts) -> Result<(), String> {
        let ledger = self.ledger()?;
        let files = ledger["files"]
            .as_object()
            .ok_or("the ledger has no files")?;
        if files.len() != planned as usize {
            return Err(format!(
                "{} of {} files were accepted",
                files.len(),
                planned
            ));
        }
        for (file, told) in files {
            if (told["starts"].as_u64(), told["completed"].as_u64()) != (Some(1), Some(1)) {
                return Err(format!(
                    "file {file} was not accepted and completed exactly once: {told}"
                ));
            }
        }
        if ledger["objects_overwritten"] != 0 {
            return Err(format!(
                "{} objects were overwritten",
                ledger["objects_overwritten"]
            ));
        }
        for fault in ledger["faults"].as_array().into_iter().flatten() {
            let rule = fault["rule"]["fault"].to_string();
            let route = fault["rule"]["on"]["route"]
                .as_str()
                .unwrap_or("any")
                .to_owned();
            *seen
                .entry(format!("struck by {rule} on {route}"))
                .or_default() += fault["hits"].as_u64().unwrap_or(0);
        }
        self.judge_log(seen)?;
        self.judge_journal(planned, &ledger)
    }

    /// Compares what the journal says of every file with the job that the sandbox carried out.
    fn judge_journal(&self, planned: u32, ledger: &Value) -> Result<(), String> {
        let jobs: BTreeMap<&str, &Value> = ledger["jobs"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|job| Some((job["file"].as_str()?, job)))
            .collect();
        let report = Command::new(program())
            .args(["report", "t.transfer", "--format", "jsonl"])
            .current_dir(&self.folder)
            .output()
            .map_err(|error| error.to_string())?;
        let mut rows = 0;
        for line in report
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let row: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
            let job = row["file_id"].as_str().and_then(|file| jobs.get(file));
            let job = job.ok_or_else(|| format!("no job for {row}"))?;
            // A success that only the file's storage proves has no job's name.
            let export = row["export_id"].as_str().filter(|id| !id.is_empty());
            let same = row["state"] == "completed"
                && row["key"] == job["location"]
                && export.is_none_or(|id| job["id"] == id);
            if !same {
                return Err(format!("the journal says {row}, the sandbox did {job}"));
            }
            rows += 1;
        }
        if rows != planned {
            return Err(format!("the journal tells of {rows} files"));
        }
        Ok(())
    }

    /// Counts what the program says it did about lost answers.
    fn judge_log(&self, seen: &mut Counts) -> Result<(), String> {
        let log = std::fs::read_to_string(self.folder.join("log.jsonl"))
            .map_err(|error| error.to_string())?;
        for key in ["found", "absent"] {
            seen.entry(format!("lost answers looked up: {key}"))
                .or_default();
        }
        // A line that a kill cut short is no line.
        for event in log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        {
            if event["event"] == "reconciled" {
                for key in ["found", "absent"] {
                    *seen
                        .entry(format!("lost answers looked up: {key}"))
                        .or_default() += event[key].as_u64().unwrap_or(0);
                }
            }
        }
        Ok(())
    }
}
