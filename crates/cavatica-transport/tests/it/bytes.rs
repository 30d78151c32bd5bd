//! How long the bytes of a start live, and how they are kept back.

use std::time::Duration;

use cavatica_transport::{Fault, Outcome, ProxyChoice};
use tokio::net::TcpListener;

use crate::server::{Server, answer};
use crate::support::{builder, read, start, until};

#[tokio::test]
async fn a_call_that_is_given_up_resets_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v2", listener.local_addr().unwrap());
    let client = builder(&endpoint)
        .attempt_limit(Duration::from_millis(200))
        .build()
        .unwrap();
    let (told, accepted) = tokio::join!(client.send(start()), listener.accept());
    let error = told.expect_err("nobody answers");
    assert_eq!(*error.outcome(), Outcome::Unknown);
    let (socket, _) = accepted.unwrap();
    // A close in good order would still deliver what was written, and is no error.
    until(|| socket.take_error().unwrap().is_some()).await;
}

#[tokio::test]
async fn a_withdrawn_start_is_not_sent_nor_repeated_and_the_next_one_goes() {
    // It accepts and never says a word of TLS, so that the gate stays shut.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://{}/v2", silent.local_addr().unwrap());
    let client = builder(&endpoint)
        .connect_limit(Duration::from_millis(300))
        .build()
        .unwrap();
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.send(start()).await }
    });
    let _connection = silent.accept().await.unwrap();
    client.withdraw_starts();
    let error = call.await.unwrap().expect_err("it was withdrawn");
    assert_eq!((*error.outcome(), error.attempts()), (Outcome::NotSent, 1));

    let server = Server::always(answer(200, &[], "{}")).await;
    let client = builder(&server.endpoint()).build().unwrap();
    client.withdraw_starts();
    client.send(start()).await.expect("what begins later goes");
}

#[tokio::test]
async fn a_start_that_waits_is_withdrawn_too() {
    let throttled = answer(429, &[("x-ratelimit-remaining", "0")], "{}");
    let server = Server::always(throttled).await;
    let (told, mut waits) = tokio::sync::mpsc::unbounded_channel();
    let client = builder(&server.endpoint())
        .on_wait(move |_| told.send(()).unwrap())
        .build()
        .unwrap();
    // The limit is met by a read, which waits for it to end; so does the start behind it.
    let send = |call| {
        let client = client.clone();
        tokio::spawn(async move { client.send(call).await })
    };
    let read = send(read());
    waits.recv().await.expect("it waits");
    let start = send(start());
    waits.recv().await.expect("it waits");
    client.withdraw_starts();
    let error = start.await.unwrap().expect_err("it was withdrawn");
    assert_eq!(*error.fault(), Fault::Withdrawn);
    assert_eq!(error.attempts(), 0);
    read.abort();
}

#[test]
fn nobody_knows_how_long_bytes_live_behind_a_proxy() {
    let endpoint = "https://api.example.org/v2";
    let direct = builder(endpoint)
        .proxy(ProxyChoice::Direct)
        .longest_byte_life(Duration::from_secs(5))
        .build()
        .unwrap();
    let known = cfg!(target_os = "linux").then_some(Duration::from_secs(5));
    assert_eq!(direct.longest_byte_life(), known);
    assert!(!direct.is_behind_proxy());
    let through = builder(endpoint)
        .proxy(ProxyChoice::Through {
            url: "http://proxy.example.org:3128".to_owned(),
            except: String::new(),
        })
        .build()
        .unwrap();
    assert_eq!(through.longest_byte_life(), None);
    assert!(through.is_behind_proxy());
}
