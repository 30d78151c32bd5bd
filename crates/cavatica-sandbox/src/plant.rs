//! A new world's bytes: written to the data folder once, before its first event is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::SandboxError;
use crate::seed::{EntrySeed, ProjectSeed, VolumeSeed};
use crate::store::{Store, measure};
use crate::world::{EntrySpec, FileSpec, ObjectSpec, Origin, ProjectSpec, StoreKind, VolumeSpec};

/// Writes a project's files and tells what was written.
pub(crate) fn project(store: &Store, seed: ProjectSeed) -> Result<ProjectSpec, SandboxError> {
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
                if let Some(content) = &file.content {
                    let place = place(store, &seed.id, &file.spec.path)?;
                    fs::write(&place, content).map_err(SandboxError::io(&place))?;
                }
                entries.push(EntrySpec::File(file.spec));
            }
            EntrySeed::Tree(source) => {
                for (path, from) in tree(&source)? {
                    let Some(from) = from else {
                        entries.push(EntrySpec::Folder(path));
                        continue;
                    };
                    let place = place(store, &seed.id, &path)?;
                    let size = fs::copy(&from, &place).map_err(SandboxError::io(&from))?;
                    entries.push(EntrySpec::File(FileSpec::new(path, size, Origin::Disk)));
                }
            }
        }
    }
    Ok(ProjectSpec {
        id: seed.id,
        entries,
    })
}

/// Writes a volume's first objects and tells what was written.
pub(crate) fn volume(store: &Store, seed: VolumeSeed) -> Result<VolumeSpec, SandboxError> {
    let mut spec = seed.spec;
    for (location, content) in seed.objects {
        let key = format!("{}{location}", spec.prefix);
        let written = match spec.store {
            StoreKind::Folder => store.put(&spec.id, &key, &mut &content[..]),
            StoreKind::KeysOnly => measure(&mut &content[..]),
        };
        let written =
            written.map_err(|error| SandboxError::io(&store.object_path(&spec.id, &key))(error))?;
        let object = ObjectSpec {
            size: written.size,
            etag: written.etag,
        };
        spec.objects.insert(location, object);
    }
    Ok(spec)
}

fn place(store: &Store, project: &str, path: &str) -> Result<PathBuf, SandboxError> {
    let names: Vec<&str> = path.split('/').collect();
    let place = store.file_path(project, &names);
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).map_err(SandboxError::io(folder))?;
    }
    Ok(place)
}

/// Every folder and file under a folder in the order of their names: its path there, and for a file where it lies.
fn tree(source: &Path) -> Result<Vec<(String, Option<PathBuf>)>, SandboxError> {
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
                found.push((path, Some(place)));
            } else if target.is_dir() && !is_link {
                found.push((path.clone(), None));
                folders.push((path, place));
            }
        }
    }
    found.sort();
    Ok(found)
}
