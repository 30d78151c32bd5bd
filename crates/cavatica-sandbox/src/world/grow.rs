//! A world's beginning: from what a seed event keeps to files, folders and volumes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cavatica_model::{IdError, ProjectId, TaskId, VolumeId};

use super::spec::{EntrySpec, FileSpec, Origin, ProjectSpec, VolumeSpec, WorldSpec};
use super::{
    Came, Extras, FileNode, Node, NodeKind, Object, Place, Project, USER, VolumeChange,
    VolumeState, World,
};
use crate::clock::Millis;

/// A world that can't be made as described.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpecError {
    #[error(transparent)]
    Id(#[from] IdError),
    #[error("project, volume or task `{0}` is named twice")]
    Twice(String),
    #[error("`{path}` in project `{project}` is named twice, or both as a file and as a folder")]
    PathTwice { project: String, path: String },
    #[error("`{path}` in project `{project}` has an empty part")]
    EmptyPart { project: String, path: String },
    #[error("output `{path}` of task `{task}` is no such file or folder of its project")]
    NoOutput { task: String, path: String },
    #[error("a world holds at most {} files and folders", u32::MAX)]
    TooMany,
}

impl World {
    /// Makes the world that a seed describes. The same description gives the same world.
    pub(crate) fn grow(spec: &WorldSpec) -> Result<World, SpecError> {
        let mut world = World {
            seed: spec.seed,
            born_at: spec.at,
            quirks: spec.quirks.clone(),
            projects: Vec::new(),
            files: Vec::new(),
            volumes: Vec::new(),
            tasks: BTreeMap::new(),
            jobs: Vec::new(),
            unfinished: BTreeSet::new(),
            overwritten: 0,
            losses: BTreeMap::new(),
            files_gone: 0,
        };
        for volume in &spec.volumes {
            world.add_volume(volume, spec.at)?;
        }
        for project in &spec.projects {
            world.add_project(project)?;
        }
        Ok(world)
    }

    pub(super) fn add_volume(&mut self, spec: &VolumeSpec, at: Millis) -> Result<(), SpecError> {
        let id: VolumeId = spec.id.parse()?;
        if self.volume(&spec.id).is_some() {
            return Err(SpecError::Twice(spec.id.clone()));
        }
        let put_at = at;
        let objects = spec.objects.iter().map(|(location, object)| {
            let object = Object {
                size: object.size,
                etag: object.etag.as_str().into(),
                put_at,
                came: Came::Seeded,
            };
            (location.as_str().into(), object)
        });
        self.volumes.push(VolumeState {
            id,
            service: spec.service.clone(),
            access_mode: spec.access_mode.clone(),
            active: spec.active,
            bucket: spec.bucket.clone(),
            prefix: spec.prefix.clone(),
            description: spec.description.clone(),
            place: spec.place.clone(),
            credentials: spec.credentials.clone(),
            properties: spec.properties.clone(),
            store: spec.store.clone(),
            created_at: at,
            modified_at: at,
            members: BTreeMap::from([(USER.to_owned(), spec.permissions)]),
            removed: false,
            objects: objects.collect::<BTreeMap<_, _>>(),
            counts: [0; 4],
        });
        Ok(())
    }

    fn add_project(&mut self, spec: &ProjectSpec) -> Result<(), SpecError> {
        let id: ProjectId = spec.id.parse()?;
        if self.project(&spec.id).is_some() {
            return Err(SpecError::Twice(spec.id.clone()));
        }
        let number = u32::try_from(self.projects.len()).map_err(|_| SpecError::TooMany)?;
        let root = self.push(Node {
            name: id.name().into(),
            project: number,
            parent: None,
            kind: NodeKind::Folder {
                children: Vec::new(),
            },
        })?;
        self.projects.push(Project { id, root });
        let mut planting = Planting {
            world: self,
            spec,
            project: number,
            folders: HashMap::from([(String::new(), root)]),
            files: BTreeSet::new(),
        };
        for entry in &spec.entries {
            planting.add(entry)?;
        }
        for task in &spec.tasks {
            self.add_task(number, task)?;
        }
        Ok(())
    }

    fn push(&mut self, node: Node) -> Result<u32, SpecError> {
        let number = u32::try_from(self.files.len()).map_err(|_| SpecError::TooMany)?;
        if let Some(parent) = node.parent
            && let NodeKind::Folder { children } = &mut self.files[parent as usize].kind
        {
            children.push(number);
        }
        self.files.push(node);
        Ok(number)
    }
}

/// One project being filled.
struct Planting<'a> {
    world: &'a mut World,
    spec: &'a ProjectSpec,
    project: u32,
    folders: HashMap<String, u32>,
    files: BTreeSet<String>,
}

impl Planting<'_> {
    fn add(&mut self, entry: &EntrySpec) -> Result<(), SpecError> {
        match entry {
            EntrySpec::Folder(path) => {
                self.folder(path)?;
            }
            EntrySpec::File(file) => self.file(file)?,
            EntrySpec::Many {
                folder,
                count,
                size_bytes,
            } => {
                let parent = self.folder(folder)?;
                for number in 1..=*count {
                    let name = format!("file-{number:07}.dat");
                    let path = join(folder, &name);
                    self.claim(path)?;
                    let modified_at = self.world.born_at;
                    self.world.push(Node {
                        name: name.into(),
                        project: self.project,
                        parent: Some(parent),
                        kind: NodeKind::File(FileNode {
                            size: *size_bytes,
                            place: Place::Synthetic,
                            archived: false,
                            public_copy: false,
                            modified_at,
                            extras: None,
                        }),
                    })?;
                }
            }
        }
        Ok(())
    }

    /// The folder with this path, made with all above it if need be.
    fn folder(&mut self, path: &str) -> Result<u32, SpecError> {
        if let Some(known) = self.folders.get(path) {
            return Ok(*known);
        }
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.is_empty() {
            return Err(SpecError::EmptyPart {
                project: self.spec.id.clone(),
                path: path.to_owned(),
            });
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

    fn file(&mut self, spec: &FileSpec) -> Result<(), SpecError> {
        let (above, name) = spec.path.rsplit_once('/').unwrap_or(("", &spec.path));
        if name.is_empty() {
            return Err(SpecError::EmptyPart {
                project: self.spec.id.clone(),
                path: spec.path.clone(),
            });
        }
        let parent = self.folder(above)?;
        self.claim(spec.path.clone())?;
        let place = match &spec.origin {
            Origin::Disk => Place::Disk,
            Origin::Synthetic => Place::Synthetic,
            Origin::Alias { volume, location } => Place::Alias {
                volume: volume.parse()?,
                location: location.as_str().into(),
            },
        };
        let task: Option<TaskId> = spec.task.as_deref().map(str::parse).transpose()?;
        let plain = spec.metadata.is_empty() && spec.tags.is_empty() && task.is_none();
        let extras = if plain {
            None
        } else {
            Some(Box::new(Extras {
                metadata: spec.metadata.clone(),
                tags: spec.tags.clone(),
                task: task.clone(),
            }))
        };
        let modified_at = self.world.born_at;
        let number = self.world.push(Node {
            name: name.into(),
            project: self.project,
            parent: Some(parent),
            kind: NodeKind::File(FileNode {
                size: spec.size,
                place,
                archived: spec.archived,
                public_copy: spec.public_copy,
                modified_at,
                extras,
            }),
        })?;
        if let Some(task) = &task {
            self.world.credit(task, self.project, number);
        }
        Ok(())
    }

    fn claim(&mut self, path: String) -> Result<(), SpecError> {
        if self.folders.contains_key(&path) || self.files.contains(&path) {
            return Err(self.twice(&path));
        }
        self.files.insert(path);
        Ok(())
    }

    fn twice(&self, path: &str) -> SpecError {
        SpecError::PathTwice {
            project: self.spec.id.clone(),
            path: path.to_owned(),
        }
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

impl VolumeState {
    /// What the change doesn't name stays.
    pub(super) fn change(&mut self, change: &VolumeChange) {
        let VolumeChange {
            active,
            access_mode,
            description,
            credentials,
            properties,
            bucket,
            prefix,
        } = change.clone();
        self.active = active.unwrap_or(self.active);
        if let Some(mode) = access_mode {
            self.access_mode = mode;
        }
        if let Some(description) = description {
            self.description = description;
        }
        if let Some(credentials) = credentials {
            self.credentials = credentials;
        }
        self.properties = properties.or(&self.properties);
        // What lies at the old place doesn't show at another.
        if bucket.is_some() || prefix.is_some() {
            self.objects.clear();
        }
        self.bucket = bucket.unwrap_or_else(|| std::mem::take(&mut self.bucket));
        self.prefix = prefix.unwrap_or_else(|| std::mem::take(&mut self.prefix));
    }
}
