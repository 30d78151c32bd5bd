use std::collections::BTreeSet;

use cavatica_sandbox::{FileSeed, ProjectSeed, Sandbox};
use serde_json::{Value, json};

use crate::client::{Outcome, file, get, post};

#[tokio::test]
async fn a_folder_tree_is_walked_level_by_level() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let mut folders = vec!["/files?project=sandbox/demo".to_owned()];
    let mut names = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        let level = get(&sandbox, &folder).send().await;
        assert!(level.header("x-total-matching-query").is_some());
        for item in level.json()["items"].as_array().into_iter().flatten() {
            let id = item["id"].as_str().expect("an id");
            if item["type"] == "folder" {
                folders.push(format!("/files?parent={id}"));
            } else {
                names.insert(item["name"].as_str().expect("a name").to_owned());
            }
        }
    }
    assert!(names.contains("reads.bam") && names.contains("50% done, #1 (a+b).txt"));
    assert_eq!(names.len(), 8, "two files share a name: {names:?}");
    Ok(())
}

#[tokio::test]
async fn exactly_one_of_project_and_parent_is_needed() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let code = async |path: &str| get(&sandbox, path).send().await.code();
    let folder = file(&sandbox, "results");
    let both = format!("/files?project=sandbox/demo&parent={folder}");
    assert_eq!(code("/files").await, (400, 5029));
    assert_eq!(code(&both).await, (400, 5031));
    assert_eq!(code("/files?project=sandbox/none").await, (404, 3002));
    assert_eq!(code("/files?parent=none").await, (404, 5002));
    assert_eq!(code("/files/none").await, (404, 5002));
    let leaf = format!("/files?parent={}", file(&sandbox, "README.txt"));
    assert_eq!(code(&leaf).await, (400, 5022));
    Ok(())
}

#[tokio::test]
async fn filters_are_alternatives_within_and_demands_between() -> Outcome {
    let task = "6f2a1b3c-0000-4000-8000-000000000001";
    let project = ProjectSeed::new("a/b")
        .with(FileSeed::bytes("1", "").metadata("s", "x").tag("t"))
        .with(FileSeed::bytes("2", "").metadata("s", "y").task(task))
        .with(
            FileSeed::bytes("3", "")
                .metadata("s", "x")
                .metadata("k", "a b"),
        )
        .folder("4");
    let sandbox = Sandbox::builder().project(project).start().await?;
    let names = async |query: &str| {
        let answer = get(&sandbox, &format!("/files?project=a/b{query}"))
            .send()
            .await;
        let items = answer.json()["items"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let total = answer.header("x-total-matching-query").map(str::to_owned);
        assert_eq!(total, Some(items.len().to_string()));
        let name = |item: &Value| item["name"].as_str().unwrap_or_default().to_owned();
        items.iter().map(name).collect::<String>()
    };
    assert_eq!(names("").await, "1234");
    assert_eq!(names("&name=1&name=4").await, "14");
    assert_eq!(names("&metadata.s=x").await, "13");
    assert_eq!(names("&metadata.s=x&metadata.s=y").await, "123");
    assert_eq!(names("&metadata.s=x&metadata.k=a%20b").await, "3");
    assert_eq!(names("&tag=t&tag=u").await, "1");
    assert_eq!(names(&format!("&origin.task={task}")).await, "2");
    assert_eq!(names("&name=1&tag=u").await, "");
    Ok(())
}

#[tokio::test]
async fn a_window_may_begin_after_the_end() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    for offset in [100, u64::MAX] {
        let list = format!("/files?project=sandbox/demo&offset={offset}");
        let page = get(&sandbox, &list).send().await;
        assert_eq!(page.json()["items"], json!([]), "{offset}");
        assert_eq!(page.json()["links"][0]["rel"], "prev");
    }
    Ok(())
}

#[tokio::test]
async fn scrolling_gives_everything_once() -> Outcome {
    let sandbox = Sandbox::builder()
        .project(ProjectSeed::new("a/b").synthetic("many", 250, 1))
        .start()
        .await?;
    let folder = sandbox.file_id("a/b", "many").expect("the folder");
    let refused = get(&sandbox, "/files/scroll?project=a/b&token=init")
        .send()
        .await;
    assert_eq!(refused.status, 403, "advance access wasn't asked for");
    for path in [
        format!("/files/scroll?parent={folder}&token=init&limit=100&fields=_all"),
        format!("/files/{folder}/scroll?token=init&limit=100&fields=_all"),
    ] {
        let mut next = Some(path);
        let mut seen = Vec::new();
        while let Some(path) = next {
            let page = get(&sandbox, &path).header("X-SBG-Advance-Access", "Advance");
            let page = page.send().await;
            assert_eq!(page.status, 200, "{}", page.text);
            let page = page.json();
            let items = page["items"].as_array().cloned().unwrap_or_default();
            assert!(items.iter().all(|item| item["size"] == 1));
            seen.extend(items.iter().map(|item| item["id"].to_string()));
            let link = page["links"][0]["href"].as_str();
            next = link.map(|link| link.replace(sandbox.endpoint(), ""));
        }
        assert_eq!(seen.len(), 250);
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 250);
    }
    Ok(())
}

#[tokio::test]
async fn files_are_read_in_bulk_and_one_by_one_alike() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let ids = ["README.txt", "results", "already/archived.tar"].map(|path| file(&sandbox, path));
    let body = json!({"file_ids": [ids[0], "none", ids[1], ids[2]]});
    let answer = post(&sandbox, "/bulk/files/get", &body).send().await.json();
    assert_eq!(answer["items"][1]["error"]["code"], 5002);
    for (position, id) in [(0, &ids[0]), (2, &ids[1]), (3, &ids[2])] {
        let alone = get(&sandbox, &format!("/files/{id}")).send().await.json();
        assert_eq!(answer["items"][position]["resource"], alone);
    }
    let hosted = |position: usize| {
        answer["items"][position]["resource"]["storage"]["hosted_on_locations"].clone()
    };
    assert_eq!(hosted(0), json!(["aws:us-east-1"]));
    assert_eq!(hosted(3), Value::Null, "an archived file doesn't tell");
    Ok(())
}

#[tokio::test]
async fn the_other_way_to_list_a_project_is_a_redirect() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let answer = get(&sandbox, "/projects/sandbox/demo/files?limit=2")
        .send()
        .await;
    assert_eq!(answer.status, 302);
    let target = answer.header("location").expect("a target");
    let target = target.strip_prefix(sandbox.endpoint()).expect("ours");
    let list = get(&sandbox, target).send().await.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
    Ok(())
}

#[tokio::test]
async fn a_folder_of_this_computer_is_copied_and_left_alone() -> Outcome {
    let source = tempfile::tempdir()?;
    std::fs::create_dir_all(source.path().join("deep/er"))?;
    std::fs::write(source.path().join("deep/er/a b#.txt"), "bytes")?;
    let sandbox = Sandbox::builder()
        .project(ProjectSeed::new("a/b").from_dir(source.path()))
        .start()
        .await?;
    let id = sandbox
        .file_id("a/b", "deep/er/a b#.txt")
        .expect("the file");
    let body = crate::client::export(&id, "sandbox/output", "x");
    let job = crate::client::started(&sandbox, "", &body).await;
    crate::client::ended(&sandbox, &job).await;
    assert_eq!(
        std::fs::read(source.path().join("deep/er/a b#.txt"))?,
        b"bytes"
    );
    assert_eq!(
        std::fs::read(sandbox.object_path("sandbox/output", "x"))?,
        b"bytes"
    );
    Ok(())
}
