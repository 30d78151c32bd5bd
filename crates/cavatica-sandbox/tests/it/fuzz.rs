//! Bytes that no client sends, on a real socket: whatever comes in, the sandbox answers or closes, and goes on.

use std::time::Duration;

use cavatica_sandbox::{Ledger, Route, Sandbox};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{Outcome, address, connect, file, get};

/// A way to spoil a request.
#[derive(Clone, Debug)]
enum Spoil {
    Set(usize, u8),
    Insert(usize, Vec<u8>),
    Cut(usize, usize),
    Double(usize),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let odd = prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b':'), Just(0)];
    let bytes = prop_oneof![
        vec(any::<u8>(), 1..40),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"Content-Length: 18446744073709551615\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(vec![b'a'; 70_000]),
    ];
    prop_oneof![
        (any::<usize>(), odd).prop_map(|(at, byte)| Spoil::Set(at, byte)),
        (any::<usize>(), bytes).prop_map(|(at, bytes)| Spoil::Insert(at, bytes)),
        (any::<usize>(), 1..60_usize).prop_map(|(at, count)| Spoil::Cut(at, count)),
        any::<usize>().prop_map(Spoil::Double),
    ]
}

impl Spoil {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len().max(1);
        match self {
            Spoil::Set(at, byte) => {
                if let Some(there) = bytes.get_mut(at % length) {
                    *there = *byte;
                }
            }
            Spoil::Insert(at, more) => {
                let at = (at % length).min(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Spoil::Cut(at, count) => {
                let from = (at % length).min(bytes.len());
                bytes.drain(from..bytes.len().min(from + count));
            }
            Spoil::Double(at) => {
                let from = (at % length).min(bytes.len());
                bytes.extend_from_within(from..);
            }
        }
    }
}

/// Sends bytes on a connection of their own and gives all that comes back; a sandbox that never ends it fails the test.
async fn sent(sandbox: &Sandbox, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(sandbox).await;
    let exchange = async {
        // It may close before it has read everything.
        let all = stream.write_all(bytes).await;
        let end = stream.shutdown().await;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer).await;
        drop((all, end, read));
        answer
    };
    let answer = tokio::time::timeout(Duration::from_secs(60), exchange).await;
    answer.expect("the sandbox ends a connection on which nothing more can come")
}

/// What the sandbox says it accepted or changed.
fn harm(ledger: &Ledger) -> (u64, usize) {
    (ledger.starts, ledger.locations.len())
}

fn runner() -> TestRunner {
    TestRunner::new(Config {
        failure_persistence: None,
        ..Config::default()
    })
}

#[test]
fn spoilt_requests_harm_nobody() -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let builder = Sandbox::builder().rate_limit(u64::MAX, Duration::from_secs(300));
    let sandbox = runtime.block_on(builder.start())?;
    let before = harm(&sandbox.ledger());
    let host = address(&sandbox);
    let body = r#"{"file_ids":["0","1"]}"#;
    let whole = format!(
        "POST /v2/bulk/files/get?fields=_all HTTP/1.1\r\nHost: {host}\r\nX-SBG-Auth-Token: {}\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        sandbox.token(),
        body.len()
    );
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let base = prop_oneof![
        2 => vec(any::<u8>(), 0..600),
        6 => Just(whole.into_bytes()),
        2 => vec(any::<u8>(), 0..300).prop_map(move |frames| [preface.clone(), frames].concat()),
    ];
    let bytes = (base, vec(spoil(), 0..5));
    runner().run(&bytes, |(mut bytes, spoils)| {
        for spoil in &spoils {
            spoil.apply(&mut bytes);
        }
        let answer = runtime.block_on(sent(&sandbox, &bytes));
        let http = answer.is_empty()
            || answer.starts_with(b"HTTP/1.")
            || bytes.starts_with(b"PRI * HTTP/2.0");
        prop_assert!(http, "{:?}", String::from_utf8_lossy(&answer));
        Ok(())
    })?;
    runtime.block_on(async {
        assert_eq!(get(&sandbox, "/user").send().await.status, 200);
        assert_eq!(harm(&sandbox.ledger()), before);
    });
    Ok(())
}

/// Well-formed requests with odd paths, parameters and bodies: none of them is the sandbox's own fault.
#[test]
fn odd_parameters_are_the_clients_fault() -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let sandbox = runtime.block_on(Sandbox::builder().start())?;
    let known = file(&sandbox, "README.txt");
    let word = prop_oneof![
        "[ -~]{0,12}",
        "\\PC{0,6}",
        Just("..".to_owned()),
        Just("-1".to_owned()),
        Just("18446744073709551615".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("MCAwIDA=".to_owned()),
        Just("MTggOTIyMzM3MjAzNjg1NDc3NTgwNyAtOQ==".to_owned()),
        Just("a616".to_owned()),
        Just("sandbox".to_owned()),
        Just("sandbox/demo".to_owned()),
        Just("output".to_owned()),
        Just(known),
    ];
    let name = proptest::sample::select(vec![
        "offset",
        "limit",
        "token",
        "continuation_token",
        "fields",
        "project",
        "parent",
        "prefix",
        "location",
        "state",
        "volume",
        "order_by",
        "created_from",
        "metadata.x",
        "name",
    ]);
    let route = proptest::sample::select(Route::ALL);
    let request = (
        route,
        vec(word.clone(), 4),
        vec((name, word.clone()), 0..4),
        prop_oneof![
            Just("{}".to_owned()),
            word.clone(),
            word.prop_map(|word| format!(r#"{{"items":[{{"source":{{"file":{word:?}}}}}]}}"#)),
            Just("[".repeat(5_000)),
        ],
    );
    let encoded = |text: &str| -> String {
        let bytes = text.bytes();
        bytes.map(|byte| format!("%{byte:02X}")).collect()
    };
    runner().run(&request, |(route, words, query, body)| {
        let mut words = words.iter();
        let path = route.path().split('/').map(|part| match part {
            _ if part.starts_with('{') => encoded(words.next().map_or("", String::as_str)),
            part => part.to_owned(),
        });
        let query = query
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)));
        let text = format!(
            "{} /v2{}?{} HTTP/1.1\r\nHost: {}\r\nX-SBG-Auth-Token: {}\r\n\
             X-SBG-Advance-Access: advance\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            route.method().name(),
            path.collect::<Vec<_>>().join("/"),
            query.collect::<Vec<_>>().join("&"),
            address(&sandbox),
            sandbox.token(),
            body.len()
        );
        let answer = runtime.block_on(sent(&sandbox, text.as_bytes()));
        let status = answer.get(9..12).map(String::from_utf8_lossy);
        let status = status.and_then(|status| status.parse::<u16>().ok());
        let answer = String::from_utf8_lossy(&answer);
        // A search isn't served, and the registry has a 500 for bodies that can't be decoded.
        let expected = status.is_some_and(|status| status < 500 || status == 501)
            || answer.contains("\"code\":90009");
        prop_assert!(expected, "{text}: {answer}");
        Ok(())
    })?;
    Ok(())
}
