//! What an answer may cost: at the limit of its size and of its values, at most ten times its bytes.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;

use crate::harness::World;

/// The most bytes that an answer may have, and the most values.
const BYTES: usize = 16 << 20;
const VALUES: usize = 499_000;

/// A list of one volume with so many keys that nobody knows, and a text that fills it up; another page follows.
fn list(endpoint: &str, values: usize, bytes: usize) -> String {
    let mut body = format!(
        r#"{{"links": [{{"rel": "next", "href": "{endpoint}/storage/volumes?offset=1"}}], "items": [{{"id": "lab/x""#
    );
    for number in 0..values {
        write!(body, r#","{number:x}":1"#).unwrap();
    }
    let end = "\"}]}";
    let padding = bytes.saturating_sub(body.len() + r#","text":""#.len() + end.len());
    write!(body, r#","text":"{}{end}"#, "x".repeat(padding)).unwrap();
    body
}

/// Answers a request with this body.
fn serve(listener: &TcpListener, body: &str) {
    let (mut stream, _) = listener.accept().unwrap();
    let head = BufReader::new(&stream).lines();
    head.map_while(Result::ok).find(String::is_empty);
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
}

/// The most memory that the program took to read such a list, in bytes: it is looked at when it asks for the next page.
fn taken(world: &World, values: usize, bytes: usize) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v2", listener.local_addr().unwrap());
    let mut command = world.command(&["volumes", "list"]);
    command
        .env("SB_API_ENDPOINT", &endpoint)
        .env("SB_AUTH_TOKEN", world.sandbox.token());
    let mut program = command.stdout(Stdio::null()).spawn().unwrap();
    serve(&listener, &list(&endpoint, values, bytes));
    let _asked = listener.accept().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.split_whitespace().next());
    program.kill().unwrap();
    program.wait().unwrap();
    kilobytes.unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn an_answer_at_its_limits_costs_at_most_ten_times_its_bytes() {
    let world = World::new();
    let nothing = taken(&world, 1, 200);
    let all = taken(&world, VALUES, BYTES - 1);
    let cost = all - nothing;
    assert!(cost <= 10 * BYTES as u64, "{} MiB", cost >> 20);
    // It was read, not refused.
    assert!(cost >= BYTES as u64, "{} MiB", cost >> 20);
}
