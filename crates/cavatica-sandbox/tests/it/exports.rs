use std::fs;
use std::time::Duration;

use cavatica_sandbox::{FileSeed, ProjectSeed, Route, Sandbox, VolumeSeed};
use serde_json::{Value, json};

use crate::client::{Outcome, ended, export, file, get, post, request, started};

#[tokio::test]
async fn a_move_takes_the_bytes_and_leaves_an_alias() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "results/NA12878/calls.vcf");
    let here = sandbox
        .data()
        .join("projects/sandbox/demo/results/NA12878/calls.vcf");
    let content = fs::read(&here)?;

    let job = started(
        &sandbox,
        "",
        &export(&id, "sandbox/output", "run1/calls.vcf"),
    )
    .await;
    let job = ended(&sandbox, &job).await;
    assert_eq!(job["state"], "COMPLETED", "{job}");
    assert_eq!(job["result"]["id"], id);
    assert_eq!(
        job["properties"],
        json!({"sse_algorithm": "AES256", "aws_canned_acl": null})
    );

    let there = sandbox.data().join("volumes/sandbox/output/run1/calls.vcf");
    assert_eq!(fs::read(there)?, content);
    assert!(!here.exists(), "the platform's copy is gone");
    let alias = get(&sandbox, &format!("/files/{id}")).send().await.json();
    assert_eq!(
        alias["storage"],
        json!({"type": "VOLUME", "volume": "sandbox/output", "location": "run1/calls.vcf"})
    );
    assert_eq!(alias["name"], "calls.vcf");
    assert_eq!(alias["metadata"], json!({"sample_id": "NA12878"}));

    let again = post(
        &sandbox,
        "/storage/exports",
        &export(&id, "sandbox/output", "run1/again.vcf"),
    );
    assert_eq!(again.send().await.code(), (403, 9006));
    assert_eq!(sandbox.ledger().starts, 1);
    Ok(())
}

#[tokio::test]
async fn a_copy_leaves_the_file() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    for (copy_only, location) in [("true", "a"), ("True", "b"), ("TRUE", "c")] {
        let body = export(&id, "sandbox/output", location);
        let job = started(&sandbox, &format!("?copy_only={copy_only}"), &body).await;
        assert_eq!(ended(&sandbox, &job).await["state"], "COMPLETED");
    }
    let platform = sandbox.data().join("projects/sandbox/demo/README.txt");
    let object = sandbox.object_path("sandbox/output", "c");
    assert_eq!(fs::read(platform)?, fs::read(object)?);
    let storage = get(&sandbox, &format!("/files/{id}")).send().await.json();
    assert_eq!(storage["storage"]["type"], "PLATFORM");
    Ok(())
}

#[tokio::test]
async fn copy_only_in_the_body_means_nothing() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    let mut body = export(&id, "sandbox/output", "README.txt");
    body["copy_only"] = true.into();
    let job = started(&sandbox, "", &body).await;
    ended(&sandbox, &job).await;
    let moved = get(&sandbox, &format!("/files/{id}")).send().await.json();
    assert_eq!(moved["storage"]["type"], "VOLUME");
    Ok(())
}

#[tokio::test]
async fn refusals_have_the_platforms_codes() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let good = file(&sandbox, "README.txt");
    let public = sandbox
        .file_id("admin/sbg-public-data", "human_g1k_v37_decoy.fasta")
        .expect("the public file");
    let on = |file: &str, volume: &str| export(file, volume, "x");
    let with = |key: &str, value: Value| {
        let mut body = on(&good, "sandbox/output");
        body[key] = value;
        body
    };
    let cases = [
        (
            "alias",
            on(&file(&sandbox, "already/exported.bam"), "sandbox/output"),
            (403, 9006),
        ),
        (
            "archived",
            on(&file(&sandbox, "already/archived.tar"), "sandbox/output"),
            (403, 9006),
        ),
        (
            "public copy",
            on(&file(&sandbox, "reference/genome.fa"), "sandbox/output"),
            (403, 9006),
        ),
        ("public", on(&public, "sandbox/output"), (403, 9006)),
        (
            "folder",
            on(&file(&sandbox, "results"), "sandbox/output"),
            (403, 9006),
        ),
        ("read-only", on(&good, "sandbox/readonly"), (403, 9026)),
        ("inactive", on(&good, "sandbox/inactive"), (409, 9069)),
        ("gcs", on(&good, "sandbox/google"), (403, 9057)),
        ("no volume", on(&good, "sandbox/nowhere"), (404, 9007)),
        (
            "no file",
            on("0123456789abcdef01234567", "sandbox/output"),
            (404, 9009),
        ),
        (
            "no location",
            json!({"source": {"file": good}, "destination": {"volume": "sandbox/output"}}),
            (400, 9011),
        ),
        (
            "acl",
            with("properties", json!({"aws_canned_acl": "everybody"})),
            (400, 9022),
        ),
        (
            "sse",
            with("properties", json!({"sse_algorithm": "rot13"})),
            (400, 9023),
        ),
        (
            "class",
            with("properties", json!({"aws_storage_class": "FROZEN"})),
            (400, 9024),
        ),
        (
            "kms key",
            with("properties", json!({"sse_aws_kms_key_id": "k"})),
            (400, 9011),
        ),
        ("overwrite", with("overwrite", json!("maybe")), (400, 9011)),
    ];
    for (name, body, code) in cases {
        let answer = post(&sandbox, "/storage/exports", &body).send().await;
        assert_eq!(answer.code(), code, "{name}: {}", answer.text);
    }
    let ledger = sandbox.ledger();
    assert_eq!(ledger.starts, 0);
    assert_eq!(ledger.requests_to(Route::Start), 16);
    Ok(())
}

#[tokio::test]
async fn odd_but_common_requests_are_understood() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    let cases = [
        ("overwrite", json!("TRUE")),
        ("properties", json!(null)),
        ("properties", json!({})),
        ("properties", json!({"sse_algorithm": null})),
        (
            "properties",
            json!({"sse_algorithm": "aws:kms", "sse_aws_kms_key_Id": "key"}),
        ),
    ];
    for (number, (key, value)) in cases.into_iter().enumerate() {
        let mut body = export(&id, "sandbox/output", &format!("{number}"));
        body[key] = value;
        let query = "?copy_only=True&limit=50&offset=0&fields=_all";
        started(&sandbox, query, &body).await;
    }
    let jobs = get(&sandbox, "/storage/exports?fields=_all").send().await;
    let jobs = jobs.json();
    let properties = |newest: usize| jobs["items"][newest]["properties"].clone();
    assert_eq!(properties(0)["sse_aws_kms_key_Id"], "key");
    assert_eq!(properties(1)["sse_algorithm"], Value::Null);
    assert_eq!(properties(2)["sse_algorithm"], "AES256");
    Ok(())
}

#[tokio::test]
async fn an_occupied_key_fails_in_the_job_unless_it_may_be_overwritten() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    let mut body = export(&id, "sandbox/output", "earlier/exported.bam");
    let job = started(&sandbox, "?copy_only=true", &body).await;
    let job = ended(&sandbox, &job).await;
    assert_eq!(job["state"], "FAILED");
    assert_eq!(job["error"]["code"], 9107);
    assert_eq!(job["error"]["status"], 409);
    let object = sandbox.object_path("sandbox/output", "earlier/exported.bam");
    assert_eq!(fs::read(&object)?, b"alignment");

    body["overwrite"] = true.into();
    let job = started(&sandbox, "?copy_only=true", &body).await;
    assert_eq!(ended(&sandbox, &job).await["state"], "COMPLETED");
    assert_eq!(fs::read(&object)?, b"Files to try exports with.\n");
    let ledger = sandbox.ledger();
    assert_eq!(ledger.objects_overwritten, 1);
    assert_eq!(ledger.started_twice().collect::<Vec<_>>(), [id]);
    Ok(())
}

#[tokio::test]
async fn the_first_of_two_jobs_for_one_file_wins() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    let first = started(&sandbox, "", &export(&id, "sandbox/output", "one")).await;
    let second = started(&sandbox, "", &export(&id, "sandbox/output", "two")).await;
    let states = [
        ended(&sandbox, &first).await,
        ended(&sandbox, &second).await,
    ];
    let mut codes: Vec<_> = states
        .iter()
        .map(|job| job["error"]["code"].as_i64())
        .collect();
    codes.sort();
    assert_eq!(codes, [None, Some(9006)]);
    let objects = ["one", "two"].map(|key| sandbox.object_path("sandbox/output", key).exists());
    assert_eq!(objects.iter().filter(|exists| **exists).count(), 1);
    Ok(())
}

#[tokio::test]
async fn the_list_is_small_and_filtered_and_paged() -> Outcome {
    let hour = Duration::from_secs(3600);
    let sandbox = Sandbox::builder().job_duration(hour..=hour).start().await?;
    let id = file(&sandbox, "README.txt");
    let mut jobs = Vec::new();
    for (number, volume) in ["output", "prefixed", "output", "output"]
        .iter()
        .enumerate()
    {
        let body = export(&id, &format!("sandbox/{volume}"), &format!("{number}"));
        jobs.push(started(&sandbox, "?copy_only=true", &body).await);
    }
    let list = async |query: &str| {
        get(&sandbox, &format!("/storage/exports{query}"))
            .send()
            .await
    };

    let page = list("?volume=sandbox/output&limit=2").await;
    assert_eq!(page.header("x-total-matching-query"), Some("3"));
    let body = page.json();
    assert_eq!(
        body["items"][0],
        json!({
            "href": format!("{}/storage/exports/{}", sandbox.endpoint(), jobs[3]),
            "id": jobs[3],
            "state": "PENDING",
        }),
        "newest first, three fields"
    );
    let next = &body["links"][0];
    assert_eq!(next["rel"], "next");
    let next = next["href"].as_str().expect("an address");
    let next = next.strip_prefix(sandbox.endpoint()).expect("ours");
    let page = get(&sandbox, next).send().await.json();
    assert_eq!(page["items"][0]["id"], *jobs[0]);
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["links"][0]["rel"], "prev");

    let none = list("?state=COMPLETED&state=FAILED").await;
    assert_eq!(none.header("x-total-matching-query"), Some("0"));
    let all = list("?state=RUNNING&state=pending&fields=id,destination&limit=1").await;
    assert_eq!(all.header("x-total-matching-query"), Some("4"));
    assert_eq!(
        all.json()["items"][0],
        json!({"id": jobs[3], "destination": {"volume": "sandbox/output", "location": "3"}})
    );
    assert_eq!(list("?limit=101").await.code(), (400, 90000));
    assert_eq!(list("?volume=sandbox/nowhere").await.code(), (404, 9007));
    Ok(())
}

#[tokio::test]
async fn a_bulk_call_starts_what_it_can() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    let items = json!({"items": [
        export(&id, "sandbox/output", "a"),
        export(&id, "sandbox/readonly", "b"),
        {"source": {}},
        export(&id, "sandbox/output", "c"),
    ]});
    let answer = post(
        &sandbox,
        "/bulk/storage/exports/create?copy_only=True",
        &items,
    )
    .send()
    .await
    .json();
    assert_eq!(answer["items"][1]["error"]["code"], 9026);
    assert_eq!(answer["items"][2]["error"]["code"], 9011);
    let ids = [0, 3].map(|position: usize| answer["items"][position]["resource"]["id"].clone());
    assert!(ids.iter().all(Value::is_string), "{answer}");

    for id in &ids {
        ended(&sandbox, id.as_str().expect("an id")).await;
    }
    let read = json!({"export_ids": [ids[1], "nonsense", ids[0]]});
    for path in ["/bulk/storage/exports/get", "/bulk/storage/export/get"] {
        let answer = post(&sandbox, path, &read).send().await.json();
        let alone = get(
            &sandbox,
            &format!("/storage/exports/{}", ids[1].as_str().unwrap_or("")),
        );
        assert_eq!(answer["items"][0]["resource"], alone.send().await.json());
        assert_eq!(answer["items"][1]["error"]["code"], 9008);
        assert_eq!(answer["items"][2]["resource"]["state"], "COMPLETED");
    }
    let too_many = json!({"export_ids": vec!["x"; 101]});
    let refused = post(&sandbox, "/bulk/storage/exports/get", &too_many)
        .send()
        .await;
    assert_eq!(refused.code(), (400, 9011));
    Ok(())
}

#[tokio::test]
async fn jobs_can_be_neither_found_by_chance_nor_deleted() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let unknown = get(
        &sandbox,
        "/storage/exports/0123456789abcdef0123456789abcdef",
    );
    assert_eq!(unknown.send().await.code(), (404, 9008));
    let deleted = request(&sandbox, "DELETE", "/storage/exports/x");
    assert_eq!(deleted.send().await.code(), (405, 90006));
    Ok(())
}

#[tokio::test]
async fn a_share_of_jobs_fails_and_the_seed_decides_which() -> Outcome {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let sandbox = Sandbox::builder()
            .seed(5)
            .project(ProjectSeed::new("a/b").synthetic("", 40, 10))
            .volume(VolumeSeed::s3("a/v").keys_only())
            .fail_share(0.5)
            .job_duration(Duration::ZERO..=Duration::from_millis(5))
            .start()
            .await?;
        let files = get(&sandbox, "/files?project=a/b&limit=100")
            .send()
            .await
            .json();
        let files = files["items"].as_array().cloned().unwrap_or_default();
        let items: Vec<Value> = (0..)
            .zip(&files)
            .map(|(number, file)| {
                let id = file["id"].as_str().unwrap_or_default();
                export(id, "a/v", &format!("{number}"))
            })
            .collect();
        let answer = post(
            &sandbox,
            "/bulk/storage/exports/create",
            &json!({"items": items}),
        );
        for item in answer.send().await.json()["items"]
            .as_array()
            .into_iter()
            .flatten()
        {
            ended(&sandbox, item["resource"]["id"].as_str().expect("an id")).await;
        }
        let mut ledger = sandbox.ledger();
        // How often the test asked depends on the machine.
        ledger.requests.clear();
        ledger.answers.clear();
        runs.push(ledger);
    }
    assert_eq!(runs[0], runs[1]);
    let failed = runs[0].in_state(cavatica_model::ExportState::Failed);
    assert!((8..=32).contains(&failed), "{failed} of 40");
    Ok(())
}

#[tokio::test]
async fn hostile_locations_stay_in_the_data_folder() -> Outcome {
    let sandbox = Sandbox::builder()
        .project(
            ProjectSeed::new("a/b")
                .file("f", "content")
                .with(FileSeed::bytes("g", "other")),
        )
        .volume(VolumeSeed::s3("a/v"))
        .start()
        .await?;
    let id = sandbox.file_id("a/b", "f").expect("the file");
    for location in [
        "../../../../escaped",
        "/etc/escaped",
        "a//b",
        "a/./b",
        "x\u{0}y",
    ] {
        let body = export(&id, "a/v", location);
        let job = started(&sandbox, "?copy_only=true", &body).await;
        let job = ended(&sandbox, &job).await;
        assert_eq!(job["state"], "COMPLETED");
        assert_eq!(job["destination"]["location"], location, "kept literally");
        let path = sandbox.object_path("a/v", location);
        assert!(path.starts_with(sandbox.data().join("volumes/a/v")));
        assert_eq!(fs::read(path)?, b"content");
    }
    Ok(())
}
