//! What a call looks like on the wire, where it may go, and that nobody can drop a start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cavatica_transport::{Call, Endpoint, Fault, Outcome};
use http::HeaderValue;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::server::{Act, Moment, Server, answer, text};
use crate::support::{SECRET, builder, quick, read, start, until};

#[tokio::test]
async fn a_call_carries_what_the_platform_asks_for() {
    let headers = [("x-request-id", "r1"), ("x-total-matching-query", "7")];
    let server = Server::always(answer(200, &headers, r#"{"id": "j1"}"#)).await;
    let client = builder(&server.endpoint())
        .user_agent("test/1")
        .build()
        .unwrap();

    let call = Call::post("/storage/volumes/{volume}/things")
        .param("volume", "rfranklin/out put")
        .query("copy_only", true)
        .query("state", "A&B")
        .query("state", "C")
        .header("x-sbg-advance-access", "advance")
        .header("x-sbg-auth-token", "somebody else's")
        .json(&json!({"a": 1}));
    let fetched = client.fetch::<Value>(call).await.unwrap();

    assert_eq!(fetched.value["id"], "j1");
    assert_eq!(fetched.request_id.as_deref(), Some("r1"));
    assert_eq!(fetched.total, Some(7));
    assert_eq!(fetched.status, 200);
    let seen = server.seen().remove(0);
    let (line, headers) = seen.head.split_once("\r\n").unwrap();
    assert_eq!(
        line,
        "POST /v2/storage/volumes/rfranklin/out%20put/things?copy_only=true&state=A%26B&state=C HTTP/1.1"
    );
    let mut headers: Vec<&str> = headers.lines().collect();
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            "accept: application/json",
            "content-length: 7",
            "content-type: application/json",
            &format!("host: {}", server.listening.address),
            "user-agent: test/1",
            "x-sbg-advance-access: advance",
            &format!("x-sbg-auth-token: {SECRET}"),
        ]
    );
    assert_eq!(seen.body, r#"{"a":1}"#);
    assert_eq!(client.budget().sent, 1);
}

/// A `traceparent` for instance: one of its own for each attempt.
#[tokio::test]
async fn the_hook_adds_headers_to_every_attempt_and_takes_the_place_of_none_of_ours() {
    let server = Server::in_turn(vec![answer(500, &[], ""), answer(200, &[], "{}")]).await;
    let attempts = AtomicU64::new(0);
    let (client, _) = quick(&server.endpoint());
    let client = client.on_request(move |headers| {
        let attempt = attempts.fetch_add(1, Ordering::Relaxed);
        headers.insert("traceparent", attempt.into());
        headers.insert("x-sbg-auth-token", HeaderValue::from_static("another"));
        headers.insert("accept", HeaderValue::from_static("text/html"));
    });
    client.build().unwrap().send(read()).await.unwrap();

    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for (attempt, request) in seen.iter().enumerate() {
        let with = |start: &str| -> Vec<&str> {
            let lines = request.head.lines();
            lines.filter(|line| line.starts_with(start)).collect()
        };
        assert_eq!(with("traceparent"), [format!("traceparent: {attempt}")]);
        assert_eq!(
            with("x-sbg-auth-token"),
            [format!("x-sbg-auth-token: {SECRET}")]
        );
        assert_eq!(with("accept"), ["accept: application/json"]);
    }
}

#[tokio::test]
async fn any_success_is_an_answer_even_without_a_body() {
    let server = Server::always(answer(204, &[], "")).await;
    let client = builder(&server.endpoint()).build().unwrap();
    let told = client.send(start()).await.unwrap();
    assert_eq!(told.status(), 204);
    assert!(told.body().is_empty());
}

/// Two bytes a value are enough to write an answer whose reading takes a hundred times its size.
#[tokio::test]
async fn an_answer_of_nothing_but_tiny_values_is_not_read() {
    let tiny = |count: usize| format!("[{}1]", "1,".repeat(count - 1));
    let one_text = format!("[\"{}\"]", "\\\",[{".repeat(500_000));
    for (body, refused) in [
        (tiny(499_999), false),
        (tiny(600_000), true),
        (one_text, false),
    ] {
        let server = Server::always(answer(200, &[], &body)).await;
        let (client, _) = quick(&server.endpoint());
        let read = client.build().unwrap().fetch::<Value>(read()).await;
        assert_eq!(read.is_err(), refused);
        if let Err(error) = read {
            assert_eq!(*error.fault(), Fault::Unreadable);
            let why = std::error::Error::source(&error).unwrap().to_string();
            assert!(why.contains("500000 values"), "{why}");
        }
    }
}

#[tokio::test]
async fn links_of_the_same_origin_are_followed_and_others_are_not_sent() {
    let server = Server::always(answer(200, &[], "[]")).await;
    let other = Server::always(answer(200, &[], "[]")).await;
    let client = builder(&server.endpoint()).build().unwrap();

    let link = format!(
        "http://{}/v2/things?offset=100&limit=100",
        server.listening.address
    );
    client.send(Call::absolute(link)).await.unwrap();
    let line = server.seen()[0].head.lines().next().unwrap().to_owned();
    assert_eq!(line, "GET /v2/things?offset=100&limit=100 HTTP/1.1");

    let gone = Server::always(answer(404, &[], "")).await;
    let link = format!("{}/things?offset=100", gone.endpoint());
    let client_of_gone = builder(&gone.endpoint()).build().unwrap();
    let error = client_of_gone.send(Call::absolute(link)).await.unwrap_err();
    assert_eq!(error.path(), "/v2/things");

    let port = server.listening.address.port();
    let elsewhere = [
        format!("http://{}/v2/things", other.listening.address),
        format!("https://127.0.0.1:{port}/v2/things"),
        format!("http://localhost:{port}/v2/things"),
        "https://cavatica-api.sbgenomics.com/v2/things".to_owned(),
        format!("http://127.0.0.1:{port}/admin"),
        format!("http://127.0.0.1:{port}/v23/things"),
        format!("http://127.0.0.1:{port}/v2/../admin"),
        format!("http://127.0.0.1:{port}/v2/%2E%2e/admin"),
    ];
    for link in elsewhere {
        let error = client.send(Call::absolute(&link)).await.unwrap_err();
        assert_eq!(*error.outcome(), Outcome::NotSent, "{link}");
        assert_eq!(*error.fault(), Fault::OtherOrigin, "{link}");
        assert_eq!(error.attempts(), 0, "{link}");
    }
    for link in [
        "/v2/things",
        "things",
        "",
        "http://user@127.0.0.1/",
        "not a url",
    ] {
        let error = client.send(Call::absolute(link)).await.unwrap_err();
        assert_eq!(*error.fault(), Fault::Call, "{link}");
    }
    assert_eq!(server.seen().len(), 1);
    assert_eq!(other.seen().len(), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_origin_is_named() {
    let other = Server::always(answer(200, &[], "{}")).await;
    let secret_place = format!("http://{}/login?session=s3ss10n", other.listening.address);
    for status in [301, 302, 303, 307, 308] {
        let server =
            Server::always(answer(status, &[("location", secret_place.as_str())], "")).await;
        let client = builder(&server.endpoint()).build().unwrap();
        let error = client.send(read()).await.unwrap_err();
        let to = Some(format!("http://{}", other.listening.address));
        assert_eq!(*error.fault(), Fault::Redirect { to });
        assert!(!format!("{error} {error:?}").contains("s3ss10n"));
        client.send(start()).await.unwrap_err();
        assert_eq!(server.seen().len(), 2, "neither is repeated");
    }
    assert_eq!(other.seen().len(), 0);
}

#[tokio::test]
async fn a_malformed_call_is_not_sent() {
    let server = Server::always(answer(200, &[], "{}")).await;
    let client = builder(&server.endpoint()).build().unwrap();
    let long = "x".repeat(6000);
    let calls = [
        Call::get("/things/{thing}"),
        Call::get("/things/{thing}").param("thing", ".."),
        Call::get("/things/{thing}").param("thing", "a/../b"),
        Call::get("/things/{thing}").param("thing", ""),
        Call::get("/things").param("thing", "t1"),
        Call::get("things"),
        Call::get("/things?x=1"),
        Call::get("/things").header("a b", "c"),
        Call::get("/things").header("a", "c\n"),
        Call::get("/things").query("q", long),
        Call::absolute(format!("{}/things", server.endpoint())).query("limit", 1),
    ];
    for call in calls {
        let shown = format!("{call:?}");
        let error = client.send(call).await.unwrap_err();
        assert_eq!(*error.outcome(), Outcome::NotSent, "{shown}");
        assert_eq!(*error.fault(), Fault::Call, "{shown}");
    }
    assert!(server.seen().is_empty());
}

#[test]
fn an_endpoint_is_https_or_this_machine() {
    let good = [
        (
            "https://cavatica-api.sbgenomics.com/v2/",
            "https://cavatica-api.sbgenomics.com/v2",
        ),
        ("https://EXAMPLE.org:443", "https://example.org"),
        ("http://localhost:8080/v2", "http://localhost:8080/v2"),
        ("http://127.0.0.1/", "http://127.0.0.1"),
        ("http://127.9.9.9:1/v2", "http://127.9.9.9:1/v2"),
        ("http://[::1]:80/v2", "http://[::1]/v2"),
    ];
    for (text, shown) in good {
        assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), shown);
    }
    let bad = [
        "",
        "/v2",
        "cavatica-api.sbgenomics.com/v2",
        "http://cavatica-api.sbgenomics.com/v2",
        "http://127.0.0.1.example.org/v2",
        "http://localhost.example.org/v2",
        "http://10.0.0.1/v2",
        "http://[2001:db8::1]/v2",
        "ftp://localhost/v2",
        "https://user:password@example.org/v2",
        "https://example.org/v2?x=1",
    ];
    for text in bad {
        let error = text.parse::<Endpoint>().unwrap_err();
        assert!(!error.to_string().contains("password"), "{text}");
    }
}

#[tokio::test]
async fn a_start_that_was_dropped_runs_to_its_end() {
    let told = Arc::new(Notify::new());
    let headers = [
        ("connection", "keep-alive"),
        ("x-ratelimit-limit", "1000"),
        ("x-ratelimit-remaining", "123"),
    ];
    let server = Server::always(Act::WriteAfter(
        Arc::clone(&told),
        text(200, &headers, "{}"),
    ))
    .await;
    let client = builder(&server.endpoint()).build().unwrap();

    let call = tokio::spawn({
        let client = client.clone();
        async move { client.send(start()).await }
    });
    until(|| server.seen().len() == 1).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());

    // The answer comes only now, and its headers reach the budget all the same.
    told.notify_one();
    until(|| client.budget().remaining == 123).await;
}

#[tokio::test]
async fn a_read_that_was_dropped_gives_its_place_back() {
    let server = Server::in_turn(vec![
        Act::Hang,
        answer(
            200,
            &[
                ("x-ratelimit-limit", "1000"),
                ("x-ratelimit-remaining", "123"),
            ],
            "{}",
        ),
    ])
    .await;
    let client = builder(&server.endpoint()).build().unwrap();
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.send(read()).await }
    });
    until(|| server.seen().len() == 1).await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());

    client.send(read()).await.unwrap();
    assert_eq!(client.budget().remaining, 123, "nothing else is under way");
}

#[tokio::test]
async fn connections_are_used_again() {
    let ports = Arc::new(std::sync::Mutex::new(0));
    let count = Arc::clone(&ports);
    let server = Server::start(None, move |moment| match moment {
        Moment::Accepted(_) => {
            *count.lock().unwrap() += 1;
            Act::Serve
        }
        Moment::Read(_) => answer(200, &[("connection", "keep-alive")], "{}"),
    })
    .await;
    let client = builder(&server.endpoint()).build().unwrap();
    for _ in 0..5 {
        client.send(start()).await.unwrap();
        client.clone().send(read()).await.unwrap();
    }
    assert_eq!(server.seen().len(), 10);
    assert_eq!(*ports.lock().unwrap(), 1);
}

const NO_SUCH_CALL: &str = r#"{"status": "NOT_FOUND", "message": "HTTP 404 Not Found"}"#;

#[tokio::test]
async fn a_404_without_a_code_is_an_address_and_not_a_thing_that_is_missing() {
    let server = Server::always(answer(404, &[], NO_SUCH_CALL)).await;
    let client = builder(&server.endpoint()).build().unwrap();
    let error = client.send(read()).await.unwrap_err();
    assert_eq!(
        (*error.outcome(), error.fault(), error.api_error()),
        (Outcome::Refused, &Fault::NoSuchCall, None)
    );
    // What somebody on the way may have written proves nothing about a start.
    let error = client.send(start()).await.unwrap_err();
    assert_eq!(
        (*error.outcome(), error.fault()),
        (Outcome::Unknown, &Fault::NoSuchCall)
    );
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_value_may_come_under_the_status_of_an_error() {
    let is_thing = |body: &[u8]| body.starts_with(br#"{"id""#);
    for (status, body, is_value) in [
        (409, r#"{"id": "j1", "state": "FAILED"}"#, true),
        (404, r#"{"id": "j1", "state": "FAILED"}"#, true),
        (403, r#"{"id": "j1", "state": "FAILED"}"#, false),
        (409, r#"{"status": 409, "code": 9107}"#, false),
    ] {
        let server = Server::always(answer(status, &[], body)).await;
        let client = builder(&server.endpoint()).build().unwrap();
        let call = read().value_also_at(&[404, 409], is_thing);
        let fetched = client.fetch::<Value>(call).await;
        assert_eq!(fetched.is_ok(), is_value, "{status} {body}");
        assert_eq!(
            fetched.map_or_else(|error| error.status(), |it| Some(it.status)),
            Some(status)
        );
        assert!(
            client.fetch::<Value>(read()).await.is_err(),
            "only where the call says so"
        );
    }
}

#[tokio::test]
async fn a_start_that_misses_the_header_of_advance_access_was_not_carried_out() {
    let named =
        r#"{"message": "Advance access feature needs X-SBG-Advance-Access: advance header."}"#;
    for (status, body, outcome) in [
        (400, named, Outcome::Refused),
        (
            403,
            r#"{"message": "forbidden by the gateway"}"#,
            Outcome::Unknown,
        ),
        (500, named, Outcome::Unknown),
    ] {
        let server = Server::always(answer(status, &[], body)).await;
        let client = builder(&server.endpoint()).build().unwrap();
        let error = client.send(start()).await.unwrap_err();
        assert_eq!(*error.outcome(), outcome, "{status} {body}");
    }
}

#[tokio::test]
async fn changes_have_methods_of_their_own_and_are_sent_once() {
    let server = Server::always(answer(502, &[], "")).await;
    let client = builder(&server.endpoint()).build().unwrap();
    for call in [
        Call::patch("/things"),
        Call::put("/things"),
        Call::delete("/things"),
    ] {
        assert_eq!(
            *client.send(call).await.unwrap_err().outcome(),
            Outcome::Unknown
        );
    }
    let lines: Vec<String> = server
        .seen()
        .iter()
        .map(|seen| seen.head.lines().next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        lines,
        [
            "PATCH /v2/things HTTP/1.1",
            "PUT /v2/things HTTP/1.1",
            "DELETE /v2/things HTTP/1.1"
        ]
    );
}
