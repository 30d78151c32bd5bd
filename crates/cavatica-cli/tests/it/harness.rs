//! One harness for all tests of the program: a sandbox, a cleared environment, masked output.

use std::path::Path;
use std::process::{Command, Output};

use cavatica_sandbox::{Sandbox, SandboxBuilder};
use serde_json::Value;

/// A sandbox and a home folder with credentials for it.
pub(crate) struct World {
    /// The sandbox runs on it.
    _runtime: tokio::runtime::Runtime,
    pub(crate) sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        World::with(|builder| builder)
    }

    pub(crate) fn with(change: impl FnOnce(SandboxBuilder) -> SandboxBuilder) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let sandbox = runtime
            .block_on(change(Sandbox::builder().seed(7)).start())
            .unwrap();
        let home = tempfile::tempdir().unwrap();
        let world = World {
            _runtime: runtime,
            sandbox,
            home,
        };
        world.write_credentials("cavatica", world.sandbox.token());
        world
    }

    /// Makes this the only profile.
    pub(crate) fn write_credentials(&self, profile: &str, token: &str) {
        let folder = self.home.path().join(".sevenbridges");
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "[{profile}]\napi_endpoint = {}\nauth_token = {token}\n",
            self.sandbox.endpoint()
        );
        let file = folder.join("credentials");
        std::fs::write(&file, text).unwrap();
        set_mode(&file, 0o600);
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The program with nothing in its environment but a home folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cavatica"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.home.path())
            .current_dir(self.home.path());
        command
    }

    #[must_use = "look at the output or the exit code"]
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.finish(self.command(args))
    }

    pub(crate) fn finish(&self, mut command: Command) -> Run {
        let output = command.output().unwrap();
        let run = Run {
            output,
            endpoint: self.sandbox.endpoint().to_owned(),
            home: self.home.path().display().to_string(),
        };
        assert!(
            !run.everything().contains(self.sandbox.token()),
            "the token was printed:\n{}",
            run.everything()
        );
        run
    }

    /// The id of the file at this path of the project `sandbox/demo`.
    pub(crate) fn file(&self, path: &str) -> String {
        self.sandbox
            .file_id("sandbox/demo", path)
            .unwrap_or_else(|| panic!("no {path}"))
    }

    /// How many exports the platform accepted.
    pub(crate) fn accepted(&self) -> u64 {
        self.sandbox.ledger().starts
    }
}

/// Says who may read and write a file.
pub(crate) fn set_mode(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A program that has ended.
pub(crate) struct Run {
    output: Output,
    endpoint: String,
    home: String,
}

impl Run {
    pub(crate) fn exit(&self) -> i32 {
        self.output.status.code().unwrap_or(-1)
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    fn everything(&self) -> String {
        format!(
            "{}{}",
            self.stdout(),
            String::from_utf8_lossy(&self.output.stderr)
        )
    }

    /// Standard output as one JSON document.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout())
            .unwrap_or_else(|error| panic!("{error} in\n{}", self.everything()))
    }

    /// Standard output as one JSON document per line.
    pub(crate) fn documents(&self) -> Vec<Value> {
        self.stdout()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Exit code, standard output and standard error, with what changes from run to run masked.
    pub(crate) fn snapshot(&self) -> String {
        let stderr = self.stderr();
        let text = format!(
            "exit {}\n--- stdout\n{}--- stderr\n{stderr}",
            self.exit(),
            self.stdout()
        );
        let text = text
            .replace(&self.endpoint, "[ENDPOINT]")
            .replace(&self.home, "[HOME]");
        mask_request_ids(&text)
    }
}

fn mask_request_ids(text: &str) -> String {
    let mut parts = text.split("(request ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |masked, part| {
        let (_, rest) = part.split_once(')').unwrap_or_default();
        format!("{masked}(request [REQUEST]){rest}")
    })
}
