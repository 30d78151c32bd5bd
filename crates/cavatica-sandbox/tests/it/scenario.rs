use std::error::Error;

use cavatica_sandbox::{FaultPlan, Ledger, Method, Sandbox, Scenario};
use serde_json::json;

use crate::client::{Outcome, ended, export, get, post};

const SCENARIO: &str = r#"{
    "seed": 11,
    "rate_limit": {"requests": 5000, "seconds": 300},
    "job_milliseconds": [0, 20],
    "fail_share": 0.2,
    "faults": "refuse=403/9004@start,every=5; fail-jobs=9103,p=0.2",
    "quirks": ["created"],
    "projects": [{
        "id": "lab/trio",
        "files": [
            {"path": "a.vcf", "content": "text", "metadata": {"sample_id": "x"}, "tags": ["t"]},
            {"path": "old.tar", "size": 10, "archived": true},
            {"path": "genome.fa", "size": 10, "public_copy": true},
            {"path": "sent.bam", "size": 10, "alias": {"volume": "lab/output", "location": "sent.bam"}}
        ],
        "folders": ["empty"],
        "synthetic": [{"folder": "many", "count": 30, "size": 4096}]
    }],
    "volumes": [
        {"id": "lab/output", "prefix": "in/", "objects": {"taken.txt": "already here"}},
        {"id": "lab/closed", "access_mode": "RO"},
        {"id": "lab/google", "service": "gcs", "active": false}
    ]
}"#;

/// Exports everything, one after the other, to where something lies already now and then.
async fn run() -> Result<Ledger, Box<dyn Error>> {
    let scenario: Scenario = SCENARIO.parse()?;
    let sandbox = Sandbox::builder().scenario(scenario).start().await?;
    let mut ids = Vec::new();
    let folder = sandbox.file_id("lab/trio", "many").expect("the folder");
    for list in ["project=lab/trio".to_owned(), format!("parent={folder}")] {
        let items = get(&sandbox, &format!("/files?{list}")).send().await.json();
        let items = items["items"].as_array().cloned().unwrap_or_default();
        ids.extend(items.iter().map(|item| item["id"].clone()));
    }
    for (number, id) in ids.iter().enumerate() {
        let location = if number % 10 == 6 {
            "taken.txt".to_owned()
        } else {
            format!("{number}")
        };
        let body = export(id.as_str().unwrap_or_default(), "lab/output", &location);
        let answer = post(&sandbox, "/storage/exports", &body).send().await;
        if answer.status == 201 {
            let job = answer.json();
            ended(&sandbox, job["id"].as_str().unwrap_or_default()).await;
        }
    }
    let mut ledger = sandbox.ledger();
    // How often the test looked depends on the machine.
    ledger
        .requests
        .retain(|route, _| route.method() == Method::Post);
    ledger.answers.remove(&200);
    Ok(ledger)
}

#[tokio::test]
async fn the_same_scenario_gives_the_same_ledger() -> Outcome {
    let (once, again) = (run().await?, run().await?);
    assert_eq!(once, again);
    assert!(once.starts > 20 && once.answers[&403] > 5, "{once:?}");
    let codes: Vec<_> = once.jobs.iter().filter_map(|job| job.code).collect();
    for code in [9100, 9103, 9107] {
        assert!(codes.contains(&code), "{code} in {codes:?}");
    }
    Ok(())
}

#[test]
fn what_is_no_scenario_is_refused_and_named() {
    let bad = [
        (json!({"sead": 1}), "`sead`"),
        (json!({"faults": "sulk"}), "sulk"),
        (json!({"faults": 5}), "faults as a text or a list of rules"),
        (json!({"faults": [{"fault": "sulk"}]}), "`sulk`"),
        (
            json!({"faults": [{"fault": "drop-after", "every": 3}]}),
            "`every`",
        ),
        (
            json!({"faults": [{"fault": "drop-after", "on": {"rout": "bulk-start"}}]}),
            "`rout`",
        ),
        (
            json!({"faults": [{"fault": "drop-after", "on": {"route": "strat"}}]}),
            "`strat`",
        ),
        (json!({"quirks": ["shy"]}), "`shy`"),
        (
            json!({"exports": [{"file": "a/b:f", "volume": "a/v", "location": "x", "seconds": 5}]}),
            "`seconds`",
        ),
        (json!({"faults": "spread=5s+hollow"}), "a rule of its own"),
        (
            json!({"rate_limit": {"requests": 1, "seconds": -1}}),
            "negative",
        ),
        (
            json!({"volumes": [{"id": "a/b", "access_mode": "XX"}]}),
            "`XX`",
        ),
    ];
    for (text, named) in bad {
        let error = text
            .to_string()
            .parse::<Scenario>()
            .expect_err("no scenario");
        let cause = error.source().expect("a cause").to_string();
        assert!(cause.contains(named), "{text}: {cause}");
    }
}

#[test]
fn faults_are_a_text_or_a_list_of_the_same_rules() -> Outcome {
    let text: Scenario = r#"{"faults": "drop-after@bulk-start,nth=2"}"#.parse()?;
    let list: Scenario = json!({"faults": [
        {"fault": "drop-after", "on": {"route": "bulk-start"}, "when": {"nth": 2}}
    ]})
    .to_string()
    .parse()?;
    assert_eq!(format!("{text:?}"), format!("{list:?}"));
    Ok(())
}

#[tokio::test]
async fn faults_stay_unless_a_scenario_names_its_own() -> Outcome {
    for (scenario, status) in [
        ("{}", 503),
        (r#"{"faults": []}"#, 200),
        (r#"{"faults": "refuse=404/9999"}"#, 404),
    ] {
        let asked: FaultPlan = "maintenance".parse()?;
        let sandbox = Sandbox::builder().faults(asked);
        let sandbox = sandbox.scenario(scenario.parse()?).start().await?;
        let answer = get(&sandbox, "/user").send().await;
        assert_eq!(answer.status, status, "{scenario}");
    }
    Ok(())
}
