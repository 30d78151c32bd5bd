//! A sender that dies, or gives up, in an outage of the network: its start never arrives, however soon the network is back.
//!
//! The outage is real: the sender lives in a network namespace of its own, whose only link is taken down. That needs root:
//! `cargo test -p cavatica-transport --test it outage -- --ignored`.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::server::{Moment, Server, answer};
use crate::support::{builder, read, start};
use crate::tls::{Authority, Validity};

/// Networks for tests, one for each: <https://www.rfc-editor.org/rfc/rfc5737>.
const FIRST_NETWORK: &str = "203.0.113";
const SECOND_NETWORK: &str = "198.51.100";

/// How long an outage lasts after the sender's death. The system keeps a packet for three seconds while it looks for the
/// neighbour to hand it to; that one is on its way, and no death of a program takes it back.
const OUTAGE: Duration = Duration::from_secs(5);

const ENDPOINT: &str = "OUTAGE_ENDPOINT";
const CERTIFICATE: &str = "OUTAGE_CERTIFICATE";
const BYTE_LIFE: &str = "OUTAGE_BYTE_LIFE";

/// A network namespace with one link to the host.
struct Namespace {
    name: String,
    link: String,
}

impl Namespace {
    /// `None` where none can be made.
    fn make(network: &str) -> Option<Self> {
        let id = format!("{}{}", &network[..3], std::process::id());
        let made = Namespace {
            name: format!("outage-{id}"),
            link: format!("h{id}"),
        };
        let Namespace { name, link } = &made;
        let (inner, here, there) = (
            format!("n{id}"),
            format!("{network}.1/24"),
            format!("{network}.2/24"),
        );
        ip(&["netns", "add", name])?;
        ip(&[
            "link", "add", link, "type", "veth", "peer", "name", &inner, "netns", name,
        ])?;
        ip(&["address", "add", &here, "dev", link])?;
        ip(&["link", "set", link, "up"])?;
        ip(&["-n", name, "address", "add", &there, "dev", &inner])?;
        ip(&["-n", name, "link", "set", &inner, "up"])?;
        Some(made)
    }

    fn link(&self, state: &str) {
        ip(&["link", "set", &self.link, state]).expect("the link obeys");
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&["link", "delete", &self.link]);
        ip(&["netns", "delete", &self.name]);
    }
}

fn ip(args: &[&str]) -> Option<()> {
    let output = Command::new("ip").args(args).output().ok()?;
    output.status.success().then_some(())
}

/// This test program once more, as the sender.
struct Sender {
    process: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Sender {
    fn start(namespace: &Namespace, endpoint: &str, certificate: &Path, byte_life: &str) -> Self {
        let mut process = Command::new("ip")
            .args(["netns", "exec", &namespace.name])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "outage::sender", "--ignored", "--nocapture"])
            .env(ENDPOINT, endpoint)
            .env(CERTIFICATE, certificate)
            .env(BYTE_LIFE, byte_life)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        Sender { process, said }
    }

    fn says(&mut self, word: &str) {
        let mut line = String::new();
        while !line.contains(word) {
            line.clear();
            assert!(
                self.said.read_line(&mut line).unwrap() > 0,
                "it never says {word}"
            );
        }
    }

    fn tell(&mut self, word: &str) {
        let stdin = self.process.stdin.as_mut().unwrap();
        writeln!(stdin, "{word}").unwrap();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the test that starts it listens")]
#[ignore = "the other side of the tests here"]
fn sender() {
    let (Ok(endpoint), Ok(certificate)) = (std::env::var(ENDPOINT), std::env::var(CERTIFICATE))
    else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let pem = std::fs::read(certificate).unwrap();
        let seconds = std::env::var(BYTE_LIFE).unwrap().parse().unwrap();
        let byte_life = Duration::from_secs(seconds);
        let client = builder(&endpoint)
            .ca_certificates(&pem)
            .unwrap()
            .longest_byte_life(byte_life)
            .attempt_limit(Duration::from_secs(60))
            .build()
            .unwrap();
        // The connection that the start will use.
        client.send(read()).await.unwrap();
        println!("connected");
        std::io::stdin().read_exact(&mut [0; 3]).unwrap();
        println!("starting");
        client.send(start()).await.expect_err("the network is down");
        println!("given up");
    });
}

/// What becomes of a sender between its start and the end of the outage.
#[derive(Clone, Copy)]
enum Fate {
    Killed,
    GivesUp,
}

impl Fate {
    /// How long its bytes live, in seconds: much longer than the outage where only its death should end them.
    fn byte_life(self) -> &'static str {
        match self {
            Fate::Killed => "60",
            Fate::GivesUp => "3",
        }
    }
}

/// The starts that arrive when the network is back. None where there can be no such network, and it says so.
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn arrivals(fate: Fate, network: &str) -> usize {
    let Some(namespace) = Namespace::make(network) else {
        eprintln!("skipped: no network namespace can be made here");
        return 0;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (authority, host) = (Authority::new(), format!("{network}.1"));
    let folder = std::env::temp_dir().join(&namespace.name);
    std::fs::create_dir_all(&folder).unwrap();
    let certificate = folder.join("ca.pem");
    std::fs::write(&certificate, &authority.pem).unwrap();
    let acceptor = authority.acceptor(&host, Validity::Current, &[b"http/1.1"]);
    let server = runtime.block_on(Server::start_on(
        &host,
        Some(acceptor),
        |moment| match moment {
            Moment::Accepted(_) => crate::server::Act::Serve,
            Moment::Read(_) => answer(200, &[("connection", "keep-alive")], "{}"),
        },
    ));
    let endpoint = format!("https://{}/v2", server.listening.address);
    let mut sender = Sender::start(&namespace, &endpoint, &certificate, fate.byte_life());
    sender.says("connected");
    namespace.link("down");
    sender.tell("go");
    sender.says("starting");
    match fate {
        Fate::Killed => {
            // Its bytes have been handed to the system.
            std::thread::sleep(Duration::from_millis(500));
            sender.process.kill().unwrap();
            sender.process.wait().unwrap();
            std::thread::sleep(OUTAGE);
        }
        Fate::GivesUp => sender.says("given up"),
    }
    namespace.link("up");
    // The system sends again at intervals that double: by then it would have done so.
    std::thread::sleep(Duration::from_secs(20));
    std::fs::remove_dir_all(&folder).ok();
    server
        .seen()
        .iter()
        .filter(|seen| seen.head.starts_with("POST"))
        .count()
}

#[test]
#[ignore = "needs root, and takes half a minute"]
fn no_start_of_a_killed_sender_arrives_when_the_network_is_back() {
    assert_eq!(arrivals(Fate::Killed, FIRST_NETWORK), 0);
}

#[test]
#[ignore = "needs root, and takes half a minute"]
fn no_start_that_was_given_up_arrives_when_the_network_is_back() {
    assert_eq!(arrivals(Fate::GivesUp, SECOND_NETWORK), 0);
}
