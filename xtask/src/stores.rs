//! S3 stores of other makers, each from its registry: a transfer is exported to each, and verified there.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::sandbox::{Running, SandboxProcess};
use crate::venv::Venv;
use crate::{Failed, cargo, command, root, say, target};

/// The key that s3rver knows; moto takes any.
const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "S3RVER"),
    ("AWS_SECRET_ACCESS_KEY", "S3RVER"),
    ("AWS_REGION", "us-east-1"),
];

const BUCKET: &str = "lab-results";

/// How long a store may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Maker {
    Moto,
    S3rver,
}

pub(crate) fn run(only: &[Maker]) -> Result<(), Failed> {
    command(cargo().args(["build", "--package", "cavatica-cli", "--locked"]))?;
    let python = Venv::with("stores", "xtask/stores/requirements.txt")?;
    let stores = match only {
        [] => Maker::value_variants(),
        some => some,
    };
    stores.iter().try_for_each(|store| {
        let outcome = transfer(*store, &python);
        if let Err(error) = &outcome {
            say(format_args!("{store:?}: {error}"));
        }
        outcome.map_err(|_| Failed)
    })
}

impl Maker {
    /// s3rver leaves a folder out of the listing of its parent where nothing but other folders lies in it, for the AWS
    /// tools too, so a volume on it can't be gone through.
    fn lists_folders(self) -> bool {
        self != Maker::S3rver
    }

    fn start(self, python: &Venv, folder: &Path, port: u16) -> Result<Running, String> {
        let port = port.to_string();
        let mut server = match self {
            Maker::Moto => {
                let mut server = python.program("moto_server");
                server.args(["-H", "127.0.0.1", "-p", &port]);
                server
            }
            Maker::S3rver => {
                let npm = target().join("stores/npm");
                let mut install = Command::new("npm");
                install
                    .args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"])
                    .arg(&npm)
                    .arg("s3rver@3.7.1");
                command(&mut install).map_err(|Failed| "npm can't install it".to_owned())?;
                let mut server = Command::new(npm.join("node_modules/.bin/s3rver"));
                server
                    // Its continuation tokens are made with a cipher that Node has put aside since 17.
                    .env("NODE_OPTIONS", "--openssl-legacy-provider")
                    .args(["--address", "127.0.0.1", "--port", &port, "--silent"])
                    .arg("--directory")
                    .arg(folder);
                server
            }
        };
        let server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        server.map(Running).map_err(|error| error.to_string())
    }
}

/// The whole job: plan, run, and both ways to verify.
fn transfer(store: Maker, python: &Venv) -> Result<(), String> {
    let folder = target().join(format!("stores/{store:?}").to_lowercase());
    let failed = |error: std::io::Error| error.to_string();
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(failed)?;
    }
    std::fs::create_dir_all(folder.join("objects")).map_err(failed)?;
    let port = free_port().map_err(failed)?;
    let endpoint = format!("http://127.0.0.1:{port}");
    let _server = store.start(python, &folder.join("objects"), port)?;
    until_it_answers(port)?;
    let mut bucket = python.program("python");
    bucket
        .arg(root().join("xtask/stores/make_bucket.py"))
        .args([&endpoint, BUCKET])
        .envs(KEYS);
    command(&mut bucket).map_err(|Failed| "the bucket can't be made".to_owned())?;

    let program = target().join("debug/cavatica");
    let volume = format!("real={BUCKET}/trial/");
    let args = ["--s3-volume", &volume, "--s3-endpoint", &endpoint];
    let sandbox = SandboxProcess::start_with(&KEYS, &program, &args, &folder.join("sandbox"))?;
    let on_bucket = format!("verify t.transfer --all --against bucket --s3-endpoint {endpoint}");
    let mut lines = vec![
        "plan --out t.transfer --project sandbox/demo --folder results --volume sandbox/real --prefix c7/ --copy",
        "run t.transfer --yes --poll 50ms --no-progress",
        &on_bucket,
    ];
    if store.lists_folders() {
        lines.push("verify t.transfer --all");
    }
    for line in lines {
        let mut cavatica = Command::new(&program);
        cavatica
            .args(line.split(' '))
            .current_dir(&folder)
            .envs(KEYS)
            .env("SB_API_ENDPOINT", &sandbox.endpoint)
            .env("SB_AUTH_TOKEN", &sandbox.token);
        command(&mut cavatica).map_err(|Failed| format!("`cavatica {line}` failed"))?;
    }
    say(format_args!("{store:?}: exported and verified"));
    Ok(())
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn until_it_answers(port: u16) -> Result<(), String> {
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if began.elapsed() > PATIENCE {
            return Err("it doesn't answer".to_owned());
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
