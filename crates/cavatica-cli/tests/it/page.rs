//! `cavatica page`: who is shown what, on this computer alone.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::harness::World;

struct Site {
    program: Child,
    port: u16,
    token: String,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.program.kill().ok();
        self.program.wait().ok();
    }
}

impl Site {
    fn of(world: &World, places: &[&str]) -> Self {
        let mut program = world
            .command(&[&["page"], places].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(program.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        let rest = address.trim().strip_prefix("http://127.0.0.1:").unwrap();
        let (port, token) = rest.trim_end_matches('/').split_once('/').unwrap();
        Site {
            program,
            port: port.parse().unwrap(),
            token: token.to_owned(),
        }
    }

    fn ask(&self, method: &str, path: &str, host: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer)
    }
}

#[test]
fn the_page_is_for_those_who_know_its_address() {
    let world = World::new();
    let plan = [
        "plan",
        "--out",
        "a b.transfer",
        "--project",
        "sandbox/demo",
        "--folder",
        "results",
        "--volume",
        "sandbox/output",
        "--copy",
    ];
    assert_eq!(world.run(&plan).exit(), 0);
    std::fs::write(world.home().join("secret.txt"), "secret").unwrap();
    let site = Site::of(&world, &[]);
    assert_eq!(site.token.len(), 32);
    let own = format!("127.0.0.1:{}", site.port);
    let at = |rest: &str| format!("/{}/{rest}", site.token);

    let (status, index) = site.ask("GET", &at(""), &own);
    assert_eq!(status, 200);
    assert!(index.contains("href=\"./a%20b.transfer\"") && index.contains("Not started"));
    assert!(index.contains("http-equiv=\"refresh\""), "it renews itself");
    let (status, report) = site.ask("GET", &at("a%20b.transfer"), &own);
    assert_eq!(status, 200);
    assert!(
        report.contains("Transfer report") && report.contains("x-content-type-options: nosniff")
    );

    // Nobody else, and nothing else.
    for (method, path, host, expected) in [
        ("GET", at(""), "rebound.example.org".to_owned(), 421),
        ("GET", "/".to_owned(), own.clone(), 404),
        ("GET", format!("/{}/", "0".repeat(32)), own.clone(), 404),
        ("GET", at("secret.txt"), own.clone(), 404),
        ("GET", at("../secret.txt"), own.clone(), 404),
        ("GET", at("%2e%2e%2fsecret.txt"), own.clone(), 404),
        ("POST", at(""), own.clone(), 405),
    ] {
        let (status, answer) = site.ask(method, &path, &host);
        assert_eq!(status, expected, "{method} {path} {host}");
        assert!(
            !answer.contains("a b.transfer") && !answer.contains("a%20b"),
            "{path}"
        );
    }
    let other = world.run(&["page", "nowhere"]);
    assert_eq!(other.exit(), 2, "{}", other.snapshot());
}

#[test]
fn plans_that_were_split_are_not_counted_beside_their_parts() {
    let world = World::new();
    for name in ["t", "u"] {
        let plan = format!(
            "plan --out {name}.transfer --project sandbox/demo --folder results --volume sandbox/output --prefix {name}/ --copy --parts 2"
        );
        let planned = world.run(&plan.split(' ').collect::<Vec<_>>());
        assert_eq!(planned.exit(), 0, "{}", planned.snapshot());
    }
    let site = Site::of(&world, &[".", "t.parts", "u.parts"]);
    let own = format!("127.0.0.1:{}", site.port);
    let at = |rest: &str| site.ask("GET", &format!("/{}/{rest}", site.token), &own).1;
    let index = at("");
    let split = "its 4 files are those of 2 parts in <code>";
    assert_eq!(index.matches(split).count(), 2, "{index}");
    assert_eq!(index.matches("0 of 8 files").count(), 1, "{index}");

    // Their parts have the same names, and pages of their own.
    let links = index.split("href=\"./").skip(1);
    let links = links.filter_map(|rest| rest.split('"').next());
    let pages: Vec<String> = links.map(at).collect();
    for prefix in ["t", "u"] {
        let place = format!("s3://sandbox-output/{prefix}/");
        let about = pages.iter().filter(|page| page.contains(&place));
        let about: Vec<_> = about.filter(|page| !page.contains("The parts")).collect();
        assert_eq!(about.len(), 3, "{prefix}");
        let plan = about.iter().filter(|page| page.contains(split));
        assert_eq!(plan.count(), 1);
    }
}

#[test]
fn what_nothing_runs_is_watched_no_longer() {
    let world = World::new();
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "sandbox/demo",
        "--folder",
        "results",
        "--volume",
        "sandbox/output",
        "--copy",
    ];
    assert_eq!(world.run(&plan).exit(), 0);
    let watched = world.run(&["status", "t.transfer", "--watch"]);
    assert_eq!(watched.exit(), 0, "{}", watched.snapshot());
    assert_eq!(watched.stderr(), "nothing runs it now\n");
    assert!(watched.stdout().contains("; `cavatica run` starts it"));
}
