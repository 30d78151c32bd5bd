//! What the program is made of: the notices that its parts ask for, and the same as a bill of materials.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::because;
use crate::metadata::{Metadata, Package};
use crate::{Failed, say};

/// The crate of the program.
const PROGRAM: &str = "cavatica-cli";

/// Writes the notices that the program's parts ask for.
pub(super) fn notices(file: &Path) -> Result<(), Failed> {
    let metadata = Metadata::read()?;
    let parts = metadata.linked_with(PROGRAM);
    say(format_args!(
        "the program is made of {} crates",
        parts.len()
    ));
    std::fs::write(file, texts(parts.values().copied()))
        .map_err(because("the notices can't be written"))
}

/// Writes what the program is made of, for programs.
pub(super) fn bill_of_materials(file: &Path) -> Result<(), Failed> {
    let bill = bill(&Metadata::read()?);
    std::fs::write(file, format!("{bill:#}\n"))
        .map_err(because("the bill of materials can't be written"))
}

/// The licence files of every crate that isn't ours, each text once, with the crates that it came with.
fn texts<'m>(parts: impl Iterator<Item = &'m Package>) -> String {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut list = String::new();
    for package in parts.filter(|package| package.source.is_some()) {
        let Package {
            name,
            version,
            license,
            repository,
            manifest_path,
            ..
        } = package;
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
fn bill(metadata: &Metadata) -> Value {
    let parts = metadata.linked_with(PROGRAM);
    let needs = metadata.needs();
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
    let is_program = |package: &&Package| package.name == PROGRAM;
    let program = parts.values().copied().find(is_program).map(|package| {
        let mut program = component(package);
        program["type"] = json!("application");
        program
    });
    let dependencies = parts.values().map(|package| {
        let linked = needs[&*package.id].iter().filter(|need| need.is_linked);
        let linked: Vec<_> = linked.map(|need| purl(need.package)).collect();
        json!({"ref": purl(package), "dependsOn": linked})
    });
    let components = parts
        .values()
        .copied()
        .filter(|package| !is_program(package));
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": program},
        "components": components.map(component).collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is linked and nothing else: neither what tests need nor what only builds.
    #[test]
    fn the_bill_names_what_the_program_is_linked_with() {
        let bill = bill(&Metadata::read().expect("cargo's answer"));
        assert_eq!(bill["metadata"]["component"]["name"], PROGRAM);
        let components = bill["components"].as_array().expect("a list");
        let has = |name: &str| components.iter().any(|part| part["name"] == name);
        assert!(has("hyper") && has("cavatica-model") && !has(PROGRAM));
        assert!(!has("proptest") && !has("cc") && !has("cavatica-simulation"));
        for dependency in bill["dependencies"].as_array().expect("a list") {
            for needed in dependency["dependsOn"].as_array().expect("a list") {
                let is_there = components.iter().any(|part| part["bom-ref"] == *needed);
                assert!(is_there, "{needed} of {}", dependency["ref"]);
            }
        }
        let parts = Metadata::read().expect("cargo's answer");
        let texts = texts(parts.linked_with(PROGRAM).values().copied());
        assert!(texts.contains("hyper ") && texts.contains("MIT"));
    }
}
