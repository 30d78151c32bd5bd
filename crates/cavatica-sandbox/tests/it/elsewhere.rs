//! Other people and other programs: what they do shows where the platform would show it, and in the ledger.

use std::time::Duration;

use cavatica_sandbox::{
    LedgerPlace, OtherExport, ProjectSeed, Sandbox, SandboxBuilder, StartedBy, VolumeChange,
    VolumeSeed,
};
use serde_json::json;

use crate::client::{Outcome, ended, export, get, patch, post, started};

const HOUR: Duration = Duration::from_secs(3600);

fn world() -> SandboxBuilder {
    Sandbox::builder()
        .project(
            ProjectSeed::new("a/b")
                .file("f", "content")
                .file("g", "other"),
        )
        .volume(VolumeSeed::s3("a/v"))
        .volume(VolumeSeed::s3("a/w"))
        .job_duration(Duration::ZERO..=Duration::ZERO)
}

async fn listed(sandbox: &Sandbox, query: &str) -> Vec<serde_json::Value> {
    let list = get(sandbox, &format!("/storage/exports{query}"))
        .send()
        .await;
    let items = list.json()["items"].as_array().cloned().unwrap_or_default();
    let total = items.len().to_string();
    assert_eq!(list.header("x-total-matching-query"), Some(&*total));
    items
}

#[tokio::test]
async fn somebody_else_moves_a_file_to_another_place() -> Outcome {
    let sandbox = world().start().await?;
    let id = sandbox.file_id("a/b", "f").expect("a file");
    let other = OtherExport::new(&id, "a/w", "theirs/f").account("colleague");
    let job = sandbox.export_elsewhere(&other)?;
    let there = LedgerPlace::Alias {
        volume: "a/w".to_owned(),
        location: "theirs/f".to_owned(),
    };
    while sandbox.place_of(&id) != Some(there.clone()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(
        listed(&sandbox, "").await.is_empty(),
        "jobs show to their account"
    );
    let read = get(&sandbox, &format!("/storage/exports/{job}"));
    assert_eq!(read.send().await.code(), (404, 9008));
    let start = post(&sandbox, "/storage/exports", &export(&id, "a/v", "f"));
    assert_eq!(start.send().await.code(), (403, 9006));

    let ledger = sandbox.ledger();
    assert_eq!((ledger.starts, ledger.starts_elsewhere), (0, 1));
    assert_eq!(
        ledger.jobs[0].by,
        StartedBy::OtherAccount("colleague".to_owned())
    );
    assert_eq!(
        (ledger.files[&id].starts, ledger.files[&id].starts_elsewhere),
        (0, 1)
    );
    Ok(())
}

#[tokio::test]
async fn a_live_job_of_the_same_account_shows_and_is_no_double() -> Outcome {
    let sandbox = world().start().await?;
    let other = OtherExport::new("a/b:f", "a/v", "f").lasting(HOUR);
    let live = sandbox.export_elsewhere(&other)?;
    let unfinished = listed(&sandbox, "?state=PENDING&state=RUNNING").await;
    assert_eq!(unfinished[0]["id"], live);

    // A client's own start of the same file goes ahead; both are accepted, one by the client.
    let id = sandbox.file_id("a/b", "f").expect("a file");
    let job = started(&sandbox, "", &export(&id, "a/v", "mine")).await;
    ended(&sandbox, &job).await;
    let ledger = sandbox.ledger();
    assert!(ledger.files_doubled.is_empty());
    assert_eq!(ledger.files[&id].collided, 1);
    assert_eq!((ledger.starts, ledger.starts_elsewhere), (1, 1));
    assert_eq!(ledger.jobs[0].by, StartedBy::SameAccount);
    Ok(())
}

#[tokio::test]
async fn a_world_begins_with_what_others_did_before() -> Outcome {
    let data = tempfile::tempdir()?;
    let earlier = OtherExport::new("a/b:f", "a/v", "f").copy().ago(24 * HOUR);
    let open = || world().data(data.path()).export(earlier.clone()).start();
    let sandbox = open().await?;
    let jobs = listed(&sandbox, "?fields=_all").await;
    let id = jobs[0]["id"].as_str().expect("an id");
    let job = ended(&sandbox, id).await;
    assert_eq!(job["state"], "COMPLETED");
    let finished: jiff::Timestamp = job["finished_on"].as_str().expect("a time").parse()?;
    let age = jiff::Timestamp::now() - finished;
    assert!(age.total(jiff::Unit::Hour)? > 23.9, "{finished}");
    assert!(sandbox.ledger().holds("a/v", "f"));
    sandbox.stop().await;

    let sandbox = open().await?;
    assert_eq!(sandbox.ledger().starts_elsewhere, 1, "only once");
    Ok(())
}

#[tokio::test]
async fn what_others_do_is_refused_as_a_clients_would_be() -> Outcome {
    let sandbox = world().start().await?;
    for (file, volume) in [("a/b:nowhere", "a/v"), ("a/b:f", "a/nowhere")] {
        let other = OtherExport::new(file, volume, "x");
        assert!(
            sandbox.export_elsewhere(&other).is_err(),
            "{file} to {volume}"
        );
    }
    let at = "/_sandbox/exports";
    let bad = json!({"file": "a/b:f", "volume": "a/v", "location": "x", "move": true});
    assert_eq!(post(&sandbox, at, &bad).send().await.code(), (400, 90000));
    let good = json!({"file": "a/b:f", "volume": "a/v", "location": "x", "job_milliseconds": 1});
    let id = post(&sandbox, at, &good).send().await.json()["id"].clone();
    let job = ended(&sandbox, id.as_str().expect("an id")).await;
    assert_eq!(job["state"], "COMPLETED");
    Ok(())
}

#[tokio::test]
async fn a_volume_may_come_to_lead_elsewhere() -> Outcome {
    let sandbox = world().start().await?;
    let id = sandbox.file_id("a/b", "f").expect("a file");
    let job = started(&sandbox, "", &export(&id, "a/v", "f")).await;
    ended(&sandbox, &job).await;
    sandbox.change_volume(
        "a/v",
        &VolumeChange {
            bucket: Some("another-bucket".to_owned()),
            prefix: Some("moved/".to_owned()),
            ..VolumeChange::default()
        },
    )?;
    let volume = get(&sandbox, "/storage/volumes/a/v").send().await.json();
    assert_eq!(volume["service"]["bucket"], "another-bucket");
    assert_eq!(volume["service"]["prefix"], "moved/");
    assert_eq!(volume["access_mode"], "RW", "what isn't named stays");
    assert_eq!(sandbox.ledger().dangling, [id], "nothing lies there");

    let change = json!({"active": false, "access_mode": "RO"});
    let changed = patch(&sandbox, "/_sandbox/volumes?volume=a/v", &change);
    assert_eq!(changed.send().await.status, 200);
    let volume = get(&sandbox, "/storage/volumes/a/v").send().await.json();
    assert_eq!(
        (&volume["active"], &volume["access_mode"]),
        (&json!(false), &json!("RO"))
    );
    Ok(())
}
