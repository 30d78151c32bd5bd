//! Names the commit that the program is built from.

use std::path::Path;
use std::process::Command;

fn main() {
    let version = std::env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    // The sources may lie within a checkout of something else.
    let ours = git(&["ls-files", "build.rs"]).is_some();
    let version = match git(&["log", "-1", "--format=%h %cs"]) {
        Some(commit) if ours => format!("{version} ({commit})"),
        _ => version,
    };
    println!("cargo::rustc-env=CAVATICA_VERSION={version}");
    println!("cargo::rerun-if-changed=build.rs");
    // Git adds a line to it whenever the checkout moves. A file that isn't there would mean a build each time.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo::rerun-if-changed={log}");
    }
}

/// What git answers; `None` without git, or outside a checkout.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
