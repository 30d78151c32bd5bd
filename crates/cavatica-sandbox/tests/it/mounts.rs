//! Volumes that come and go while the sandbox runs, and what their members may do.

use cavatica_sandbox::{Sandbox, VolumeSeed};
use serde_json::{Value, json};

use crate::client::{
    Answer, Outcome, ended, export, file, get, patch, post, put, request, started,
};

const AT: &str = "/storage/volumes";

async fn create(sandbox: &Sandbox, body: Value) -> Answer {
    post(sandbox, AT, &body).send().await
}

#[tokio::test]
async fn a_volume_is_mounted_used_and_taken_away() -> Outcome {
    let data = tempfile::tempdir()?;
    let sandbox = Sandbox::builder().data(data.path()).start().await?;
    let body = json!({
        "name": "mine",
        "description": null,
        "service": {
            "type": "s3", "bucket": "lab", "prefix": "in/",
            "credentials": {"access_key_id": "A", "secret_access_key": "never kept"},
            "properties": {"sse_algorithm": "aws:kms"},
        },
    });
    let made = create(&sandbox, body.clone()).await;
    assert_eq!(made.status, 200);
    let made = made.json();
    assert_eq!(made["id"], "sandbox/mine");
    assert_eq!(made["access_mode"], "RW");
    assert_eq!(made["service"]["properties"]["sse_algorithm"], "aws:kms");
    assert_eq!(create(&sandbox, body.clone()).await.code(), (409, 9010));

    let id = file(&sandbox, "README.txt");
    let job = started(
        &sandbox,
        "?copy_only=true",
        &export(&id, "sandbox/mine", "x"),
    )
    .await;
    assert_eq!(ended(&sandbox, &job).await["state"], "COMPLETED");
    sandbox.stop().await;
    let log = std::fs::read_to_string(data.path().join("world.jsonl"))?;
    assert!(!log.contains("never kept"));

    let sandbox = Sandbox::builder().data(data.path()).start().await?;
    let mine = format!("{AT}/sandbox/mine");
    let remove = || request(&sandbox, "DELETE", &mine).send();
    assert_eq!(remove().await.code(), (409, 90007), "it is active");
    patch(&sandbox, &mine, &json!({"active": false}))
        .send()
        .await;
    assert_eq!(remove().await.status, 204);
    assert_eq!(get(&sandbox, &mine).send().await.code(), (404, 9007));
    let list = get(&sandbox, AT).send().await;
    assert_eq!(list.header("x-total-matching-query"), Some("5"));
    assert!(!sandbox.ledger().objects.contains_key("sandbox/mine"));
    // The job is still told, and what lies in the bucket stays there.
    let told = get(&sandbox, &format!("/storage/exports/{job}"))
        .send()
        .await;
    assert_eq!(told.json()["destination"]["volume"], "sandbox/mine");
    create(&sandbox, body).await;
    let object = get(&sandbox, &format!("{mine}/object?location=x"))
        .send()
        .await;
    assert_eq!(object.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_volume_with_aliases_stays() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let at = format!("{AT}/sandbox/output");
    patch(&sandbox, &at, &json!({"active": false})).send().await;
    let refused = request(&sandbox, "DELETE", &at).send().await;
    assert_eq!(refused.code(), (409, 90007));
    Ok(())
}

#[tokio::test]
async fn what_makes_no_volume_is_refused() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let key = json!({"access_key_id": "A", "secret_access_key": "S"});
    let s3 = json!({"type": "S3", "bucket": "b", "credentials": key});
    let with = |extra: Value| {
        let mut service = s3.clone();
        for (key, value) in extra.as_object().into_iter().flatten() {
            service[key] = value.clone();
        }
        json!({"name": "abc", "access_mode": "RW", "service": service})
    };
    for (body, code) in [
        (json!({"service": s3}), 9013),
        (json!({"name": "a b c", "service": s3}), 9014),
        (json!({"name": "ab", "service": s3}), 9014),
        (json!({"name": "x".repeat(33), "service": s3}), 9014),
        (
            json!({"name": "abc", "access_mode": "WO", "service": s3}),
            9015,
        ),
        (json!({"name": "abc"}), 9016),
        (
            json!({"name": "abc", "service": {"type": "ftp", "bucket": "b"}}),
            9017,
        ),
        (json!({"name": "abc", "service": {"type": "s3"}}), 9017),
        (
            json!({"name": "abc", "service": {"type": "gcs", "bucket": "b"}}),
            9057,
        ),
        (
            json!({"name": "abc", "service": {"type": "OSS", "bucket": "b"}}),
            9038,
        ),
        (with(json!({"type": "azure"})), 9039),
        (with(json!({"endpoint": "https://store.example"})), 9058),
        (with(json!({"credentials": {"access_key_id": "A"}})), 9034),
        (
            with(json!({"properties": {"sse_algorithm": "ROT13"}})),
            9023,
        ),
        (with(json!({"properties": {"aws_canned_acl": "all"}})), 9022),
        (json!({"name": "a__b", "service": s3}), 9030),
        (json!({"name": "ab_", "service": s3}), 9030),
    ] {
        assert_eq!(
            create(&sandbox, body.clone()).await.code().1,
            code,
            "{body}"
        );
    }
    let google = json!({
        "name": "abc", "access_mode": "RO", "service": {"type": "gcs", "bucket": "b",
            "credentials": {"client_email": "a@b", "private_key": "never shown"}},
    });
    let nameless = json!({
        "name": "abd", "access_mode": "RO", "service": {"type": "gcs", "bucket": "b"},
    });
    assert_eq!(create(&sandbox, nameless).await.code(), (400, 9029));
    assert_eq!(create(&sandbox, google).await.status, 200);
    Ok(())
}

#[tokio::test]
async fn members_may_what_they_are_permitted() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let of = format!("{AT}/sandbox/output");
    let members = format!("{of}/members");
    let bob =
        json!({"username": "bob", "permissions": {"read": true, "copy": "TRUE", "execute": true}});
    let added = post(&sandbox, &members, &bob).send().await.json();
    let wanted = json!({"read": true, "copy": true, "write": false, "admin": false});
    assert_eq!(added["permissions"], wanted);
    let list = get(&sandbox, &members).send().await;
    assert_eq!(list.header("x-total-matching-query"), Some("2"));
    let path = format!("{members}/bob/permissions");
    assert_eq!(get(&sandbox, &path).send().await.json(), wanted);
    let again = post(&sandbox, &members, &bob).send().await;
    assert_eq!(again.code(), (409, 90007), "already a member");
    let put = |body: &Value| put(&sandbox, &path, body).send();
    let all = json!({"read": false, "copy": false, "write": true, "admin": false});
    assert_eq!(put(&all).await.json(), all);
    assert_eq!(
        put(&json!({"write": true})).await.code(),
        (400, 9011),
        "all four"
    );
    assert_eq!(put(&wanted).await.json(), wanted);
    let changed = patch(&sandbox, &path, &json!({"write": true})).send().await;
    assert_eq!(changed.json()["write"], true);
    let remove = |name: &str| request(&sandbox, "DELETE", &format!("{members}/{name}"));
    assert_eq!(remove("bob").send().await.status, 204);
    assert_eq!(remove("bob").send().await.code(), (404, 3002));
    assert_eq!(remove("sandbox").send().await.code(), (409, 90007));
    let nobody = json!({"permissions": {}});
    assert_eq!(
        post(&sandbox, &members, &nobody).send().await.code(),
        (400, 9011)
    );

    // The account without its own permissions.
    let own = format!("{members}/sandbox/permissions");
    let id = file(&sandbox, "README.txt");
    let body = export(&id, "sandbox/output", "x");
    patch(&sandbox, &own, &json!({"write": false})).send().await;
    let refused = post(&sandbox, "/storage/exports", &body).send().await;
    assert_eq!(refused.code(), (403, 9020));
    patch(&sandbox, &own, &json!({"read": false, "admin": false}))
        .send()
        .await;
    let refused = get(&sandbox, &format!("{of}/list")).send().await;
    assert_eq!(refused.code(), (403, 9020));
    assert_eq!(
        post(&sandbox, &members, &bob).send().await.code(),
        (403, 9020)
    );
    patch(&sandbox, &own, &json!({"write": true})).send().await;
    started(&sandbox, "", &body).await;
    Ok(())
}

#[tokio::test]
async fn a_further_volume_comes_to_a_world_that_is_there() -> Outcome {
    let data = tempfile::tempdir()?;
    let start = |bucket: &str| {
        let volume = VolumeSeed::s3("lab/more").bucket(bucket);
        Sandbox::builder()
            .data(data.path())
            .further_volume(volume)
            .start()
    };
    Sandbox::builder()
        .data(data.path())
        .start()
        .await?
        .stop()
        .await;
    for _ in 0..2 {
        let sandbox = start("one").await?;
        assert_eq!(sandbox.volumes().len(), 6, "{:?}", sandbox.volumes());
        sandbox.stop().await;
    }
    let other = start("two").await.expect_err("another bucket");
    assert!(other.to_string().contains("the bucket `one`"), "{other}");
    Ok(())
}
