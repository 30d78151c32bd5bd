//! What is set while the sandbox runs, and the smaller calls.

use std::time::Duration;

use cavatica_sandbox::Sandbox;
use serde_json::json;

use crate::client::{Outcome, ended, export, file, get, patch, post, started};

const AT: &str = "/_sandbox/settings";

#[tokio::test]
async fn limit_pace_and_luck_change_while_it_runs() -> Outcome {
    let hour = Duration::from_secs(3600);
    let sandbox = Sandbox::builder().job_duration(hour..=hour).start().await?;
    let id = file(&sandbox, "README.txt");
    let settings = json!({
        "rate_limit": {"requests": 4000, "seconds": 900.5},
        "job_milliseconds": [0, 1],
        "fail_share": 1.0,
    });
    let set = patch(&sandbox, AT, &settings).send().await;
    assert_eq!(set.json(), settings);
    assert_eq!(get(&sandbox, AT).send().await.json(), settings);
    let job = started(&sandbox, "", &export(&id, "sandbox/output", "x")).await;
    let job = ended(&sandbox, &job).await;
    assert_eq!(job["error"]["code"], 9100);
    let standing = get(&sandbox, "/rate_limit?fields=rate").send().await.json();
    assert_eq!(standing["rate"]["limit"], 4000);
    assert!(standing.get("instance_limit").is_none());

    for bad in [
        json!({"fail_share": 2, "job_milliseconds": [9, 9]}),
        json!({"rate_limit": {"requests": 1, "seconds": -1}}),
        json!({"speed": 1}),
    ] {
        assert_eq!(patch(&sandbox, AT, &bad).send().await.status, 400, "{bad}");
    }
    assert_eq!(get(&sandbox, AT).send().await.json(), settings);
    Ok(())
}

#[tokio::test]
async fn files_are_archived_and_restored() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let id = file(&sandbox, "README.txt");
    let body = export(&id, "sandbox/output", "x");
    for mark in ["archived", "public_copy"] {
        for (on, wanted) in [(true, 403), (false, 200)] {
            let marked = patch(&sandbox, "/_sandbox/files", &json!({"file": id, mark: on}));
            assert_eq!(marked.send().await.status, 200);
            let started = post(&sandbox, "/storage/exports?copy_only=true", &body)
                .send()
                .await;
            assert_eq!(started.status, wanted, "{mark} {on}");
        }
    }
    let nothing = patch(&sandbox, "/_sandbox/files", &json!({"file": "x"}))
        .send()
        .await;
    assert_eq!(nothing.status, 404);
    Ok(())
}

#[tokio::test]
async fn addresses_that_answers_name_lead_somewhere() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let user = get(&sandbox, "/user").send().await.json();
    let href = user["href"]
        .as_str()
        .expect("an address")
        .replace(sandbox.endpoint(), "");
    assert_eq!(get(&sandbox, &href).send().await.json(), user);
    assert_eq!(
        get(&sandbox, "/users/nobody").send().await.code(),
        (404, 2002)
    );
    let search = post(&sandbox, "/files/search", &json!({"query": "x"}))
        .send()
        .await;
    assert_eq!(search.code(), (501, 90010));
    let public = get(&sandbox, "/projects/admin/sbg-public-data")
        .send()
        .await
        .json();
    assert_eq!(public["permissions"]["read"], true);
    assert_eq!(public["permissions"]["write"], false);
    Ok(())
}
