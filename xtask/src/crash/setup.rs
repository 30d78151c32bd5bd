//! One transfer on a sandbox of its own, and the program beside it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::sandbox::SandboxProcess;
use crate::target;

/// What the campaign must have seen to be worth anything.
pub(super) type Counts = BTreeMap<String, u64>;

/// The folder of a transfer, and the sandbox that it runs against.
pub(super) struct Setup {
    pub(super) folder: PathBuf,
    pub(super) sandbox: SandboxProcess,
}

impl Drop for Setup {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl Setup {
    pub(super) fn start(files: u32, seed: u64) -> Result<Self, String> {
        let folder =
            std::env::temp_dir().join(format!("cavatica-crash-{}-{seed}", std::process::id()));
        let source = folder.join("source/run1");
        std::fs::create_dir_all(&source).map_err(|error| error.to_string())?;
        for number in 1..=files {
            let path = source.join(format!("file-{number}.txt"));
            std::fs::write(path, format!("file {number}\n")).map_err(|error| error.to_string())?;
        }
        let seed = seed.to_string();
        let source = folder.join("source").display().to_string();
        let args = [
            "--rate-limit",
            "1000000/300",
            "--seed",
            &seed,
            "--project-from",
            &source,
        ];
        let sandbox = SandboxProcess::start(&program(), &args, &folder.join("data"))?;
        Ok(Setup { folder, sandbox })
    }

    /// Starts the program in the world's folder with the sandbox's credentials and nothing else.
    pub(super) fn program(&self, args: &[&str]) -> std::io::Result<Child> {
        let home = self.folder.join("home");
        let sevenbridges = home.join(".sevenbridges");
        std::fs::create_dir_all(&sevenbridges)?;
        std::fs::copy(&self.sandbox.credentials, sevenbridges.join("credentials"))?;
        Command::new(program())
            .args(args)
            .env_clear()
            .env("HOME", &home)
            .current_dir(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }

    /// How many calls that start exports the sandbox has got.
    pub(super) fn starts(&self) -> Result<u64, String> {
        let ledger = self.ledger()?;
        Ok(ledger["requests"]["bulk-start"].as_u64().unwrap_or(0))
    }

    pub(super) fn ledger(&self) -> Result<Value, String> {
        self.sandbox.request("GET", "/_sandbox/ledger", "")
    }
}

/// The program as the tests build it.
pub(super) fn program() -> PathBuf {
    target().join("debug/cavatica")
}
