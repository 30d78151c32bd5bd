//! The world in the API's own words.

use cavatica_model::{
    ApiError, ExportJob, ExportProperties, File, FileKind, FileStorage, JobDestination, Open,
    OpenName, Source, StorageType, Tri, UnknownKeys, Volume, VolumeService,
};
use jiff::Timestamp;

use super::{NodeKind, Place, StoreKind, VolumeState, World};
use crate::clock::{Millis, timestamp};
use crate::world::number;
use crate::world::quirk::Quirk;

/// The region that everything is in.
const HOSTED_ON: &str = "aws:us-east-1";

/// The address that a client used, so that links in answers lead back the same way.
pub(crate) struct Links(pub(crate) String);

impl Links {
    pub(crate) fn file(&self, id: &str) -> String {
        format!("{}/files/{id}", self.0)
    }

    pub(crate) fn export(&self, id: &str) -> String {
        format!("{}/storage/exports/{id}", self.0)
    }

    pub(crate) fn task(&self, id: &str) -> String {
        format!("{}/tasks/{id}", self.0)
    }

    pub(crate) fn volume(&self, id: &str) -> String {
        format!("{}/storage/volumes/{id}", self.0)
    }

    pub(crate) fn project(&self, id: &str) -> String {
        format!("{}/projects/{id}", self.0)
    }
}

impl World {
    pub(crate) fn file_id(&self, number: u32) -> String {
        number::file_id(self.seed, number)
    }

    pub(crate) fn export_id(&self, number: u32) -> String {
        number::export_id(self.seed, number)
    }

    /// A file or folder with all its fields.
    pub(crate) fn file_view(&self, number: u32, links: &Links) -> File {
        self.file_view_as_of(number, links, Millis::MAX)
    }

    /// The same, but a file that became an alias after a moment shows as before.
    pub(crate) fn file_view_as_of(&self, number: u32, links: &Links, at: Millis) -> File {
        let node = self.node(number);
        let id = self.file_id(number);
        let mut file = File {
            href: Tri::Value(links.file(&id)),
            name: Tri::Value(node.name.to_string()),
            project: Tri::Value(self.projects[node.project as usize].id.clone()),
            parent: node
                .parent
                .map_or(Tri::Absent, |parent| Tri::Value(own(&self.file_id(parent)))),
            created_on: moment(self.born_at),
            modified_on: moment(self.born_at),
            ..File::new(own(&id))
        };
        match &node.kind {
            NodeKind::Folder { .. } => {
                file.kind = Tri::Value(self.spelled(FileKind::Folder.into()));
                // Folders are reported like archived files.
                file.storage = Tri::Value(storage(StorageType::Platform));
            }
            NodeKind::File(content) => {
                file.kind = Tri::Value(self.spelled(FileKind::File.into()));
                file.size = Tri::Value(content.size);
                let later = content.modified_at > at.max(self.born_at);
                file.modified_on = moment(if later {
                    self.born_at
                } else {
                    content.modified_at
                });
                let place = match &content.place {
                    Place::Alias { .. } if later => &Place::Synthetic,
                    place => place,
                };
                file.storage = Tri::Value(match place {
                    Place::Disk | Place::Synthetic
                        if content.archived || self.quirks.contains(&Quirk::NoHosts) =>
                    {
                        storage(StorageType::Platform)
                    }
                    Place::Disk | Place::Synthetic => FileStorage {
                        hosted_on_locations: Tri::Value(vec![HOSTED_ON.to_owned()]),
                        ..storage(StorageType::Platform)
                    },
                    Place::Alias { volume, location } => FileStorage {
                        volume: Tri::Value(volume.to_string()),
                        location: Tri::Value(location.to_string()),
                        ..storage(StorageType::Volume)
                    },
                    // Nobody is shown a file that is gone.
                    Place::Gone => FileStorage::default(),
                });
                let extras = content.extras.as_deref();
                let task = extras.and_then(|extras| extras.task.clone());
                file.origin = Tri::Value(cavatica_model::Origin {
                    task: task.map_or(Tri::Absent, Tri::Value),
                    unknown: UnknownKeys::new(),
                });
                file.tags = Tri::Value(extras.map_or_else(Vec::new, |extras| extras.tags.clone()));
                file.metadata = Tri::Value(
                    extras.map_or_else(UnknownKeys::new, |extras| extras.metadata.clone()),
                );
            }
        }
        file
    }

    /// A job with all its fields.
    pub(crate) fn job_view(&self, number: u32, links: &Links) -> ExportJob {
        let job = &self.jobs[number as usize];
        let volume = &self.volumes[job.volume as usize];
        let id = self.export_id(number);
        ExportJob {
            href: Tri::Value(links.export(&id)),
            id: own(&id),
            state: job.state.into(),
            source: Tri::Value(Source {
                file: own(&self.file_id(job.file)),
                unknown: UnknownKeys::new(),
            }),
            destination: Tri::Value(JobDestination {
                volume: volume.id.to_string(),
                location: job.location.to_string(),
                unknown: UnknownKeys::new(),
            }),
            started_on: moment(job.started_at),
            finished_on: if job.state.is_final() {
                moment(job.finished_at)
            } else {
                Tri::Absent
            },
            properties: Tri::Value(self.effective_properties(number)),
            overwrite: Tri::Value(job.overwrite),
            result: if job.state == cavatica_model::ExportState::Completed
                && !self.is_gone(job.file)
            {
                Tri::Value(Box::new(self.file_view(job.file, links)))
            } else {
                Tri::Absent
            },
            error: match &job.failure {
                Some(failure) => Tri::<ApiError>::Value(failure.error()),
                None => Tri::Absent,
            },
            unknown: UnknownKeys::new(),
        }
    }

    /// What a job asks of S3: its own wishes over the volume's defaults, both keys named even where nobody asked, as in the
    /// documentation's example.
    pub(crate) fn effective_properties(&self, number: u32) -> ExportProperties {
        let job = &self.jobs[number as usize];
        let volume = &self.volumes[job.volume as usize];
        let mut properties = volume.properties.clone();
        if properties.sse_algorithm.is_absent() {
            properties.sse_algorithm = Tri::Value(cavatica_model::SseAlgorithm::Aes256.into());
        }
        if properties.aws_canned_acl.is_absent() {
            properties.aws_canned_acl = Tri::Null;
        }
        if let Some(asked) = job.properties.value() {
            let ExportProperties {
                sse_algorithm,
                sse_aws_kms_key_id,
                aws_canned_acl,
                aws_storage_class,
                unknown,
            } = (**asked).clone();
            override_with(&mut properties.sse_algorithm, sse_algorithm);
            override_with(&mut properties.sse_aws_kms_key_id, sse_aws_kms_key_id);
            override_with(&mut properties.aws_canned_acl, aws_canned_acl);
            override_with(&mut properties.aws_storage_class, aws_storage_class);
            properties.unknown.extend(unknown);
        }
        properties
    }

    /// A volume with all its fields.
    pub(crate) fn volume_view(&self, number: u32, links: &Links) -> Volume {
        let volume = &self.volumes[number as usize];
        let s3 = volume.service == "s3";
        let unknown = if s3 {
            UnknownKeys::from_iter([("direct_export_enabled".to_owned(), false.into())])
        } else {
            UnknownKeys::new()
        };
        let endpoint = match &volume.store {
            StoreKind::Bucket {
                endpoint: Some(url),
            } => Some(url.as_str()),
            _ if s3 => Some("s3.amazonaws.com"),
            _ => None,
        };
        let usual = [
            ("endpoint", endpoint),
            (
                "root_url",
                (volume.service == "gcs").then_some("https://www.googleapis.com"),
            ),
        ];
        let mut place = volume.place.clone();
        for (key, value) in usual {
            if let Some(value) = value {
                place.entry(key).or_insert_with(|| value.into());
            }
        }
        let mut text = |key: &str| match place.remove(key) {
            Some(serde_json::Value::String(text)) => Tri::Value(text),
            _ => Tri::Absent,
        };
        let (endpoint, root_url) = (text("endpoint"), text("root_url"));
        let service = VolumeService {
            kind: Tri::Value(self.spelled_service(&volume.service)),
            bucket: Tri::Value(volume.bucket.clone()),
            prefix: Tri::Value(volume.prefix.clone()),
            endpoint,
            root_url,
            credentials: Tri::Value(shown_credentials(volume)),
            properties: Tri::Value(volume.properties.clone()),
            access_mode: Tri::Absent,
            export_enabled: if s3 { Tri::Value(true) } else { Tri::Absent },
            unknown: unknown.into_iter().chain(place).collect(),
        };
        Volume {
            href: Tri::Value(links.volume(volume.id.as_str())),
            name: Tri::Value(volume.id.name().to_owned()),
            description: Tri::Value(volume.description.clone()),
            top_level_access_mode: Tri::Value(Open::from(&*volume.access_mode)),
            service: Tri::Value(service),
            created_on: moment(volume.created_at),
            modified_on: moment(volume.modified_at),
            active: Tri::Value(volume.active),
            ..Volume::new(volume.id.clone())
        }
    }

    /// A file's kind as the platform spells it, which is not the same everywhere.
    fn spelled<K: OpenName>(&self, name: Open<K>) -> Open<K> {
        if self.quirks.contains(&Quirk::Capitals) {
            Open::from(&*name.as_str().to_uppercase())
        } else {
            name
        }
    }

    /// A volume's service as the platform spells it: in capitals, most often.
    fn spelled_service<K: OpenName>(&self, service: &str) -> Open<K> {
        if self.quirks.contains(&Quirk::SmallServices) {
            Open::from(service)
        } else {
            Open::from(&*service.to_uppercase())
        }
    }

    /// When the world began.
    pub(crate) fn born(&self) -> Timestamp {
        timestamp(self.born_at)
    }
}

/// What was given when the volume was mounted, without secrets; a made-up key where nothing was given.
fn shown_credentials(volume: &VolumeState) -> UnknownKeys {
    if !volume.credentials.is_empty() {
        return volume.credentials.clone();
    }
    let (key, value) = match &*volume.service {
        "gcs" => ("client_email", "sandbox@example.iam.gserviceaccount.com"),
        _ => ("access_key_id", "AKIASANDBOX"),
    };
    UnknownKeys::from_iter([(key.to_owned(), value.into())])
}

fn override_with<T>(default: &mut Tri<T>, asked: Tri<T>) {
    if !asked.is_absent() {
        *default = asked;
    }
}

fn storage(kind: StorageType) -> FileStorage {
    FileStorage {
        kind: Tri::Value(kind.into()),
        ..FileStorage::default()
    }
}

fn moment(at: Millis) -> Tri<cavatica_model::DateTime> {
    Tri::Value(timestamp(at).into())
}

/// An id that this crate made itself.
fn own<T: std::str::FromStr<Err = cavatica_model::IdError>>(id: &str) -> T {
    id.parse().expect("hex digits make an id")
}
