//! What others wrote sends nothing to a terminal, whatever they wrote and whichever command shows it.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::Command;
use std::thread;

use cavatica_sandbox::{ProjectSeed, VolumeSeed};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};

use crate::harness::World;

/// Sets the clipboard, clears the screen in two ways, turns the direction, hides, and begins a line of its own.
const EVIL: &str =
    "e\u{1b}]52;c;eA==\u{7}\u{1b}[2J\u{9b}2J\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}\r\nFORGED\tx";

/// As much of it as may stand in an id or a key, which have no control characters.
const SLY: &str = "e\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}x";

/// What is asked of a hostile platform.
const OF_A_PLATFORM: &[&str] = &[
    "doctor",
    "doctor --rehearse file --volume lab/x --yes",
    "volumes list",
    "volumes get lab/x",
    "volumes get lab/broken",
    "volumes ls lab/x",
    "volumes ls lab/broken -vv",
    "files list --project lab/x",
    "files list --project lab/x --tsv",
    "files list --project lab/x --json",
    "jobs list",
    "jobs list --json",
    "jobs get failed",
    "jobs get other",
    "jobs wait failed",
    "export file lab/x a --copy",
    "export file lab/x a --copy --no-check",
    "plan --out t.transfer --project lab/x --volume lab/x --copy",
    "plan --out t.transfer --project lab/x --volume lab/broken --copy --json",
    "projects list",
    "volumes create evil --bucket b --access-mode RW --role-arn arn:aws:iam::123456789012:role/x",
    "volumes set lab/x --access-mode RO",
    "volumes deactivate lab/x",
    "volumes reactivate lab/x",
    "volumes delete lab/x --yes",
    "volumes members lab/x",
    "volumes members lab/x add grace --may read",
];

/// What is asked about a hostile transfer, its platform and its files; beside `plan` and `run`, which make it.
const OF_A_TRANSFER: &[&[&str]] = &[
    &["status", "t.transfer"],
    &["status", "t.transfer", "--json"],
    &["status", "."],
    &["transfers"],
    &["split", "t.transfer", "--parts", "2", "--out", EVIL],
    &["split", "u.transfer", "--parts", "2", "--out", EVIL],
    &["take", "t.transfer"],
    &["verify", "t.transfer", "--all"],
    &["report", "t.transfer"],
    &["report", "t.transfer", "--format", "csv"],
    &["report", "t.transfer", "--format", "jsonl"],
    &["report", "t.transfer", "--format", "tags"],
    &["report", "t.transfer", "--format", "drs"],
    &["report", "t.transfer", "--format", "html", "--out", "-"],
    &["retry", "t.transfer", "--yes"],
    &["support", "t.transfer", "--with-names"],
    &["files", "list", "--project", "lab/trio", "--recursive"],
    &["files", "list", "--project", "lab/trio", "--tsv"],
    &["volumes", "ls", "lab/output"],
    &["jobs", "list"],
    &["check", "bad.csv"],
    &["check", "bad.csv", "--json"],
    &[
        "plan",
        "--out",
        "u.transfer",
        "--manifest",
        "bad.csv",
        "--volume",
        "lab/output",
        "--copy",
    ],
    &["status", EVIL],
    &["explain", EVIL],
    &["check", EVIL],
    &["export", EVIL, EVIL, EVIL, "--copy"],
    &[SLY],
    &["--token-file", EVIL, "volumes", "list"],
    &["--profile", EVIL, "volumes", "list"],
    &["--endpoint", EVIL, "volumes", "list"],
    &["audit", "t.transfer"],
    &["contract", "t.transfer"],
    &[
        "resolve",
        "t.transfer",
        EVIL,
        "--as",
        "failed",
        "--because",
        EVIL,
    ],
];

/// They speak to nobody: a sandbox and what is made from the arguments alone. The page goes to a browser.
const OF_NOBODY: &[&str] = &["completions", "demo", "man", "page", "sandbox"];

/// Runs a command on a terminal, and answers all that the terminal got.
fn on_terminal(command: Command) -> String {
    on_terminal_called("xterm", command)
}

fn on_terminal_called(term: &str, mut command: Command) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let end = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let copy = || OwnedFd::from(end.try_clone().unwrap());
    command.stdin(copy()).stdout(copy()).stderr(copy());
    let mut child = command.env("TERM", term).spawn().unwrap();
    drop((command, end));
    let (mut screen, mut got) = (File::from(terminal), Vec::new());
    loop {
        let mut some = [0; 4096];
        match screen.read(&mut some) {
            Ok(0) => break,
            Ok(read) => got.extend_from_slice(&some[..read]),
            // Nobody has the other end open any more.
            Err(error) if error.raw_os_error() == Some(5) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("{error}"),
        }
    }
    child.wait().unwrap();
    String::from_utf8(got).expect("a program prints text")
}

/// Takes away colours, and what the screen does: go up and down, clear a line to its end, and all that is below.
fn without_our_own(text: &str) -> String {
    let mut left = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\u{1b}[") {
        left.push_str(before);
        let number =
            behind.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ';');
        // What is below is cleared without a number, which clears the whole screen elsewhere.
        let own = number.strip_prefix(['m', 'A', 'B', 'K']);
        match own.or_else(|| behind.strip_prefix('J')) {
            Some(behind) => rest = behind,
            None => {
                left.push_str("\u{1b}[");
                rest = behind;
            }
        }
    }
    left + rest
}

#[track_caller]
fn harmless(line: &str, got: &str) {
    let left = without_our_own(got);
    // Tables have tabs of their own, and a cell of a CSV its lines, within quotes.
    let csv = line.contains("csv") || line.contains("drs");
    let tabs =
        csv || line.contains("--tsv") || line.contains("html") || line == "report t.transfer";
    let hidden: Vec<char> = left
        .chars()
        .filter(|letter| is_hidden(*letter))
        .filter(|letter| !(matches!(letter, '\r' | '\n') || tabs && *letter == '\t'))
        .collect();
    assert!(hidden.is_empty(), "{line}: {hidden:?} in\n{got:?}");
    let forged = left
        .lines()
        .any(|line| line.trim_start().starts_with("FORGED"));
    assert!(csv || !forged, "{line}: a forged line in\n{got}");
}

/// The program has a list of its own; this one is said apart, so that a gap in the program's own list shows.
fn is_hidden(letter: char) -> bool {
    letter.is_control() || "\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}".contains(letter)
}

/// A platform every string of which is hostile.
fn hostile_platform() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v2", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(|| answer(stream.unwrap()));
        }
    });
    endpoint
}

fn answer(mut stream: TcpStream) {
    let mut head = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = head.next() else { return };
    head.map_while(Result::ok).find(String::is_empty);
    let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let path = target
        .trim_start_matches("/v2")
        .split('?')
        .next()
        .unwrap_or_default();
    let path = if first.starts_with("GET ") {
        path
    } else {
        "/start"
    };
    let (status, body) = hostile(path);
    let body = body.to_string();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .ok();
}

fn hostile(path: &str) -> (u16, Value) {
    let volume = json!({
        "id": format!("lab/{SLY}"), "name": EVIL, "access_mode": EVIL, "active": false,
        "service": {"type": EVIL, "bucket": EVIL, "prefix": EVIL, "endpoint": EVIL},
    });
    let file =
        json!({"id": SLY, "name": EVIL, "type": EVIL, "size": 1, "project": format!("lab/{SLY}")});
    let job = json!({
        "id": SLY, "state": EVIL, "started_on": EVIL,
        "destination": {"volume": format!("lab/{SLY}"), "location": EVIL},
        "error": {"code": 9103, "status": 400, "message": EVIL},
    });
    let failed = json!({
        "id": SLY, "state": "FAILED", "error": {"code": 9103, "status": 400, "message": EVIL},
    });
    let page = |item: &Value| json!({"items": [item], "links": []});
    match path {
        "/user" => (200, json!({"username": EVIL, "email": EVIL})),
        "/rate_limit" => (
            200,
            json!({"rate": {"limit": 1000, "remaining": 999, "reset": 0}}),
        ),
        "/storage/volumes" => (200, page(&volume)),
        "/storage/exports" => (200, page(&job)),
        "/storage/exports/failed" => (200, failed),
        "/files" => (200, page(&file)),
        "/projects" => (
            200,
            page(
                &json!({"id": format!("lab/{SLY}"), "name": EVIL, "settings": {"location": EVIL}}),
            ),
        ),
        path if path.ends_with("/members") => (
            200,
            page(
                &json!({"username": EVIL, "email": EVIL, "permissions": {"read": true, "write": EVIL}}),
            ),
        ),
        path if path.ends_with("/list") => (
            200,
            json!({"items": [{"location": EVIL}], "prefixes": [{"prefix": EVIL}], "links": []}),
        ),
        path if path.starts_with("/storage/volumes/lab/broken") => {
            (403, json!({"code": 9026, "status": 403, "message": EVIL}))
        }
        path if path.starts_with("/storage/volumes/") => (200, volume),
        path if path.starts_with("/files/") => (200, file),
        _ => (
            400,
            json!({"code": 4711, "status": 400, "message": EVIL, "more_info": EVIL}),
        ),
    }
}

#[test]
fn nothing_of_a_hostile_platform_reaches_a_terminal() {
    let world = World::new();
    let endpoint = hostile_platform();
    for line in OF_A_PLATFORM {
        let mut command = world.command(&line.split(' ').collect::<Vec<_>>());
        command
            .env("SB_API_ENDPOINT", &endpoint)
            .env("SB_AUTH_TOKEN", world.sandbox.token());
        let got = on_terminal(command);
        assert!(!got.is_empty(), "{line} said nothing");
        harmless(line, &got);
    }
}

#[test]
fn nothing_of_a_hostile_transfer_reaches_a_terminal() {
    let project = ProjectSeed::new("lab/trio")
        .file(format!("{EVIL}.txt"), "control characters")
        .file(format!("{SLY}.txt"), "none")
        .file(format!("failing {SLY}"), "occupied")
        .file("plain.txt", "plain");
    let volume = VolumeSeed::s3("lab/output").object(format!("extra {SLY}"), "extra");
    let world = World::with(|builder| builder.project(project).volume(volume));
    let shown = |words: &[&str]| {
        let line = words.join(" ");
        let got = on_terminal(world.command(words));
        harmless(&line, &got);
        got
    };
    let label = format!("label {EVIL}");
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "lab/trio",
        "--volume",
        "lab/output",
        "--copy",
        "--label",
        &label,
    ];
    let got = shown(&plan);
    assert!(got.contains("\\u{202e}"), "{got}");
    world
        .sandbox
        .put_object("lab/output", &format!("failing {SLY}"), b"occupied")
        .unwrap();
    let got = shown(&["run", "t.transfer", "--yes", "--poll", "50ms", "-v"]);
    assert!(got.contains("failing e\\u{202e}"), "{got}");
    std::fs::write(
        world.home().join("bad.csv"),
        format!("file_id,location,\"{EVIL}\"\n\"{EVIL}\",\"{EVIL}\",\n,{SLY},\n"),
    )
    .unwrap();
    let evil_file = format!("{EVIL}.transfer");
    std::fs::copy(
        world.home().join("t.transfer"),
        world.home().join(&evil_file),
    )
    .unwrap();
    let of_evil_name: &[&str] = &["status", &evil_file];
    for words in OF_A_TRANSFER.iter().chain([&of_evil_name]) {
        assert!(!shown(words).is_empty(), "{words:?} said nothing");
    }
}

/// The commands that a help lists, before it lists options.
fn commands(world: &World, of: &[&str]) -> Vec<String> {
    let help = world.run(&[of, &["--help"]].concat()).stdout();
    let list = help.lines().skip_while(|line| !line.starts_with("Usage"));
    list.take_while(|line| !line.to_lowercase().ends_with("options:"))
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.starts_with(|letter: char| letter.is_ascii_lowercase()))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn no_command_is_left_out() {
    let world = World::new();
    let asked: Vec<String> = OF_A_PLATFORM
        .iter()
        .map(|line| (*line).to_owned())
        .chain(OF_A_TRANSFER.iter().map(|words| words.join(" ")))
        .chain(["run".to_owned()])
        .chain(OF_NOBODY.iter().map(|name| (*name).to_owned()))
        .collect();
    let mut names = Vec::new();
    for name in commands(&world, &[]) {
        match commands(&world, &[&name]) {
            none if none.is_empty() => names.push(name),
            parts => names.extend(parts.iter().map(|part| format!("{name} {part}"))),
        }
    }
    assert!(names.len() > 25, "{names:?}");
    let is_asked = |name: &String| {
        let of_it = format!("{name} ");
        asked
            .iter()
            .any(|line| line == name || line.starts_with(&of_it))
    };
    let left_out: Vec<_> = names.iter().filter(|name| !is_asked(name)).collect();
    assert!(
        left_out.is_empty(),
        "not driven on a terminal: {left_out:?}"
    );
}

#[test]
fn json_says_the_same_without_the_characters() {
    let project = ProjectSeed::new("lab/trio").file(format!("{EVIL}.txt"), "x");
    let world = World::with(|builder| builder.project(project));
    let run = world.run(&["files", "list", "--project", "lab/trio", "--json"]);
    let text = run.stdout();
    let hidden = |letter: char| letter != '\n' && is_hidden(letter);
    assert!(!text.contains(hidden), "{text:?}");
    assert_eq!(run.document()["name"], format!("{EVIL}.txt"));
}

#[test]
fn a_row_of_a_list_is_a_line() {
    let names = [EVIL, "back\\slash", "\"quoted\"", "tab\there"];
    let project = names
        .iter()
        .fold(ProjectSeed::new("lab/trio"), |project, name| {
            project.file(*name, "x")
        });
    let world = World::with(|builder| builder.project(project));
    let list = world.run(&["files", "list", "--project", "lab/trio", "--tsv"]);
    let text = list.stdout();
    assert_eq!(text.lines().count(), 1 + names.len(), "{text:?}");
    assert!(
        text.lines().all(|line| line.matches('\t').count() == 2),
        "{text:?}"
    );
    assert!(
        text.contains("\tback\\\\slash\t") && text.contains("\t\"quoted\"\t"),
        "{text:?}"
    );
    // It reads back as what it was: only what no key can hold is refused.
    std::fs::write(world.home().join("files.tsv"), &text).unwrap();
    let check = world.run(&["check", "files.tsv", "--json"]);
    assert_eq!(check.exit(), 2, "{}", check.snapshot());
    let bad: Vec<_> = check
        .documents()
        .iter()
        .map(|row| row["name"].clone())
        .collect();
    assert_eq!(bad, ["location", "location"], "{}", check.snapshot());
}

#[test]
fn a_terminal_without_a_name_gets_no_colours() {
    let world = World::new();
    let got = |term| on_terminal_called(term, world.command(&["volumes", "get", "lab/none"]));
    assert!(got("xterm").contains('\u{1b}'));
    assert!(!got("").contains('\u{1b}'));
    assert!(!got("dumb").contains('\u{1b}'));
}
