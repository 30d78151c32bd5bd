//! The world in the API's own words.

use cavatica_model::export::Source;
use cavatica_model::file::{FileKind, FileStorage, Origin, StorageType};
use cavatica_model::job::JobDestination;
use cavatica_model::volume::VolumeService;
use cavatica_model::wire::{Open, OpenName};
use cavatica_model::{ExportJob, ExportProperties, ExportState, File, Tri, UnknownKeys, Volume};
use jiff::Timestamp;

use super::{NodeKind, Place, StoreKind, VolumeState, World};
use crate::clock::{Millis, timestamp};
use crate::world::number;
use crate::world::quirk::Quirk;

/// The cloud and region that all volumes are in, and projects if nothing is said.
pub(crate) const USUAL_LOCATION: &str = "aws:us-east-1";

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
        let mut file = File::new(own(&id));
        file.href = Tri::Value(links.file(&id));
        file.name = Tri::Value(node.name.to_string());
        file.project = Tri::Value(self.projects[node.project as usize].id.clone());
        file.parent = node
            .parent
            .map_or(Tri::Absent, |parent| Tri::Value(own(&self.file_id(parent))));
        file.created_on = moment(self.born_at);
        file.modified_on = moment(self.born_at);
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
                let mut lies = storage(match place {
                    Place::Alias { .. } => StorageType::Volume,
                    // Nobody is shown a file that is gone.
                    Place::Disk | Place::Synthetic | Place::Gone => StorageType::Platform,
                });
                if let Place::Alias { volume, location } = place {
                    lies.volume = Tri::Value(volume.to_string());
                    lies.location = Tri::Value(location.to_string());
                } else if !content.archived && !self.quirks.contains(&Quirk::NoHosts) {
                    let project = &self.projects[node.project as usize];
                    lies.hosted_on_locations = Tri::Value(vec![project.location.clone()]);
                }
                file.storage = Tri::Value(lies);
                let extras = content.extras.as_deref();
                let task = extras.and_then(|extras| extras.task.clone());
                let mut origin = Origin::default();
                origin.task = task.map_or(Tri::Absent, Tri::Value);
                file.origin = Tri::Value(origin);
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
        let mut shown = ExportJob::new(own(&id), job.state);
        shown.href = Tri::Value(links.export(&id));
        shown.source = Tri::Value(Source::new(own(&self.file_id(job.file))));
        shown.destination = Tri::Value(JobDestination::new(
            volume.id.as_str(),
            job.location.to_string(),
        ));
        shown.started_on = moment(job.started_at);
        if job.state.is_final() {
            shown.finished_on = moment(job.finished_at);
        }
        shown.properties = Tri::Value(self.effective_properties(number));
        shown.overwrite = Tri::Value(job.overwrite);
        if job.state == ExportState::Completed && !self.is_gone(job.file) {
            shown.result = Tri::Value(Box::new(self.file_view(job.file, links)));
        }
        if let Some(failure) = &job.failure {
            shown.error = Tri::Value(failure.error());
        }
        shown
    }

    /// What a job asks of S3: its own wishes over the volume's defaults, both keys named even where nobody asked, as in the
    /// documentation's example.
    pub(crate) fn effective_properties(&self, number: u32) -> ExportProperties {
        let job = &self.jobs[number as usize];
        let volume = &self.volumes[job.volume as usize];
        let mut properties = volume.properties.clone();
        if properties.sse_algorithm.is_absent() {
            properties.sse_algorithm =
                Tri::Value(cavatica_model::export::SseAlgorithm::Aes256.into());
        }
        if properties.aws_canned_acl.is_absent() {
            properties.aws_canned_acl = Tri::Null;
        }
        if let Some(asked) = job.properties.value() {
            let asked = (**asked).clone();
            override_with(&mut properties.sse_algorithm, asked.sse_algorithm);
            override_with(&mut properties.sse_aws_kms_key_id, asked.sse_aws_kms_key_id);
            override_with(&mut properties.aws_canned_acl, asked.aws_canned_acl);
            override_with(&mut properties.aws_storage_class, asked.aws_storage_class);
            properties.unknown.extend(asked.unknown);
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
        let mut service = VolumeService::default();
        service.kind = Tri::Value(self.spelled_service(&volume.service));
        service.bucket = Tri::Value(volume.bucket.clone());
        service.prefix = Tri::Value(volume.prefix.clone());
        service.endpoint = endpoint;
        service.root_url = root_url;
        service.credentials = Tri::Value(shown_credentials(volume));
        service.properties = Tri::Value(volume.properties.clone());
        let enabled = Tri::Value(!self.quirks.contains(&Quirk::NotEnabled));
        service.export_enabled = if s3 { enabled } else { Tri::Absent };
        service.unknown = unknown.into_iter().chain(place).collect();
        let mut shown = Volume::new(volume.id.clone());
        shown.href = Tri::Value(links.volume(volume.id.as_str()));
        shown.name = Tri::Value(volume.id.name().to_owned());
        shown.description = Tri::Value(volume.description.clone());
        shown.top_level_access_mode = Tri::Value(Open::from(&*volume.access_mode));
        shown.service = Tri::Value(service);
        shown.created_on = moment(volume.created_at);
        shown.modified_on = moment(volume.modified_at);
        shown.active = Tri::Value(volume.active);
        shown
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
    let mut storage = FileStorage::default();
    storage.kind = Tri::Value(kind.into());
    storage
}

fn moment(at: Millis) -> Tri<cavatica_model::wire::DateTime> {
    Tri::Value(timestamp(at).into())
}

/// An id that this crate made itself.
fn own<T: std::str::FromStr<Err = cavatica_model::id::IdError>>(id: &str) -> T {
    id.parse().expect("hex digits make an id")
}
