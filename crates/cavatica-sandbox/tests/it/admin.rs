use std::time::Duration;

use cavatica_sandbox::Sandbox;
use serde_json::json;

use crate::client::{Outcome, ended, export, file, get, patch, post, request, started};

#[tokio::test]
async fn volumes_can_be_closed_and_opened() -> Outcome {
    let hour = Duration::from_secs(3600);
    let sandbox = Sandbox::builder().job_duration(hour..=hour).start().await?;
    let at = "/storage/volumes/sandbox/output";
    let id = file(&sandbox, "README.txt");
    let start = || {
        post(
            &sandbox,
            "/storage/exports",
            &export(&id, "sandbox/output", "x"),
        )
    };

    let closed = patch(&sandbox, at, &json!({"access_mode": "RO"}))
        .send()
        .await;
    assert_eq!(closed.json()["access_mode"], "RO");
    assert_eq!(start().send().await.code(), (403, 9026));
    patch(&sandbox, at, &json!({"access_mode": "rw"}))
        .send()
        .await;
    assert_eq!(start().send().await.status, 200);

    let off = json!({"active": "false"});
    let refused = patch(&sandbox, at, &off).send().await;
    assert_eq!(refused.code(), (409, 90007), "an export is under way");
    let forced = patch(&sandbox, &format!("{at}?force=true"), &off)
        .send()
        .await;
    assert_eq!(forced.json()["active"], false);
    assert_eq!(start().send().await.code(), (409, 9069));
    let bad = patch(&sandbox, at, &json!({"access_mode": "WO"}))
        .send()
        .await;
    assert_eq!(bad.code(), (400, 9015));
    Ok(())
}

#[tokio::test]
async fn a_job_finds_its_volume_closed() -> Outcome {
    let pause = Duration::from_millis(200);
    let sandbox = Sandbox::builder()
        .job_duration(pause..=pause)
        .start()
        .await?;
    let id = file(&sandbox, "README.txt");
    let job = started(&sandbox, "", &export(&id, "sandbox/output", "x")).await;
    let at = "/storage/volumes/sandbox/output?force=true";
    patch(&sandbox, at, &json!({"active": false})).send().await;
    assert_eq!(ended(&sandbox, &job).await["error"]["code"], 9069);
    Ok(())
}

#[tokio::test]
async fn objects_come_and_go_behind_the_platforms_back() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let object = "/storage/volumes/sandbox/prefixed/object?location=a/b";
    let put = json!({"volume": "sandbox/prefixed", "location": "a/b", "content": "foreign"});
    assert_eq!(
        post(&sandbox, "/_sandbox/objects", &put)
            .send()
            .await
            .status,
        200
    );
    let seen = get(&sandbox, object).send().await.json();
    assert_eq!(seen["metadata"]["Content-Length"], 7);
    let path = sandbox.object_path("sandbox/prefixed", "a/b");
    assert_eq!(std::fs::read(&path)?, b"foreign");

    let away = "/_sandbox/objects?volume=sandbox/prefixed&location=a/b";
    assert_eq!(request(&sandbox, "DELETE", away).send().await.status, 200);
    assert!(!path.exists());
    assert_eq!(get(&sandbox, object).send().await.code(), (404, 9105));
    assert_eq!(request(&sandbox, "DELETE", away).send().await.status, 404);
    assert!(sandbox.put_object("sandbox/none", "x", b"").is_err());
    assert!(sandbox.remove_object("sandbox/output", "none").is_err());
    assert_eq!(sandbox.ledger().objects_overwritten, 0);
    Ok(())
}

#[tokio::test]
async fn the_user_is_the_one_member() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    for of in ["/storage/volumes/sandbox/output", "/projects/sandbox/demo"] {
        let list = get(&sandbox, &format!("{of}/members")).send().await;
        assert_eq!(list.header("x-total-matching-query"), Some("1"));
        let member = get(&sandbox, &format!("{of}/members/sandbox")).send().await;
        assert_eq!(list.json()["items"][0], member.json());
        assert_eq!(member.json()["permissions"]["write"], true);
        let nobody = get(&sandbox, &format!("{of}/members/nobody")).send().await;
        assert_eq!(nobody.status, 404);
    }
    Ok(())
}

#[tokio::test]
async fn the_ledger_over_the_wire_is_the_one_at_hand() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    let job = started(&sandbox, "", &export(&id, "sandbox/output", "x")).await;
    ended(&sandbox, &job).await;
    let ledger = get(&sandbox, "/_sandbox/ledger").send().await;
    let ledger: cavatica_sandbox::Ledger = serde_json::from_str(&ledger.text)?;
    assert_eq!(ledger, sandbox.ledger());
    assert_eq!(ledger.files[&id].completed, 1);
    assert_eq!(ledger.objects["sandbox/output"], 2);

    let state = get(&sandbox, "/_sandbox/state").send().await.json();
    assert_eq!(state["jobs"][0]["file"], "README.txt");
    assert_eq!(state["projects"][0]["aliases"], 2);
    assert_eq!(state["accounts"][0]["limit"], 1000);
    Ok(())
}
