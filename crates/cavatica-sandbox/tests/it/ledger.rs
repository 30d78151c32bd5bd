//! The ledger tells what really became of files and objects, whatever the answers showed.

use std::time::Duration;

use cavatica_sandbox::{
    FaultPlan, LedgerPlace, ObjectFate, ObjectOrigin, ProjectSeed, Quirk, Sandbox, SandboxBuilder,
    VolumeSeed,
};
use serde_json::json;

use crate::client::{Outcome, ended, export, get, post, request, started};

/// One file with bytes, one volume with an object on it.
fn world(plan: &str) -> SandboxBuilder {
    Sandbox::builder()
        .project(
            ProjectSeed::new("a/b")
                .file("f", "content")
                .file("g", "other"),
        )
        .volume(VolumeSeed::s3("a/v").object("taken", "before"))
        .job_duration(Duration::ZERO..=Duration::ZERO)
        .faults(plan.parse::<FaultPlan>().expect("a plan"))
}

fn alias(location: &str) -> LedgerPlace {
    LedgerPlace::Alias {
        volume: "a/v".to_owned(),
        location: location.to_owned(),
    }
}

/// Moves the file and waits for its job; gives the file's id.
async fn moved(sandbox: &Sandbox, location: &str) -> String {
    let id = sandbox.file_id("a/b", "f").expect("a file");
    let job = started(sandbox, "", &export(&id, "a/v", location)).await;
    assert_eq!(ended(sandbox, &job).await["state"], "COMPLETED");
    id
}

async fn storage(sandbox: &Sandbox, file: &str) -> serde_json::Value {
    let file = get(sandbox, &format!("/files/{file}")).send().await;
    file.json()["storage"]["type"].clone()
}

fn has_bytes(sandbox: &Sandbox) -> bool {
    sandbox.data().join("projects/a/b/f").exists()
}

#[tokio::test]
async fn a_completed_move_may_leave_the_file_on_the_platform() -> Outcome {
    let sandbox = world("keep-file").start().await?;
    let id = moved(&sandbox, "x").await;
    assert_eq!(storage(&sandbox, &id).await, "PLATFORM");
    assert!(has_bytes(&sandbox));
    let ledger = sandbox.ledger();
    assert!(ledger.holds("a/v", "x"));
    let file = &ledger.files[&id];
    assert_eq!((file.completed, file.delivered), (1, 1));
    assert_eq!(file.now, LedgerPlace::Platform);
    Ok(())
}

#[tokio::test]
async fn a_completed_move_may_bring_nothing() -> Outcome {
    let sandbox = world("hollow").start().await?;
    let id = moved(&sandbox, "x").await;
    assert_eq!(storage(&sandbox, &id).await, "PLATFORM");
    assert!(has_bytes(&sandbox));
    assert!(!sandbox.object_path("a/v", "x").exists());
    let ledger = sandbox.ledger();
    assert!(!ledger.holds("a/v", "x"));
    let file = &ledger.files[&id];
    assert_eq!((file.completed, file.delivered), (1, 0));
    Ok(())
}

#[tokio::test]
async fn an_alias_may_come_late_and_after_a_restart() -> Outcome {
    let sandbox = world("late-alias=2s").start().await?;
    let id = moved(&sandbox, "x").await;
    assert_eq!(storage(&sandbox, &id).await, "PLATFORM");
    while sandbox.place_of(&id) != Some(alias("x")) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(storage(&sandbox, &id).await, "VOLUME");
    assert!(!has_bytes(&sandbox), "the platform's copy went with it");
    assert!(sandbox.ledger().dangling.is_empty());

    let data = tempfile::tempdir()?;
    let sandbox = world("late-alias=2s").data(data.path()).start().await?;
    let id = moved(&sandbox, "x").await;
    sandbox.stop().await;
    let sandbox = world("").data(data.path()).start().await?;
    while sandbox.place_of(&id) != Some(alias("x")) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!has_bytes(&sandbox));
    Ok(())
}

#[tokio::test]
async fn people_delete_aliases() -> Outcome {
    let sandbox = world("lose-file").start().await?;
    let id = moved(&sandbox, "x").await;
    while sandbox.place_of(&id) != Some(LedgerPlace::Gone) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answer = get(&sandbox, &format!("/files/{id}")).send().await;
    assert_eq!(answer.code(), (404, 5002));
    for list in ["/files?project=a/b", "/files/scroll?project=a/b"] {
        let list = get(&sandbox, list).header("X-SBG-Advance-Access", "advance");
        let list = list.send().await;
        assert_eq!(list.header("x-total-matching-query"), Some("1"));
        assert_eq!(list.json()["items"][0]["name"], "g");
    }
    let ledger = sandbox.ledger();
    assert!(ledger.holds("a/v", "x"), "the object stays");
    assert_eq!(ledger.files[&id].now, LedgerPlace::Gone);
    assert!(ledger.dangling.is_empty());

    // By hand, and with its bytes.
    let other = sandbox.file_id("a/b", "g").expect("a file");
    sandbox.remove_file("a/b:g")?;
    assert_eq!(sandbox.ledger().files[&other].now, LedgerPlace::Gone);
    assert!(!sandbox.data().join("projects/a/b/g").exists());
    let start = post(&sandbox, "/storage/exports", &export(&other, "a/v", "y"));
    assert_eq!(start.send().await.code(), (404, 9009));
    let again = request(&sandbox, "DELETE", &format!("/_sandbox/files?file={other}"));
    assert_eq!(again.send().await.status, 404);
    Ok(())
}

#[tokio::test]
async fn an_overwrite_may_destroy_before_it_looks() -> Outcome {
    let overwrite = |id: &str, location: &str| {
        let mut body = export(id, "a/v", location);
        body["overwrite"] = true.into();
        body
    };
    for in_job in [false, true] {
        let mut builder = world("").quirk(Quirk::DeleteBeforeCheck);
        if in_job {
            builder = builder.quirk(Quirk::RefuseInJob);
        }
        let sandbox = builder.start().await?;
        let id = moved(&sandbox, "x").await;
        assert!(sandbox.ledger().dangling.is_empty());
        let answer = post(&sandbox, "/storage/exports", &overwrite(&id, "x"));
        let answer = answer.send().await;
        if in_job {
            let job = answer.json()["id"].as_str().expect("an id").to_owned();
            assert_eq!(ended(&sandbox, &job).await["error"]["code"], 9006);
        } else {
            assert_eq!(answer.code(), (403, 9006));
        }
        assert!(!sandbox.object_path("a/v", "x").exists());
        assert!(!has_bytes(&sandbox), "neither is left");
        let ledger = sandbox.ledger();
        let destroyed: Vec<_> = ledger.destroyed().map(|object| &*object.location).collect();
        assert_eq!(destroyed, ["x"]);
        assert_eq!(ledger.dangling, [id]);
        assert_eq!(ledger.objects_overwritten, 1);
    }
    // A platform that looks first destroys nothing.
    let sandbox = world("").start().await?;
    let id = moved(&sandbox, "x").await;
    post(&sandbox, "/storage/exports", &overwrite(&id, "x"))
        .send()
        .await;
    assert_eq!(sandbox.ledger().destroyed().count(), 0);
    Ok(())
}

#[tokio::test]
async fn objects_are_told_by_how_they_came_and_went() -> Outcome {
    use ObjectOrigin::{Export, Put, Seeded};

    let sandbox = world("fail-jobs=9100@start,nth=2").start().await?;
    let id = sandbox.file_id("a/b", "f").expect("a file");
    let mut body = export(&id, "a/v", "taken");
    body["overwrite"] = true.into();
    let fate = |sandbox: &Sandbox| {
        let ledger = sandbox.ledger();
        let [object] = &ledger.locations[..] else {
            panic!("{:?}", ledger.locations);
        };
        (object.came.clone(), object.overwritten, object.fate)
    };
    assert_eq!(fate(&sandbox), (Seeded, 0, ObjectFate::There));
    let job = started(&sandbox, "?copy_only=true", &body).await;
    ended(&sandbox, &job).await;
    assert_eq!(fate(&sandbox), (Export(job.clone()), 1, ObjectFate::There));
    let failed = started(&sandbox, "?copy_only=true", &body).await;
    ended(&sandbox, &failed).await;
    assert_eq!(fate(&sandbox), (Export(job), 2, ObjectFate::Destroyed));
    sandbox.put_object("a/v", "taken", b"by hand")?;
    assert_eq!(fate(&sandbox), (Put, 2, ObjectFate::There));
    sandbox.remove_object("a/v", "taken")?;
    assert_eq!(fate(&sandbox), (Put, 2, ObjectFate::Removed));
    Ok(())
}

#[tokio::test]
async fn a_second_start_is_a_double_unless_the_first_had_failed() -> Outcome {
    let sandbox = world("fail-jobs=9100@start,nth=1").start().await?;
    let id = sandbox.file_id("a/b", "f").expect("a file");
    let copy = async |location: &str| {
        let job = started(&sandbox, "?copy_only=true", &export(&id, "a/v", location)).await;
        ended(&sandbox, &job).await
    };
    assert_eq!(copy("x").await["state"], "FAILED");
    assert_eq!(copy("x").await["state"], "COMPLETED");
    let ledger = sandbox.ledger();
    assert_eq!(ledger.started_twice().collect::<Vec<_>>(), [id.as_str()]);
    assert!(ledger.files_doubled.is_empty());
    copy("y").await;

    let ledger = get(&sandbox, "/_sandbox/ledger").send().await.json();
    assert_eq!(ledger["files_doubled"], json!([id]));
    assert_eq!(ledger["files"][&id]["starts"], 3);
    assert_eq!(ledger["files"][&id]["doubled"], 1);
    assert_eq!(ledger["files"][&id]["now"], "platform");
    Ok(())
}
