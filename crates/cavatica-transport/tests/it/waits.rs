//! Waits and repetitions, without waiting.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cavatica_transport::{BuildError, Call, Fault, Outcome, RetryPolicy, Wait, WaitReason};

use crate::server::{Act, Server, answer};
use crate::support::{BEGINNING, bulk_read, quick, read, start};

const MAINTENANCE: &str = r#"{"status": 503, "code": 0, "message": "Down for maintenance."}"#;
const LIMITED: &str = r#"{"status": 429, "code": 1000, "message": "Rate limit exceeded!"}"#;

fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// An answer that tells the standing, `resets_in` seconds after the clock's beginning.
fn standing(status: u16, remaining: u64, resets_in: i64, body: &str) -> Act {
    let (remaining, reset) = (remaining.to_string(), (BEGINNING + resets_in).to_string());
    let headers = [
        ("x-ratelimit-limit", "1000"),
        ("x-ratelimit-remaining", remaining.as_str()),
        ("x-ratelimit-reset", reset.as_str()),
    ];
    answer(status, &headers, body)
}

#[tokio::test]
async fn a_429_is_waited_for_until_its_reset_and_announced_once() {
    for call in [read(), bulk_read()] {
        let server = Server::in_turn(vec![
            standing(429, 0, 100, LIMITED),
            standing(200, 999, 400, "{}"),
        ])
        .await;
        let announced = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&announced);
        let (builder, clock) = quick(&server.endpoint());
        let client = builder
            .on_wait(move |wait: &Wait| log.lock().unwrap().push(*wait))
            .build()
            .unwrap();

        client.send(call).await.unwrap();

        assert_eq!(clock.sleeps(), [secs(100.75)]);
        let announced = announced.lock().unwrap();
        assert_eq!(announced.len(), 1);
        assert_eq!(announced[0].reason, WaitReason::Budget);
        assert_eq!(announced[0].how_long, secs(100.75));
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_429_without_headers_is_waited_for_longer_each_time() {
    let server = Server::in_turn(vec![
        answer(429, &[], LIMITED),
        answer(429, &[("x-ratelimit-reset", "soon")], "<html>Too many"),
        answer(429, &[("x-ratelimit-reset", "12")], ""),
        answer(200, &[], "{}"),
    ])
    .await;
    let (builder, clock) = quick(&server.endpoint());
    builder.build().unwrap().send(bulk_read()).await.unwrap();
    assert_eq!(clock.sleeps(), [secs(1.75), secs(2.75), secs(4.75)]);
}

#[tokio::test]
async fn patience_ends() {
    let server = Server::always(standing(429, 0, 100, LIMITED)).await;
    let (builder, clock) = quick(&server.endpoint());
    let client = builder.patience(secs(50.0)).build().unwrap();

    let error = client.send(bulk_read()).await.unwrap_err();
    assert_eq!(*error.outcome(), Outcome::Throttled);
    assert_eq!(error.status(), Some(429));
    assert_eq!(error.api_error().unwrap().code(), Some(1000));

    // The budget knows by now: the next isn't even tried.
    let error = client.send(start()).await.unwrap_err();
    assert_eq!(*error.outcome(), Outcome::NotSent);
    assert_eq!(*error.fault(), Fault::Budget);
    assert_eq!(error.attempts(), 0);
    assert_eq!(server.seen().len(), 1);
    assert!(clock.sleeps().is_empty());

    let server = Server::always(answer(503, &[], MAINTENANCE)).await;
    let (builder, clock) = quick(&server.endpoint());
    let client = builder.patience(secs(20.0)).build().unwrap();
    let error = client.send(bulk_read()).await.unwrap_err();
    assert_eq!(*error.outcome(), Outcome::Maintenance);
    assert_eq!(clock.sleeps(), [secs(2.75), secs(4.75), secs(8.75)]);
    assert_eq!(error.attempts(), 4);
}

/// It may have been accepted all the same, so whoever sent it looks first.
#[tokio::test]
async fn a_start_is_not_sent_again_after_an_answer_that_says_no() {
    for (no, outcome) in [
        (standing(429, 0, 100, LIMITED), Outcome::Throttled),
        (answer(503, &[], MAINTENANCE), Outcome::Maintenance),
    ] {
        let server = Server::always(no).await;
        let (builder, clock) = quick(&server.endpoint());
        let error = builder.build().unwrap().send(start()).await.unwrap_err();
        assert_eq!((*error.outcome(), error.attempts()), (outcome, 1));
        assert!(clock.sleeps().is_empty());
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_maintenance_is_waited_out_and_is_no_failure() {
    let mut acts = vec![answer(503, &[], MAINTENANCE); 7];
    acts.push(answer(200, &[], "{}"));
    let server = Server::in_turn(acts).await;
    let (builder, clock) = quick(&server.endpoint());
    let client = builder.retry(RetryPolicy::NEVER).build().unwrap();
    client.send(bulk_read()).await.unwrap();
    let total: Duration = clock.sleeps().iter().sum();
    assert_eq!(
        total,
        secs(2.0 + 4.0 + 8.0 + 16.0 + 32.0 + 64.0 + 128.0 + 7.0 * 0.75)
    );
}

#[tokio::test]
async fn the_client_stops_before_the_limit() {
    let server = Server::in_turn(vec![
        standing(200, 2, 50, "{}"),
        standing(200, 1, 50, "{}"),
        standing(200, 0, 50, "{}"),
        standing(200, 0, 50, "{}"),
        standing(200, 999, 350, "{}"),
    ])
    .await;
    let (builder, clock) = quick(&server.endpoint());
    let client = builder.build().unwrap();
    for _ in 0..3 {
        client.clone().send(read()).await.unwrap();
    }
    assert!(clock.sleeps().is_empty());
    assert_eq!(client.budget().remaining, 0);

    // Reading the standing is free and goes at once.
    client.send(Call::get("/rate_limit")).await.unwrap();
    assert!(clock.sleeps().is_empty());

    client.send(start()).await.unwrap();
    assert_eq!(clock.sleeps(), [secs(50.75)]);
    assert_eq!(client.budget().sent, 5);
    assert_eq!(client.budget().remaining, 999);
}

#[tokio::test]
async fn a_share_is_left_to_others() {
    let server = Server::always(standing(200, 200, 50, "{}")).await;
    let (builder, clock) = quick(&server.endpoint());
    let client = builder.reserve_percent(20).build().unwrap();
    client.send(read()).await.unwrap();
    client.send(read()).await.unwrap();
    assert_eq!(clock.sleeps(), [secs(50.75)]);

    let (builder, _) = quick(&server.endpoint());
    let refused = builder.reserve_percent(100).build().unwrap_err();
    assert!(matches!(refused, BuildError::Reserve(100)));
}

#[tokio::test]
async fn a_read_is_repeated_with_back_off_and_jitter() {
    let server = Server::always(answer(500, &[], "")).await;
    let (builder, clock) = quick(&server.endpoint());
    let error = builder.build().unwrap().send(read()).await.unwrap_err();
    // Half of 0.5, 1, 2 and 4 seconds: chance says one half.
    assert_eq!(clock.sleeps(), [0.25, 0.5, 1.0, 2.0].map(secs));
    assert_eq!(error.attempts(), 5);
    assert_eq!(error.elapsed(), secs(3.75));
    assert_eq!(server.seen().len(), 5);
    assert!(
        error.to_string().contains("after 5 attempts in 3.8 s"),
        "{error}"
    );
}

#[tokio::test]
async fn the_calls_limit_ends_the_repeating() {
    let server = Server::always(answer(500, &[], "")).await;
    let (builder, _) = quick(&server.endpoint());
    let mut often = RetryPolicy::default();
    often.attempts = 1000;
    often.first_wait = secs(10.0);
    often.longest_wait = secs(10.0);
    let client = builder.retry(often).call_limit(secs(60.0)).build().unwrap();
    let error = client.send(read()).await.unwrap_err();
    // Waits of 5 seconds each.
    assert_eq!(error.attempts(), 12);
}
