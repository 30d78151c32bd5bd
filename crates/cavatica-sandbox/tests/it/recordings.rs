//! Requests as the clients for R (sevenbridges2), Perl (Net-SB) and Java write them, with what each looks at in the answers.
//!
//! A recording is a list of requests in `tests/recordings`. `has` names the places of an answer that the client reads, with
//! the value that it needs or null for any; `keep` remembers one for later requests; `ends` is asked for again until it is
//! a job's end.

use std::collections::BTreeMap;
use std::time::Duration;

use cavatica_sandbox::Sandbox;
use serde::Deserialize;
use serde_json::Value;

use crate::client::{Answer, Outcome, file, request};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    what: String,
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    has: BTreeMap<String, Value>,
    #[serde(default)]
    keep: BTreeMap<String, String>,
    #[serde(default)]
    ends: Option<String>,
}

fn ok() -> u16 {
    200
}

const METHODS: [&str; 5] = ["GET", "POST", "PATCH", "PUT", "DELETE"];

/// Puts what is remembered, and the ids of files, in the place of names in braces.
fn filled(text: &str, sandbox: &Sandbox, kept: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (name, value) in kept {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    while let Some((before, rest)) = text.split_once("{file:") {
        let (path, after) = rest.split_once('}').expect("a brace is closed");
        text = format!("{before}{}{after}", file(sandbox, path));
    }
    text
}

async fn sent(step: &Step, sandbox: &Sandbox, kept: &BTreeMap<String, String>) -> Answer {
    let method = METHODS.iter().find(|known| **known == step.method);
    let path = filled(&step.path, sandbox, kept);
    let mut request = request(sandbox, method.expect("a method"), &path);
    for (name, value) in &step.headers {
        request = request.header(name, value);
    }
    if let Some(body) = &step.body {
        request = request.body(filled(&body.to_string(), sandbox, kept));
    }
    request.send().await
}

async fn replay(client: &str, recording: &str) -> Outcome {
    let steps: Vec<Step> = serde_json::from_str(recording)?;
    let sandbox = Sandbox::builder().start().await?;
    let mut kept = BTreeMap::new();
    for step in &steps {
        let mut answer = sent(step, &sandbox, &kept).await;
        if let Some(state) = &step.ends {
            while ["PENDING", "RUNNING"]
                .map(Into::into)
                .map(Some)
                .contains(&answer.json().pointer(state).cloned())
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
                answer = sent(step, &sandbox, &kept).await;
            }
            assert_eq!(
                answer.json().pointer(state),
                Some(&"COMPLETED".into()),
                "{client} {}",
                step.what
            );
        }
        let told = format!("{client} {}: {}", step.what, answer.text);
        assert_eq!(answer.status, step.status, "{told}");
        for (pointer, wanted) in &step.has {
            let body = answer.json();
            let found = body
                .pointer(pointer)
                .unwrap_or_else(|| panic!("no {pointer}; {told}"));
            if !wanted.is_null() {
                let wanted: Value =
                    serde_json::from_str(&filled(&wanted.to_string(), &sandbox, &kept))?;
                assert_eq!(*found, wanted, "{pointer}; {told}");
            }
        }
        for (name, pointer) in &step.keep {
            let body = answer.json();
            let value = body
                .pointer(pointer)
                .and_then(Value::as_str)
                .expect("a text to keep");
            kept.insert(name.clone(), value.to_owned());
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_client_for_r() -> Outcome {
    replay("R", include_str!("../recordings/r.json")).await
}

#[tokio::test]
async fn the_client_for_perl() -> Outcome {
    replay("Perl", include_str!("../recordings/perl.json")).await
}

#[tokio::test]
async fn the_client_for_java() -> Outcome {
    replay("Java", include_str!("../recordings/java.json")).await
}
