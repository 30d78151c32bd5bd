//! The gate under racing time-outs, over TLS and over HTTP/2: what is called unsent was never seen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cavatica_transport::{Call, Client, Effect, Outcome, RetryPolicy};
use serde_json::json;

use crate::http2::{Act2, Server2};
use crate::server::{Act, Moment, Server, answer};
use crate::support::builder;
use crate::tls::{Authority, Validity};

const TASKS: u64 = 8;
const EACH: u64 = 40;

/// How often the race is run at most until it was one.
const ROUNDS: u64 = 50;

/// The numbers of starts that take part in no race, but open the connection for it.
const CALM: u64 = 1_000_000;

/// Races, and judges by what the server has seen, until one time-out came before the body and one after it.
async fn race(client: impl Fn() -> Client, seed: u64, seen: impl AsyncFn() -> Vec<u64>) {
    for round in 0..ROUNDS {
        let sorted = race_once(client(), seed, round * TASKS * EACH).await;
        if judge(&sorted, &seen().await) {
            return;
        }
    }
    panic!("{ROUNDS} rounds were no race");
}

/// Sends numbered starts, each with a time limit of none to two milliseconds, and sorts the numbers by outcome.
async fn race_once(client: Client, seed: u64, first: u64) -> HashMap<&'static str, Vec<u64>> {
    let sorted = Arc::new(Mutex::new(HashMap::<_, Vec<u64>>::new()));
    let tasks = (0..TASKS).map(|task| {
        let (client, sorted) = (client.clone(), Arc::clone(&sorted));
        tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed + first + task);
            let first = first + task * EACH;
            for number in first..(first + EACH) {
                let opened = client.send(numbered(CALM + number)).await;
                opened.expect("a call without a race succeeds");
                let limit = match random.u64(0..2000) {
                    // No time at all is the closest race: the body may go out while the call gives up.
                    0..1000 => Duration::ZERO,
                    micros => Duration::from_micros(micros),
                };
                let outcome = match client.send(numbered(number).attempt_limit(limit)).await {
                    Ok(_) => "answered",
                    Err(error) => match error.outcome() {
                        Outcome::NotSent => "not sent",
                        Outcome::Unknown => "unknown",
                        other => panic!("{other:?}: {error}"),
                    },
                };
                sorted
                    .lock()
                    .unwrap()
                    .entry(outcome)
                    .or_default()
                    .push(number);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    std::mem::take(&mut *sorted.lock().unwrap())
}

fn numbered(number: u64) -> Call {
    Call::post("/things")
        .effect(Effect::Start)
        .json(&json!({ "number": number }))
}

fn number(body: &[u8]) -> u64 {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap();
    body["number"].as_u64().unwrap()
}

/// Whether it was a race that could be lost either way.
fn judge(sorted: &HashMap<&'static str, Vec<u64>>, seen: &[u64]) -> bool {
    let times = |number: &u64| seen.iter().filter(|seen| *seen == number).count();
    let of = |outcome| sorted.get(outcome).map_or(&[][..], Vec::as_slice);
    for number in of("not sent") {
        assert_eq!(times(number), 0, "{number} was called unsent, and arrived");
    }
    for number in of("answered") {
        assert_eq!(times(number), 1, "{number}");
    }
    for number in of("unknown") {
        assert!(times(number) <= 1, "{number} arrived twice");
    }
    !of("not sent").is_empty() && of("unknown").iter().any(|number| times(number) == 1)
}

fn client(port: u16, authority: &Authority) -> Client {
    builder(&format!("https://localhost:{port}/v2"))
        .ca_certificates(authority.pem.as_bytes())
        .unwrap()
        .retry(RetryPolicy::NEVER)
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_unsent_arrives_over_tls() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("localhost", Validity::Current, &[]);
    let headers = [
        ("connection", "keep-alive"),
        ("x-ratelimit-limit", "1000000"),
        ("x-ratelimit-remaining", "1000000"),
    ];
    let server = Server::start(Some(acceptor), move |moment| match moment {
        Moment::Accepted(_) => Act::Serve,
        Moment::Read(_) => answer(200, &headers, "{}"),
    })
    .await;
    let client = || client(server.listening.address.port(), &authority);
    let seen = async || {
        server.listening.is_quiet().await;
        let seen = server.seen();
        seen.iter()
            .map(|seen| number(seen.body.as_bytes()))
            .collect()
    };
    race(client, 1, seen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_unsent_arrives_over_http2() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("localhost", Validity::Current, &[b"h2"]);
    let server = Server2::start(acceptor, |_| Act2::Answer).await;
    let client = || client(server.listening.address.port(), &authority);
    let seen = async || {
        server.listening.is_quiet().await;
        let seen = server.seen.lock().unwrap();
        seen.iter().map(|body| number(body)).collect()
    };
    race(client, 2, seen).await;
}

/// A server that closes after each answer although it promised not to, against a client that uses connections again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_start_arrives_twice_on_connections_that_die() {
    let server = Server::start(None, |moment| match moment {
        Moment::Accepted(_) => Act::Serve,
        Moment::Read(_) => answer(200, &[], "{}"),
    })
    .await;
    let client = builder(&server.endpoint()).build().unwrap();
    let mut answered = 0;
    for number in 0..300 {
        match client.send(numbered(number)).await {
            Ok(_) => answered += 1,
            Err(error) => assert_eq!(*error.outcome(), Outcome::Unknown),
        }
    }
    let mut seen: Vec<u64> = server
        .seen()
        .iter()
        .map(|seen| number(seen.body.as_bytes()))
        .collect();
    assert!(seen.len() >= answered);
    seen.dedup();
    assert_eq!(seen.len(), server.seen().len());
}
