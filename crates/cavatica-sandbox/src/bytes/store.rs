//! The bytes of a sandbox: the platform's files and the volumes' objects as ordinary files of the data folder.
//!
//! # Filesystems
//!
//! Ordinary names and keys are ordinary paths, so that a person finds `results/a.vcf` where it should be. A part that
//! would leave the folder, or that a file system doesn't take, gets a made-up name of the same folder instead; so does a
//! key that is both an object and another object's folder. No path ever leaves the data folder.
//!
//! An object is written to a temporary file, synced and renamed, so there is never half an object; what a crash leaves in
//! `tmp` is swept on the next start.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use crate::world::number::scatter;

/// Parts up to this long are left as they are; file systems take 255 bytes, and temporary names need room.
const LONGEST_PART: usize = 200;

/// Read and written at once.
const CHUNK: usize = 256 << 10;

#[derive(Clone, Debug)]
pub(crate) struct Store {
    data: PathBuf,
}

/// Bytes that have been read: how many, and the MD5 checksum that S3 shows as the ETag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) size: u64,
    pub(crate) etag: String,
}

impl Store {
    /// Opens the folder, making it if need be, and sweeps what a crash left behind.
    pub(crate) fn open(data: &Path) -> io::Result<Store> {
        for folder in ["projects", "volumes"] {
            private_folder(&data.join(folder))?;
        }
        let temporary = data.join("tmp");
        if temporary.exists() {
            fs::remove_dir_all(&temporary)?;
        }
        private_folder(&temporary)?;
        Ok(Store {
            data: data.to_owned(),
        })
    }

    /// Where the bytes of a project's file lie.
    pub(crate) fn file_path(&self, project: &str, path: &[&str]) -> PathBuf {
        let mut place = self.data.join("projects");
        place.extend(project.split('/').map(part));
        place.extend(path.iter().map(|name| part(name)));
        place
    }

    fn volume_root(&self, volume: &str) -> PathBuf {
        let mut place = self.data.join("volumes");
        place.extend(volume.split('/').map(part));
        place
    }

    /// Where an object lies, or would lie.
    pub(crate) fn object_path(&self, volume: &str, key: &str) -> PathBuf {
        let root = self.volume_root(volume);
        let mut plain = root.clone();
        plain.extend(key.split('/').map(part));
        if fits(&root, &plain) {
            plain
        } else {
            root.join(made_up("key", key))
        }
    }

    /// Puts an object in its place: all of it or nothing.
    pub(crate) fn put(
        &self,
        volume: &str,
        key: &str,
        source: &mut dyn Read,
    ) -> io::Result<Written> {
        let mut temporary = tempfile::NamedTempFile::new_in(self.data.join("tmp"))?;
        let written = copy(source, temporary.as_file_mut())?;
        temporary.as_file().sync_all()?;
        // The place is chosen only now: another object may have taken a folder's name meanwhile.
        let place = self.object_path(volume, key);
        let folder = place.parent().unwrap_or(&self.data);
        fs::create_dir_all(folder)?;
        temporary.persist(&place).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()?;
        // The key may have had a made-up name while its own path was taken.
        let made_up = self.volume_root(volume).join(made_up("key", key));
        if place != made_up && made_up.is_file() {
            fs::remove_file(made_up)?;
        }
        Ok(written)
    }

    /// Takes an object away; one that isn't there is no error.
    pub(crate) fn remove(&self, volume: &str, key: &str) -> io::Result<()> {
        let root = self.volume_root(volume);
        let mut plain = root.clone();
        plain.extend(key.split('/').map(part));
        for place in [plain, root.join(made_up("key", key))] {
            if place.is_file() {
                fs::remove_file(place)?;
            }
        }
        Ok(())
    }

    /// Takes the platform's copy of a file away; one that isn't there is no error.
    pub(crate) fn remove_file(&self, place: &Path) -> io::Result<()> {
        match fs::remove_file(place) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }
}

/// Writes a file that only its owner can read, past a link that may be there.
pub(crate) fn private_file(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // Only its owner can read it from the beginning.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Makes a folder, with those above it, that only its owner can enter; one that is there stays as it is.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)
}

/// Reads to the end, keeping nothing.
pub(crate) fn measure(source: &mut dyn Read) -> io::Result<Written> {
    copy(source, &mut io::sink())
}

fn copy(source: &mut dyn Read, target: &mut dyn Write) -> io::Result<Written> {
    let mut digest = Md5::new();
    let mut size = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match source.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digest.update(&chunk[..read]);
        target.write_all(&chunk[..read])?;
        size += read as u64;
    }
    Ok(Written {
        size,
        etag: hex(&digest.finalize()),
    })
}

/// Whether a key can have its own path: no object lies where it needs a folder, no folder where it is to lie.
fn fits(root: &Path, place: &Path) -> bool {
    let mut above = place.parent();
    while let Some(folder) = above
        && folder != root
    {
        if folder.is_file() {
            return false;
        }
        above = folder.parent();
    }
    !place.is_dir()
}

/// A part of a path that stays within its folder.
fn part(name: &str) -> String {
    let plain = !name.is_empty()
        && name.len() <= LONGEST_PART
        && name != "."
        && name != ".."
        // So that nobody can name what this crate makes up.
        && !name.starts_with('=')
        && !name.contains(|c: char| c.is_control() || matches!(c, '/' | '\\'));
    if plain {
        name.to_owned()
    } else {
        made_up("part", name)
    }
}

fn made_up(kind: &str, name: &str) -> String {
    format!("={kind}-{}", hex(&Md5::digest(name)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a synthetic file.
pub(crate) struct Synthetic {
    chance: fastrand::Rng,
    left: u64,
}

impl Synthetic {
    /// The same seed, file and size give the same bytes.
    pub(crate) fn new(seed: u64, file: u32, size: u64) -> Self {
        Synthetic {
            chance: fastrand::Rng::with_seed(scatter(seed, file.into())),
            left: size,
        }
    }
}

impl Read for Synthetic {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Whole words only, so that the bytes don't depend on how they are read; the last word is cut.
        let mut filled = 0;
        for word in buffer.chunks_mut(8) {
            let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(8);
            if wanted == 0 || word.len() < wanted {
                break;
            }
            word[..wanted].copy_from_slice(&self.chance.u64(..).to_le_bytes()[..wanted]);
            filled += wanted;
            self.left -= wanted as u64;
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hostile() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just("..".to_owned()),
            Just(".".to_owned()),
            Just(String::new()),
            Just("~".to_owned()),
            Just("=part-00".to_owned()),
            Just("..\\..".to_owned()),
            Just("a\0b".to_owned()),
            Just("x".repeat(300)),
            "\\PC{0,12}",
            "[a-c]",
        ];
        proptest::collection::vec(part, 0..8).prop_map(|parts| parts.join("/"))
    }

    proptest! {
        // Each case syncs files to the disk.
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn no_key_leaves_the_data_folder(volume in hostile(), key in hostile()) {
            let data = tempfile::tempdir()?;
            let store = Store::open(data.path())?;
            let root = data.path().join("volumes");
            for path in [store.object_path(&volume, &key), store.object_path("o/v", &key)] {
                let inside = path.strip_prefix(&root).map_err(|e| TestCaseError::fail(e.to_string()))?;
                let ordinary = inside
                    .components()
                    .all(|part| matches!(part, std::path::Component::Normal(_)));
                prop_assert!(ordinary, "{path:?}");
            }
            let projects = data.path().join("projects");
            let path = store.file_path(&volume, &[&key]);
            prop_assert!(path.starts_with(&projects));
            prop_assert!(path.components().all(|part| part != std::path::Component::ParentDir));
        }

        #[test]
        fn every_key_has_its_own_bytes(keys in proptest::collection::btree_set(hostile(), 1..12)) {
            let data = tempfile::tempdir()?;
            let store = Store::open(data.path())?;
            for key in &keys {
                store.put("o/v", key, &mut key.as_bytes())?;
            }
            for key in &keys {
                prop_assert_eq!(fs::read_to_string(store.object_path("o/v", key))?, key.as_str());
            }
            for key in &keys {
                store.remove("o/v", key)?;
                prop_assert!(!store.object_path("o/v", key).is_file());
            }
        }
    }

    #[test]
    fn ordinary_keys_are_ordinary_paths() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(data.path()).expect("an empty folder opens");
        let key = "cohort 7/NA12878 #2 (50%).bam";
        let path = store.object_path("lab/output", key);
        assert_eq!(path, data.path().join("volumes/lab/output").join(key));
    }

    #[test]
    fn synthetic_bytes_do_not_depend_on_how_they_are_read() {
        let mut all = Vec::new();
        Synthetic::new(1, 2, 1003)
            .read_to_end(&mut all)
            .expect("synthetic bytes are always there");
        assert_eq!(all.len(), 1003);
        let measured = measure(&mut Synthetic::new(1, 2, 1003)).expect("they can be measured");
        assert_eq!(measured, measure(&mut &all[..]).expect("so can a slice"));
    }
}
