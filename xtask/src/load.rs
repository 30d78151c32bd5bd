//! How many starts a second the sandbox keeps up with, and what a large world costs it: seeding, scrolling, starting and
//! coming back after a restart, over real connections.
//!
//! The client shares the machine with the sandbox, so it is as light as can be: requests are ready before the clock runs,
//! and of an answer only its status and the number of accepted items are looked at.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::sandbox::SandboxProcess;
use crate::{Failed, cargo, command, say, target};

/// What the sandbox has to keep up with on two cores.
const STARTS_PER_SECOND: f64 = 5_000.0;

const PROJECT: &str = "lab/load";
const VOLUME: &str = "lab/output";

/// As many items as a bulk call takes.
const BATCH: usize = 100;

/// As many files as a page of a scroll has.
const PAGE: usize = 1000;

#[derive(Debug, clap::Args)]
pub(crate) struct Load {
    /// How many synthetic files to seed, scroll through and export
    #[arg(long, default_value_t = 1_000_000)]
    files: usize,
    /// How many files on disk to seed a second sandbox with
    #[arg(long, default_value_t = 100_000)]
    real: usize,
    /// How many connections send starts at the same time
    #[arg(long, default_value_t = 4)]
    connections: usize,
}

pub(crate) fn run(load: &Load) -> Result<(), Failed> {
    command(cargo().args([
        "build",
        "--profile",
        "dist",
        "--locked",
        "--package",
        "cavatica-cli",
    ]))?;
    let folder = TemporaryFolder(target().join(format!("load/{}", std::process::id())));
    let outcome = synthetic(load, &folder.0.join("synthetic"))
        .and_then(|starts| real(load, &folder.0.join("real")).map(|()| starts));
    match outcome {
        Ok(starts) if starts >= STARTS_PER_SECOND => Ok(()),
        Ok(starts) => {
            say(format_args!(
                "{starts:.0} starts per second are fewer than {STARTS_PER_SECOND:.0}"
            ));
            Err(Failed)
        }
        Err(fault) => {
            say(fault);
            Err(Failed)
        }
    }
}

/// A folder that goes when the chore ends.
struct TemporaryFolder(PathBuf);

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Files that are only names and sizes; tells how many starts a second were accepted.
fn synthetic(load: &Load, folder: &Path) -> Result<f64, String> {
    let count = load.files;
    let scenario = json!({
        "rate_limit": {"requests": u64::from(u32::MAX), "seconds": 3600},
        "job_milliseconds": [30, 150],
        "projects": [{"id": PROJECT, "synthetic": [{"folder": "many", "count": count, "size": 4096}]}],
        "volumes": [{"id": VOLUME, "keys_only": true}],
    });
    let path = folder.join("scenario.json");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, scenario.to_string()))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let path = path.display().to_string();
    let data = folder.join("data");
    let args = ["--scenario", path.as_str()];

    say(format_args!("{count} synthetic files in one folder"));
    let (sandbox, ready) = started(&args, &data)?;
    tell("ready", ready, &sandbox, "")?;

    let began = Instant::now();
    let ids = scroll(&sandbox)?;
    if ids.len() != count {
        return Err(format!("scrolling finds {} of {count} files", ids.len()));
    }
    let pages = format!(", pages of {PAGE}");
    tell("scrolled", began.elapsed(), &sandbox, &pages)?;

    let requests = requests(&sandbox, &ids);
    let began = Instant::now();
    let accepted = send(&sandbox, &requests, load.connections)?;
    let sending = began.elapsed();
    if accepted != count {
        return Err(format!("{accepted} of {count} starts were accepted"));
    }
    let starts = count as f64 / sending.as_secs_f64();
    let rate = format!(
        ", {starts:.0} starts per second over {} connections",
        load.connections
    );
    tell("started", sending, &sandbox, &rate)?;
    while completed(&sandbox)? < count {
        if began.elapsed() > sending + Duration::from_secs(60) {
            return Err("the jobs don't end".to_owned());
        }
        sleep(Duration::from_millis(20));
    }
    tell(
        "completed",
        began.elapsed(),
        &sandbox,
        ", since the first start",
    )?;
    drop(sandbox);

    let (sandbox, ready) = started(&args, &data)?;
    if completed(&sandbox)? != count {
        return Err("jobs were lost with the restart".to_owned());
    }
    tell("ready again", ready, &sandbox, ", with the same data")?;
    Ok(starts)
}

/// Files on disk, copied into the data folder.
fn real(load: &Load, folder: &Path) -> Result<(), String> {
    let count = load.real;
    let source = folder.join("source");
    let fill = || {
        for number in 0..count {
            let run = source.join(format!("run{:04}", number / 1000));
            if number % 1000 == 0 {
                std::fs::create_dir_all(&run)?;
            }
            std::fs::write(run.join(format!("{number}.txt")), format!("{number}\n"))?;
        }
        Ok(())
    };
    fill().map_err(|error: std::io::Error| format!("{}: {error}", source.display()))?;
    let source = source.display().to_string();
    let data = folder.join("data");
    let args = ["--project-from", source.as_str()];

    say(format_args!("{count} files on disk in folders of 1000"));
    let (sandbox, ready) = started(&args, &data)?;
    tell("ready", ready, &sandbox, ", copied")?;
    drop(sandbox);
    let (sandbox, ready) = started(&args, &data)?;
    tell("ready again", ready, &sandbox, ", with the same data")
}

fn started(args: &[&str], data: &Path) -> Result<(SandboxProcess, Duration), String> {
    let began = Instant::now();
    let sandbox = SandboxProcess::start(&target().join("dist/cavatica"), args, data)?;
    Ok((sandbox, began.elapsed()))
}

/// A line of what is printed: what was done, how long it took, the most memory the sandbox has had until then.
fn tell(what: &str, took: Duration, sandbox: &SandboxProcess, more: &str) -> Result<(), String> {
    let peak = peak_mb(sandbox.process()).ok_or("there is no /proc to measure with")?;
    let took = took.as_secs_f64();
    say(format_args!(
        "  {what:<12} {took:>7.2} s  {peak:>6.0} MB peak{more}"
    ));
    Ok(())
}

fn peak_mb(process: u32) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

fn completed(sandbox: &SandboxProcess) -> Result<usize, String> {
    let state = sandbox.request("GET", "/_sandbox/state", "")?;
    let completed = state["states"]["COMPLETED"].as_u64().unwrap_or(0);
    usize::try_from(completed).map_err(|error| error.to_string())
}

/// The ids of all files of the project's one folder.
fn scroll(sandbox: &SandboxProcess) -> Result<Vec<String>, String> {
    let mut connection = Connection::open(sandbox)?;
    let mut read = |url: &str| -> Result<Value, String> {
        let request = connection.request("GET", url, "");
        let body = connection.exchange(&request)?;
        serde_json::from_slice(&body).map_err(|error| error.to_string())
    };
    let root = read(&format!(
        "{}/files?project={PROJECT}&fields=id",
        sandbox.endpoint
    ))?;
    let many = root["items"][0]["id"]
        .as_str()
        .ok_or("there is no folder")?;
    let mut ids = Vec::new();
    let mut next = Some(format!(
        "{}/files/{many}/scroll?token=init&limit={PAGE}&fields=id",
        sandbox.endpoint
    ));
    while let Some(url) = next {
        let page = read(&url)?;
        let items = page["items"].as_array().into_iter().flatten();
        ids.extend(items.filter_map(|item| Some(item["id"].as_str()?.to_owned())));
        next = page["links"][0]["href"].as_str().map(str::to_owned);
    }
    Ok(ids)
}

/// The bulk starts of all files, as they go over the wire.
fn requests(sandbox: &SandboxProcess, ids: &[String]) -> Vec<Vec<u8>> {
    let url = format!("{}/bulk/storage/exports/create", sandbox.endpoint);
    let batches = ids.chunks(BATCH).enumerate().map(|(batch, ids)| {
        let items: Vec<Value> = ids
            .iter()
            .enumerate()
            .map(|(place, id)| {
                json!({
                    "source": {"file": id},
                    "destination": {"volume": VOLUME, "location": format!("run1/{batch:05}/{place:02}.dat")},
                })
            })
            .collect();
        request(sandbox, "POST", &url, &json!({ "items": items }).to_string())
    });
    batches.collect()
}

/// Sends the requests over so many connections at once; tells how many items were accepted.
fn send(
    sandbox: &SandboxProcess,
    requests: &[Vec<u8>],
    connections: usize,
) -> Result<usize, String> {
    let share = requests.len().div_ceil(connections.max(1)).max(1);
    scope(|scope| {
        let senders: Vec<_> = requests
            .chunks(share)
            .map(|requests| {
                scope.spawn(move || {
                    let mut connection = Connection::open(sandbox)?;
                    let mut accepted = 0;
                    for request in requests {
                        accepted += count(&connection.exchange(request)?, b"\"resource\":");
                    }
                    Ok(accepted)
                })
            })
            .collect();
        senders
            .into_iter()
            .map(|sender| sender.join().map_err(|_| "a sender panicked".to_owned())?)
            .sum()
    })
}

fn count(text: &[u8], word: &[u8]) -> usize {
    text.windows(word.len())
        .filter(|part| *part == word)
        .count()
}

/// A request to an address of the sandbox.
fn request(sandbox: &SandboxProcess, method: &str, url: &str, body: &str) -> Vec<u8> {
    let target = url
        .trim_start_matches("http://")
        .trim_start_matches(sandbox.address());
    format!(
        "{method} {target} HTTP/1.1\r\nhost: {}\r\nx-sbg-auth-token: {}\r\nx-sbg-advance-access: advance\r\n\
         content-length: {}\r\n\r\n{body}",
        sandbox.address(),
        sandbox.token,
        body.len()
    )
    .into_bytes()
}

/// A connection that stays open.
struct Connection<'a> {
    sandbox: &'a SandboxProcess,
    stream: BufReader<TcpStream>,
}

impl<'a> Connection<'a> {
    fn open(sandbox: &'a SandboxProcess) -> Result<Self, String> {
        let open = || {
            let stream = TcpStream::connect(sandbox.address())?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
            Ok(BufReader::with_capacity(1 << 16, stream))
        };
        let stream = open().map_err(|error: std::io::Error| error.to_string())?;
        Ok(Connection { sandbox, stream })
    }

    fn request(&self, method: &str, url: &str, body: &str) -> Vec<u8> {
        request(self.sandbox, method, url, body)
    }

    /// Sends a request and gives the body of its answer, which must be a success.
    fn exchange(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        let fault = |error: std::io::Error| format!("the sandbox doesn't answer: {error}");
        self.stream.get_mut().write_all(request).map_err(fault)?;
        let mut status = String::new();
        self.stream.read_line(&mut status).map_err(fault)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).map_err(fault)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).map_err(fault)?;
        if status.starts_with("HTTP/1.1 200") {
            Ok(body)
        } else {
            Err(format!("the sandbox answers {}", status.trim_end()))
        }
    }
}
