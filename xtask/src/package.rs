//! That each library can be handed to a registry, in the order in which they need each other.

use crate::api::LIBRARIES;
use crate::{Failed, cargo, command};

/// Makes the packages of all libraries together: those that aren't on a registry yet find each other.
pub(crate) fn run() -> Result<(), Failed> {
    let mut package = cargo();
    // What is in a package compiles: the workspace's own build says so. It may be tried before it is committed.
    package.args([
        "package",
        "--quiet",
        "--no-verify",
        "--locked",
        "--allow-dirty",
    ]);
    package.args(LIBRARIES.iter().flat_map(|name| ["--package", name]));
    command(&mut package)
}
