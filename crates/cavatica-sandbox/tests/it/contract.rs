//! What clients that run unmodified rely on, one fault that once broke them for each.

use cavatica_sandbox::{ProjectSeed, Quirk, Sandbox, TaskSeed, VolumeSeed};
use serde_json::{Value, json};

use crate::client::{Outcome, export, file, get, patch, post, request, started};

/// The texts of one key of a page's items.
fn each(page: &Value, key: &str) -> Vec<String> {
    let items = page["items"].as_array().expect("a page");
    let texts = items.iter().map(|item| item[key].as_str());
    texts
        .map(|text| text.unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn projects_are_listed_by_owner_name_and_category() -> Outcome {
    let sandbox = Sandbox::builder()
        .project(ProjectSeed::new("ada/Trial-1"))
        .project(ProjectSeed::new("ada/other"))
        .project(ProjectSeed::new("bob/trial"))
        .start()
        .await?;
    for (path, ids) in [
        ("/projects/ada", vec!["ada/Trial-1", "ada/other"]),
        ("/projects/nobody", vec![]),
        ("/projects/?name=TRIAL", vec!["ada/Trial-1", "bob/trial"]),
        ("/projects?tags=urgent", vec![]),
        ("/projects?category=PUBLIC", vec![]),
        ("/projects/ada?category=PRIVATE&name=oth", vec!["ada/other"]),
    ] {
        let page = get(&sandbox, path).send().await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(each(&page.json(), "id"), ids, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn tasks_are_read_in_bulk_filtered_and_found_by_project() -> Outcome {
    let ids = [
        "11111111-0000-4000-8000-000000000001",
        "11111111-0000-4000-8000-000000000002",
    ];
    let project = ids.iter().fold(ProjectSeed::new("a/b"), |project, id| {
        project.task(TaskSeed::new(*id))
    });
    let sandbox = Sandbox::builder().project(project).start().await?;
    let asked = json!({"task_ids": [ids[1], "none"]});
    let answer = post(&sandbox, "/bulk/tasks/get", &asked)
        .send()
        .await
        .json();
    assert_eq!(answer["items"][0]["resource"]["id"], ids[1]);
    assert_eq!(answer["items"][1]["error"]["code"], 7002);

    for (query, found) in [
        ("status=COMPLETED", 2),
        ("status=running", 0),
        ("created_from=2001-01-01T00:00:00", 2),
        ("created_to=2001-01-01T00:00:00Z", 0),
        (
            "ended_to=2999-01-01T00:00:00%2B02:00&started_from=2001-01-01",
            2,
        ),
    ] {
        let page = get(&sandbox, &format!("/tasks?{query}")).send().await;
        assert_eq!(each(&page.json(), "id").len(), found, "{query}");
    }
    let sorted = get(&sandbox, "/tasks?order_by=id&order=desc").send().await;
    assert_eq!(each(&sorted.json(), "id"), [ids[1], ids[0]]);
    let unknown = get(&sandbox, "/tasks?status=LATE").send().await;
    assert_eq!(unknown.code(), (400, 7006));
    let elsewhere = get(&sandbox, "/projects/a/b/tasks?limit=1").send().await;
    let location = elsewhere.header("location").unwrap_or_default();
    assert_eq!(elsewhere.status, 302);
    assert!(
        location.ends_with("/v2/tasks?project=a%2Fb&limit=1"),
        "{location}"
    );
    Ok(())
}

#[tokio::test]
async fn a_volume_tells_what_it_was_given_without_secrets() -> Outcome {
    let data = tempfile::tempdir()?;
    let sandbox = Sandbox::builder().data(data.path()).start().await?;
    let volumes = [
        json!({"type": "s3", "bucket": "b", "credentials": {"role_arn": "arn:aws:iam::000000000000:role/x", "external_id": "e"}}),
        json!({"type": "gcs", "bucket": "b", "credentials": {"client_email": "a@b", "private_key": "HIDDEN"}}),
        json!({"type": "azure", "storage_account": "acc", "container": "c", "properties": {"resource_id": "R"},
            "credentials": {"tenant_id": "T", "client_id": "C", "client_secret": "HIDDEN"}}),
        json!({"type": "OSS", "bucket": "b", "endpoint": "oss.example",
            "credentials": {"access_key_id": "A", "secret_access_key": "HIDDEN"}}),
    ];
    let mut told = Vec::new();
    for (number, service) in volumes.iter().enumerate() {
        let body = json!({"name": format!("vol{number}"), "access_mode": "RO", "description": "mine", "service": service});
        let made = post(&sandbox, "/storage/volumes", &body).send().await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert!(!made.text.contains("HIDDEN"), "{}", made.text);
        assert_eq!(made.json()["description"], "mine");
        told.push(made.json()["service"].clone());
    }
    assert_eq!(
        told[0]["credentials"], volumes[0]["credentials"],
        "neither part is a secret"
    );
    assert_eq!(told[0]["properties"], json!({"sse_algorithm": "AES256"}));
    assert_eq!(told[1]["credentials"], json!({"client_email": "a@b"}));
    assert_eq!(told[1]["root_url"], "https://www.googleapis.com");
    assert_eq!(
        (
            &told[2]["storage_account"],
            &told[2]["properties"]["resource_id"]
        ),
        (&json!("acc"), &json!("R"))
    );
    assert_eq!(told[2]["root_url"], Value::Null);
    assert_eq!(told[3]["endpoint"], "oss.example");

    let at = "/storage/volumes/sandbox/vol0";
    let change = json!({"description": "yours", "service": {
        "credentials": {"access_key_id": "B", "secret_access_key": "HIDDEN"},
        "properties": {"aws_canned_acl": "private"},
    }});
    patch(&sandbox, at, &change).send().await;
    sandbox.stop().await;
    let log = std::fs::read_to_string(data.path().join("world.jsonl"))?;
    assert!(!log.contains("HIDDEN"));
    let sandbox = Sandbox::builder().data(data.path()).start().await?;
    let changed = get(&sandbox, at).send().await.json();
    assert_eq!(changed["description"], "yours");
    assert_eq!(
        changed["service"]["credentials"],
        json!({"access_key_id": "B"})
    );
    assert_eq!(
        changed["service"]["properties"],
        json!({"sse_algorithm": "AES256", "aws_canned_acl": "private"})
    );
    let bad = json!({"service": {"properties": {"sse_algorithm": "ROT13"}}});
    assert_eq!(patch(&sandbox, at, &bad).send().await.code(), (400, 9023));
    Ok(())
}

#[tokio::test]
async fn a_listing_tells_folders_as_each_client_knows_them() -> Outcome {
    for (quirks, folders) in [
        (vec![], vec!["run1/qc"]),
        (vec![Quirk::SlashedPrefixes], vec!["run1/qc/"]),
        (
            vec![Quirk::FolderInItself, Quirk::SlashedPrefixes],
            vec!["run1/", "run1/qc/"],
        ),
    ] {
        let volume = VolumeSeed::s3("a/v")
            .object("run1/a", "a")
            .object("run1/qc/b", "b");
        let builder = Sandbox::builder().volume(volume);
        let sandbox = quirks
            .into_iter()
            .fold(builder, |builder, quirk| builder.quirk(quirk))
            .start()
            .await?;
        for asked in ["run1", "run1/"] {
            let page = get(
                &sandbox,
                &format!("/storage/volumes/a/v/list?prefix={asked}"),
            )
            .send()
            .await
            .json();
            let told = page["prefixes"].as_array().expect("folders");
            let told: Vec<_> = told
                .iter()
                .map(|folder| folder["prefix"].as_str().unwrap_or_default())
                .collect();
            assert_eq!(told, folders, "{asked}");
            assert_eq!(each(&page, "location"), ["run1/a"]);
            assert_eq!(
                (&page["prefix"], &page["truncated"]),
                (&json!("run1"), &json!(false))
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn starts_are_read_as_their_clients_write_them() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    let folder = post(
        &sandbox,
        "/storage/exports",
        &export(&id, "sandbox/output", "run1/"),
    );
    assert_eq!(folder.send().await.code(), (400, 9072));
    let taken = export(&id, "sandbox/output", "earlier/exported.bam");
    let job = started(&sandbox, "?overwrite=true&copy_only=true", &taken).await;
    let job = get(&sandbox, &format!("/storage/exports/{job}"))
        .send()
        .await
        .json();
    assert_eq!(
        job["overwrite"], true,
        "one client says it in the query alone"
    );

    let refused = post(
        &sandbox,
        "/storage/exports",
        &export(&id, "sandbox/readonly", "x"),
    );
    let refused = refused.send().await.json();
    assert_eq!(
        refused["more_info"],
        "http://docs.cavatica.org/docs/api-status-codes/#9026"
    );
    Ok(())
}

#[tokio::test]
async fn a_copy_may_need_a_header() -> Outcome {
    let sandbox = Sandbox::builder()
        .quirk(Quirk::CopyNeedsHeader)
        .start()
        .await?;
    let body = export(&file(&sandbox, "README.txt"), "sandbox/output", "x");
    let copy = || post(&sandbox, "/storage/exports?copy_only=true", &body);
    let refused = copy().send().await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text.contains("X-SBG-Advance-Access"),
        "{}",
        refused.text
    );
    assert!(sandbox.ledger().jobs.is_empty());
    let taken = copy()
        .header("X-SBG-Advance-Access", "advance")
        .send()
        .await;
    assert_eq!(taken.status, 200);
    Ok(())
}

#[tokio::test]
async fn what_the_sandbox_leaves_out_is_said() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "results/NA12878/calls.vcf");
    let metadata = get(&sandbox, &format!("/files/{id}/metadata")).send().await;
    assert_eq!(metadata.json(), json!({"sample_id": "NA12878"}));
    for (method, path) in [
        ("GET", "/storage/imports"),
        ("POST", "/storage/imports"),
        ("GET", "/storage/imports/x"),
        ("POST", "/bulk/storage/imports/create"),
        ("GET", "/apps"),
        ("POST", "/projects"),
        ("DELETE", "/files/x"),
        ("POST", "/action/files/copy"),
    ] {
        let answer = request(&sandbox, method, path).send().await;
        assert_eq!(answer.code(), (501, 90010), "{method} {path}");
        assert!(
            answer.text.contains("the sandbox doesn't serve it"),
            "{}",
            answer.text
        );
    }
    Ok(())
}
