//! What cargo knows of the workspace and of all that it pulls in, where we build for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::{Failed, cargo, say};

/// The answer of `cargo metadata`.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    resolve: Resolve,
    workspace_members: BTreeSet<String>,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: Box<Path>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// One package that another one depends on.
pub(crate) struct Need<'m> {
    pub(crate) package: &'m Package,
    /// Part of what is shipped: neither for tests nor for build scripts only.
    pub(crate) is_linked: bool,
}

impl Metadata {
    pub(crate) fn read() -> Result<Metadata, Failed> {
        let output = cargo()
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
            .stderr(std::process::Stdio::inherit())
            .output()
            .map_err(|error| {
                say(format_args!("cargo metadata can't be started: {error}"));
                Failed
            })?;
        serde_json::from_slice(&output.stdout).map_err(|error| {
            say(format_args!("cargo metadata can't be read: {error}"));
            Failed
        })
    }

    /// Our own crates.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        let members = &self.workspace_members;
        self.packages
            .iter()
            .filter(|package| members.contains(&package.id))
    }

    /// By the id of each package, what it depends on.
    pub(crate) fn needs(&self) -> BTreeMap<&str, Vec<Need<'_>>> {
        let packages: BTreeMap<&str, &Package> = self
            .packages
            .iter()
            .map(|package| (&*package.id, package))
            .collect();
        let needs = |node: &'_ Node| {
            node.deps
                .iter()
                .filter_map(|dependency| {
                    Some(Need {
                        package: packages.get(&*dependency.pkg)?,
                        is_linked: dependency.dep_kinds.iter().any(|kind| kind.kind.is_none()),
                    })
                })
                .collect()
        };
        self.resolve
            .nodes
            .iter()
            .map(|node| (&*node.id, needs(node)))
            .collect()
    }

    /// A package and all that is linked with it, each once, by its id.
    pub(crate) fn linked_with(&self, name: &str) -> BTreeMap<&str, &Package> {
        let needs = self.needs();
        let mut open: Vec<&Package> = self
            .members()
            .filter(|member| member.name == name)
            .collect();
        let mut found = BTreeMap::new();
        while let Some(package) = open.pop() {
            if found.insert(&*package.id, package).is_none() {
                let linked = needs[&*package.id].iter().filter(|need| need.is_linked);
                open.extend(linked.map(|need| need.package));
            }
        }
        found
    }
}
