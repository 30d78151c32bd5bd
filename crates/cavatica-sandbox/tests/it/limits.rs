use std::time::Duration;

use cavatica_sandbox::{Route, Sandbox};

use crate::client::{Outcome, get, request};

#[tokio::test]
async fn only_the_token_opens() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let none = get(&sandbox, "/user").without_token().send().await;
    assert_eq!(none.code(), (401, 90001));
    let wrong = get(&sandbox, "/user").without_token();
    let wrong = wrong
        .header("X-SBG-Auth-Token", "0123456789abcdef")
        .send()
        .await;
    assert_eq!(wrong.code(), (401, 90001));
    let bearer = format!("Bearer {}", sandbox.token());
    let bearer = get(&sandbox, "/user")
        .without_token()
        .header("Authorization", &bearer);
    assert_eq!(bearer.send().await.json()["username"], "sandbox");
    let paths = get(&sandbox, "/").without_token().send().await;
    assert_eq!(paths.status, 200);
    assert!(paths.header("x-request-id").is_some());
    assert!(sandbox.ledger().stray_tokens.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_limit_is_told_and_kept() -> Outcome {
    let sandbox = Sandbox::builder()
        .rate_limit(2, Duration::from_secs(3600))
        .start()
        .await?;
    let answer = get(&sandbox, "/user").send().await;
    assert_eq!(answer.header("x-ratelimit-limit"), Some("2"));
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("1"));
    let reset: i64 = answer.header("x-ratelimit-reset").unwrap_or("").parse()?;
    let from_now = reset - jiff::Timestamp::now().as_second();
    assert!((3500..=3601).contains(&from_now), "{from_now} s from now");

    // Neither wrong tokens nor the question for the limit count.
    get(&sandbox, "/user").without_token().send().await;
    let standing = get(&sandbox, "/rate_limit").send().await.json();
    assert_eq!(standing["rate"]["remaining"], 1);
    assert_eq!(standing["rate"]["reset"], reset);

    assert_eq!(get(&sandbox, "/user").send().await.status, 200);
    let over = get(&sandbox, "/user").send().await;
    assert_eq!(over.code(), (429, 1000));
    assert_eq!(over.header("x-ratelimit-remaining"), Some("0"));
    let ledger = sandbox.ledger();
    assert_eq!(ledger.over_limit, 1);
    assert_eq!(ledger.requests_to(Route::User), 4);
    assert_eq!(ledger.answers.get(&200), Some(&3));
    Ok(())
}

#[tokio::test]
async fn a_token_that_goes_astray_is_noted() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let path = format!("/user?token={}", sandbox.token());
    get(&sandbox, &path).send().await;
    let ledger = sandbox.ledger();
    assert_eq!(ledger.stray_tokens.get("address of user"), Some(&1));
    Ok(())
}

#[tokio::test]
async fn links_lead_back_to_where_they_came_from() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let port = sandbox.endpoint().trim_end_matches("/v2").rsplit_once(':');
    let port = port.map_or("", |(_, port)| port);
    for host in ["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{port}")) {
        let seen = get(&sandbox, "/user").host(&host).send().await.json();
        let href = seen["href"].as_str().unwrap_or_default();
        assert!(href.starts_with(&format!("http://{host}/v2/")), "{href}");
    }

    let exposed = Sandbox::builder()
        .expose_on(std::net::Ipv4Addr::UNSPECIFIED.into())
        .start()
        .await?;
    let seen = get(&exposed, "/user").host("desk.lab:8080").send().await;
    let href = seen.json()["href"].clone();
    assert_eq!(href, "http://desk.lab:8080/v2/users/sandbox");
    Ok(())
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let other = request(&sandbox, "PUT", "/user").send().await;
    assert_eq!(other.code(), (405, 90006));
    let nowhere = get(&sandbox, "/nowhere").send().await;
    let body = r#"{"message":"HTTP 404 Not Found","status":"NOT_FOUND"}"#;
    assert_eq!((nowhere.status, &*nowhere.text), (404, body));
    let stranger = get(&sandbox, "/nowhere").without_token().send().await;
    assert_eq!((stranger.status, &*stranger.text), (404, body));
    Ok(())
}
