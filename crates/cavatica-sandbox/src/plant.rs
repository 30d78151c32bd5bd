//! A new world's bytes: described first, so that a world that contradicts itself leaves nothing behind, then written to
//! the data folder, before the world's first event is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::error::SandboxError;
use crate::quirk::Quirks;
use crate::seed::{EntrySeed, ProjectSeed, VolumeSeed};
use crate::store::{Store, measure};
use crate::world::{
    EntrySpec, FileSpec, ObjectSpec, Origin, ProjectSpec, StoreKind, VolumeSpec, key,
};

/// Bytes that a new world needs on the disk.
pub(crate) enum Planting {
    File {
        project: String,
        path: String,
        content: Bytes,
    },
    Copy {
        project: String,
        path: String,
        from: PathBuf,
        size: u64,
    },
    Object {
        volume: String,
        key: String,
        content: Bytes,
    },
}

/// Describes a project; what has to be written for it is added to `plantings`.
pub(crate) fn project(
    seed: ProjectSeed,
    plantings: &mut Vec<Planting>,
) -> Result<ProjectSpec, SandboxError> {
    let mut entries = Vec::new();
    for entry in seed.entries {
        match entry {
            EntrySeed::Folder(path) => entries.push(EntrySpec::Folder(path)),
            EntrySeed::Many {
                folder,
                count,
                size_bytes,
            } => entries.push(EntrySpec::Many {
                folder,
                count,
                size_bytes,
            }),
            EntrySeed::File(file) => {
                if let Some(content) = file.content {
                    plantings.push(Planting::File {
                        project: seed.id.clone(),
                        path: file.spec.path.clone(),
                        content,
                    });
                }
                entries.push(EntrySpec::File(file.spec));
            }
            EntrySeed::Tree(source) => {
                for (path, file) in tree(&source)? {
                    let Some((from, size)) = file else {
                        entries.push(EntrySpec::Folder(path));
                        continue;
                    };
                    plantings.push(Planting::Copy {
                        project: seed.id.clone(),
                        path: path.clone(),
                        from,
                        size,
                    });
                    entries.push(EntrySpec::File(FileSpec::new(path, size, Origin::Disk)));
                }
            }
        }
    }
    Ok(ProjectSpec {
        id: seed.id,
        entries,
        tasks: seed.tasks.into_iter().map(|task| task.spec).collect(),
    })
}

/// Describes a volume; what has to be written for it is added to `plantings`.
pub(crate) fn volume(
    seed: VolumeSeed,
    quirks: &Quirks,
    plantings: &mut Vec<Planting>,
) -> Result<VolumeSpec, SandboxError> {
    let mut spec = seed.spec;
    if let StoreKind::Bucket { .. } = spec.store
        && (spec.service != "s3" || !seed.objects.is_empty())
    {
        let why = format!(
            "the volume `{}` is a real bucket, so it is on S3, and objects come there by an S3 client",
            spec.id
        );
        return Err(SandboxError::World(why));
    }
    for (location, content) in seed.objects {
        let key = key(quirks, &spec.prefix, &location);
        let measured = measure(&mut &content[..]).map_err(SandboxError::io(Path::new(&key)))?;
        let object = ObjectSpec {
            size: measured.size,
            etag: measured.etag,
        };
        if spec.store == StoreKind::Folder {
            plantings.push(Planting::Object {
                volume: spec.id.clone(),
                key,
                content,
            });
        }
        spec.objects.insert(location, object);
    }
    Ok(spec)
}

impl Planting {
    /// Writes the bytes to their place.
    pub(crate) fn write(&self, store: &Store) -> Result<(), SandboxError> {
        match self {
            Planting::File {
                project,
                path,
                content,
            } => {
                let place = prepared(store, project, path)?;
                fs::write(&place, content).map_err(SandboxError::io(&place))
            }
            Planting::Copy {
                project,
                path,
                from,
                size,
            } => {
                let place = prepared(store, project, path)?;
                let copied = fs::copy(from, place).map_err(SandboxError::io(from))?;
                if copied == *size {
                    Ok(())
                } else {
                    let changed = io::Error::other("it changed while it was being copied");
                    Err(SandboxError::io(from)(changed))
                }
            }
            Planting::Object {
                volume,
                key,
                content,
            } => {
                let place = store.object_path(volume, key);
                let written = store.put(volume, key, &mut &content[..]);
                written.map(drop).map_err(SandboxError::io(&place))
            }
        }
    }
}

/// The place of a project's file, the folders on the way made.
fn prepared(store: &Store, project: &str, path: &str) -> Result<PathBuf, SandboxError> {
    let names: Vec<&str> = path.split('/').collect();
    let place = store.file_path(project, &names);
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).map_err(SandboxError::io(folder))?;
    }
    Ok(place)
}

/// A folder or file on this computer: its path under the folder that is read, and for a file where it lies and its size.
type Found = (String, Option<(PathBuf, u64)>);

/// Every folder and file under a folder, in the order of their names.
fn tree(source: &Path) -> Result<Vec<Found>, SandboxError> {
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), source.to_owned())];
    while let Some((above, folder)) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .map_err(SandboxError::io(&folder))?;
        for entry in entries {
            let place = entry.path();
            let name = entry
                .file_name()
                .into_string()
                .map_err(|_| SandboxError::Name(place.clone()))?;
            let path = if above.is_empty() {
                name
            } else {
                format!("{above}/{name}")
            };
            let is_link = entry
                .file_type()
                .map_err(SandboxError::io(&place))?
                .is_symlink();
            let target = fs::metadata(&place).map_err(SandboxError::io(&place))?;
            if target.is_file() {
                found.push((path, Some((place, target.len()))));
            } else if target.is_dir() && !is_link {
                found.push((path.clone(), None));
                folders.push((path, place));
            }
        }
    }
    found.sort();
    Ok(found)
}
