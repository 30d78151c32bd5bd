//! Locations, names and paths made to reach out of the data folder, over the wire.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cavatica_sandbox::Sandbox;
use serde_json::json;

use crate::client::{Answer, Outcome, ended, export, file, get, post};

fn hostile() -> Vec<String> {
    let texts = [
        "..",
        "../../outside.txt",
        "/outside.txt",
        "a/../../../../outside.txt",
        "a/./../..//outside.txt",
        "..\\..\\outside.txt",
        "C:\\outside.txt",
        "%2e%2e/%2e%2e/outside.txt",
        "~/outside.txt",
        "a\0/../../outside.txt",
        "a\r\nX-Injected: 1",
        "\u{fe52}\u{fe52}/\u{2025}/\u{ff0e}\u{ff0e}/outside.txt",
    ];
    let long = format!("{}/../../outside.txt", "x".repeat(300));
    texts.map(str::to_owned).into_iter().chain([long]).collect()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Every file below a folder, with its text where it has one, but for the data folder.
fn outside(folder: &Path, data: &Path) -> BTreeMap<PathBuf, Option<String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path == data {
                continue;
            }
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path.clone(), fs::read_to_string(&path).ok());
        }
    }
    found
}

#[tokio::test]
async fn nothing_reaches_out_of_the_data_folder() -> Outcome {
    let around = tempfile::tempdir()?;
    let data = around.path().join("deep/data");
    fs::create_dir_all(&data)?;
    for folder in ["", "deep"] {
        fs::write(around.path().join(folder).join("outside.txt"), "a secret")?;
    }
    let before = outside(around.path(), &data);
    let sandbox = Sandbox::builder().data(&data).start().await?;
    let id = file(&sandbox, "README.txt");
    let harmless = |answer: &Answer, what: &str| {
        assert!(answer.status < 500, "{what}: {}", answer.text);
        assert!(!answer.text.contains("a secret"), "{what}");
        assert_eq!(answer.header("x-injected"), None, "{what}");
    };

    for text in hostile() {
        let body = export(&id, "sandbox/output", &text);
        let answer = post(&sandbox, "/storage/exports?copy_only=true", &body)
            .send()
            .await;
        harmless(&answer, &text);
        if answer.status < 300 {
            let job = answer.json()["id"].as_str().expect("an id").to_owned();
            ended(&sandbox, &job).await;
        }

        let volume = json!({
            "name": text,
            "service": {"type": "s3", "bucket": text, "prefix": text, "credentials": {}},
        });
        let answer = post(&sandbox, "/storage/volumes", &volume).send().await;
        harmless(&answer, &text);

        let part = encoded(&text);
        for path in [
            format!("/files/{part}"),
            format!("/files/{part}/list"),
            format!("/files?project=sandbox/demo&name={part}"),
            format!("/files?project={part}"),
            format!("/storage/exports/{part}"),
            format!("/storage/volumes/{part}"),
            format!("/storage/volumes/sandbox/output/list?prefix={part}"),
            format!("/storage/volumes/sandbox/output/object?location={part}"),
            "/files/../../../../outside.txt".to_owned(),
            "/../outside.txt".to_owned(),
        ] {
            let answer = get(&sandbox, &path).send().await;
            harmless(&answer, &path);
        }
    }
    sandbox.stop().await;
    assert_eq!(outside(around.path(), &data), before);
    Ok(())
}
