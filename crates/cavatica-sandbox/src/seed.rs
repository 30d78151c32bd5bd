//! What a new world holds, as its maker says it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;
use cavatica_model::{ExportProperties, SseAlgorithm, Tri, UnknownKeys};

use crate::world::{FileSpec, Origin, Permissions, StoreKind, TaskSpec, VolumeSpec};

/// A project of a new world: files and folders with a path each. Folders on the way to a file come by themselves.
///
/// ```
/// use cavatica_sandbox::{FileSeed, ProjectSeed};
///
/// let project = ProjectSeed::new("sandbox/trio")
///     .file("run1/a.vcf", "##fileformat=VCFv4.2\n")
///     .with(FileSeed::bytes("run1/a.bam", "reads").metadata("sample_id", "NA12878").tag("final"))
///     .with(FileSeed::bytes("old.tar", "years ago").archived())
///     .synthetic("many", 1000, 4096)
///     .folder("empty");
/// ```
#[derive(Clone, Debug)]
pub struct ProjectSeed {
    pub(crate) id: String,
    pub(crate) entries: Vec<EntrySeed>,
    pub(crate) tasks: Vec<TaskSeed>,
}

#[derive(Clone, Debug)]
pub(crate) enum EntrySeed {
    Folder(String),
    File(FileSeed),
    Tree(PathBuf),
    Many {
        folder: String,
        count: u32,
        size_bytes: u64,
    },
}

impl ProjectSeed {
    /// An empty project; the id is `owner/short-name`.
    pub fn new(id: impl Into<String>) -> Self {
        ProjectSeed {
            id: id.into(),
            entries: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// An ordinary file with these bytes.
    #[must_use]
    pub fn file(self, path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        self.with(FileSeed::bytes(path, content))
    }

    /// A file that is special in some way.
    #[must_use]
    pub fn with(mut self, file: FileSeed) -> Self {
        self.entries.push(EntrySeed::File(file));
        self
    }

    /// A folder, empty unless something else is put there.
    #[must_use]
    pub fn folder(mut self, path: impl Into<String>) -> Self {
        self.entries.push(EntrySeed::Folder(path.into()));
        self
    }

    /// Copies of all files under a folder of this computer, which itself is only read.
    ///
    /// Links to files are followed, links to folders are left out.
    #[must_use]
    pub fn from_dir(mut self, source: impl Into<PathBuf>) -> Self {
        self.entries.push(EntrySeed::Tree(source.into()));
        self
    }

    /// `count` files of `size_bytes` each in a folder (`""` is the project's root). Their bytes are made from the seed
    /// when they are read and take no room on the disk.
    #[must_use]
    pub fn synthetic(mut self, folder: impl Into<String>, count: u32, size_bytes: u64) -> Self {
        self.entries.push(EntrySeed::Many {
            folder: folder.into(),
            count,
            size_bytes,
        });
        self
    }

    /// A finished task with outputs among the project's files and folders.
    #[must_use]
    pub fn task(mut self, task: TaskSeed) -> Self {
        self.tasks.push(task);
        self
    }
}

/// A finished task of a new world.
///
/// Its outputs are written as the platform shows them, but with paths in the project where the platform shows ids:
///
/// ```
/// use cavatica_sandbox::{ProjectSeed, TaskSeed};
/// use serde_json::json;
///
/// let task = TaskSeed::new("6f2a1b3c-0000-4000-8000-000000000001")
///     .name("alignment")
///     .output("bam", json!({
///         "class": "File", "path": "run1/a.bam",
///         "secondaryFiles": [{"class": "File", "path": "run1/a.bam.bai"}]
///     }))
///     .output("reports", json!({"class": "Directory", "path": "run1/reports"}))
///     .output("reads", 1042);
/// let project = ProjectSeed::new("sandbox/trio")
///     .file("run1/a.bam", "reads")
///     .file("run1/a.bam.bai", "index")
///     .folder("run1/reports")
///     .task(task);
/// ```
///
/// Files don't name it as their task for that; [`FileSeed::task`] makes them. A task that only files name has one output,
/// `files`, the list of them.
#[derive(Clone, Debug)]
pub struct TaskSeed {
    pub(crate) spec: TaskSpec,
}

impl TaskSeed {
    /// A task without outputs; its name is its id.
    pub fn new(id: impl Into<String>) -> Self {
        TaskSeed {
            spec: TaskSpec {
                id: id.into(),
                name: None,
                app: None,
                batch: None,
                outputs: serde_json::Map::new(),
            },
        }
    }

    /// Names the task.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.spec.name = Some(name.into());
        self
    }

    /// Says which app it ran, `owner/project/app/revision`.
    #[must_use]
    pub fn app(mut self, app: impl Into<String>) -> Self {
        self.spec.app = Some(app.into());
        self
    }

    /// Makes it part of a batch task, which needs no description of its own.
    #[must_use]
    pub fn part_of(mut self, batch: impl Into<String>) -> Self {
        self.spec.batch = Some(batch.into());
        self
    }

    /// Gives the task an output.
    #[must_use]
    pub fn output(mut self, id: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.spec.outputs.insert(id.into(), value.into());
        self
    }
}

/// One file of a new world.
#[derive(Clone, Debug)]
pub struct FileSeed {
    pub(crate) spec: FileSpec,
    pub(crate) content: Option<Bytes>,
}

impl FileSeed {
    /// A file with these bytes.
    pub fn bytes(path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        let content = content.into();
        let size = content.len().try_into().unwrap_or(u64::MAX);
        FileSeed {
            spec: FileSpec::new(path.into(), size, Origin::Disk),
            content: Some(content),
        }
    }

    /// A file whose bytes are made from the seed when they are read.
    pub fn synthetic(path: impl Into<String>, size_bytes: u64) -> Self {
        FileSeed {
            spec: FileSpec::new(path.into(), size_bytes, Origin::Synthetic),
            content: None,
        }
    }

    /// A file that was exported (or imported) earlier: its bytes lie on a volume.
    pub fn alias(
        path: impl Into<String>,
        volume: impl Into<String>,
        location: impl Into<String>,
        size_bytes: u64,
    ) -> Self {
        let origin = Origin::Alias {
            volume: volume.into(),
            location: location.into(),
        };
        FileSeed {
            spec: FileSpec::new(path.into(), size_bytes, origin),
            content: None,
        }
    }

    /// Gives the file a metadata field.
    #[must_use]
    pub fn metadata(mut self, field: impl Into<String>, value: impl Into<String>) -> Self {
        let value = serde_json::Value::String(value.into());
        self.spec.metadata.insert(field.into(), value);
        self
    }

    /// Gives the file a tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.spec.tags.push(tag.into());
        self
    }

    /// Names the task that made the file.
    #[must_use]
    pub fn task(mut self, task: impl Into<String>) -> Self {
        self.spec.task = Some(task.into());
        self
    }

    /// Archives the file: it can't be exported, and its storage doesn't say where it is hosted.
    #[must_use]
    pub fn archived(mut self) -> Self {
        self.spec.archived = true;
        self
    }

    /// Makes the file a copy of a public one: it can't be exported, and only a metadata field hints at that.
    #[must_use]
    pub fn public_copy(mut self) -> Self {
        self.spec.public_copy = true;
        self.metadata("sbg_public_files_category", "Reference genome")
    }
}

/// A volume of a new world; read-write, active, on S3 and a folder on the disk unless told otherwise.
#[derive(Clone, Debug)]
pub struct VolumeSeed {
    pub(crate) spec: VolumeSpec,
    pub(crate) objects: BTreeMap<String, Bytes>,
}

impl VolumeSeed {
    /// A volume on S3; the id is `owner/name`.
    pub fn s3(id: impl Into<String>) -> Self {
        let id = id.into();
        let bucket = id.replace(['/', '_'], "-");
        VolumeSeed {
            spec: VolumeSpec {
                id,
                service: "s3".into(),
                access_mode: "RW".into(),
                active: true,
                bucket,
                prefix: String::new(),
                description: String::new(),
                place: UnknownKeys::new(),
                credentials: UnknownKeys::new(),
                properties: ExportProperties {
                    sse_algorithm: Tri::Value(SseAlgorithm::Aes256.into()),
                    ..ExportProperties::default()
                },
                store: StoreKind::Folder,
                objects: BTreeMap::new(),
                permissions: Permissions::all(),
            },
            objects: BTreeMap::new(),
        }
    }

    /// A volume on Google Cloud Storage, to which CAVATICA doesn't export.
    pub fn gcs(id: impl Into<String>) -> Self {
        let mut volume = VolumeSeed::s3(id);
        volume.spec.service = "gcs".into();
        volume.spec.properties = ExportProperties::default();
        volume
    }

    /// Forbids writing.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.spec.access_mode = "RO".into();
        self
    }

    /// Lets the account browse the volume and nothing else.
    #[must_use]
    pub fn browse_only(mut self) -> Self {
        self.spec.permissions = Permissions {
            read: true,
            ..Permissions::default()
        };
        self
    }

    /// Deactivates the volume.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        self.spec.active = false;
        self
    }

    /// Puts a prefix before every location, and one `/` between them where it has none.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.spec.prefix = prefix.into();
        self
    }

    /// Names the bucket.
    #[must_use]
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.spec.bucket = bucket.into();
        self
    }

    /// The defaults of exports that ask for nothing else.
    #[must_use]
    pub fn properties(mut self, properties: ExportProperties) -> Self {
        self.spec.properties = properties;
        self
    }

    /// Keeps no bytes of what is exported here, only keys, sizes and checksums: for very many or very large files.
    ///
    /// A synthetic file isn't even read on its way here; the checksum stands for its id and size.
    #[must_use]
    pub fn keys_only(mut self) -> Self {
        self.spec.store = StoreKind::KeysOnly;
        self
    }

    /// Makes the volume a **real bucket**, the one that [`bucket`](Self::bucket) names, at an S3 service's endpoint or on
    /// AWS. Exports really write there, with the encryption, storage class and ACL that they ask for, and with
    /// `overwrite` they replace what lies there. What is in the bucket is asked each time.
    ///
    /// A service that isn't AWS may know no encryption, so none is asked of it unless somebody says so.
    #[must_use]
    pub fn real_s3(mut self, endpoint: Option<&str>) -> Self {
        if endpoint.is_some() {
            self.spec.properties.sse_algorithm = Tri::Null;
        }
        self.spec.store = StoreKind::Bucket {
            endpoint: endpoint.map(str::to_owned),
        };
        self
    }

    /// An object that lies there already.
    #[must_use]
    pub fn object(mut self, location: impl Into<String>, content: impl Into<Bytes>) -> Self {
        self.objects.insert(location.into(), content.into());
        self
    }
}

/// The project that a sandbox has when nobody names one.
pub(crate) fn default_project() -> ProjectSeed {
    ProjectSeed::new("sandbox/demo")
        .file("README.txt", "Files to try exports with.\n")
        .with(
            FileSeed::bytes("results/NA12878/calls.vcf", VCF)
                .metadata("sample_id", "NA12878")
                .tag("final"),
        )
        .with(
            FileSeed::bytes(
                "results/NA12878/metrics.tsv",
                "metric\tvalue\nreads\t1042\n",
            )
            .metadata("sample_id", "NA12878"),
        )
        .with(
            FileSeed::bytes("results/NA12891/calls.vcf", VCF)
                .metadata("sample_id", "NA12891")
                .tag("final"),
        )
        .with(FileSeed::synthetic("results/NA12891/reads.bam", 1 << 20))
        .file(
            "odd names/50% done, #1 (a+b).txt",
            "Names may hold almost anything.\n",
        )
        .with(FileSeed::alias(
            "already/exported.bam",
            "sandbox/output",
            "earlier/exported.bam",
            9,
        ))
        .with(FileSeed::bytes("already/archived.tar", "long ago\n").archived())
        .with(FileSeed::bytes("reference/genome.fa", ">chr1\nACGT\n").public_copy())
        .folder("empty")
}

/// The platform's project of public reference files.
pub(crate) fn public_project() -> ProjectSeed {
    ProjectSeed::new(cavatica_model::ProjectId::PUBLIC)
        .file("human_g1k_v37_decoy.fasta", ">1\nNNNN\n")
}

/// The volumes that a sandbox has when nobody names one: of every kind.
pub(crate) fn default_volumes() -> Vec<VolumeSeed> {
    vec![
        VolumeSeed::s3("sandbox/output").object("earlier/exported.bam", "alignment"),
        VolumeSeed::s3("sandbox/prefixed").prefix("lab/cohort7"),
        VolumeSeed::s3("sandbox/readonly").read_only(),
        VolumeSeed::s3("sandbox/inactive").inactive(),
        VolumeSeed::gcs("sandbox/google"),
    ]
}

const VCF: &str = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t10177\t.\tA\tAC\t100\tPASS\t.\n";
