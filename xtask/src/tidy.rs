//! What no compiler checks: layers, and the top level's order.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{Failed, cargo, root, say};

/// Which of our crates may depend on which: one direction, each edge on purpose.
const LAYERS: &[(&str, &[&str])] = &[
    ("cavatica-model", &[]),
    // Below all that speaks over a network; it knows no API.
    ("cavatica-connect", &[]),
    (
        "cavatica-transport",
        &["cavatica-model", "cavatica-connect"],
    ),
    (
        "cavatica-exports",
        &["cavatica-model", "cavatica-transport"],
    ),
    // Below both sides: the sandbox writes with it, the engine looks at what was written.
    ("cavatica-s3", &["cavatica-connect"]),
    ("cavatica-transfer", &["cavatica-exports", "cavatica-s3"]),
    // It reads what the engine wrote, and asks nobody.
    ("cavatica-report", &["cavatica-model", "cavatica-transfer"]),
    // It decides with the model's rules and must not share the clients' faults.
    ("cavatica-sandbox", &["cavatica-model", "cavatica-s3"]),
    (
        "cavatica-cli",
        &[
            "cavatica-exports",
            "cavatica-report",
            "cavatica-s3",
            "cavatica-transfer",
            "cavatica-sandbox",
        ],
    ),
    ("cavatica-test-s3", &[]),
    // It plays all of it in one process; nothing depends on it.
    (
        "cavatica-simulation",
        &["cavatica-exports", "cavatica-transfer", "cavatica-sandbox"],
    ),
    ("xtask", &[]),
];

/// What stands in for a service in the tests of every layer above the wire: the platform, and S3.
const TEST_HELPERS: &[&str] = &["cavatica-sandbox", "cavatica-test-s3"];

/// Crates that reach for the network, the disk or a runtime: never below the model.
const IO_CRATES: &[&str] = &[
    "async-std",
    "h2",
    "hyper",
    "hyper-util",
    "libsqlite3-sys",
    "mio",
    "native-tls",
    "openssl",
    "reqwest",
    "ring",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "tokio",
];

/// What may lie at the top, and nothing else.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".git",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "crates",
    "docs",
    "target",
    "xtask",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
    workspace_members: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dep>,
}

#[derive(Deserialize)]
struct Dep {
    pkg: String,
    dep_kinds: Vec<DepKind>,
}

#[derive(Deserialize)]
struct DepKind {
    kind: Option<String>,
}

impl Dep {
    /// Part of what is shipped: neither for tests nor for build scripts only.
    fn is_normal(&self) -> bool {
        self.dep_kinds.iter().any(|kind| kind.kind.is_none())
    }
}

pub(crate) fn run() -> Result<(), Failed> {
    let metadata = metadata()?;
    let mut faults = Vec::new();
    layers(&metadata, &mut faults);
    model_is_pure(&metadata, &mut faults);
    top_level(&mut faults);
    for fault in &faults {
        say(format_args!("tidy: {fault}"));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failed)
    }
}

fn metadata() -> Result<Metadata, Failed> {
    // Only what is built on the platforms that we build for; Cargo.lock names more.
    let output = cargo()
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .stderr(std::process::Stdio::inherit())
        .output();
    let output = output.map_err(|error| {
        say(format_args!("cargo metadata can't be started: {error}"));
        Failed
    })?;
    serde_json::from_slice(&output.stdout).map_err(|error| {
        say(format_args!("cargo metadata can't be read: {error}"));
        Failed
    })
}

fn layers(metadata: &Metadata, faults: &mut Vec<String>) {
    let names: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package.name.as_str()))
        .collect();
    let allowed: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    for node in metadata
        .resolve
        .nodes
        .iter()
        .filter(|node| metadata.workspace_members.contains(&node.id))
    {
        let name = names[&node.id];
        let Some(allowed) = allowed.get(name) else {
            faults.push(format!(
                "{name} has no place among the layers; give it one in xtask/src/tidy.rs"
            ));
            continue;
        };
        for dep in node
            .deps
            .iter()
            .filter(|dep| metadata.workspace_members.contains(&dep.pkg))
        {
            let below = names[&dep.pkg];
            let for_tests =
                !dep.is_normal() && TEST_HELPERS.contains(&below) && name != "cavatica-model";
            if !allowed.contains(&below) && !for_tests {
                faults.push(format!(
                    "{name} must not depend on {below}: dependencies point one way"
                ));
            }
        }
    }
}

fn model_is_pure(metadata: &Metadata, faults: &mut Vec<String>) {
    let nodes: BTreeMap<_, _> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let names: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|package| (package.id.as_str(), package.name.as_str()))
        .collect();
    let model = metadata
        .packages
        .iter()
        .find(|package| package.name == "cavatica-model");
    let mut open: Vec<_> = model
        .map(|package| package.id.as_str())
        .into_iter()
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        if IO_CRATES.contains(&names[id]) {
            faults.push(format!(
                "cavatica-model pulls in {}: it must be usable where there is no I/O",
                names[id]
            ));
        }
        open.extend(
            nodes[id]
                .deps
                .iter()
                .filter(|dep| dep.is_normal())
                .map(|dep| dep.pkg.as_str()),
        );
    }
    if seen.is_empty() {
        faults.push("there is no cavatica-model".to_owned());
    }
}

fn top_level(faults: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(root()) else {
        faults.push("the top folder can't be read".to_owned());
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.to_str().is_some_and(|name| TOP.contains(&name)) {
            faults.push(format!("{} has no place at the top", name.display()));
        }
    }
}
