//! What can go wrong while a sandbox starts.

use std::io;
use std::path::{Path, PathBuf};

use crate::world::{MisfitError, SeedError};

/// A sandbox that can't be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The address is taken, or may not be used.
    #[error("can't listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: std::net::SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A file or folder can't be read or written.
    #[error("can't use `{}`", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another sandbox is using the data folder.
    #[error("another sandbox is using `{}`", .0.display())]
    Busy(PathBuf),
    /// The data folder takes names that differ in letter case for one, so files would run into each other.
    #[error("`{}` doesn't tell letter case apart", .0.display())]
    LetterCase(PathBuf),
    /// A file to be copied has a name that is no Unicode text; the platform has no such names.
    #[error("the name of `{}` is no Unicode text", .0.display())]
    Name(PathBuf),
    /// Links in a folder to be copied lead to files elsewhere, which nobody asked to copy.
    #[error("links lead out of the folder: {}", listed(.0))]
    LinksOut(Vec<PathBuf>),
    /// The projects and volumes asked for don't make a world.
    #[error("the world can't be made: {0}")]
    World(String),
    /// The log in the data folder doesn't lead to a world.
    #[error("`{}`, line {line}, is no event of this world", .path.display())]
    Log {
        /// The log.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A volume's real bucket can't be addressed.
    #[error("can't use the bucket of the volume `{volume}`")]
    Bucket {
        /// The volume.
        volume: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No certificate could be made.
    #[error("can't make a certificate")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl SandboxError {
    /// What to do about it, where that can be told.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            SandboxError::Bucket { source, .. } => source
                .downcast_ref::<cavatica_s3::AwsConfigError>()
                .map(cavatica_s3::AwsConfigError::advice),
            SandboxError::LetterCase(_) => {
                Some("name a data folder on a disk where `a` and `A` are two files")
            }
            SandboxError::LinksOut(_) => {
                Some("put copies of the files in their place, or take the links away")
            }
            _ => None,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> SandboxError + use<> {
        let path = path.to_owned();
        |source| SandboxError::Io { path, source }
    }

    pub(crate) fn misfit(path: &Path, line: usize) -> impl FnOnce(MisfitError) -> Self + use<> {
        let path = path.to_owned();
        move |error| SandboxError::Log {
            path,
            line,
            source: error.into(),
        }
    }
}

impl From<SeedError> for SandboxError {
    fn from(error: SeedError) -> Self {
        SandboxError::World(error.to_string())
    }
}

fn listed(paths: &[PathBuf]) -> String {
    let paths = paths.iter().map(|path| format!("`{}`", path.display()));
    paths.collect::<Vec<_>>().join(", ")
}
