//! What keeps the repository in order between changes.

use std::process::Command;

use crate::{Failed, cargo, command, deny, root, say, tidy, unspoilt};

/// Formats, and takes what clippy proposes.
pub(crate) fn fix() -> Result<(), Failed> {
    command(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--fix",
        "--allow-dirty",
    ]))?;
    command(cargo().args(["fmt", "--all"]))
}

/// Compiles everything with the oldest Rust that we promise to build with.
pub(crate) fn msrv() -> Result<(), Failed> {
    let version = env!("CARGO_PKG_RUST_VERSION");
    say(format_args!("with Rust {version}"));
    let mut check = Command::new("rustup");
    check.current_dir(root());
    unspoilt(&mut check);
    // The cargo that runs us must not choose the compiler.
    for name in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC"] {
        check.env_remove(name);
    }
    command(
        check
            .args(["run", "--install", version, "cargo", "check"])
            .args(["--workspace", "--all-targets", "--locked"]),
    )
}

/// Takes newer versions into `Cargo.lock`, and looks at what they bring.
pub(crate) fn update() -> Result<(), Failed> {
    command(cargo().arg("update"))?;
    command(cargo().args(["check", "--workspace", "--all-targets"]))?;
    deny::run()?;
    tidy::run()
}

/// The tests that make inputs up, with more of them; they have `fuzz` in their names. A failure prints its seed, or the
/// smallest input that shows it.
pub(crate) fn fuzz(cases: u32) -> Result<(), Failed> {
    command(
        cargo()
            .args(["test", "--workspace", "--locked", "--tests", "--", "fuzz"])
            .env("PROPTEST_CASES", cases.to_string()),
    )
}
