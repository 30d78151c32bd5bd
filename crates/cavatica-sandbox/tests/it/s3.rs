//! A volume that is a real bucket, on a real S3 server.

use std::error::Error as _;
use std::time::Duration;

use cavatica_s3::{AwsConfig, Bucket, Credentials, Upload};
use cavatica_sandbox::{Sandbox, SandboxBuilder, SandboxError, Scenario, VolumeSeed};
use cavatica_test_s3::{Kept, TestS3};
use serde_json::{Value, json};

use crate::client::{Outcome, ended, export, file, get, request, started};

fn keys() -> AwsConfig {
    AwsConfig::of(Credentials::new(TestS3::KEY_ID, TestS3::SECRET, None))
}

/// A server with the bucket `lab-results`.
async fn server() -> TestS3 {
    let server = TestS3::start().await;
    server.create_bucket("lab-results");
    server
}

fn volume(server: &TestS3) -> VolumeSeed {
    VolumeSeed::s3("lab/real")
        .bucket("lab-results")
        .prefix("cohort/")
        .real_s3(Some(server.endpoint()))
}

fn sandbox(server: &TestS3) -> SandboxBuilder {
    Sandbox::builder().aws(keys()).volume(volume(server))
}

/// The bucket as somebody else sees it.
fn bucket(server: &TestS3) -> Bucket {
    let bucket = Bucket::builder("lab-results", keys()).endpoint(server.endpoint());
    bucket.build().expect("an address on this machine is fine")
}

async fn read(server: &TestS3, key: &str) -> Vec<u8> {
    let bucket = bucket(server);
    let mut download = bucket.get(key).await.expect("the object is there");
    let mut bytes = Vec::new();
    while let Some(chunk) = download.chunk().await.expect("to the end") {
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

async fn put(server: &TestS3, key: &str, content: &'static [u8]) {
    let upload = Upload::new(content.len() as u64, content);
    bucket(server)
        .put(key, upload)
        .await
        .expect("it is written");
}

#[tokio::test]
async fn a_move_and_a_copy_put_the_bytes_into_the_bucket() -> Outcome {
    let server = server().await;
    let sandbox = sandbox(&server).start().await?;
    let moved = file(&sandbox, "README.txt");
    let copied = file(&sandbox, "results/NA12891/reads.bam");
    let first = started(&sandbox, "", &export(&moved, "lab/real", "r/a 1.txt")).await;
    let body = export(&copied, "lab/real", "r/reads.bam");
    let second = started(&sandbox, "?copy_only=true", &body).await;
    assert_eq!(ended(&sandbox, &first).await["state"], "COMPLETED");
    assert_eq!(ended(&sandbox, &second).await["state"], "COMPLETED");

    assert_eq!(
        read(&server, "cohort/r/a 1.txt").await,
        b"Files to try exports with.\n"
    );
    assert_eq!(read(&server, "cohort/r/reads.bam").await.len(), 1 << 20);
    assert!(
        !sandbox
            .data()
            .join("projects/sandbox/demo/README.txt")
            .exists()
    );
    assert!(!sandbox.data().join("volumes/lab").exists());
    let alias = get(&sandbox, &format!("/files/{moved}"))
        .send()
        .await
        .json();
    assert_eq!(alias["storage"]["location"], "r/a 1.txt");
    let kept = get(&sandbox, &format!("/files/{copied}"))
        .send()
        .await
        .json();
    assert_eq!(kept["storage"]["type"], "PLATFORM");
    let whole = get(&sandbox, "/storage/volumes/lab/real")
        .send()
        .await
        .json();
    assert_eq!(whole["service"]["endpoint"], server.endpoint());
    Ok(())
}

#[tokio::test]
async fn what_a_job_asks_of_s3_arrives_as_headers() -> Outcome {
    let server = server().await;
    let sandbox = sandbox(&server).start().await?;
    let id = file(&sandbox, "README.txt");
    let some = |text: &str| Some(text.to_owned());
    let kms = json!({
        "sse_algorithm": "aws:kms", "sse_aws_kms_key_id": "key/7",
        "aws_canned_acl": "bucket-owner-full-control", "aws_storage_class": "GLACIER",
    });
    let all = Kept {
        sse: some("aws:kms"),
        kms_key_id: some("key/7"),
        storage_class: some("GLACIER"),
        acl: some("bucket-owner-full-control"),
    };
    let other_spelling = json!({"sse_algorithm": "aws:kms", "sse_aws_kms_key_Id": "key/8"});
    let other = Kept {
        sse: some("aws:kms"),
        kms_key_id: some("key/8"),
        ..Kept::default()
    };
    let encrypted = Kept {
        sse: some("AES256"),
        ..Kept::default()
    };
    // A service that isn't AWS may know no encryption.
    let cases = [
        (Value::Null, Kept::default()),
        (json!({}), Kept::default()),
        (json!({"sse_algorithm": "AES256"}), encrypted),
        (json!({"sse_algorithm": null}), Kept::default()),
        (kms, all),
        (other_spelling, other),
    ];
    for (number, (properties, expected)) in cases.into_iter().enumerate() {
        let location = format!("{number}.txt");
        let mut body = export(&id, "lab/real", &location);
        body["properties"] = properties;
        let job = started(&sandbox, "?copy_only=true", &body).await;
        assert_eq!(ended(&sandbox, &job).await["state"], "COMPLETED");
        let kept = server.kept("lab-results", &format!("cohort/{location}"));
        assert_eq!(kept, Some(expected), "{body}");
    }
    Ok(())
}

#[tokio::test]
async fn the_bucket_says_whether_a_key_is_occupied() -> Outcome {
    let server = server().await;
    let sandbox = sandbox(&server).start().await?;
    put(&server, "cohort/taken.txt", b"somebody else's").await;
    let id = file(&sandbox, "README.txt");
    let mut body = export(&id, "lab/real", "taken.txt");
    let job = started(&sandbox, "", &body).await;
    let job = ended(&sandbox, &job).await;
    assert_eq!(job["state"], "FAILED");
    assert_eq!(job["error"]["code"], 9107);
    assert_eq!(read(&server, "cohort/taken.txt").await, b"somebody else's");

    body["overwrite"] = true.into();
    let job = started(&sandbox, "", &body).await;
    assert_eq!(ended(&sandbox, &job).await["state"], "COMPLETED");
    assert_eq!(
        read(&server, "cohort/taken.txt").await,
        b"Files to try exports with.\n"
    );
    assert_eq!(sandbox.ledger().objects_overwritten, 1);
    Ok(())
}

#[tokio::test]
async fn the_api_lists_what_is_in_the_bucket() -> Outcome {
    let server = server().await;
    let sandbox = sandbox(&server).start().await?;
    for key in [
        "cohort/a",
        "cohort/b/1",
        "cohort/b/2",
        "cohort/b/deep/3",
        "cohort/c",
        "elsewhere",
    ] {
        put(&server, key, b"put by others").await;
    }
    for limit in [1, 2, 100] {
        let mut found = Vec::new();
        let mut levels = vec![String::new()];
        while let Some(prefix) = levels.pop() {
            let first = format!("/storage/volumes/lab/real/list?limit={limit}&prefix={prefix}");
            let mut next = Some(first);
            while let Some(path) = next {
                let page = get(&sandbox, &path).send().await.json();
                let texts = |list: &str, key: &str| -> Vec<String> {
                    let list = page[list].as_array().expect("a list, even if empty");
                    let text = |item: &Value| item[key].as_str().unwrap_or_default().to_owned();
                    list.iter().map(text).collect()
                };
                found.extend(texts("items", "location"));
                levels.extend(texts("prefixes", "prefix"));
                let link = page["links"][0]["next"].as_str();
                next = link.map(|link| link.replace(sandbox.endpoint(), ""));
            }
        }
        found.sort();
        assert_eq!(found, ["a", "b/1", "b/2", "b/deep/3", "c"], "limit {limit}");
    }
    let object = "/storage/volumes/lab/real/object?location=";
    let shown = get(&sandbox, &format!("{object}b/1")).send().await.json();
    assert_eq!(shown["metadata"]["Content-Length"], 13);
    // printf 'put by others' | md5sum
    assert_eq!(
        shown["metadata"]["ETag"],
        "\"9cce05d0c19460600174c5f9a7fe7b72\""
    );
    for missing in ["none", "../elsewhere"] {
        let answer = get(&sandbox, &format!("{object}{missing}")).send().await;
        assert_eq!(answer.code(), (404, 9105), "{missing}");
    }
    // A token of another kind of volume leads nowhere.
    let stray = "/storage/volumes/lab/real/list?continuation_token=f61";
    assert_eq!(get(&sandbox, stray).send().await.status, 400);
    Ok(())
}

#[tokio::test]
async fn a_refusal_fails_the_job_and_says_why() -> Outcome {
    let server = server().await;
    let gone = VolumeSeed::s3("lab/gone").bucket("nowhere");
    let gone = gone.real_s3(Some(server.endpoint()));
    let sandbox = sandbox(&server).volume(gone).start().await?;
    server.close("lab-results");
    let id = file(&sandbox, "README.txt");
    for (volume, location, code, why) in [
        ("lab/real", "a.txt", 9103, "AccessDenied"),
        ("lab/real", "a/../b.txt", 9103, "can't stand in an address"),
        ("lab/gone", "a.txt", 9103, "NoSuchBucket"),
    ] {
        let job = started(&sandbox, "", &export(&id, volume, location)).await;
        let job = ended(&sandbox, &job).await;
        assert_eq!(job["state"], "FAILED");
        assert_eq!(job["error"]["code"], code, "{job}");
        let message = job["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(why), "{message}");
    }
    let file = get(&sandbox, &format!("/files/{id}")).send().await.json();
    assert_eq!(file["storage"]["type"], "PLATFORM");
    assert!(
        sandbox
            .data()
            .join("projects/sandbox/demo/README.txt")
            .exists()
    );
    let list = get(&sandbox, "/storage/volumes/lab/gone/list").send().await;
    assert_eq!(list.code(), (403, 9001));

    server.slow_down(1000);
    let job = started(&sandbox, "", &export(&id, "lab/real", "b.txt")).await;
    assert_eq!(ended(&sandbox, &job).await["error"]["code"], 9100);
    let list = get(&sandbox, "/storage/volumes/lab/real/list").send().await;
    assert_eq!(list.code(), (503, 9100));
    Ok(())
}

#[tokio::test]
async fn a_restart_keeps_the_volume_and_no_keys() -> Outcome {
    let server = server().await;
    let data = tempfile::tempdir()?;
    let long = Duration::from_millis(300);
    let first = sandbox(&server).data(data.path()).job_duration(long..=long);
    let first = first.start().await?;
    let done = file(&first, "README.txt");
    let job = started(&first, "", &export(&done, "lab/real", "a.txt")).await;
    ended(&first, &job).await;
    let later = file(&first, "results/NA12878/calls.vcf");
    let job = started(&first, "", &export(&later, "lab/real", "b.vcf")).await;
    let refused = export(
        &file(&first, "results/NA12878/metrics.tsv"),
        "lab/real",
        "a.txt",
    );
    let refused = started(&first, "", &refused).await;
    let why = ended(&first, &refused).await;
    first.stop().await;

    // Only the keys have to be there again.
    let second = Sandbox::builder()
        .data(data.path())
        .aws(keys())
        .start()
        .await?;
    assert_eq!(ended(&second, &job).await["state"], "COMPLETED");
    let again = get(&second, &format!("/storage/exports/{refused}"))
        .send()
        .await;
    assert_eq!(again.json()["error"], why["error"]);
    let alias = get(&second, &format!("/files/{done}")).send().await.json();
    assert_eq!(alias["storage"]["type"], "VOLUME");
    assert!(!read(&server, "cohort/b.vcf").await.is_empty());
    let ledger = format!("{:?}", second.ledger());
    second.stop().await;
    for secret in [TestS3::KEY_ID, TestS3::SECRET, "X-Amz-Signature"] {
        assert!(!ledger.contains(secret));
        let mut folders = vec![data.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
                    assert!(!text.contains(secret), "{}", path.display());
                }
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn only_jobs_change_a_real_bucket() -> Outcome {
    let server = server().await;
    let sandbox = sandbox(&server).start().await?;
    let before = server.requests();
    let put = sandbox.put_object("lab/real", "a", b"a");
    assert_eq!(
        put.map_err(|error| error.kind()),
        Err(std::io::ErrorKind::Unsupported)
    );
    let path = "/_sandbox/objects?volume=lab/real&location=a";
    assert_eq!(request(&sandbox, "DELETE", path).send().await.status, 503);
    assert_eq!(server.requests(), before);
    Ok(())
}

#[tokio::test]
async fn a_scenario_names_the_bucket_and_never_the_keys() -> Outcome {
    let server = server().await;
    let scenario = |more: &str| -> Result<Scenario, _> {
        let place = format!(r#""s3": {{"endpoint": "{}"}}"#, server.endpoint());
        let text = r#"{"volumes": [{"id": "lab/real", "bucket": "lab-results", PLACE MORE}]}"#;
        text.replace("PLACE", &place).replace("MORE", more).parse()
    };
    let sandbox = Sandbox::builder()
        .aws(keys())
        .scenario(scenario("")?)
        .start()
        .await?;
    let id = file(&sandbox, "README.txt");
    let job = started(&sandbox, "", &export(&id, "lab/real", "a.txt")).await;
    assert_eq!(ended(&sandbox, &job).await["state"], "COMPLETED");
    assert!(!read(&server, "a.txt").await.is_empty());

    for more in [r#", "objects": {"a": "b"}"#, r#", "service": "gcs""#] {
        let error = scenario(more).expect_err("no real bucket");
        let cause = error.source().map(ToString::to_string);
        assert!(
            cause.is_some_and(|cause| cause.contains("real bucket")),
            "{more}"
        );
    }
    let plain = VolumeSeed::s3("lab/real")
        .bucket("b")
        .real_s3(Some("http://store.example"));
    let outcome = Sandbox::builder().aws(keys()).volume(plain).start().await;
    assert!(
        matches!(outcome, Err(SandboxError::Bucket { .. })),
        "{outcome:?}"
    );
    Ok(())
}
