use std::sync::Arc;

use cavatica_sandbox::{ProjectSeed, Sandbox, VolumeSeed};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::client::{Outcome, connect, ended, export, get, post, started};

#[tokio::test]
async fn many_sandboxes_run_side_by_side() -> Outcome {
    let mut running = tokio::task::JoinSet::new();
    for seed in 0..200 {
        running.spawn(async move {
            let sandbox = Sandbox::builder()
                .seed(seed)
                .project(ProjectSeed::new("a/b").file("x", format!("{seed}")))
                .volume(VolumeSeed::s3("a/v"))
                .start()
                .await
                .expect("a sandbox starts");
            let id = sandbox.file_id("a/b", "x").expect("the file");
            let job = started(&sandbox, "", &export(&id, "a/v", "x")).await;
            assert_eq!(ended(&sandbox, &job).await["state"], "COMPLETED");
            let object = std::fs::read_to_string(sandbox.object_path("a/v", "x"));
            assert_eq!(object.expect("the object"), format!("{seed}"));
            sandbox.stop().await;
            id
        });
    }
    let ids = running.join_all().await;
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), 200, "ids come from the seed");
    Ok(())
}

#[tokio::test]
async fn a_client_that_dawdles_keeps_nobody_waiting() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let mut dawdlers = Vec::new();
    for _ in 0..200 {
        let mut stream = connect(&sandbox).await;
        stream.write_all(b"GET /v2/user HTTP/1.1\r\nHost:").await?;
        dawdlers.push(stream);
    }
    assert_eq!(get(&sandbox, "/user").send().await.status, 200);
    Ok(())
}

/// Time stands still but where nothing else can go on, so the test fails by never ending.
#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_loses_its_connection() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let mut stream = connect(&sandbox).await;
    let request = format!(
        "GET /v2/files?project=sandbox/demo&fields=_all HTTP/1.1\r\nHost: {}\r\nX-SBG-Auth-Token: {}\r\n\r\n",
        sandbox
            .endpoint()
            .trim_start_matches("http://")
            .trim_end_matches("/v2"),
        sandbox.token(),
    );
    while stream.write_all(request.as_bytes()).await.is_ok() {}
    Ok(())
}

#[tokio::test]
async fn bodies_are_bounded() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let body = Value::String("x".repeat(3 << 20));
    let answer = post(&sandbox, "/storage/exports", &body).try_send().await;
    // The connection may be closed before all of the body was sent.
    assert!(answer.is_none_or(|answer| answer.status == 413));
    assert_eq!(get(&sandbox, "/user").send().await.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_large_world_is_listed_page_by_page() -> Outcome {
    let sandbox = Arc::new(
        Sandbox::builder()
            .project(ProjectSeed::new("a/b").synthetic("many", 20_000, 1 << 40))
            .volume(VolumeSeed::s3("a/v").keys_only())
            .start()
            .await?,
    );
    let folder = sandbox.file_id("a/b", "many").expect("the folder");
    let page = get(
        &sandbox,
        &format!("/files?parent={folder}&offset=19950&fields=_all"),
    );
    let page = page.send().await;
    assert_eq!(page.header("x-total-matching-query"), Some("20000"));
    let items = page.json()["items"].clone();
    assert_eq!(items.as_array().map(Vec::len), Some(50));
    assert_eq!(items[49]["name"], "file-0020000.dat");

    // A terabyte that exists nowhere moves at once.
    let id = items[49]["id"].as_str().expect("an id");
    let job = started(&sandbox, "", &export(id, "a/v", "big")).await;
    assert_eq!(ended(&sandbox, &job).await["result"]["size"], 1_u64 << 40);
    Ok(())
}
