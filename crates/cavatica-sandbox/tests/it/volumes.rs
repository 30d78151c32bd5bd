use std::fs;

use cavatica_sandbox::{Sandbox, VolumeSeed};
use serde_json::{Value, json};

use crate::client::{Outcome, ended, export, file, get, started};

#[tokio::test]
async fn volumes_are_listed_shortly_and_shown_wholly() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let list = get(&sandbox, "/storage/volumes").send().await;
    assert_eq!(list.header("x-total-matching-query"), Some("5"));
    let first = list.json()["items"][0].clone();
    assert_eq!(
        first,
        json!({
            "href": format!("{}/storage/volumes/sandbox/output", sandbox.endpoint()),
            "id": "sandbox/output",
            "name": "output",
        })
    );
    let whole = get(&sandbox, "/storage/volumes/sandbox/readonly")
        .send()
        .await;
    let whole = whole.json();
    assert_eq!(whole["access_mode"], "RO");
    assert_eq!(whole["service"]["type"], "S3");
    let google = get(&sandbox, "/storage/volumes/sandbox/google")
        .send()
        .await;
    assert_eq!(google.json()["service"]["type"], "GCS");
    let unknown = get(&sandbox, "/storage/volumes/sandbox/none").send().await;
    assert_eq!(unknown.code(), (404, 9007));
    Ok(())
}

#[tokio::test]
async fn contents_come_in_levels_and_pages() -> Outcome {
    let mut volume = VolumeSeed::s3("a/v").prefix("lab/");
    let keys = [
        "a", "b/1", "b/2", "b/deep/3", "b//4", "b-", "c", "ü/x", "z/", "z/1",
    ];
    for key in keys {
        volume = volume.object(key, key);
    }
    let sandbox = Sandbox::builder().volume(volume).start().await?;
    assert_eq!(
        fs::read(sandbox.data().join("volumes/a/v/lab/b/deep/3"))?,
        b"b/deep/3"
    );

    // Every page size gives the same level.
    for limit in [1, 2, 3, 100] {
        let mut found = Vec::new();
        let mut levels = vec![String::new()];
        while let Some(prefix) = levels.pop() {
            let encoded = prefix.replace('ü', "%C3%BC");
            let mut next = Some(format!(
                "/storage/volumes/a/v/list?limit={limit}&prefix={encoded}"
            ));
            while let Some(path) = next {
                let page = get(&sandbox, &path).send().await;
                assert_eq!(page.header("x-total-matching-query"), None);
                let page = page.json();
                let texts = |list: &str, key: &str| -> Vec<String> {
                    let list = page[list].as_array().expect("a list, even if empty");
                    assert!(list.iter().all(|item| item["href"].is_string()));
                    let text = |item: &Value| item[key].as_str().unwrap_or_default().to_owned();
                    list.iter().map(text).collect()
                };
                found.extend(texts("items", "location"));
                levels.extend(texts("prefixes", "prefix"));
                assert!(page["links"].is_array());
                let link = page["links"][0]["next"].as_str();
                next = link.map(|link| link.replace(sandbox.endpoint(), ""));
            }
        }
        found.sort();
        let mut all = keys.to_vec();
        all.sort();
        assert_eq!(found, all, "limit {limit}");
    }
    let slashless = get(&sandbox, "/storage/volumes/a/v/list?prefix=b/deep")
        .send()
        .await;
    assert_eq!(slashless.json()["items"][0]["location"], "b/deep/3");
    Ok(())
}

#[tokio::test]
async fn an_object_tells_its_size_and_checksum() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let at = "/storage/volumes/sandbox/output/object?location=";
    let object = get(&sandbox, &format!("{at}earlier/exported.bam"))
        .send()
        .await;
    let object = object.json();
    assert_eq!(object["metadata"]["Content-Length"], 9);
    // printf alignment | md5sum
    assert_eq!(
        object["metadata"]["ETag"],
        "\"5a159214b169da90d96590d47fff379e\""
    );
    let missing = get(&sandbox, &format!("{at}none")).send().await;
    assert_eq!(missing.code(), (404, 9105));
    let inactive = "/storage/volumes/sandbox/inactive/object?location=x";
    assert_eq!(get(&sandbox, inactive).send().await.code(), (409, 9069));
    Ok(())
}

#[tokio::test]
async fn a_prefix_is_put_before_the_location() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    let job = started(&sandbox, "", &export(&id, "sandbox/prefixed", "r/1.txt")).await;
    let job = ended(&sandbox, &job).await;
    assert_eq!(job["destination"]["location"], "r/1.txt");
    let path = sandbox
        .data()
        .join("volumes/sandbox/prefixed/lab/cohort7/r/1.txt");
    assert!(path.exists());
    let list = get(&sandbox, "/storage/volumes/sandbox/prefixed/list")
        .send()
        .await;
    assert_eq!(list.json()["prefixes"][0]["prefix"], "r");
    Ok(())
}
