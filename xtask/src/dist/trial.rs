//! Tries what was made: the whole job on this machine, over TLS, and on an old system without a network.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::because;
use crate::sandbox::SandboxProcess;
use crate::{Failed, command, say};

/// Debian's releases whose C library is older than this machine's may be, the oldest first.
const SUITES: [&str; 3] = ["stretch", "buster", "bullseye"];

pub(super) fn run(program: &Path, work: &Path) -> Result<(), Failed> {
    command(Command::new(program).arg("--version"))?;
    command(Command::new(program).arg("demo").stdout(Stdio::null()))?;
    tls(program, work)?;
    old_system(program, work)
}

/// The system's trust store is found at run time; a variable names another, as on clusters with a proxy of their own.
fn tls(program: &Path, work: &Path) -> Result<(), Failed> {
    let data = work.join("desk");
    let sandbox =
        SandboxProcess::start(program, &["--tls"], &data).map_err(because("TLS can't be tried"))?;
    let list = |trusted: &Path| {
        Command::new(program)
            .args(["files", "list", "--project", "sandbox/demo", "--json"])
            .env("SB_API_ENDPOINT", &sandbox.endpoint)
            .env("SB_AUTH_TOKEN", &sandbox.token)
            .env("SSL_CERT_FILE", trusted)
            .stderr(Stdio::null())
            .output()
            .map_err(because("the program can't be started"))
    };
    let stranger = work.join("nobody.pem");
    std::fs::write(&stranger, "").map_err(because("a file can't be written"))?;
    let (trusted, strange) = (list(&data.join("ca.pem"))?, list(&stranger)?);
    if trusted.status.success() && !trusted.stdout.is_empty() && !strange.status.success() {
        say("TLS: trusts whom SSL_CERT_FILE names, and nobody else");
        Ok(())
    } else {
        say(format_args!(
            "TLS: {} with the right authority, {} with none",
            trusted.status, strange.status
        ));
        Err(Failed)
    }
}

/// Runs the demo in a root folder of an old release, in which there is no network but the loopback's. What can't be had is
/// said, and is no failure: which releases a mirror still has isn't ours to decide.
fn old_system(program: &Path, work: &Path) -> Result<(), Failed> {
    for suite in SUITES {
        let system = work.join(suite);
        let made = Command::new("debootstrap")
            .args(["--variant=minbase", "--include=ca-certificates", suite])
            .arg(&system)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match made {
            Ok(status) if status.success() => {}
            Ok(_) => {
                say(format_args!("Debian {suite} can't be had here"));
                continue;
            }
            Err(error) => {
                say(format_args!(
                    "no old system was tried: debootstrap can't be started: {error}"
                ));
                return Ok(());
            }
        }
        command(
            Command::new("cp")
                .arg(program)
                .arg(system.join("usr/bin/cavatica")),
        )?;
        let inside = "ip link set lo up 2>/dev/null; exec chroot \"$0\" /usr/bin/cavatica demo";
        command(
            Command::new("unshare")
                .args(["--net", "sh", "-c", inside])
                .arg(&system)
                .stdout(Stdio::null()),
        )?;
        say(format_args!("it runs on Debian {suite}, without a network"));
        return Ok(());
    }
    say("no old system was tried: none can be had here");
    Ok(())
}
