//! Where the token comes from, who else can get at it there, and where it may go.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::thread;

use crate::harness::{Run, World, set_mode};

/// An address where nobody listens, and which is none of the platform's.
const ELSEWHERE: &str = "https://api.example.invalid/v2";

impl World {
    fn credentials(&self, text: &[u8]) {
        let file = self.home().join(".sevenbridges/credentials");
        std::fs::write(&file, text).unwrap();
        set_mode(&file, 0o600);
    }

    fn profile(&self) -> String {
        let (endpoint, token) = (self.sandbox.endpoint(), self.sandbox.token());
        format!("[default]\nAPI_ENDPOINT = {endpoint}\nAuth_Token = {token}\n")
    }

    fn token_file(&self, name: &str, content: &[u8], mode: u32) -> Run {
        let file = self.home().join(name);
        std::fs::write(&file, content).unwrap();
        set_mode(&file, mode);
        self.with_token_file(name)
    }

    fn with_token_file(&self, name: &str) -> Run {
        let endpoint = self.sandbox.endpoint();
        self.run(&[
            "volumes",
            "list",
            "--token-file",
            name,
            "--endpoint",
            endpoint,
        ])
    }
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[track_caller]
fn ends(run: &Run, exit: i32, words: &[&str]) {
    assert_eq!(run.exit(), exit, "{}", run.snapshot());
    for word in words {
        assert!(run.stderr().contains(word), "{word} in {}", run.snapshot());
    }
}

#[test]
fn option_names_have_any_letter_case_and_the_file_any_mark() {
    let world = World::new();
    let profile = world.profile();
    for text in [profile.clone(), format!("\u{feff}{profile}")] {
        world.credentials(text.as_bytes());
        ends(&world.run(&["volumes", "list"]), 0, &[]);
        ends(&world.run(&["doctor"]), 0, &[]);
    }
    world.credentials(&utf16(&profile));
    ends(
        &world.run(&["volumes", "list"]),
        5,
        &["UTF-16; save it as UTF-8"],
    );
    let doctor = world.run(&["doctor"]);
    assert!(doctor.stdout().contains("UTF-16"), "{}", doctor.snapshot());
}

#[test]
fn a_token_file_may_have_a_mark_and_is_no_utf_16() {
    let world = World::new();
    let token = world.sandbox.token();
    let marked = format!("\u{feff}{token}\r\n");
    ends(&world.token_file("token", marked.as_bytes(), 0o600), 0, &[]);
    let wide = world.token_file("token", &utf16(token), 0o600);
    ends(&wide, 5, &["UTF-16; save it as UTF-8"]);
    ends(
        &world.token_file("token", b"\xe9", 0o600),
        5,
        &["not UTF-8"],
    );
}

#[test]
fn a_token_that_others_can_get_at_is_warned_of_at_every_use() {
    let world = World::new();
    let token = world.sandbox.token().as_bytes();
    let private = world.token_file("token", token, 0o600);
    assert_eq!(private.stderr(), "");
    for (mode, word) in [(0o640, "read"), (0o604, "read"), (0o620, "write to")] {
        let warning = format!(
            "others on this machine can {word} token, where the token stands; `chmod 600 token`"
        );
        ends(&world.token_file("token", token, mode), 0, &[&warning]);
    }
    let credentials = world.home().join(".sevenbridges/credentials");
    set_mode(&credentials, 0o644);
    let plan = "plan --out t.transfer --project sandbox/demo --folder results --volume sandbox/output --copy";
    let plan: Vec<_> = plan.split(' ').collect();
    for args in [
        &["volumes", "list"][..],
        &plan,
        &["run", "t.transfer", "--yes"],
    ] {
        ends(
            &world.run(args),
            0,
            &["warning: others on this machine can read"],
        );
    }
}

#[test]
fn an_endpoint_that_others_could_have_written_is_not_called() {
    let world = World::new();
    let credentials = world.home().join(".sevenbridges/credentials");
    let before = world.sandbox.ledger().requests;
    for mode in [0o620, 0o602, 0o666] {
        set_mode(&credentials, mode);
        ends(
            &world.run(&["volumes", "list"]),
            5,
            &["can write to", "nothing was sent", "chmod 600"],
        );
    }
    assert_eq!(world.sandbox.ledger().requests, before);
}

#[test]
fn a_token_comes_through_links_and_pipes() {
    let world = World::new();
    let home = world.home();
    let token = world.sandbox.token();
    // As a container is given its secrets: a link to a link.
    std::fs::create_dir(home.join("data")).unwrap();
    std::fs::write(home.join("data/token"), token).unwrap();
    set_mode(&home.join("data/token"), 0o600);
    symlink("data", home.join("..data")).unwrap();
    symlink("..data/token", home.join("token")).unwrap();
    ends(&world.with_token_file("token"), 0, &[]);
    set_mode(&home.join("data/token"), 0o622);
    ends(
        &world.with_token_file("token"),
        5,
        &["a link to a file that others can change"],
    );

    let mut shell = Command::new("bash");
    let line = r#""$0" volumes list --endpoint "$1" --token-file <(echo "$2")"#;
    let program = world.command(&[]);
    shell
        .args(["-c", line])
        .arg(program.get_program())
        .args([world.sandbox.endpoint(), token])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home);
    let piped = world.finish(shell);
    ends(&piped, 0, &[]);
    assert_eq!(piped.stderr(), "");
}

#[test]
fn a_profiles_token_goes_to_its_own_platform_only() {
    let world = World::new();
    let token = world.sandbox.token();
    let asked = |endpoint: &str| world.run(&["volumes", "list", "--endpoint", endpoint]);
    world.credentials(format!("[default]\nauth_token = {token}\n").as_bytes());
    let refused = asked(ELSEWHERE);
    let word = format!("write `api_endpoint = {ELSEWHERE}` into the profile");
    ends(
        &refused,
        2,
        &["none of the platform's own addresses", &word],
    );
    // A host that only looks like one of the platform's.
    ends(
        &asked("https://cavatica-api.sbgenomics.com.example.invalid/v2"),
        2,
        &["none of"],
    );
    ends(
        &asked("https://cavatica-api.sbgenomics.com:8443/v2"),
        2,
        &["none of"],
    );
    ends(&asked(world.sandbox.endpoint()), 0, &[]);
    world.credentials(
        format!("[default]\nauth_token = {token}\napi_endpoint = {ELSEWHERE}\n").as_bytes(),
    );
    ends(&world.run(&["volumes", "list"]), 1, &["can't be reached"]);
    ends(
        &asked("https://u:secret@other.example.invalid/v2?a=secret"),
        2,
        &["can't be the API's address"],
    );
    let other = asked(world.sandbox.endpoint());
    ends(
        &other,
        2,
        &["is for https://api.example.invalid/v2, not for"],
    );
    for run in [
        asked("https://u:secret@x.invalid/v2"),
        asked("https://x.invalid/v2?secret"),
    ] {
        assert!(!run.stderr().contains("secret"), "{}", run.snapshot());
    }
}

/// A server that gives the same answer to everybody.
fn always(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head = BufReader::new(&stream).lines();
            head.map_while(Result::ok).find(String::is_empty);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}/v2")
}

#[test]
fn an_address_that_is_not_the_apis_is_named_by_every_command() {
    let world = World::new();
    let file = world.file("README.txt");
    let root = world.sandbox.endpoint().trim_end_matches("/v2").to_owned();
    let without_code = always(
        "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 25\r\nConnection: close\r\n\r\n{\"message\": \"no such URL\"}",
    );
    let empty = always("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let export = format!("export {file} sandbox/output a --copy");
    for endpoint in [root.as_str(), &format!("{root}/v1"), &without_code, &empty] {
        for line in [
            "volumes list",
            "volumes ls sandbox/output",
            "files list --project sandbox/demo",
            "jobs list",
            "jobs get 0123456789abcdef",
            "doctor",
            "plan --out t.transfer --project sandbox/demo --volume sandbox/output --copy",
            &export,
            &format!("{export} --no-check"),
        ] {
            let mut command = world.command(&line.split(' ').collect::<Vec<_>>());
            command
                .env("SB_API_ENDPOINT", endpoint)
                .env("SB_AUTH_TOKEN", world.sandbox.token());
            let run = world.finish(command);
            assert_eq!(run.exit(), 2, "{line} at {endpoint}: {}", run.snapshot());
            let told = format!("{}{}", run.stdout(), run.stderr());
            for word in [
                "this address answers, but it isn't the API",
                "SB_API_ENDPOINT",
            ] {
                assert!(
                    told.contains(word),
                    "{line} at {endpoint}: {}",
                    run.snapshot()
                );
            }
        }
    }
    assert_eq!(world.accepted(), 0);
    assert_eq!(
        world
            .sandbox
            .ledger()
            .requests_to(cavatica_sandbox::Route::Start),
        0
    );
}

/// A list whose next page would be somewhere else is told as the warning that it is, and nobody there hears of it.
#[test]
fn a_list_that_leads_elsewhere_is_not_followed_and_warned_of() {
    let world = World::new();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = elsewhere.local_addr().unwrap();
    let body = format!(
        r#"{{"items": [], "links": [{{"rel": "next", "href": "http://{address}/v2/storage/volumes?offset=100"}}]}}"#
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut command = world.command(&["volumes", "list"]);
    command
        .env("SB_API_ENDPOINT", always(answer.leak()))
        .env("SB_AUTH_TOKEN", world.sandbox.token());
    let leads = format!("http://{address}");
    ends(
        &world.finish(command),
        1,
        &[
            "leads away from the platform",
            "token",
            &leads,
            "nothing was sent there",
        ],
    );
    let heard = elsewhere.accept().unwrap_err();
    assert_eq!(heard.kind(), std::io::ErrorKind::WouldBlock);
}
