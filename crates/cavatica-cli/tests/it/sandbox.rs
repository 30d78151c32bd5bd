use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use cavatica_test_s3::TestS3;
use serde_json::Value;

use crate::harness::World;

#[test]
fn a_scenario_is_served_until_the_program_is_told_to_end() {
    let world = World::new();
    let scenario = world.home().join("scenario.json");
    let text = r#"{"projects": [{"id": "lab/trio"}], "faults": "maintenance", "seed": 5}"#;
    std::fs::write(&scenario, text).unwrap();
    let mut child = world
        .command(&["sandbox", "--json", "--scenario", "scenario.json"])
        .args(["--faults", "refuse=403/9020@user", "--quirk", "created"])
        .args(["--account", "colleague", "--fixed-token", "0123456789"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["project"], "lab/trio");
    assert_eq!(ready["token"], "0123456789");
    assert_eq!(ready["accounts"][1]["username"], "colleague");

    let endpoint = ready["endpoint"].as_str().unwrap();
    let host = endpoint
        .trim_start_matches("http://")
        .trim_end_matches("/v2");
    let mut stream = TcpStream::connect(host).unwrap();
    let token = ready["token"].as_str().unwrap();
    let request = format!(
        "GET /v2/user HTTP/1.1\r\nHost: {host}\r\nX-SBG-Auth-Token: {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"code\":9020"), "{answer}");

    let data = Path::new(ready["data"].as_str().unwrap()).to_owned();
    assert!(data.exists());
    Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!data.exists(), "a temporary world is cleared away");
}

#[test]
fn the_end_of_standard_input_ends_it_where_that_was_asked_for() {
    let world = World::new();
    let mut child = world
        .command(&["sandbox", "--json", "--stop-at-eof"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert!(
        child.try_wait().unwrap().is_none(),
        "an open pipe ends nothing"
    );
    // As the operating system does for a parent that died.
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_makes_no_sandbox_is_refused() {
    let world = World::new();
    std::fs::write(world.home().join("bad.json"), r#"{"sead": 5}"#).unwrap();
    for (option, value) in [
        ("--scenario", "bad.json"),
        ("--scenario", "none.json"),
        ("--faults", "sulk"),
        ("--quirk", "shy"),
    ] {
        let run = world.run(&["sandbox", option, value]);
        assert_eq!(run.exit(), 2, "{option} {value}");
        assert!(run.stderr().contains(value), "{}", run.stderr());
    }
}

/// A sandbox of a process of its own, to be killed.
struct Served {
    child: std::process::Child,
    ready: Value,
}

impl Served {
    fn start(world: &World) -> Served {
        let mut child = world
            .command(&["sandbox", "--json", "--data", "data"])
            .args(["--project-from", "source"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap();
        Served { child, ready }
    }

    fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap()
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Value {
        let endpoint = self.text("endpoint");
        let host = endpoint
            .trim_start_matches("http://")
            .trim_end_matches("/v2");
        let token = self.text("token");
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nX-SBG-Auth-Token: {token}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_killed_sandbox_leaves_no_half_object_and_goes_on() {
    let world = World::new();
    let source = world.home().join("source");
    std::fs::create_dir(&source).unwrap();
    let content = |number: usize| format!("{number:04}\n").repeat(40_000);
    for number in 0..60 {
        std::fs::write(source.join(format!("{number:02}")), content(number)).unwrap();
    }
    let served = Served::start(&world);
    let files = served.call("GET", "/v2/files?project=sandbox/demo&limit=100", "");
    let items = files["items"].as_array().unwrap().iter().map(|file| {
        let (id, name) = (&file["id"], file["name"].as_str().unwrap());
        serde_json::json!({
            "source": {"file": id},
            "destination": {"volume": "sandbox/output", "location": name},
        })
    });
    let body = serde_json::json!({"items": items.collect::<Vec<_>>()}).to_string();
    served.call("POST", "/v2/bulk/storage/exports/create", &body);

    // Killed whenever some more objects have arrived, until all have.
    let objects = world.home().join("data/volumes/sandbox/output");
    let arrived = || {
        let whole = std::fs::read_dir(&objects).map(|entries| {
            entries
                .map(Result::unwrap)
                .filter(|entry| entry.file_type().unwrap().is_file())
                .inspect(|entry| {
                    let number = entry.file_name().to_str().unwrap().parse().unwrap();
                    let found = std::fs::read_to_string(entry.path()).unwrap();
                    assert!(found == content(number), "half of object {number}");
                })
                .count()
        });
        whole.unwrap_or(0)
    };
    let mut served = Some(served);
    for goal in [1, 10, 25, 45] {
        while arrived() < goal {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        drop(served.take());
        arrived();
        served = Some(Served::start(&world));
    }
    let served = served.unwrap();
    let ledger = loop {
        let ledger = served.call("GET", "/_sandbox/ledger", "");
        if ledger["states"]["COMPLETED"] == 60 {
            break ledger;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    assert_eq!(ledger["starts"], 60);
    assert_eq!(ledger["objects_overwritten"], 0);
    assert_eq!(arrived(), 60);
    let left = std::fs::read_dir(world.home().join("data/projects/sandbox/demo"));
    assert_eq!(left.unwrap().count(), 0, "the platform's copies are gone");
}

#[test]
fn a_real_bucket_without_keys_says_where_keys_come_from() {
    let world = World::new();
    let scenario =
        r#"{"volumes": [{"id": "lab/real", "s3": {"endpoint": "https://s3.example.org"}}]}"#;
    std::fs::write(world.home().join("scenario.json"), scenario).unwrap();
    let run = world.run(&["sandbox", "--scenario", "scenario.json"]);
    assert_eq!(run.exit(), 1);
    let told = run.stderr();
    for part in ["lab/real", "AWS_ACCESS_KEY_ID is not set", "aws configure"] {
        assert!(told.contains(part), "{told}");
    }
}

/// The first line of a sandbox that was started with these arguments, and its process.
fn announced(mut command: Command) -> (std::process::Child, Value) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

#[test]
fn a_real_bucket_is_mounted_from_the_command_line() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(TestS3::start());
    server.create_bucket("lab");
    let world = World::new();
    let mut command = world.command(&["sandbox", "--json", "--data", "data"]);
    command
        .args(["--s3-volume", "real=lab/trial/", "--s3-endpoint"])
        .arg(server.endpoint())
        .args(["--job-duration", "0s-10ms", "--fail-share", "0"])
        .env("AWS_ACCESS_KEY_ID", TestS3::KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", TestS3::SECRET);
    let (child, ready) = announced(command);
    let served = Served { child, ready };
    let volumes = served.ready["volumes"].as_array().unwrap();
    assert_eq!(volumes.len(), 6, "beside the ordinary ones: {volumes:?}");

    let files = served.call("GET", "/v2/files?project=sandbox/demo&name=README.txt", "");
    let body = serde_json::json!({
        "source": {"file": files["items"][0]["id"]},
        "destination": {"volume": "sandbox/real", "location": "run1/a.txt"},
        "properties": {"aws_storage_class": "GLACIER"},
    });
    let job = served.call("POST", "/v2/storage/exports", &body.to_string());
    let path = format!("/v2/storage/exports/{}", job["id"].as_str().unwrap());
    let ended = loop {
        let job = served.call("GET", &path, "");
        if job["state"] == "COMPLETED" || job["state"] == "FAILED" {
            break job;
        }
    };
    assert_eq!(ended["state"], "COMPLETED", "{ended}");
    let kept = server.kept("lab", "trial/run1/a.txt").expect("an object");
    assert_eq!(kept.storage_class.as_deref(), Some("GLACIER"));
    drop(served);

    // The same folder with another bucket under the same name.
    let mut other = world.command(&["sandbox", "--data", "data", "--s3-volume", "real=other"]);
    other
        .env("AWS_ACCESS_KEY_ID", TestS3::KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", TestS3::SECRET);
    let run = world.finish(other);
    assert_eq!(run.exit(), 1);
    assert!(
        run.stderr().contains("the bucket `lab`"),
        "{}",
        run.stderr()
    );
}

#[test]
fn what_is_no_bucket_or_pace_is_refused() {
    let world = World::new();
    for (option, value, named) in [
        ("--s3-volume", "real", "NAME=BUCKET"),
        ("--s3-volume", "real=s3://lab", "without s3://"),
        ("--s3-volume", "=lab", "NAME=BUCKET"),
        ("--s3-volume", "real=", "NAME=BUCKET"),
        ("--s3-endpoint", "https://s3.example.org", "--s3-volume"),
        ("--job-duration", "2s-1s", "100ms-2s"),
        ("--job-duration", "soon", "100ms-2s"),
        ("--fail-share", "5", "from 0 to 1"),
    ] {
        let run = world.run(&["sandbox", option, value]);
        assert_eq!(run.exit(), 2, "{option} {value}");
        assert!(run.stderr().contains(named), "{}", run.stderr());
    }
}

/// Its lines can be pasted, so it quotes what stands in them.
#[test]
fn the_demo_plays_in_a_folder_of_any_name() {
    let world = World::new();
    let folder = world.home().join("it's here");
    std::fs::create_dir(&folder).unwrap();
    let mut demo = world.command(&["demo"]);
    demo.env("TMPDIR", &folder);
    let shown = world.finish(demo);
    assert_eq!(shown.exit(), 0, "{}", shown.snapshot());
    assert!(
        shown.stdout().contains(r"it'\''s here"),
        "{}",
        shown.stdout()
    );
    assert!(
        shown.stdout().contains("8 same, 0 missing"),
        "{}",
        shown.stdout()
    );
}
