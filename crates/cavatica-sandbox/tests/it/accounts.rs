//! Several accounts on one platform: what each has of its own, what they share, and what the ledger sees of all.

use std::time::Duration;

use cavatica_sandbox::{ProjectSeed, Sandbox, StartedBy, VolumeSeed};
use serde_json::{Value, json};

use crate::client::{Outcome, Request, ended, export, get, post, started};

async fn with_two() -> Result<Sandbox, Box<dyn std::error::Error>> {
    let builder = Sandbox::builder()
        .account("colleague")
        .project(ProjectSeed::new("lab/trio").synthetic("", 4, 10))
        .volume(VolumeSeed::s3("lab/output").keys_only())
        .volume(VolumeSeed::s3("lab/mine").members(["sandbox"]))
        .rate_limit(50, Duration::from_secs(3600))
        .job_duration(Duration::ZERO..=Duration::ZERO);
    Ok(builder.start().await?)
}

/// The same request with the second account's token.
fn colleagues<'a>(sandbox: &Sandbox, request: Request<'a>) -> Request<'a> {
    let (username, token) = sandbox.accounts().nth(1).expect("a second account");
    assert_eq!(username, "colleague");
    request.without_token().header("X-SBG-Auth-Token", token)
}

fn id(sandbox: &Sandbox, number: usize) -> String {
    let path = format!("file-{number:07}.dat");
    sandbox.file_id("lab/trio", &path).expect("a file")
}

fn ids(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["id"].as_str()).collect()
}

#[tokio::test]
async fn each_account_is_somebody_else_with_a_limit_of_its_own() -> Outcome {
    let sandbox = with_two().await?;
    assert_eq!(
        sandbox.accounts().next(),
        Some(("sandbox", sandbox.token()))
    );
    let mine = get(&sandbox, "/user").send().await;
    assert_eq!(mine.json()["username"], "sandbox");
    for _ in 0..3 {
        let theirs = colleagues(&sandbox, get(&sandbox, "/user")).send().await;
        assert_eq!(theirs.json()["username"], "colleague");
    }
    let limit = |answer: Value| answer["rate"]["remaining"].clone();
    let mine = get(&sandbox, "/rate_limit").send().await.json();
    let theirs = colleagues(&sandbox, get(&sandbox, "/rate_limit"));
    assert_eq!(limit(mine), 49);
    assert_eq!(limit(theirs.send().await.json()), 47);
    let members = get(&sandbox, "/projects/lab/trio/members").send().await;
    assert_eq!(ids(&members.json()), ["sandbox", "colleague"]);

    let credentials = std::fs::read_to_string(sandbox.credentials())?;
    let (_, token) = sandbox.accounts().nth(1).expect("a second account");
    let profile = format!("[colleague]\napi_endpoint = {}\n", sandbox.endpoint());
    let (_, rest) = credentials.split_once(&profile).expect("its profile");
    assert_eq!(rest, format!("auth_token   = {token}\n"));
    Ok(())
}

#[tokio::test]
async fn nobody_sees_the_jobs_of_another_and_all_see_the_files() -> Outcome {
    let sandbox = with_two().await?;
    let mine = started(&sandbox, "", &export(&id(&sandbox, 1), "lab/output", "1")).await;
    ended(&sandbox, &mine).await;
    let body = json!({"items": [export(&id(&sandbox, 2), "lab/output", "2")]});
    let theirs = post(&sandbox, "/bulk/storage/exports/create", &body);
    let theirs = colleagues(&sandbox, theirs).send().await.json();
    let theirs = theirs["items"][0]["resource"]["id"].clone();
    let theirs = theirs.as_str().expect("a job");

    let list = get(&sandbox, "/storage/exports").send().await;
    assert_eq!(ids(&list.json()), [&*mine]);
    let list = colleagues(&sandbox, get(&sandbox, "/storage/exports"));
    let list = list.send().await;
    assert_eq!(ids(&list.json()), [theirs]);
    assert_eq!(list.header("x-total-matching-query"), Some("1"));
    let foreign = get(&sandbox, &format!("/storage/exports/{theirs}"));
    assert_eq!(foreign.send().await.code(), (404, 9008));
    let both = json!({"export_ids": [mine, theirs]});
    let both = post(&sandbox, "/bulk/storage/exports/get", &both);
    let both = both.send().await.json();
    assert_eq!(both["items"][0]["resource"]["id"], *mine);
    assert_eq!(both["items"][1]["error"]["code"], 9008);

    // What one has moved, the other sees as an alias.
    let file = colleagues(
        &sandbox,
        get(&sandbox, &format!("/files/{}", id(&sandbox, 1))),
    );
    assert_eq!(file.send().await.json()["storage"]["volume"], "lab/output");
    Ok(())
}

#[tokio::test]
async fn a_volume_is_its_members_alone() -> Outcome {
    let sandbox = with_two().await?;
    let volumes = colleagues(&sandbox, get(&sandbox, "/storage/volumes"));
    assert_eq!(ids(&volumes.send().await.json()), ["lab/output"]);
    for path in [
        "/storage/volumes/lab/mine",
        "/storage/volumes/lab/mine/list",
    ] {
        let foreign = colleagues(&sandbox, get(&sandbox, path));
        assert_eq!(foreign.send().await.code(), (404, 9007), "{path}");
    }
    let start = || {
        let body = export(&id(&sandbox, 3), "lab/mine", "3");
        post(&sandbox, "/storage/exports", &body)
    };
    let foreign = colleagues(&sandbox, start()).send().await;
    assert_eq!(foreign.code(), (404, 9007));

    let member = json!({"username": "colleague", "permissions": {"read": true}});
    let added = post(&sandbox, "/storage/volumes/lab/mine/members", &member);
    assert_eq!(added.send().await.status, 200);
    let foreign = colleagues(&sandbox, start()).send().await;
    assert_eq!(foreign.code(), (403, 9020), "reading isn't writing");
    assert_eq!(start().send().await.status, 200);
    Ok(())
}

#[tokio::test]
async fn the_ledger_judges_over_all_accounts() -> Outcome {
    let sandbox = with_two().await?;
    let file = id(&sandbox, 1);
    let mine = started(&sandbox, "", &export(&file, "lab/output", "a")).await;
    ended(&sandbox, &mine).await;
    let copy = post(
        &sandbox,
        "/storage/exports?copy_only=true",
        &export(&id(&sandbox, 2), "lab/output", "b"),
    );
    assert_eq!(colleagues(&sandbox, copy).send().await.status, 200);
    let again = post(
        &sandbox,
        "/storage/exports?copy_only=true",
        &export(&id(&sandbox, 2), "lab/output", "c"),
    );
    assert_eq!(again.send().await.status, 200);

    let ledger = sandbox.ledger();
    assert_eq!(ledger.starts, 3);
    assert_eq!(ledger.files_doubled, [id(&sandbox, 2)]);
    assert_eq!(ledger.states.values().sum::<u64>(), 3);
    let by: Vec<_> = ledger.jobs.iter().map(|job| job.by.clone()).collect();
    let theirs = StartedBy::ClientOf("colleague".to_owned());
    assert_eq!(by, [StartedBy::Client, theirs, StartedBy::Client]);
    Ok(())
}

#[tokio::test]
async fn accounts_come_back_with_their_world() -> Outcome {
    let data = tempfile::tempdir()?;
    let scenario = || r#"{"accounts": ["colleague"]}"#.parse();
    let open = async || -> Result<Sandbox, Box<dyn std::error::Error>> {
        let builder = Sandbox::builder().data(data.path());
        Ok(builder.scenario(scenario()?).start().await?)
    };
    let sandbox = open().await?;
    let accounts = |sandbox: &Sandbox| -> Vec<(String, String)> {
        let accounts = sandbox.accounts();
        accounts
            .map(|(name, token)| (name.to_owned(), token.to_owned()))
            .collect()
    };
    let before = accounts(&sandbox);
    assert_ne!(before[0].1, before[1].1);
    sandbox.stop().await;
    assert_eq!(accounts(&open().await?), before);

    for name in ["", "a/b", "../x", "sandbox"] {
        let outcome = Sandbox::builder().account(name).start().await;
        assert!(outcome.is_err(), "{name}");
    }
    Ok(())
}
