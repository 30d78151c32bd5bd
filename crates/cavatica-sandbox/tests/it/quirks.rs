use std::time::Duration;

use cavatica_sandbox::{FaultPlan, LedgerPlace, ProjectSeed, Quirk, Sandbox, VolumeSeed};
use serde_json::{Value, json};

use crate::client::{Outcome, ended, export, file, get, post, started};

async fn with(quirk: Quirk) -> Result<Sandbox, Box<dyn std::error::Error>> {
    Ok(Sandbox::builder().quirk(quirk).start().await?)
}

#[tokio::test]
async fn starts_may_answer_created() -> Outcome {
    let sandbox = with(Quirk::Created).await?;
    let body = export(&file(&sandbox, "README.txt"), "sandbox/output", "x");
    let one = post(&sandbox, "/storage/exports?copy_only=true", &body);
    assert_eq!(one.send().await.status, 201);
    let body = json!({"items": [body]});
    let many = post(&sandbox, "/bulk/storage/exports/create", &body);
    assert_eq!(many.send().await.status, 201);
    Ok(())
}

#[tokio::test]
async fn copy_only_may_mean_nothing() -> Outcome {
    let sandbox = with(Quirk::IgnoreCopyOnly).await?;
    let id = file(&sandbox, "README.txt");
    let body = export(&id, "sandbox/output", "x");
    let job = started(&sandbox, "?copy_only=true", &body).await;
    let job = ended(&sandbox, &job).await;
    assert_eq!(job["result"]["storage"]["type"], "VOLUME");
    Ok(())
}

#[tokio::test]
async fn a_slash_stands_behind_the_prefix_or_not() -> Outcome {
    for (quirk, prefix, location, key) in [
        (None, "a", "b", "a/b"),
        (None, "a/", "b", "a/b"),
        (None, "", "b", "b"),
        (Some(Quirk::PlainJoin), "a", "b", "ab"),
        (Some(Quirk::PlainJoin), "a/", "b", "a/b"),
    ] {
        let builder = Sandbox::builder().volume(VolumeSeed::s3("sandbox/v").prefix(prefix));
        let builder = match quirk {
            Some(quirk) => builder.quirk(quirk),
            None => builder,
        };
        let sandbox = builder.start().await?;
        let id = file(&sandbox, "README.txt");
        let job = started(&sandbox, "", &export(&id, "sandbox/v", location)).await;
        ended(&sandbox, &job).await;
        let place = sandbox.data().join("volumes/sandbox/v").join(key);
        assert!(place.exists(), "{prefix} + {location}");
    }
    Ok(())
}

#[tokio::test]
async fn the_last_of_two_jobs_for_a_key_may_win() -> Outcome {
    let sandbox = with(Quirk::LastWins).await?;
    for path in ["README.txt", "results/NA12878/metrics.tsv"] {
        let id = file(&sandbox, path);
        let job = started(&sandbox, "", &export(&id, "sandbox/output", "same")).await;
        assert_eq!(ended(&sandbox, &job).await["state"], "COMPLETED");
    }
    let object = std::fs::read_to_string(sandbox.object_path("sandbox/output", "same"))?;
    assert!(object.starts_with("metric"));
    assert_eq!(sandbox.ledger().objects_overwritten, 1);
    Ok(())
}

#[tokio::test]
async fn refusals_may_come_late_and_occupied_keys_early() -> Outcome {
    let sandbox = Sandbox::builder()
        .quirk(Quirk::RefuseInJob)
        .quirk(Quirk::OccupiedAtStart)
        .start()
        .await?;
    for path in [
        "already/archived.tar",
        "already/exported.bam",
        "results",
        "reference/genome.fa",
    ] {
        let body = export(&file(&sandbox, path), "sandbox/output", path);
        let job = started(&sandbox, "", &body).await;
        assert_eq!(ended(&sandbox, &job).await["error"]["code"], 9006, "{path}");
    }
    let body = export(
        &file(&sandbox, "README.txt"),
        "sandbox/output",
        "earlier/exported.bam",
    );
    let occupied = post(&sandbox, "/storage/exports", &body).send().await;
    assert_eq!(occupied.code(), (409, 9107));
    Ok(())
}

#[tokio::test]
async fn an_old_object_may_survive_a_failed_overwrite() -> Outcome {
    let plan: cavatica_sandbox::FaultPlan = "fail-jobs,times=1".parse()?;
    let sandbox = Sandbox::builder()
        .quirk(Quirk::DeleteLast)
        .faults(plan)
        .start()
        .await?;
    let mut body = export(
        &file(&sandbox, "README.txt"),
        "sandbox/output",
        "earlier/exported.bam",
    );
    body["overwrite"] = true.into();
    let place = sandbox.object_path("sandbox/output", "earlier/exported.bam");
    for (state, content) in [
        ("FAILED", "alignment"),
        ("COMPLETED", "Files to try exports with.\n"),
    ] {
        let job = started(&sandbox, "", &body).await;
        assert_eq!(ended(&sandbox, &job).await["state"], state);
        assert_eq!(std::fs::read_to_string(&place)?, content);
    }
    assert_eq!(sandbox.ledger().objects_overwritten, 1);
    Ok(())
}

#[tokio::test]
async fn words_and_numbers_may_be_written_otherwise() -> Outcome {
    let mut builder = Sandbox::builder();
    for quirk in [
        Quirk::Capitals,
        Quirk::NoHosts,
        Quirk::ResetInMilliseconds,
        Quirk::OldestFirst,
    ] {
        builder = builder.quirk(quirk);
    }
    let hour = Duration::from_secs(3600);
    let sandbox = builder.job_duration(hour..=hour).start().await?;
    let seen = async |path: String| get(&sandbox, &path).send().await.json();
    let id = file(&sandbox, "README.txt");
    let shown = seen(format!("/files/{id}")).await;
    assert_eq!(shown["type"], "FILE");
    assert_eq!(shown["storage"], json!({"type": "PLATFORM"}));
    let volume = seen("/storage/volumes/sandbox/output".to_owned()).await;
    assert_eq!(volume["service"]["type"], "S3");
    let limit = seen("/rate_limit".to_owned()).await;
    assert!(limit["rate"]["reset"].as_i64() > Some(1_000_000_000_000));

    let mut jobs = Vec::new();
    for location in ["a", "b", "c"] {
        let body = export(&id, "sandbox/output", location);
        jobs.push(Value::from(started(&sandbox, "", &body).await));
    }
    let list = seen("/storage/exports?fields=id".to_owned()).await;
    let listed = list["items"].as_array().into_iter().flatten();
    assert_eq!(
        listed.map(|job| job["id"].clone()).collect::<Vec<_>>(),
        jobs
    );
    Ok(())
}

/// What an export asks for and what it is of may be no good.
#[tokio::test]
async fn storage_classes_and_empty_files_may_be_refused_and_keys_passed_over() -> Outcome {
    let sandbox = Sandbox::builder()
        .quirk(Quirk::NoStorageClass)
        .quirk(Quirk::NoEmptyFiles)
        .quirk(Quirk::OtherKmsKey)
        .quirk(Quirk::NotEnabled)
        .project(ProjectSeed::new("a/b").file("empty", "").file("f", "f"))
        .start()
        .await?;
    let of = |name: &str| {
        let id = sandbox.file_id("a/b", name).expect("a file");
        export(&id, "sandbox/output", name)
    };
    let empty = post(&sandbox, "/storage/exports", &of("empty"));
    assert_eq!(empty.send().await.code(), (403, 9006));
    let mut cold = of("f");
    cold["properties"] = json!({"aws_storage_class": "GLACIER"});
    let cold = post(&sandbox, "/storage/exports", &cold);
    assert_eq!(cold.send().await.code(), (400, 9024));
    let mut sealed = of("f");
    sealed["properties"] = json!({"sse_algorithm": "aws:kms", "sse_aws_kms_key_id": "k"});
    let sealed = post(&sandbox, "/storage/exports", &sealed).send().await;
    let told = &sealed.json()["properties"];
    assert_eq!(told["sse_algorithm"], "aws:kms");
    assert_eq!(told.get("sse_aws_kms_key_id"), None, "{told}");
    let volume = get(&sandbox, "/storage/volumes/sandbox/output")
        .send()
        .await;
    assert_eq!(volume.json()["service"]["export_enabled"], false);
    Ok(())
}

#[tokio::test]
async fn a_failed_move_may_lose_its_file_and_a_failed_copy_none() -> Outcome {
    let sandbox = Sandbox::builder()
        .quirk(Quirk::FailureLosesFile)
        .faults("fail-jobs".parse::<FaultPlan>()?)
        .start()
        .await?;
    let id = file(&sandbox, "README.txt");
    let body = export(&id, "sandbox/output", "x");
    for (query, left) in [
        ("?copy_only=true", LedgerPlace::Platform),
        ("", LedgerPlace::Gone),
    ] {
        let job = started(&sandbox, query, &body).await;
        assert_eq!(ended(&sandbox, &job).await["state"], "FAILED");
        assert_eq!(sandbox.place_of(&id), Some(left));
    }
    Ok(())
}

#[test]
fn every_quirk_has_a_name() {
    for quirk in Quirk::ALL {
        assert_eq!(quirk.name().parse::<Quirk>().as_ref(), Ok(quirk));
        let json = serde_json::to_value(quirk).expect("a quirk can be written");
        assert_eq!(json, quirk.name());
    }
    assert!("shy".parse::<Quirk>().is_err());
}
