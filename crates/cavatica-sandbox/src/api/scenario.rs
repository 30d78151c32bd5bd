//! A whole sandbox as a JSON text: its world, its timing, its limits and what goes wrong.

use std::str::FromStr;

use serde::Deserialize;

use crate::control::fault::FaultPlan;
use crate::control::rate::RateLimit;
use crate::world::JobTiming;
use crate::world::quirk::Quirks;
use crate::world::seed::{OtherExport, ProjectSeed, VolumeSeed};

/// A sandbox described in JSON, to be kept beside the program that is tried against it.
///
/// Every key may be left out; keys that no scenario has are refused.
///
/// ```
/// use cavatica_sandbox::{Sandbox, Scenario};
///
/// let scenario: Scenario = r#"{
///     "seed": 7,
///     "rate_limit": {"requests": 100, "seconds": 10},
///     "job_milliseconds": [10, 50],
///     "fail_share": 0.01,
///     "faults": "drop-after@bulk-start,nth=2; throttle,every=50",
///     "quirks": ["ignore-copy-only"],
///     "projects": [{
///         "id": "lab/trio",
///         "files": [
///             {"path": "run1/a.vcf", "content": "text", "metadata": {"sample_id": "NA12878"}, "tags": ["final"]},
///             {"path": "run1/a.bam", "size": 1048576, "task": "6f2a1b3c-0000-4000-8000-000000000001"},
///             {"path": "old.tar", "size": 10, "archived": true},
///             {"path": "genome.fa", "size": 10, "public_copy": true},
///             {"path": "sent.bam", "size": 10, "alias": {"volume": "lab/output", "location": "sent.bam"}}
///         ],
///         "folders": ["empty"],
///         "synthetic": [{"folder": "many", "count": 1000, "size": 4096}],
///         "tasks": [{
///             "id": "6f2a1b3c-0000-4000-8000-000000000001", "name": "alignment",
///             "outputs": {"bam": {"class": "File", "path": "run1/a.bam"}}
///         }]
///     }],
///     "volumes": [
///         {"id": "lab/output", "objects": {"taken.txt": "already here"}},
///         {"id": "lab/closed", "access_mode": "RO", "prefix": "closed/"},
///         {"id": "lab/google", "service": "gcs"},
///         {"id": "lab/huge", "keys_only": true, "active": false},
///         {"id": "lab/real", "bucket": "lab-results", "s3": {"endpoint": "https://s3.example.org"}}
///     ],
///     "exports": [
///         {"file": "lab/trio:run1/a.vcf", "volume": "lab/output", "location": "a.vcf", "copy": true, "ago_seconds": 86400},
///         {"file": "lab/trio:run1/a.bam", "volume": "lab/output", "location": "b.bam", "overwrite": true,
///          "account": "colleague", "job_milliseconds": 5000}
///     ],
///     "accounts": ["colleague"]
/// }"#.parse()?;
/// let builder = Sandbox::builder().scenario(scenario);
/// # Ok::<(), cavatica_sandbox::ScenarioError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    pub(super) seed: Option<u64>,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) job_milliseconds: Option<(u64, u64)>,
    pub(super) fail_share: Option<f64>,
    pub(super) faults: Option<FaultPlan>,
    pub(super) quirks: Quirks,
    pub(super) projects: Vec<ProjectSeed>,
    pub(super) volumes: Vec<VolumeSeed>,
    pub(super) exports: Vec<OtherExport>,
    pub(super) accounts: Vec<String>,
}

/// A text that is no scenario.
#[derive(Debug, thiserror::Error)]
#[error("not a scenario")]
pub struct ScenarioError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Scenario =
            serde_json::from_str(text).map_err(|error| ScenarioError(error.into()))?;
        for volume in &scenario.volumes {
            volume
                .check()
                .map_err(|error| ScenarioError(error.into()))?;
        }
        Ok(scenario)
    }
}

impl Scenario {
    /// What the other one names counts; projects, volumes, quirks and exports are added.
    pub(super) fn extend(&mut self, other: Scenario) {
        self.seed = other.seed.or(self.seed);
        self.rate_limit = other.rate_limit.or(self.rate_limit);
        self.job_milliseconds = other.job_milliseconds.or(self.job_milliseconds);
        self.fail_share = other.fail_share.or(self.fail_share);
        self.faults = other.faults.or(self.faults.take());
        self.quirks.extend(other.quirks);
        self.projects.extend(other.projects);
        self.volumes.extend(other.volumes);
        self.exports.extend(other.exports);
        self.accounts.extend(other.accounts);
    }

    pub(super) fn timing(&self) -> JobTiming {
        let (shortest, longest) = self.job_milliseconds.unwrap_or((30, 150));
        JobTiming::between(shortest, longest, self.fail_share.unwrap_or(0.0))
    }
}
