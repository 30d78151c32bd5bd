//! Proxies and certificates, on the way to the platform and to a bucket.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use crate::harness::World;

/// What a proxy asks for that wants to know who comes.
const LOGIN: &str = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A proxy that answers this to everybody, and how often it was asked.
fn proxy(answer: &'static str) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            let head = BufReader::new(&stream).lines();
            head.map_while(Result::ok).find(String::is_empty);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (format!("http://user:wr0ng@{address}"), asked)
}

/// A transfer with a file that has arrived, so that there is something to look for.
fn arrived(world: &World) {
    let plan = "plan --out t.transfer --project sandbox/demo --folder results --volume sandbox/output --copy";
    assert_eq!(world.run(&plan.split(' ').collect::<Vec<_>>()).exit(), 0);
    let run = ["run", "t.transfer", "--yes", "--poll", "50ms"];
    assert_eq!(world.run(&run).exit(), 0);
}

const BUCKET: &str = "verify t.transfer --against bucket --s3-endpoint";

#[test]
fn a_proxy_that_wants_a_login_is_asked_once() {
    let world = World::new();
    arrived(&world);
    let on_bucket = format!("{BUCKET} https://s3.example.invalid");
    for line in ["volumes list", "doctor", &on_bucket] {
        let (proxy, asked) = proxy(LOGIN);
        let mut command = world.command(&line.split(' ').collect::<Vec<_>>());
        command
            .env("SB_API_ENDPOINT", "https://api.example.invalid/v2")
            .env("SB_AUTH_TOKEN", "0123456789abcdef")
            .env("AWS_ACCESS_KEY_ID", "id")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("HTTPS_PROXY", &proxy);
        let run = world.finish(command);
        assert_ne!(run.exit(), 0, "{}", run.snapshot());
        let told = format!("{}{}", run.stdout(), run.stderr());
        assert!(
            told.contains("HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT"),
            "{told}"
        );
        assert!(!told.contains("wr0ng"), "{told}");
        assert_eq!(asked.load(Ordering::Relaxed), 1, "{line}");
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_on_both_ways() {
    let secure = World::with(cavatica_sandbox::SandboxBuilder::tls);
    let world = World::new();
    arrived(&world);
    let endpoint = secure.sandbox.endpoint();
    let on_bucket = format!("{BUCKET} {}", endpoint.trim_end_matches("/v2"));
    for line in ["volumes list", &on_bucket] {
        let mut command = world.command(&line.split(' ').collect::<Vec<_>>());
        command
            .env("SB_API_ENDPOINT", endpoint)
            .env("SB_AUTH_TOKEN", "0123456789abcdef")
            .env("AWS_ACCESS_KEY_ID", "id")
            .env("AWS_SECRET_ACCESS_KEY", "secret");
        let run = world.finish(command);
        assert_eq!(run.exit(), 1, "{}", run.snapshot());
        let told = run.stderr();
        assert!(told.contains("certificate is not trusted"), "{told}");
        assert!(told.contains("--ca-cert FILE"), "{told}");
    }
}

#[test]
fn a_folder_for_temporary_files_that_is_not_there_is_named() {
    let world = World::new();
    let mut command = world.command(&["check", "-"]);
    command
        .env("TMPDIR", "/nowhere")
        .stdin(std::process::Stdio::null());
    let run = world.finish(command);
    assert_eq!(run.exit(), 1, "{}", run.snapshot());
    for word in ["/nowhere", "TMPDIR"] {
        assert!(run.stderr().contains(word), "{}", run.snapshot());
    }
}
