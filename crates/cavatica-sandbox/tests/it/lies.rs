//! Answers, lists and echoes that aren't what the sandbox knows to be true.

use std::time::Duration;

use cavatica_sandbox::{FaultPlan, ProjectSeed, Sandbox, VolumeSeed};
use serde_json::{Value, json};

use crate::client::{Answer, Outcome, ended, export, get, post, started};

const FILES: usize = 10;

/// Ten files to export, whose jobs end at once.
async fn with(plan: &str) -> Result<Sandbox, Box<dyn std::error::Error>> {
    let plan: FaultPlan = plan.parse()?;
    let builder = Sandbox::builder()
        .project(ProjectSeed::new("a/b").synthetic("", 10, 10))
        .volume(VolumeSeed::s3("a/v").keys_only())
        .job_duration(Duration::ZERO..=Duration::ZERO)
        .faults(plan);
    Ok(builder.start().await?)
}

fn id(sandbox: &Sandbox, number: usize) -> String {
    let path = format!("file-{number:07}.dat");
    sandbox.file_id("a/b", &path).expect("a file")
}

fn items(sandbox: &Sandbox) -> Value {
    let items = (1..=FILES).map(|number| export(&id(sandbox, number), "a/v", &number.to_string()));
    json!({"items": items.collect::<Vec<_>>()})
}

async fn start_all(sandbox: &Sandbox) -> Option<Answer> {
    post(sandbox, "/bulk/storage/exports/create", &items(sandbox))
        .try_send()
        .await
}

async fn list(sandbox: &Sandbox, query: &str) -> (u64, Vec<String>) {
    let answer = get(sandbox, &format!("/storage/exports{query}"))
        .send()
        .await;
    let total = answer.header("x-total-matching-query");
    let total = total.and_then(|total| total.parse().ok()).expect("a total");
    let body = answer.json();
    let ids = body["items"].as_array().into_iter().flatten();
    let ids = ids.map(|job| job["id"].as_str().expect("an id").to_owned());
    (total, ids.collect())
}

/// Waits until so many jobs have ended.
async fn all_ended(sandbox: &Sandbox, jobs: u64) {
    loop {
        let ledger = sandbox.ledger();
        let ended: u64 = ["COMPLETED", "FAILED"]
            .iter()
            .filter_map(|state| ledger.states.get(*state))
            .sum();
        if ended == jobs {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_no_may_come_after_acceptance() -> Outcome {
    for (status, code) in [
        (400, 90000),
        (401, 90001),
        (403, 90002),
        (404, 90003),
        (409, 90007),
        (429, 1000),
        (500, 90004),
        (503, 0),
    ] {
        let sandbox = with(&format!("refuse-after={status}/{code}")).await?;
        let one = export(&id(&sandbox, 1), "a/v", "one");
        let answer = post(&sandbox, "/storage/exports?copy_only=true", &one);
        assert_eq!(answer.send().await.code(), (status, code));
        assert_eq!(sandbox.ledger().starts, 1);

        let answer = start_all(&sandbox).await.expect("an answer");
        assert_eq!(answer.code(), (status, code));
        assert_eq!(sandbox.ledger().starts, 11);
    }
    Ok(())
}

#[tokio::test]
async fn a_call_may_be_carried_out_in_part() -> Outcome {
    for (plan, status, taken) in [
        ("refuse-after=503/0+take=3", Some(503), "1 2 3"),
        ("error-after=502+take-every=2", Some(502), "1 3 5 7 9"),
        ("drop-after+take=1", None, "1"),
        ("take=2", Some(200), "1 2"),
    ] {
        let sandbox = with(plan).await?;
        let answer = start_all(&sandbox).await;
        assert_eq!(
            answer.as_ref().map(|answer| answer.status),
            status,
            "{plan}"
        );
        let ledger = sandbox.ledger();
        let locations: Vec<_> = ledger.jobs.iter().map(|job| &*job.location).collect();
        assert_eq!(locations.join(" "), taken, "{plan}");
        if status == Some(200) {
            let items = answer.expect("an answer").json()["items"].clone();
            assert_eq!(items[1]["resource"]["destination"]["location"], "2");
            assert_eq!(items[2]["error"]["status"], 503);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_call_may_go_on_being_carried_out_while_one_looks() -> Outcome {
    for plan in [
        "drop-after+spread=6s",
        "refuse-after=429/1000+spread=6000ms",
    ] {
        let sandbox = with(plan).await?;
        start_all(&sandbox).await;
        let mut seen = vec![sandbox.ledger().starts];
        while seen.last() < Some(&3) {
            tokio::time::sleep(Duration::from_millis(10)).await;
            seen.push(sandbox.ledger().starts);
        }
        seen.dedup();
        assert!(seen.len() > 1, "{plan}: one by one, {seen:?}");
    }
    // Where nothing is said instead, the answer waits and is whole.
    let sandbox = with("spread=200ms").await?;
    let answer = start_all(&sandbox).await.expect("an answer").json();
    assert_eq!(answer["items"].as_array().map(Vec::len), Some(10));
    assert_eq!(sandbox.ledger().starts, 10);
    Ok(())
}

#[tokio::test]
async fn a_client_that_gives_up_stops_nothing() -> Outcome {
    let sandbox = with("hang-after+spread=300ms").await?;
    let patience = Duration::from_millis(50);
    let answer = tokio::time::timeout(patience, start_all(&sandbox)).await;
    assert!(answer.is_err(), "no answer");
    all_ended(&sandbox, 10).await;
    assert_eq!(sandbox.ledger().starts, 10);
    Ok(())
}

#[tokio::test]
async fn a_stopped_sandbox_accepts_nothing_more() -> Outcome {
    let data = tempfile::tempdir()?;
    let plan: FaultPlan = "drop-after+spread=2s".parse()?;
    let open = || {
        Sandbox::builder()
            .data(data.path())
            .project(ProjectSeed::new("a/b").synthetic("", 10, 10))
            .volume(VolumeSeed::s3("a/v").keys_only())
    };
    let sandbox = open().faults(plan).start().await?;
    start_all(&sandbox).await;
    while sandbox.ledger().starts == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sandbox.stop().await;
    let sandbox = open().start().await?;
    let accepted = sandbox.ledger().starts;
    assert!((1..10).contains(&accepted), "{accepted}");
    // Nothing writes to the folder that isn't this sandbox's own.
    let log = data.path().join("world.jsonl");
    all_ended(&sandbox, accepted).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let starts = std::fs::read_to_string(&log)?;
    assert_eq!(starts.matches("\"started\"").count() as u64, accepted);
    Ok(())
}

#[tokio::test]
async fn an_item_may_be_an_error_although_its_job_was_made() -> Outcome {
    let sandbox = with("item-error=408/0,every=3; item-error=500/90004,nth=1").await?;
    let answer = start_all(&sandbox).await.expect("an answer").json();
    let statuses: Vec<_> = answer["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| item["error"]["status"].as_u64().unwrap_or(200))
        .collect();
    assert_eq!(statuses, [500, 200, 408, 200, 200, 408, 200, 200, 408, 200]);
    assert_eq!(sandbox.ledger().starts, 10);
    Ok(())
}

#[tokio::test]
async fn lists_may_lag_for_a_fixed_time_in_every_state() -> Outcome {
    let sandbox = with("late-list=3s; fail-jobs=9103@bulk-start,nth=1").await?;
    let answer = start_all(&sandbox).await.expect("an answer").json();
    let job = answer["items"][0]["resource"]["id"]
        .as_str()
        .expect("an id");
    assert_eq!(
        ended(&sandbox, job).await["state"],
        "FAILED",
        "ids tell the truth"
    );
    all_ended(&sandbox, 10).await;
    for query in ["", "?state=FAILED", "?state=COMPLETED&state=FAILED&limit=1"] {
        let (total, ids) = list(&sandbox, query).await;
        assert_eq!((total, ids.len()), (0, 0), "{query}");
    }
    while list(&sandbox, "").await.0 < 10 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(list(&sandbox, "?state=FAILED").await.0, 1);
    Ok(())
}

#[tokio::test]
async fn lists_may_end_early_with_their_total() -> Outcome {
    let sandbox = with("cap-list=7").await?;
    start_all(&sandbox).await;
    let (total, ids) = list(&sandbox, "?limit=5&offset=5").await;
    assert_eq!((total, ids.len()), (7, 2));
    Ok(())
}

#[tokio::test]
async fn lists_may_lack_their_newest_jobs() -> Outcome {
    let sandbox = with("").await?;
    let answer = start_all(&sandbox).await.expect("an answer").json();
    all_ended(&sandbox, 10).await;
    sandbox.set_faults("lack-newest=3".parse::<FaultPlan>()?);
    let (total, ids) = list(&sandbox, "").await;
    assert_eq!((total, ids.len()), (7, 7));
    let newest = answer["items"][9]["resource"]["id"]
        .as_str()
        .expect("an id");
    assert!(!ids.iter().any(|id| id == newest));
    assert_eq!(
        ended(&sandbox, newest).await["state"],
        "COMPLETED",
        "ids tell the truth"
    );
    Ok(())
}

#[tokio::test]
async fn the_pages_of_a_list_may_overlap() -> Outcome {
    let sandbox = with("disorder").await?;
    start_all(&sandbox).await;
    let mut seen = Vec::new();
    for offset in [0, 5] {
        let (total, ids) = list(&sandbox, &format!("?limit=5&offset={offset}")).await;
        assert_eq!((total, ids.len()), (10, 5));
        seen.extend(ids);
    }
    seen.sort();
    seen.dedup();
    assert!(seen.len() < 10, "{} of 10", seen.len());
    Ok(())
}

#[tokio::test]
async fn old_jobs_may_be_forgotten() -> Outcome {
    let sandbox = with("").await?;
    let job = started(&sandbox, "", &export(&id(&sandbox, 1), "a/v", "x")).await;
    ended(&sandbox, &job).await;
    sandbox.set_faults("forget=1h".parse::<FaultPlan>()?);
    assert_eq!(list(&sandbox, "").await.0, 1);

    sandbox.set_faults("forget=0".parse::<FaultPlan>()?);
    assert_eq!(list(&sandbox, "").await.0, 0);
    let one = get(&sandbox, &format!("/storage/exports/{job}"));
    assert_eq!(one.send().await.code(), (404, 9008));
    let many = post(
        &sandbox,
        "/bulk/storage/exports/get",
        &json!({"export_ids": [job]}),
    );
    assert_eq!(many.send().await.json()["items"][0]["error"]["code"], 9008);
    Ok(())
}

#[tokio::test]
async fn times_may_be_off_or_have_no_zone_or_be_missing() -> Outcome {
    let sandbox = with("").await?;
    let job = started(&sandbox, "", &export(&id(&sandbox, 1), "a/v", "x")).await;
    let truth = ended(&sandbox, &job).await["started_on"].clone();
    let truth: jiff::Timestamp = truth.as_str().expect("a time").parse()?;
    let seen = async |plan: &str| {
        sandbox.set_faults(plan.parse::<FaultPlan>().expect("a plan"));
        let many = post(
            &sandbox,
            "/bulk/storage/exports/get",
            &json!({"export_ids": [job]}),
        );
        let body = many.send().await.json();
        let (list, _) = (get(&sandbox, "/storage/exports?fields=_all"), ());
        let list = list.send().await.json()["items"][0].clone();
        let job = body["items"][0]["resource"].clone();
        assert_eq!(job["started_on"], list["started_on"], "everywhere alike");
        assert_eq!(job["finished_on"].is_null(), job["started_on"].is_null());
        job["started_on"].as_str().map(str::to_owned)
    };
    let ahead = seen("job-clock=900").await.expect("a time");
    assert_eq!(
        ahead.parse::<jiff::Timestamp>()?,
        truth + jiff::Span::new().seconds(900)
    );
    let behind = seen("job-clock=-7200").await.expect("a time");
    assert_eq!(
        behind.parse::<jiff::Timestamp>()?,
        truth - jiff::Span::new().seconds(7200)
    );

    let local = seen("zoneless=2").await.expect("a time");
    assert!(local.parse::<jiff::Timestamp>().is_err(), "{local}");
    let there = truth + jiff::Span::new().hours(2);
    assert_eq!(local, there.strftime("%Y-%m-%dT%H:%M:%S").to_string());
    assert_eq!(seen("no-times").await, None);
    Ok(())
}

#[tokio::test]
async fn the_date_header_may_be_off() -> Outcome {
    for rules in ["date=-86400@user", "throttle@user;date=-86400@user"] {
        let sandbox = with(rules).await?;
        let date = async |path: &str| {
            let answer = get(&sandbox, path).send().await;
            let date = answer.header("date").expect("a date").to_owned();
            jiff::fmt::rfc2822::parse(&date).map(|date| date.timestamp())
        };
        let (off, right) = (date("/user").await?, date("/projects").await?);
        let hours = (right - off).total(jiff::Unit::Hour)?;
        assert!((23.9..24.1).contains(&hours), "{rules}: {hours}");
    }
    Ok(())
}

#[tokio::test]
async fn locations_may_come_back_spelled_otherwise() -> Outcome {
    let composed = "r\u{e9}sultats/50% \u{e9}t\u{e9}.bam";
    for (form, spelled) in [
        ("nfd", "re\u{301}sultats/50% e\u{301}te\u{301}.bam"),
        ("nfc", composed),
        ("percent", "r%C3%A9sultats/50%25%20%C3%A9t%C3%A9.bam"),
    ] {
        let sandbox = with(&format!("respell={form}")).await?;
        let file = id(&sandbox, 1);
        let job = started(&sandbox, "", &export(&file, "a/v", composed)).await;
        let job = ended(&sandbox, &job).await;
        assert_eq!(job["destination"]["location"], spelled);
        assert_eq!(job["result"]["storage"]["location"], spelled);
        let alias = get(&sandbox, &format!("/files/{file}")).send().await.json();
        assert_eq!(alias["storage"]["location"], spelled);
        assert!(
            sandbox.ledger().holds("a/v", composed),
            "the key is as asked"
        );
    }
    Ok(())
}

#[tokio::test]
async fn jobs_may_come_back_without_names() -> Outcome {
    let sandbox = with("nameless+shuffle").await?;
    let answer = start_all(&sandbox).await.expect("an answer").json();
    let ids: Vec<Value> = answer["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| item["resource"]["id"].clone())
        .collect();
    let read = json!({"export_ids": ids});
    let read = post(&sandbox, "/bulk/storage/exports/get", &read);
    for item in answer["items"].as_array().into_iter().flatten().chain(
        read.send().await.json()["items"]
            .as_array()
            .into_iter()
            .flatten(),
    ) {
        let job = &item["resource"];
        assert!(job["id"].is_string(), "{job}");
        assert_eq!(
            (&job["source"], &job["destination"]),
            (&Value::Null, &Value::Null)
        );
    }
    let told = sandbox.ledger();
    let told: Vec<_> = told.jobs.iter().map(|job| job.id.as_str()).collect();
    assert_ne!(ids, told, "shuffled too");
    Ok(())
}
