//! The documented calls of the vendor's R client (`sevenbridges2`), as it writes them: `limit`, `offset` and
//! `fields=_all` on every call, whatever the call is; booleans in capitals; null where the caller gave nothing; the
//! advance access header throughout.

use cavatica_sandbox::{ProjectSeed, Sandbox};
use serde_json::{Value, json};

use crate::client::{Answer, Outcome, ended, file, get, patch, post, request};

const EXTRA: &str = "limit=50&offset=0&fields=_all";

async fn r_get(sandbox: &Sandbox, path: &str) -> Answer {
    let separator = if path.contains('?') { '&' } else { '?' };
    let request = get(sandbox, &format!("{path}{separator}{EXTRA}"));
    request
        .header("X-SBG-advance-access", "advance")
        .send()
        .await
}

async fn r_post(sandbox: &Sandbox, path: &str, query: &str, body: &Value) -> Answer {
    let request = post(sandbox, &format!("{path}?{query}{EXTRA}"), body);
    request
        .header("X-SBG-advance-access", "advance")
        .send()
        .await
}

#[tokio::test]
async fn its_reading_calls_are_answered() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    let folder = file(&sandbox, "results");
    for path in [
        "/user".to_owned(),
        "/rate_limit".to_owned(),
        "/projects/sandbox/demo".to_owned(),
        "/storage/volumes/sandbox/output".to_owned(),
        "/storage/volumes/sandbox/output/members/sandbox".to_owned(),
        format!("/files/{id}"),
        "/storage/volumes/sandbox/output/object?location=earlier/exported.bam".to_owned(),
    ] {
        let answer = r_get(&sandbox, &path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    for path in [
        "/projects".to_owned(),
        "/projects/sandbox/demo/members".to_owned(),
        "/files?project=sandbox/demo&name=README.txt".to_owned(),
        format!("/files/{folder}/list"),
        "/storage/volumes".to_owned(),
        "/storage/volumes/sandbox/output/members".to_owned(),
        "/storage/exports".to_owned(),
    ] {
        let answer = r_get(&sandbox, &path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert!(answer.header("x-total-matching-query").is_some(), "{path}");
        let body = answer.json();
        assert!(
            body["items"].is_array() && body["links"].is_array(),
            "{path}"
        );
    }
    // The client insists on both lists, and puts the final slash itself.
    for prefix in ["earlier", "earlier/"] {
        let path = format!("/storage/volumes/sandbox/output/list?prefix={prefix}");
        let body = r_get(&sandbox, &path).await.json();
        assert_eq!(body["items"][0]["location"], "earlier/exported.bam");
        assert!(body["prefixes"].is_array());
    }
    Ok(())
}

#[tokio::test]
async fn its_exports_run() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    let body = json!({
        "source": {"file": id},
        "destination": {"volume": "sandbox/output", "location": "r/one.txt"},
        "overwrite": false,
        "properties": null,
    });
    let job = r_post(&sandbox, "/storage/exports", "copy_only=TRUE&", &body).await;
    let job = ended(&sandbox, job.json()["id"].as_str().expect("an id")).await;
    assert_eq!(job["state"], "COMPLETED", "{job}");
    assert_eq!(job["result"]["storage"]["type"], "PLATFORM", "copied");

    let item = |location: &str| {
        json!({
            "source": {"file": id},
            "destination": {"volume": "sandbox/output", "location": location},
            "overwrite": true,
            "properties": {"sse_algorithm": "aws:kms", "sse_aws_kms_key_Id": "key", "aws_canned_acl": "private"},
        })
    };
    let items = json!({"items": [item("r/two.txt"), item("r/three.txt")]});
    let path = "/bulk/storage/exports/create";
    let answer = r_post(&sandbox, path, "copy_only=FALSE&", &items)
        .await
        .json();
    let ids: Vec<Value> = answer["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| item["resource"]["id"].clone())
        .collect();
    assert_eq!(ids.len(), 2);
    for id in &ids {
        ended(&sandbox, id.as_str().expect("an id")).await;
    }
    let read = json!({"export_ids": ids});
    let answer = r_post(&sandbox, "/bulk/storage/exports/get", "", &read)
        .await
        .json();
    assert_eq!(
        answer["items"][0]["resource"]["properties"]["sse_aws_kms_key_Id"],
        "key"
    );
    let list = "/storage/exports?volume=sandbox/output&state=COMPLETED&state=FAILED";
    let list = r_get(&sandbox, list).await;
    assert_eq!(list.header("x-total-matching-query"), Some("3"));
    Ok(())
}

#[tokio::test]
async fn its_volumes_come_and_go() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    // It writes every argument of its function, null where the caller gave nothing.
    let body = json!({
        "name": "r_volume",
        "access_mode": "RW",
        "description": null,
        "service": {
            "type": "s3",
            "bucket": "lab",
            "prefix": "",
            "endpoint": "s3.amazonaws.com",
            "credentials": {"access_key_id": "key", "secret_access_key": "secret"},
            "properties": {"sse_algorithm": "AES256"},
        },
    });
    let made = r_post(&sandbox, "/storage/volumes", "", &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(made.json()["id"], "sandbox/r_volume");

    let volume = "/storage/volumes/sandbox/r_volume";
    let whole = r_get(&sandbox, volume).await.json();
    assert_eq!(whole["service"]["bucket"], "lab");
    assert_eq!(whole["service"]["properties"]["sse_algorithm"], "AES256");
    let change = |body: Value| {
        let request = patch(&sandbox, &format!("{volume}?{EXTRA}"), &body);
        request.header("X-SBG-advance-access", "advance").send()
    };
    let closed = change(json!({"access_mode": "RO", "active": false})).await;
    assert_eq!(closed.json()["access_mode"], "RO", "{}", closed.text);
    let gone = request(&sandbox, "DELETE", &format!("{volume}?{EXTRA}"))
        .header("X-SBG-advance-access", "advance")
        .send()
        .await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    assert_eq!(r_get(&sandbox, volume).await.code(), (404, 9007));
    Ok(())
}

#[tokio::test]
async fn its_larger_pages_are_only_for_scrolling() -> Outcome {
    let sandbox = Sandbox::builder()
        .project(ProjectSeed::new("a/b").synthetic("", 300, 1))
        .start()
        .await?;
    let scroll = get(&sandbox, "/files/scroll?project=a/b&token=init&limit=1000")
        .header("X-SBG-advance-access", "advance")
        .send()
        .await
        .json();
    assert_eq!(scroll["items"].as_array().map(Vec::len), Some(300));
    assert_eq!(scroll["links"], json!([]));
    Ok(())
}
