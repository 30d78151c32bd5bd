//! A world's beginning: from what a seed event keeps to files, folders and volumes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cavatica_model::id::IdError;
use cavatica_model::volume::AccessMode;
use cavatica_model::wire::OpenName;
use cavatica_model::{ProjectId, TaskId, UnknownKeys, VolumeId};

use super::seed::{FileSeed, ManySeed, ObjectSeed, ProjectSeed, VolumeSeed, WorldSeed};
use super::view::USUAL_LOCATION;
use super::{
    Came, Extras, FileNode, Node, NodeKind, Object, Place, Project, USER, VolumeState, World,
};
use crate::clock::Millis;

/// A world that can't be made as described.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    #[error(transparent)]
    Id(#[from] IdError),
    #[error("project, volume, task or account `{0}` is named twice")]
    Twice(String),
    #[error("`{path}` in project `{project}` is named twice, or both as a file and as a folder")]
    PathTwice { project: String, path: String },
    #[error("`{path}` in project `{project}` has an empty part")]
    EmptyPart { project: String, path: String },
    #[error("output `{path}` of task `{task}` is no such file or folder of its project")]
    NoOutput { task: String, path: String },
    #[error("volume `{0}` has the service `{1}`; there are s3, gcs, azure and oss")]
    Service(String, String),
    #[error("volume `{0}` has the access mode `{1}`; there are RW and RO")]
    AccessMode(String, String),
    #[error(
        "volume `{0}` is a real bucket, so it is on S3, and objects come there by an S3 client"
    )]
    Bucket(String),
    #[error("`{0}` is no username: letters, digits, `-` and `_`")]
    Username(String),
    #[error("a world holds at most {} files and folders", u32::MAX)]
    TooMany,
}

impl World {
    /// Makes the world that a seed describes. The same description gives the same world.
    pub(crate) fn grow(seed: &WorldSeed) -> Result<World, SeedError> {
        let mut world = World {
            seed: seed.seed,
            born_at: seed.at,
            quirks: seed.quirks.clone(),
            accounts: Vec::new(),
            projects: Vec::new(),
            files: Vec::new(),
            volumes: Vec::new(),
            tasks: BTreeMap::new(),
            jobs: Vec::new(),
            unfinished: BTreeSet::new(),
            overwritten: 0,
            losses: BTreeMap::new(),
            added_at: BTreeMap::new(),
            files_gone: 0,
        };
        for name in std::iter::once(USER).chain(seed.accounts.iter().map(String::as_str)) {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || !name.chars().all(plain) {
                return Err(SeedError::Username(name.to_owned()));
            }
            if world.account(name).is_some() {
                return Err(SeedError::Twice(name.to_owned()));
            }
            world.accounts.push(name.to_owned());
        }
        for volume in &seed.volumes {
            world.add_volume(volume, seed.at)?;
        }
        for project in &seed.projects {
            world.add_project(project)?;
        }
        Ok(world)
    }

    pub(super) fn add_volume(&mut self, seed: &VolumeSeed, at: Millis) -> Result<(), SeedError> {
        let id = seed.check()?;
        if self.volume(&seed.id).is_some() {
            return Err(SeedError::Twice(seed.id.clone()));
        }
        // A content is measured before the world grows.
        let objects = seed.objects.iter().filter_map(|(location, object)| {
            let ObjectSeed::Measured { size, etag } = object else {
                return None;
            };
            let object = Object {
                size: *size,
                etag: etag.as_str().into(),
                put_at: at,
                came: Came::Seeded,
            };
            Some((location.as_str().into(), object))
        });
        let members = seed
            .members
            .clone()
            .unwrap_or_else(|| self.accounts.clone());
        let members = members.into_iter();
        self.volumes.push(VolumeState {
            id,
            service: seed.service.clone(),
            access_mode: seed.access_mode.clone(),
            active: seed.active,
            bucket: seed.bucket_name(),
            prefix: seed.prefix.clone(),
            description: seed.description.clone(),
            place: seed.place.clone(),
            credentials: seed.credentials.clone(),
            properties: seed.default_properties(),
            store: seed.store(),
            created_at: at,
            modified_at: at,
            members: members.map(|name| (name, seed.permissions)).collect(),
            removed: false,
            objects: objects.collect(),
            counts: vec![[0; 4]; self.accounts.len()],
        });
        Ok(())
    }

    fn add_project(&mut self, seed: &ProjectSeed) -> Result<(), SeedError> {
        let id: ProjectId = seed.id.parse()?;
        if self.project(&seed.id).is_some() {
            return Err(SeedError::Twice(seed.id.clone()));
        }
        let number = u32::try_from(self.projects.len()).map_err(|_| SeedError::TooMany)?;
        let root = self.push(Node {
            name: id.name().into(),
            project: number,
            parent: None,
            kind: NodeKind::Folder {
                children: Vec::new(),
            },
        })?;
        let location = seed
            .location
            .as_deref()
            .unwrap_or(USUAL_LOCATION)
            .to_owned();
        self.projects.push(Project { id, root, location });
        let mut planting = Planting {
            world: self,
            id: &seed.id,
            project: number,
            folders: HashMap::from([(String::new(), root)]),
            files: BTreeSet::new(),
        };
        for file in &seed.files {
            planting.file(file)?;
        }
        for many in &seed.synthetic {
            planting.many(many)?;
        }
        for folder in &seed.folders {
            planting.folder(folder)?;
        }
        for task in &seed.tasks {
            self.add_task(number, task)?;
        }
        Ok(())
    }

    pub(super) fn push(&mut self, node: Node) -> Result<u32, SeedError> {
        let number = u32::try_from(self.files.len()).map_err(|_| SeedError::TooMany)?;
        if let Some(parent) = node.parent
            && let NodeKind::Folder { children } = &mut self.files[parent as usize].kind
        {
            children.push(number);
        }
        self.files.push(node);
        Ok(number)
    }
}

impl VolumeSeed {
    /// Its id, if there can be such a volume.
    pub(crate) fn check(&self) -> Result<VolumeId, SeedError> {
        let id = self.id.parse()?;
        if !["s3", "gcs", "azure", "oss"].contains(&&*self.service) {
            let service = self.service.clone();
            return Err(SeedError::Service(self.id.clone(), service));
        }
        if AccessMode::from_name(&self.access_mode).is_none() {
            let mode = self.access_mode.clone();
            return Err(SeedError::AccessMode(self.id.clone(), mode));
        }
        if self.s3.is_some() && (self.service != "s3" || !self.objects.is_empty()) {
            return Err(SeedError::Bucket(self.id.clone()));
        }
        Ok(id)
    }
}

/// One project being filled.
struct Planting<'a> {
    world: &'a mut World,
    id: &'a str,
    project: u32,
    folders: HashMap<String, u32>,
    files: BTreeSet<String>,
}

impl Planting<'_> {
    fn many(&mut self, many: &ManySeed) -> Result<(), SeedError> {
        let parent = self.folder(&many.folder)?;
        for number in 1..=many.count {
            let name = format!("file-{number:07}.dat");
            self.claim(join(&many.folder, &name))?;
            let modified_at = self.world.born_at;
            self.world.push(Node {
                name: name.into(),
                project: self.project,
                parent: Some(parent),
                kind: NodeKind::File(FileNode::synthetic(many.size, modified_at)),
            })?;
        }
        Ok(())
    }

    /// The folder with this path, made with all above it if need be.
    fn folder(&mut self, path: &str) -> Result<u32, SeedError> {
        if let Some(known) = self.folders.get(path) {
            return Ok(*known);
        }
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.is_empty() {
            return Err(self.empty_part(path));
        }
        if self.files.contains(path) {
            return Err(self.twice(path));
        }
        let parent = self.folder(above)?;
        let number = self.world.push(Node {
            name: name.into(),
            project: self.project,
            parent: Some(parent),
            kind: NodeKind::Folder {
                children: Vec::new(),
            },
        })?;
        self.folders.insert(path.to_owned(), number);
        Ok(number)
    }

    fn file(&mut self, seed: &FileSeed) -> Result<(), SeedError> {
        let (above, name) = seed.path.rsplit_once('/').unwrap_or(("", &seed.path));
        if name.is_empty() {
            return Err(self.empty_part(&seed.path));
        }
        let parent = self.folder(above)?;
        self.claim(seed.path.clone())?;
        let place = match &seed.alias {
            Some(alias) => Place::Alias {
                volume: alias.volume.parse()?,
                location: alias.location.as_str().into(),
            },
            None if seed.on_disk => Place::Disk,
            None => Place::Synthetic,
        };
        let task: Option<TaskId> = seed.task.as_deref().map(str::parse).transpose()?;
        let plain = seed.metadata.is_empty() && seed.tags.is_empty() && task.is_none();
        let extras = (!plain || seed.public_copy).then(|| {
            Box::new(Extras {
                metadata: metadata(seed),
                tags: seed.tags.clone(),
                task: task.clone(),
            })
        });
        let modified_at = self.world.born_at;
        let number = self.world.push(Node {
            name: name.into(),
            project: self.project,
            parent: Some(parent),
            kind: NodeKind::File(FileNode {
                size: seed.size,
                place,
                archived: seed.archived,
                public_copy: seed.public_copy,
                modified_at,
                extras,
            }),
        })?;
        if let Some(task) = &task {
            self.world.credit(task, self.project, number);
        }
        Ok(())
    }

    fn claim(&mut self, path: String) -> Result<(), SeedError> {
        if self.folders.contains_key(&path) || self.files.contains(&path) {
            return Err(self.twice(&path));
        }
        self.files.insert(path);
        Ok(())
    }

    fn empty_part(&self, path: &str) -> SeedError {
        SeedError::EmptyPart {
            project: self.id.to_owned(),
            path: path.to_owned(),
        }
    }

    fn twice(&self, path: &str) -> SeedError {
        SeedError::PathTwice {
            project: self.id.to_owned(),
            path: path.to_owned(),
        }
    }
}

/// A copy of a public file says so in one field only.
fn metadata(seed: &FileSeed) -> UnknownKeys {
    let mut metadata = seed.metadata.clone();
    if seed.public_copy {
        let field = metadata.entry("sbg_public_files_category");
        field.or_insert_with(|| "Reference genome".into());
    }
    metadata
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}
