use std::time::Duration;

use cavatica_sandbox::{Fault, FaultPlan, FaultRule, Route, Sandbox, When};
use serde_json::{Value, json};

use crate::client::{Answer, Outcome, ended, export, file, get, post, request, started};

async fn with(plan: &str) -> Result<Sandbox, Box<dyn std::error::Error>> {
    let plan: FaultPlan = plan.parse()?;
    Ok(Sandbox::builder().faults(plan).start().await?)
}

async fn start(sandbox: &Sandbox, location: &str) -> Option<Answer> {
    let body = export(&file(sandbox, "README.txt"), "sandbox/output", location);
    post(sandbox, "/storage/exports?copy_only=true", &body)
        .try_send()
        .await
}

#[tokio::test]
async fn a_drop_before_starts_nothing_and_a_drop_after_does() -> Outcome {
    let sandbox = with("drop-before@start,nth=1; drop-after@start,nth=2").await?;
    assert!(start(&sandbox, "a").await.is_none());
    assert_eq!(sandbox.ledger().starts, 0);
    assert!(start(&sandbox, "b").await.is_none());
    assert_eq!(sandbox.ledger().starts, 1);
    assert!(start(&sandbox, "c").await.is_some());

    let ledger = sandbox.ledger();
    assert_eq!(ledger.starts, 2);
    assert_eq!(ledger.requests_to(Route::Start), 3);
    assert_eq!(ledger.answers.values().sum::<u64>(), 1);
    let hits: Vec<_> = ledger
        .faults
        .iter()
        .map(|rule| (rule.seen, rule.hits))
        .collect();
    // The second rule isn't asked about a request that was dropped before.
    assert_eq!(hits, [(3, 1), (3, 1)]);
    Ok(())
}

#[tokio::test]
async fn what_comes_back_can_be_anything() -> Outcome {
    let cases = [
        ("refuse=403/9020", 403, 0),
        ("error-after=504", 504, 1),
        ("html-before", 502, 0),
        ("html-after", 200, 1),
        ("throttle", 429, 0),
        ("maintenance", 503, 0),
    ];
    for (plan, status, starts) in cases {
        let sandbox = with(plan).await?;
        let answer = start(&sandbox, "a").await.expect("an answer");
        assert_eq!(
            (answer.status, sandbox.ledger().starts),
            (status, starts),
            "{plan}"
        );
        match plan {
            "throttle" => assert_eq!(answer.header("x-ratelimit-reset"), None),
            "maintenance" => assert_eq!(answer.code(), (503, 0)),
            "html-before" | "html-after" => assert!(answer.text.starts_with("<html>")),
            "refuse=403/9020" => assert_eq!(answer.code(), (403, 9020)),
            _ => {}
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_may_break_off_or_never_come() -> Outcome {
    let sandbox =
        with("truncate@start,nth=1; hang-after@start,nth=2; hang-before@start,nth=3").await?;
    assert!(
        start(&sandbox, "a").await.is_none(),
        "half an answer is none"
    );
    assert_eq!(sandbox.ledger().starts, 1);
    for (location, starts) in [("b", 2), ("c", 2)] {
        let patience = Duration::from_millis(100);
        let answer = tokio::time::timeout(patience, start(&sandbox, location)).await;
        assert!(answer.is_err(), "no answer");
        assert_eq!(sandbox.ledger().starts, starts, "{location}");
    }
    Ok(())
}

#[tokio::test]
async fn bulk_answers_may_be_shuffled_and_incomplete() -> Outcome {
    let sandbox = with("shuffle@bulk-start; omit=2@bulk-start").await?;
    let id = file(&sandbox, "README.txt");
    let items: Vec<Value> = (0..10)
        .map(|number| export(&id, "sandbox/output", &format!("{number}")))
        .collect();
    let path = "/bulk/storage/exports/create?copy_only=true";
    let answer = post(&sandbox, path, &json!({"items": items}))
        .send()
        .await
        .json();
    let locations: Vec<u64> = answer["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| {
            let location = &item["resource"]["destination"]["location"];
            location
                .as_str()
                .and_then(|text| text.parse().ok())
                .unwrap_or(99)
        })
        .collect();
    assert_eq!(locations.len(), 8);
    assert!(!locations.is_sorted(), "{locations:?}");
    assert_eq!(sandbox.ledger().starts, 10);
    Ok(())
}

#[tokio::test]
async fn jobs_may_show_odd_states_and_show_late() -> Outcome {
    let sandbox = with("odd-state=PAUSED@export; late-list=60@exports").await?;
    let job = start(&sandbox, "a").await.expect("an answer").json();
    let id = job["id"].as_str().expect("an id");
    let seen = get(&sandbox, &format!("/storage/exports/{id}"))
        .send()
        .await;
    assert_eq!(seen.json()["state"], "PAUSED");
    let list = get(&sandbox, "/storage/exports").send().await;
    assert_eq!(list.header("x-total-matching-query"), Some("0"));
    sandbox.set_faults(FaultPlan::default());
    let list = get(&sandbox, "/storage/exports").send().await;
    assert_eq!(list.header("x-total-matching-query"), Some("1"));
    Ok(())
}

#[tokio::test]
async fn chosen_jobs_fail_with_a_chosen_code() -> Outcome {
    let rule = FaultRule::new(Fault::FailJobs { code: 9103 })
        .on(Route::Start)
        .when(When::Nth(2));
    let sandbox = Sandbox::builder().faults(rule).start().await?;
    let id = file(&sandbox, "README.txt");
    let mut codes = Vec::new();
    for location in ["a", "b", "c"] {
        let body = export(&id, "sandbox/output", location);
        let job = started(&sandbox, "?copy_only=true", &body).await;
        codes.push(ended(&sandbox, &job).await["error"]["code"].as_i64());
    }
    assert_eq!(codes, [None, Some(9103), None]);
    assert!(!sandbox.object_path("sandbox/output", "b").exists());
    Ok(())
}

#[tokio::test]
async fn a_failed_overwrite_may_leave_neither_object() -> Outcome {
    let sandbox = with("fail-jobs").await?;
    let id = file(&sandbox, "README.txt");
    let mut body = export(&id, "sandbox/output", "earlier/exported.bam");
    body["overwrite"] = true.into();
    let job = started(&sandbox, "", &body).await;
    assert_eq!(ended(&sandbox, &job).await["error"]["code"], 9100);
    let old = sandbox.object_path("sandbox/output", "earlier/exported.bam");
    assert!(!old.exists(), "deleted before the export failed");
    let file = get(&sandbox, &format!("/files/{id}")).send().await.json();
    assert_eq!(file["storage"]["type"], "PLATFORM", "the source stays");
    Ok(())
}

#[tokio::test]
async fn rules_change_while_the_sandbox_runs() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let at = "/_sandbox/faults";
    let set = post(&sandbox, at, &json!("refuse=403/9020@user"))
        .send()
        .await;
    assert_eq!(set.status, 200);
    assert_eq!(get(&sandbox, "/user").send().await.code(), (403, 9020));
    let rules = get(&sandbox, at).send().await.json();
    assert_eq!(
        (&rules[0]["seen"], &rules[0]["hits"]),
        (&json!(1), &json!(1))
    );

    // What was read can be sent again.
    let rules = json!([rules[0]["rule"], {"fault": "drop-before", "on": {"method": "DELETE"}}]);
    assert_eq!(post(&sandbox, at, &rules).send().await.status, 200);
    assert_eq!(get(&sandbox, "/user").send().await.status, 403);

    let bad = post(&sandbox, at, &json!("sulk")).send().await;
    assert_eq!(bad.code(), (400, 90000));
    request(&sandbox, "DELETE", at).send().await;
    assert_eq!(get(&sandbox, "/user").send().await.status, 200);
    Ok(())
}
