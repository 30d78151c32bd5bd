//! A whole sandbox as a JSON text: its world, its pace, its limits and what goes wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::builder::SandboxBuilder;
use crate::elsewhere::OtherExport;
use crate::fault::FaultPlan;
use crate::quirk::Quirk;
use crate::seed::{FileSeed, ProjectSeed, TaskSeed, VolumeSeed};

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
///     ]
/// }"#.parse()?;
/// let builder = Sandbox::builder().scenario(scenario);
/// # Ok::<(), cavatica_sandbox::ScenarioError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    seed: Option<u64>,
    rate_limit: Option<RateLimit>,
    job_milliseconds: Option<(u64, u64)>,
    fail_share: Option<f64>,
    #[serde(deserialize_with = "faults")]
    faults: Option<FaultPlan>,
    quirks: Vec<Quirk>,
    projects: Vec<Project>,
    volumes: Vec<Volume>,
    exports: Vec<OtherExport>,
}

/// A text that is no scenario.
#[derive(Debug, thiserror::Error)]
#[error("not a scenario")]
pub struct ScenarioError(#[source] Box<dyn std::error::Error + Send + Sync>);

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimit {
    requests: u64,
    seconds: f64,
}

/// In the small language, or as a list of rules.
fn faults<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FaultPlan>, D::Error> {
    deserializer.deserialize_any(Faults).map(Some)
}

struct Faults;

impl<'de> Visitor<'de> for Faults {
    type Value = FaultPlan;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faults as a text or a list of rules")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<FaultPlan, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, rules: A) -> Result<FaultPlan, A::Error> {
        FaultPlan::deserialize(SeqAccessDeserializer::new(rules))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    id: String,
    #[serde(default)]
    files: Vec<File>,
    #[serde(default)]
    folders: Vec<String>,
    #[serde(default)]
    synthetic: Vec<Many>,
    #[serde(default)]
    from_dir: Option<PathBuf>,
    #[serde(default)]
    tasks: Vec<Task>,
}

/// Files and folders in the outputs are named by their paths in the project.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    app: Option<String>,
    #[serde(default)]
    part_of: Option<String>,
    #[serde(default)]
    outputs: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path: String,
    #[serde(default)]
    content: Option<String>,
    /// For files without content: their bytes are made from the seed.
    #[serde(default)]
    size: u64,
    #[serde(default)]
    alias: Option<Alias>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    task: Option<String>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    public_copy: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alias {
    volume: String,
    location: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    folder: String,
    count: u32,
    size: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Volume {
    id: String,
    #[serde(default)]
    service: Service,
    #[serde(default)]
    access_mode: AccessMode,
    #[serde(default = "active")]
    active: bool,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    bucket: Option<String>,
    #[serde(default)]
    keys_only: bool,
    #[serde(default)]
    s3: Option<RealS3>,
    #[serde(default)]
    objects: BTreeMap<String, String>,
}

/// Without an endpoint the bucket is on AWS. Keys have no place in a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RealS3 {
    #[serde(default)]
    endpoint: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Service {
    #[default]
    S3,
    Gcs,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum AccessMode {
    #[default]
    Rw,
    Ro,
}

fn active() -> bool {
    true
}

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Scenario =
            serde_json::from_str(text).map_err(|error| ScenarioError(error.into()))?;
        if let Some(limit) = scenario.rate_limit {
            Duration::try_from_secs_f64(limit.seconds)
                .map_err(|error| ScenarioError(error.into()))?;
        }
        Ok(scenario)
    }
}

impl Scenario {
    pub(crate) fn apply(self, mut builder: SandboxBuilder) -> SandboxBuilder {
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        if let Some(limit) = self.rate_limit {
            let window = Duration::try_from_secs_f64(limit.seconds).unwrap_or(Duration::MAX);
            builder = builder.rate_limit(limit.requests, window);
        }
        if let Some((shortest, longest)) = self.job_milliseconds {
            let (shortest, longest) = (
                Duration::from_millis(shortest),
                Duration::from_millis(longest),
            );
            builder = builder.job_duration(shortest..=longest);
        }
        if let Some(share) = self.fail_share {
            builder = builder.fail_share(share);
        }
        if let Some(faults) = self.faults {
            builder = builder.faults(faults);
        }
        for quirk in self.quirks {
            builder = builder.quirk(quirk);
        }
        for project in self.projects {
            builder = builder.project(project.seed());
        }
        for volume in self.volumes {
            builder = builder.volume(volume.seed());
        }
        for export in self.exports {
            builder = builder.export(export);
        }
        builder
    }
}

impl Project {
    fn seed(self) -> ProjectSeed {
        let mut project = ProjectSeed::new(self.id);
        for folder in self.folders {
            project = project.folder(folder);
        }
        for file in self.files {
            project = project.with(file.seed());
        }
        for many in self.synthetic {
            project = project.synthetic(many.folder, many.count, many.size);
        }
        for task in self.tasks {
            project = project.task(task.seed());
        }
        match self.from_dir {
            Some(folder) => project.from_dir(folder),
            None => project,
        }
    }
}

impl Task {
    fn seed(self) -> TaskSeed {
        let mut task = TaskSeed::new(self.id);
        if let Some(name) = self.name {
            task = task.name(name);
        }
        if let Some(app) = self.app {
            task = task.app(app);
        }
        if let Some(batch) = self.part_of {
            task = task.part_of(batch);
        }
        for (id, value) in self.outputs {
            task = task.output(id, value);
        }
        task
    }
}

impl File {
    fn seed(self) -> FileSeed {
        let mut file = match (self.alias, self.content) {
            (Some(alias), _) => FileSeed::alias(self.path, alias.volume, alias.location, self.size),
            (None, Some(content)) => FileSeed::bytes(self.path, content),
            (None, None) => FileSeed::synthetic(self.path, self.size),
        };
        for (field, value) in self.metadata {
            file = file.metadata(field, value);
        }
        for tag in self.tags {
            file = file.tag(tag);
        }
        if let Some(task) = self.task {
            file = file.task(task);
        }
        if self.archived {
            file = file.archived();
        }
        if self.public_copy {
            file = file.public_copy();
        }
        file
    }
}

impl Volume {
    fn seed(self) -> VolumeSeed {
        let mut volume = match self.service {
            Service::S3 => VolumeSeed::s3(self.id),
            Service::Gcs => VolumeSeed::gcs(self.id),
        };
        volume = volume.prefix(self.prefix);
        if let AccessMode::Ro = self.access_mode {
            volume = volume.read_only();
        }
        if !self.active {
            volume = volume.inactive();
        }
        if let Some(bucket) = self.bucket {
            volume = volume.bucket(bucket);
        }
        if self.keys_only {
            volume = volume.keys_only();
        }
        if let Some(place) = self.s3 {
            volume = volume.real_s3(place.endpoint.as_deref());
        }
        for (location, content) in self.objects {
            volume = volume.object(location, content);
        }
        volume
    }
}
