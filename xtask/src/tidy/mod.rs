//! What no compiler checks: the layers of crates, the top folder, and the shape of the sources.

mod layers;
mod shape;
mod source;

use crate::{Failed, root, say};

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

pub(crate) fn run() -> Result<(), Failed> {
    let mut faults = Vec::new();
    layers::check(&mut faults)?;
    top_level(&mut faults);
    shape::check(&source::read(&root())?, &mut faults);
    for fault in &faults {
        say(format_args!("tidy: {fault}"));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failed)
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
