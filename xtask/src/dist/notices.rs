//! What the program is made of: the notices that its parts ask for, and the same as a bill of materials.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::because;
use crate::{Failed, cargo, say};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    repository: Option<String>,
    source: Option<String>,
    manifest_path: Box<Path>,
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

/// A crate of the program with what it rests on.
struct Part<'m> {
    package: &'m Package,
    needs: Vec<&'m str>,
}

/// Writes the notices that the program's parts ask for.
pub(super) fn notices(file: &Path) -> Result<(), Failed> {
    let metadata = metadata()?;
    let parts = parts(&metadata);
    say(format_args!(
        "the program is made of {} crates",
        parts.len()
    ));
    std::fs::write(file, texts(&parts)).map_err(because("the notices can't be written"))
}

/// Writes what the program is made of, for programs.
pub(super) fn bill_of_materials(file: &Path) -> Result<(), Failed> {
    let metadata = metadata()?;
    let bill = bill(&parts(&metadata));
    std::fs::write(file, format!("{bill:#}\n"))
        .map_err(because("the bill of materials can't be written"))
}

fn metadata() -> Result<Metadata, Failed> {
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .output()
        .map_err(because("cargo can't be started"))?;
    serde_json::from_slice(&output.stdout).map_err(because("cargo's answer can't be read"))
}

/// All crates that end up in the program, by their ids: neither those of tests nor those that only build it.
fn parts(metadata: &Metadata) -> BTreeMap<&str, Part<'_>> {
    let packages: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .map(|package| (&*package.id, package))
        .collect();
    let needs: BTreeMap<&str, Vec<&str>> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| {
            let linked = node
                .deps
                .iter()
                .filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            (
                &*node.id,
                linked.map(|dependency| &*dependency.pkg).collect(),
            )
        })
        .collect();
    let program = packages
        .values()
        .find(|package| package.name == "cavatica-cli");
    let mut open: Vec<&str> = program.map(|package| &*package.id).into_iter().collect();
    let mut found = BTreeMap::new();
    while let Some(id) = open.pop() {
        let needs = needs.get(id).cloned().unwrap_or_default();
        if let Some(package) = packages.get(id)
            && !found.contains_key(id)
        {
            open.extend(&needs);
            found.insert(id, Part { package, needs });
        }
    }
    found
}

/// The licence files of every crate that isn't ours, each text once, with the crates that it came with.
fn texts(parts: &BTreeMap<&str, Part<'_>>) -> String {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut list = String::new();
    for part in parts.values().filter(|part| part.package.source.is_some()) {
        let Package {
            name,
            version,
            license,
            repository,
            manifest_path,
            ..
        } = part.package;
        let license = license.as_deref().unwrap_or("see below");
        let repository = repository.as_deref().unwrap_or("");
        let files = licence_files(manifest_path.parent().unwrap_or(Path::new("")));
        let without = if files.is_empty() {
            ", which ships no text of its licence"
        } else {
            ""
        };
        writeln!(list, "{name} {version}: {license} {repository}{without}")
            .expect("text takes everything");
        for text in files {
            found
                .entry(text)
                .or_default()
                .insert(format!("{name} {version}"));
        }
    }
    let mut notices =
        format!("The program is linked from these crates, besides its own:\n\n{list}");
    for (text, crates) in found {
        let crates = crates.into_iter().collect::<Vec<_>>().join(", ");
        let line = "-".repeat(78);
        writeln!(notices, "\n{line}\n{crates}\n{line}\n\n{}", text.trim_end())
            .expect("text takes everything");
    }
    notices
}

/// The texts in the folder of a crate that say under which licence it is, and whom to name.
fn licence_files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .to_uppercase();
            path.is_file()
                && [
                    "LICENSE",
                    "LICENCE",
                    "COPYING",
                    "COPYRIGHT",
                    "NOTICE",
                    "UNLICENSE",
                ]
                .iter()
                .any(|start| name.starts_with(start))
        })
        .collect();
    paths.sort();
    let texts = paths
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok());
    texts.map(|text| text.replace("\r\n", "\n")).collect()
}

/// The bill of materials, in CycloneDX's form. It has neither a time nor a number of its own, so that the same sources make
/// the same bill.
fn bill(parts: &BTreeMap<&str, Part<'_>>) -> Value {
    let purl = |package: &Package| format!("pkg:cargo/{}@{}", package.name, package.version);
    let component = |package: &Package| {
        let mut component = json!({
            "type": "library",
            "bom-ref": purl(package),
            "name": package.name,
            "version": package.version,
            "purl": purl(package),
        });
        if let Some(license) = &package.license {
            // Older crates write `/` for OR.
            component["licenses"] = json!([{"expression": license.replace('/', " OR ")}]);
        }
        component
    };
    let is_program = |part: &&Part<'_>| part.package.name == "cavatica-cli";
    let program = parts.values().find(is_program).map(|part| {
        let mut program = component(part.package);
        program["type"] = json!("application");
        program
    });
    let dependencies = parts.values().map(|part| {
        let needs = part.needs.iter().filter_map(|id| parts.get(id));
        let needs: Vec<_> = needs.map(|part| purl(part.package)).collect();
        json!({"ref": purl(part.package), "dependsOn": needs})
    });
    let components = parts.values().filter(|part| !is_program(part));
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": program},
        "components": components.map(|part| component(part.package)).collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    })
}
