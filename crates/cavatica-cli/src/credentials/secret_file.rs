//! A file that a token stands in, and what others on this machine may do with it.

use std::fmt;
use std::path::Path;

use crate::failure::{Exit, Failure};

/// What others may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exposure {
    Readable,
    Writable,
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Exposure::Readable => "read",
            Exposure::Writable => "write to",
        })
    }
}

/// A file's bytes. It may be a pipe, as from `--token-file <(pass show cavatica)`, or lie behind a link, as the secrets of a
/// container do.
pub(super) struct SecretFile {
    pub(super) bytes: Vec<u8>,
    pub(super) exposure: Option<Exposure>,
}

impl SecretFile {
    pub(super) fn read(path: &Path, what: &str) -> Result<Self, Failure> {
        let exposure = exposure(path);
        if path.is_symlink() && (exposure == Some(Exposure::Writable) || is_strangers(path)) {
            return Err(
                unreadable(path, what, "it is a link to a file that others can change")
                    .hint("put the token into a file of your own"),
            );
        }
        let bytes = std::fs::read(path).map_err(|error| unreadable(path, what, error))?;
        Ok(SecretFile { bytes, exposure })
    }
}

/// What others may do with the file behind the path. A pipe holds the token for a moment only, and whoever made it knows for
/// whom.
#[cfg(unix)]
fn exposure(path: &Path) -> Option<Exposure> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    match metadata.permissions().mode() {
        mode if mode & 0o022 != 0 => Some(Exposure::Writable),
        mode if mode & 0o044 != 0 => Some(Exposure::Readable),
        _ => None,
    }
}

/// Whether the file behind the path belongs to somebody who is neither the user nor root.
#[cfg(unix)]
fn is_strangers(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let user = rustix::process::geteuid().as_raw();
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && ![0, user].contains(&metadata.uid()))
}

/// Elsewhere the rights of a file can't be told from a number.
#[cfg(not(unix))]
fn exposure(_path: &Path) -> Option<Exposure> {
    None
}

#[cfg(not(unix))]
fn is_strangers(_path: &Path) -> bool {
    false
}

/// A file with a secret that can't be used.
pub(super) fn unreadable(
    file: &Path,
    what: &str,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Failure {
    let text = format!("the {what} {} can't be read", file.display());
    Failure::new(Exit::Denied, text).caused_by(error)
}
