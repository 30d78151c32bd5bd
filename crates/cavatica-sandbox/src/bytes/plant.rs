//! A new world's bytes: taken out of its seeds first, so that a world that contradicts itself leaves nothing behind, then
//! written to the data folder, before the world's first event is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::store::{Store, measure};
use crate::error::SandboxError;
use crate::world::quirk::Quirks;
use crate::world::seed::{FileSeed, ObjectSeed, ProjectSeed, VolumeSeed};
use crate::world::{StoreKind, key};

/// Bytes that a new world needs on the disk.
pub(crate) enum Planting {
    File {
        place: PathBuf,
        content: Bytes,
    },
    Copy {
        place: PathBuf,
        from: PathBuf,
        size: u64,
    },
    Object {
        volume: String,
        key: String,
        content: Bytes,
    },
}

/// Reads the folder that a project is to have the files of, and makes nothing.
pub(crate) fn survey(seed: &mut ProjectSeed) -> Result<(), SandboxError> {
    let Some(source) = seed.from_dir.take() else {
        return Ok(());
    };
    for (path, file) in tree(&source)? {
        match file {
            None => seed.folders.push(path),
            Some((from, size)) => seed.files.push(FileSeed {
                copied_from: Some(from),
                ..FileSeed::synthetic(path, size)
            }),
        }
    }
    Ok(())
}

/// Takes the bytes out of a project.
pub(crate) fn project(seed: &mut ProjectSeed, store: &Store, plantings: &mut Vec<Planting>) {
    for file in seed.files.iter_mut().filter(|file| file.alias.is_none()) {
        let names: Vec<&str> = file.path.split('/').collect();
        let place = store.file_path(&seed.id, &names);
        if let Some(content) = file.content.take() {
            file.size = content.len().try_into().unwrap_or(u64::MAX);
            file.on_disk = true;
            plantings.push(Planting::File { place, content });
        } else if let Some(from) = file.copied_from.take() {
            let size = file.size;
            file.on_disk = true;
            plantings.push(Planting::Copy { place, from, size });
        }
    }
}

/// Takes the bytes out of a volume.
pub(crate) fn volume(
    seed: &mut VolumeSeed,
    quirks: &Quirks,
    plantings: &mut Vec<Planting>,
) -> Result<(), SandboxError> {
    let is_folder = seed.store() == StoreKind::Folder;
    for (location, object) in &mut seed.objects {
        let ObjectSeed::Content(content) = object else {
            continue;
        };
        let (key, content) = (key(quirks, &seed.prefix, location), content.clone());
        let measured = measure(&mut &content[..]).map_err(SandboxError::io(Path::new(&key)))?;
        *object = ObjectSeed::Measured {
            size: measured.size,
            etag: measured.etag,
        };
        if is_folder {
            let volume = seed.id.clone();
            plantings.push(Planting::Object {
                volume,
                key,
                content,
            });
        }
    }
    Ok(())
}

impl Planting {
    /// Writes the bytes to their place.
    pub(crate) fn write(&self, store: &Store) -> Result<(), SandboxError> {
        match self {
            Planting::File { place, content } => {
                make_room(place)?;
                fs::write(place, content).map_err(SandboxError::io(place))
            }
            Planting::Copy { place, from, size } => {
                make_room(place)?;
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

/// Makes the folders on the way to a file.
fn make_room(place: &Path) -> Result<(), SandboxError> {
    match place.parent() {
        Some(folder) => fs::create_dir_all(folder).map_err(SandboxError::io(folder)),
        None => Ok(()),
    }
}

/// A folder or file on this computer: its path under the folder that is read, and for a file where it lies and its size.
type TreeEntry = (String, Option<(PathBuf, u64)>);

/// Every folder and file under a folder, in the order of their names. Links to files are followed unless they lead out of
/// the folder, which is refused; links to its folders are left out.
fn tree(source: &Path) -> Result<Vec<TreeEntry>, SandboxError> {
    let root = source.canonicalize().map_err(SandboxError::io(source))?;
    let mut found = Vec::new();
    let mut out = Vec::new();
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
            let kind = entry.file_type().map_err(SandboxError::io(&place))?;
            let target = place.canonicalize().map_err(SandboxError::io(&place))?;
            if kind.is_symlink() && !target.starts_with(&root) {
                out.push(place);
                continue;
            }
            let metadata = fs::metadata(&place).map_err(SandboxError::io(&place))?;
            if metadata.is_file() {
                found.push((path, Some((place, metadata.len()))));
            } else if metadata.is_dir() && !kind.is_symlink() {
                found.push((path.clone(), None));
                folders.push((path, place));
            }
        }
    }
    if !out.is_empty() {
        out.sort();
        return Err(SandboxError::LinksOut(out));
    }
    found.sort();
    Ok(found)
}
