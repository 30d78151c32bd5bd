use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

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
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["project"], "lab/trio");

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
