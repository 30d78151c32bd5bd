//! Which crate may depend on which, and what the model never pulls in.

use std::collections::{BTreeMap, BTreeSet};

use crate::Failed;
use crate::metadata::Metadata;

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

pub(super) fn check(faults: &mut Vec<String>) -> Result<(), Failed> {
    let metadata = Metadata::read()?;
    layers(&metadata, faults);
    model_is_pure(&metadata, faults);
    Ok(())
}

fn layers(metadata: &Metadata, faults: &mut Vec<String>) {
    let needs = metadata.needs();
    let ours: BTreeSet<&str> = metadata.members().map(|member| &*member.id).collect();
    let allowed: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    for member in metadata.members() {
        let name = &*member.name;
        let Some(allowed) = allowed.get(name) else {
            faults.push(format!(
                "{name} has no place among the layers; give it one in xtask/src/tidy/layers.rs"
            ));
            continue;
        };
        for need in needs[&*member.id]
            .iter()
            .filter(|need| ours.contains(&*need.package.id))
        {
            let below = &*need.package.name;
            let for_tests =
                !need.is_linked && TEST_HELPERS.contains(&below) && name != "cavatica-model";
            if !allowed.contains(&below) && !for_tests {
                faults.push(format!(
                    "{name} must not depend on {below}: dependencies point one way"
                ));
            }
        }
    }
}

fn model_is_pure(metadata: &Metadata, faults: &mut Vec<String>) {
    let linked = metadata.linked_with("cavatica-model");
    for package in linked
        .values()
        .filter(|package| IO_CRATES.contains(&&*package.name))
    {
        faults.push(format!(
            "cavatica-model pulls in {}: it must be usable where there is no I/O",
            package.name
        ));
    }
    if linked.is_empty() {
        faults.push("there is no cavatica-model".to_owned());
    }
}
