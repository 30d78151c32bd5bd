//! Folders that are read while things happen to their files, by a platform that is slow to notice.

use std::collections::BTreeSet;
use std::time::Duration;

use cavatica_sandbox::{FaultPlan, LedgerPlace, ProjectSeed, Sandbox, VolumeSeed};
use serde_json::{Value, json};

use crate::client::{Answer, Outcome, ended, export, file, get, patch, post, started};

const FIRST: &str = "/files/scroll?project=a/b&token=init&limit=4&fields=id,name,storage";

/// Ten files, whose jobs end at once.
async fn with(plan: &str) -> Result<Sandbox, Box<dyn std::error::Error>> {
    let plan: FaultPlan = plan.parse()?;
    let builder = Sandbox::builder()
        .project(ProjectSeed::new("a/b").synthetic("", 10, 10))
        .volume(VolumeSeed::s3("a/v").keys_only())
        .job_duration(Duration::ZERO..=Duration::ZERO)
        .faults(plan);
    Ok(builder.start().await?)
}

async fn page(sandbox: &Sandbox, path: &str) -> Answer {
    let page = get(sandbox, path).header("X-SBG-Advance-Access", "advance");
    page.send().await
}

fn items(page: &Answer) -> Vec<Value> {
    page.json()["items"].as_array().cloned().unwrap_or_default()
}

fn next(sandbox: &Sandbox, page: &Answer) -> Option<String> {
    let page = page.json();
    let link = page["links"][0]["href"].as_str()?;
    Some(link.replace(sandbox.endpoint(), ""))
}

/// The ids of all entries that a scroll shows, in its order.
async fn scroll(sandbox: &Sandbox) -> Vec<String> {
    let mut path = Some(FIRST.to_owned());
    let mut ids = Vec::new();
    while let Some(this) = path {
        let page = page(sandbox, &this).await;
        assert_eq!(page.status, 200, "{}", page.text);
        ids.extend(items(&page).iter().map(|item| item["id"].to_string()));
        path = next(sandbox, &page);
    }
    ids
}

async fn move_file(sandbox: &Sandbox, number: usize) -> String {
    let path = format!("file-{number:07}.dat");
    let id = sandbox.file_id("a/b", &path).expect("a file");
    let job = started(sandbox, "", &export(&id, "a/v", &path)).await;
    assert_eq!(ended(sandbox, &job).await["state"], "COMPLETED");
    id
}

fn lies_on(item: &Value) -> &str {
    item["storage"]["type"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn pages_may_be_smaller_than_asked_for() -> Outcome {
    let sandbox = with("cap-scroll=3").await?;
    let first = page(&sandbox, FIRST).await;
    assert_eq!(items(&first).len(), 3);
    assert_eq!(scroll(&sandbox).await.len(), 10);
    Ok(())
}

#[tokio::test]
async fn a_list_may_lag_behind_the_files() -> Outcome {
    let sandbox = with("late-files=1h@scroll; late-files=1h@files").await?;
    let id = move_file(&sandbox, 1).await;
    let list = "/files?project=a/b&fields=id,storage";
    for path in [FIRST, list] {
        let seen = items(&page(&sandbox, path).await);
        assert_eq!(lies_on(&seen[0]), "PLATFORM", "{path}");
    }
    let itself = get(&sandbox, &format!("/files/{id}")).send().await.json();
    assert_eq!(lies_on(&itself), "VOLUME");
    let added = json!({"file": "a/b:new.dat", "size": 5});
    assert_eq!(post_admin(&sandbox, &added).await, 200);
    assert_eq!(items(&page(&sandbox, list).await).len(), 10);

    sandbox.set_faults(FaultPlan::default());
    assert_eq!(lies_on(&items(&page(&sandbox, FIRST).await)[0]), "VOLUME");
    assert_eq!(items(&page(&sandbox, list).await).len(), 11);
    Ok(())
}

async fn post_admin(sandbox: &Sandbox, body: &Value) -> u16 {
    post(sandbox, "/_sandbox/files", body).send().await.status
}

#[tokio::test]
async fn a_scroll_may_be_a_snapshot() -> Outcome {
    for (plan, lies) in [("snapshot", "PLATFORM"), ("", "VOLUME")] {
        let sandbox = with(plan).await?;
        let first = page(&sandbox, FIRST).await;
        // What happens in the same millisecond may belong to either side.
        tokio::time::sleep(Duration::from_millis(5)).await;
        move_file(&sandbox, 5).await;
        let second = next(&sandbox, &first).expect("a second page");
        let second = items(&page(&sandbox, &second).await);
        assert_eq!(lies_on(&second[0]), lies, "{plan}");
        tokio::time::sleep(Duration::from_millis(5)).await;
        let again = page(&sandbox, FIRST).await;
        let again = next(&sandbox, &again).expect("a second page");
        assert_eq!(lies_on(&items(&page(&sandbox, &again).await)[0]), "VOLUME");
    }
    Ok(())
}

#[tokio::test]
async fn tokens_may_expire() -> Outcome {
    let sandbox = with("expire-tokens=0s").await?;
    let first = page(&sandbox, FIRST).await;
    let next = next(&sandbox, &first).expect("a second page");
    assert_eq!(page(&sandbox, &next).await.code(), (400, 90000));
    sandbox.set_faults(FaultPlan::default());
    assert_eq!(page(&sandbox, &next).await.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_folder_may_change_while_it_is_read() -> Outcome {
    let sandbox = with("restless@scroll,nth=2").await?;
    let before: BTreeSet<String> = (1..=10)
        .filter_map(|number| sandbox.file_id("a/b", &format!("file-{number:07}.dat")))
        .map(|id| Value::from(id).to_string())
        .collect();
    let seen: BTreeSet<String> = scroll(&sandbox).await.into_iter().collect();
    assert!(!before.is_subset(&seen), "one jumped to the front");
    assert!(!seen.is_subset(&before), "one was added");
    let again = scroll(&sandbox).await;
    assert_eq!(again.len(), 11, "each once, now that nothing happens");
    assert!(before.iter().all(|id| again.contains(id)));
    Ok(())
}

#[tokio::test]
async fn a_file_that_was_moved_is_the_same_file() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    sandbox.move_file("sandbox/demo:README.txt", "results/about.txt")?;
    assert_eq!(file(&sandbox, "results/about.txt"), id);
    assert!(
        sandbox
            .data()
            .join("projects/sandbox/demo/results/about.txt")
            .exists()
    );
    let occupied = json!({"file": id, "path": "already/archived.tar"});
    let occupied = patch(&sandbox, "/_sandbox/files", &occupied).send().await;
    assert_eq!(occupied.status, 400, "{}", occupied.text);

    let job = started(&sandbox, "", &export(&id, "sandbox/output", "about.txt")).await;
    assert_eq!(ended(&sandbox, &job).await["state"], "COMPLETED");
    let place = LedgerPlace::Alias {
        volume: "sandbox/output".to_owned(),
        location: "about.txt".to_owned(),
    };
    assert_eq!(sandbox.place_of(&id), Some(place));
    Ok(())
}
