//! What is handed out: one program for old and new Linux, as a tarball and as a wheel, and what belongs beside it. All of it is
//! made here, from the package registries alone, and tried before it counts as made.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::python::{only_wheel, package, there};
use crate::venv::Venv;
use crate::{Failed, because, command, root, say, target};

mod notices;
mod trial;

/// The C library that clusters still have: CentOS 7's.
const GLIBC: (u32, u32) = (2, 17);

/// The program is copied to clusters and laptops as one file, so it stays small: below this many bytes.
const PROGRAM_SIZE: u64 = 15_000_000;

/// What the program is linked from, and under which licences.
const NOTICES: &str = "THIRD-PARTY.txt";

#[derive(Debug, Args)]
pub(crate) struct DistOptions {
    /// The folder to put everything into; it is made if it isn't there
    #[arg(long)]
    out: PathBuf,
    /// The profile of the program; another one is there sooner, to try this chore
    #[arg(long, default_value = "dist")]
    profile: String,
}

pub(crate) fn run(options: &DistOptions) -> Result<(), Failed> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        say(
            "only Linux on x86-64 makes what is handed out: a wheel and a tarball for it; elsewhere use `cargo build --profile dist`",
        );
        return Err(Failed);
    }
    let out = std::path::absolute(&options.out).map_err(because("the folder can't be named"))?;
    std::fs::create_dir_all(&out).map_err(because("the folder can't be made"))?;
    // The wheel takes them from there.
    notices::notices(&package().join(NOTICES))?;
    let wheel = wheel(&options.profile)?;
    let work = target().join("package/dist");
    std::fs::remove_dir_all(&work).ok();
    let name = format!(
        "cavatica-{}-x86_64-linux-glibc{}.{}",
        env!("CARGO_PKG_VERSION"),
        GLIBC.0,
        GLIBC.1
    );
    let folder = work.join(&name);
    std::fs::create_dir_all(&folder).map_err(because("a folder can't be made"))?;
    // One program in both, so that what was tried is what everybody gets.
    let program = unpack(&wheel, &work, &folder)?;
    size(&program, &options.profile)?;
    symbols(&program)?;
    beside(&program, &folder)?;
    trial::run(&program, &work)?;
    command(
        Command::new("tar")
            .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
            .arg("--directory")
            .arg(&work)
            .arg("-czf")
            .arg(out.join(format!("{name}.tar.gz")))
            .arg(&name),
    )?;
    copy(&wheel, &out)?;
    copy(&folder.join("cavatica.cdx.json"), &out)?;
    sums(&out)?;
    say(format_args!("all of it lies in {}", out.display()));
    Ok(())
}

/// Builds the wheel against the old C library, which zig has the symbols of, and returns its path.
fn wheel(profile: &str) -> Result<PathBuf, Failed> {
    let tools = Venv::with("dist", "crates/cavatica-python/dev/dist.txt")?;
    let out = target().join("package/wheel");
    std::fs::remove_dir_all(&out).ok();
    command(
        there(&tools, "maturin")
            .args(["build", "--locked", "--zig", "--profile", profile])
            .args(["--target", "x86_64-unknown-linux-gnu"])
            .arg("--compatibility")
            .arg(format!("manylinux_{}_{}", GLIBC.0, GLIBC.1))
            .arg("--out")
            .arg(&out)
            .env("CARGO_TARGET_DIR", target()),
    )?;
    only_wheel(&out).map(PathBuf::from)
}

/// Takes the program out of the wheel.
fn unpack(wheel: &Path, work: &Path, folder: &Path) -> Result<PathBuf, Failed> {
    let inside = work.join("wheel");
    command(
        Command::new("python3")
            .args(["-m", "zipfile", "--extract"])
            .arg(wheel)
            .arg(&inside),
    )?;
    let scripts = format!(
        "cavatica-{}.data/scripts/cavatica",
        env!("CARGO_PKG_VERSION")
    );
    let program = folder.join("cavatica");
    command(
        Command::new("install")
            .args(["-m", "755"])
            .arg(inside.join(scripts))
            .arg(&program),
    )?;
    Ok(program)
}

fn size(program: &Path, profile: &str) -> Result<(), Failed> {
    let size = std::fs::metadata(program)
        .map_err(because("the program can't be measured"))?
        .len();
    say(format_args!(
        "the program has {size} bytes of {PROGRAM_SIZE}"
    ));
    // Another profile is no more than a rehearsal.
    if size < PROGRAM_SIZE || profile != "dist" {
        Ok(())
    } else {
        Err(Failed)
    }
}

/// Makes sure that the program asks for no newer C library.
fn symbols(program: &Path) -> Result<(), Failed> {
    let output = Command::new("readelf")
        .args(["--wide", "--version-info"])
        .arg(program)
        .output()
        .map_err(because("readelf can't be started"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let newest = text
        .split("GLIBC_")
        .skip(1)
        .filter_map(|rest| version(rest.split_whitespace().next()?))
        .max();
    match newest {
        Some(newest) if newest <= GLIBC => {
            say(format_args!(
                "the newest symbol is GLIBC_{}.{}",
                newest.0, newest.1
            ));
            Ok(())
        }
        newest => {
            say(format_args!(
                "the program asks for {newest:?} of glibc, not {GLIBC:?} at the most"
            ));
            Err(Failed)
        }
    }
}

/// The first two parts of a version.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Puts everything beside the program that a package ships with it.
fn beside(program: &Path, folder: &Path) -> Result<(), Failed> {
    command(
        Command::new(program)
            .arg("man")
            .arg(folder.join("man/man1")),
    )?;
    let completions = folder.join("completions");
    std::fs::create_dir_all(&completions).map_err(because("a folder can't be made"))?;
    for (shell, file) in [
        ("bash", "cavatica.bash"),
        ("zsh", "_cavatica"),
        ("fish", "cavatica.fish"),
    ] {
        let output = Command::new(program)
            .args(["completions", shell])
            .output()
            .map_err(because("the program can't be started"))?;
        std::fs::write(completions.join(file), output.stdout)
            .map_err(because("completions can't be written"))?;
    }
    copy(&root().join("LICENSE"), folder)?;
    copy(&root().join("docs/install.md"), folder)?;
    copy(&package().join(NOTICES), folder)?;
    notices::bill_of_materials(&folder.join("cavatica.cdx.json"))
}

fn copy(file: &Path, folder: &Path) -> Result<(), Failed> {
    command(Command::new("cp").arg(file).arg(folder))
}

/// Writes what others compare their download with.
fn sums(out: &Path) -> Result<(), Failed> {
    command(
        Command::new("sh")
            .args([
                "-c",
                "sha256sum -- *.tar.gz *.whl *.json > SHA256SUMS && cat SHA256SUMS",
            ])
            .current_dir(out),
    )
}
