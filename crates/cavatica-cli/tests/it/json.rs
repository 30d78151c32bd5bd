//! What `--json` prints is what `docs/json.md` says: every key is written down, and every key written down is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::harness::World;

const PAGE: &str = include_str!("../../../../docs/json.md");

/// Its table of columns stands for the section `report`.
const REPORT: &str = include_str!("../../../../docs/report.md");

/// The keys of a section, with whether they may be missing.
type Keys = BTreeMap<String, bool>;

fn sections() -> BTreeMap<String, Keys> {
    let mut sections = BTreeMap::new();
    for section in PAGE.split("\n## ").skip(1) {
        let (title, text) = section.split_once('\n').unwrap();
        if !text.contains("| key | is |") {
            continue;
        }
        for name in title.split(", ") {
            sections.insert(name.to_owned(), keys(text));
        }
    }
    let columns = REPORT
        .split("\n## ")
        .find(|section| section.starts_with("The columns"));
    sections.insert("report".to_owned(), keys(columns.unwrap()));
    sections
}

/// The first column of a table, and what the second says about being there.
fn keys(text: &str) -> Keys {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let keys = rows.filter_map(|row| row.split_once("` | "));
    keys.map(|(key, is)| (key.to_owned(), is.starts_with("*?*")))
        .collect()
}

/// Every key of a document with the path to it. `null`, an empty list and an empty object end a path.
fn paths(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let dot = if path.is_empty() { "" } else { "." };
            for (key, value) in fields {
                paths(value, &format!("{path}{dot}{key}"), into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                paths(item, &format!("{path}[]"), into);
            }
        }
        _ => {
            into.insert(path.to_owned());
        }
    }
}

/// Whether a path stands for this key: `*` is any one name, and a key ends early where there is nothing below it.
fn fits(key: &str, path: &str) -> bool {
    let head = |end: &str| {
        key.strip_suffix(end)
            .is_some_and(|head| path.starts_with(head))
    };
    key == path
        || head("*")
        || key
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// A document without the key that every one of them must have.
fn without_version(document: &Value) -> Value {
    let mut document = document.clone();
    let version = document
        .as_object_mut()
        .and_then(|fields| fields.remove("version"));
    assert_eq!(version, Some(Value::from(1)), "{document}");
    document
}

pub(crate) fn compare(name: &str, documents: &[Value]) {
    let sections = sections();
    let keys = &sections[name];
    assert!(!documents.is_empty(), "{name} printed nothing");
    for document in documents {
        let mut printed = BTreeSet::new();
        paths(&without_version(document), "", &mut printed);
        for path in &printed {
            assert!(
                keys.keys().any(|key| fits(key, path)),
                "{name}: `{path}` isn't in docs/json.md"
            );
        }
        for key in keys
            .iter()
            .filter(|(_, missing)| !**missing)
            .map(|(key, _)| key)
        {
            assert!(
                printed.iter().any(|path| fits(key, path)),
                "{name}: `{key}` of docs/json.md isn't printed: {document}"
            );
        }
    }
}

/// At least these keys, for what the platform sent.
fn has(documents: &[Value], keys: &[&str]) {
    assert!(!documents.is_empty());
    for document in documents {
        without_version(document);
        for key in keys {
            assert!(!document[key].is_null(), "no {key} in {document}");
        }
    }
}

#[test]
fn every_command_prints_the_documented_keys() {
    let world = World::new();
    let run = |args: &str| {
        let args: Vec<&str> = args.split(' ').chain(["--json"]).collect();
        world.run(&args).documents()
    };
    world.sandbox.set_faults(
        "fail-jobs=9103,every=2"
            .parse::<cavatica_sandbox::FaultPlan>()
            .unwrap(),
    );
    let plan = "plan --project sandbox/demo --volume sandbox/output --prefix t/ --on alias=skip --label cohort --move --out";
    compare("a failure", &run(&format!("{plan} u.transfer --flatten")));
    let planned = run(&format!("{plan} t.transfer"));
    assert_ne!(
        planned[0]["skipped"]["alias"],
        Value::Null,
        "{}",
        planned[0]
    );
    compare("plan", &planned);
    compare("transfers", &run("transfers"));
    let elsewhere = plan.replace("--prefix t/", "--prefix s/");
    compare("plan", &run(&format!("{elsewhere} s.transfer --parts 2")));
    compare("status", &run("status s.parts"));
    assert_eq!(run(&format!("{elsewhere} q.transfer")).len(), 1);
    compare("split", &run("split q.transfer --parts 2 --out q.parts"));
    let ran = run("run t.transfer --yes --poll 50ms --log-json log.jsonl");
    assert_ne!(ran[0]["failed"], 0);
    compare("run", &ran);
    compare("status", &run("status t.transfer"));
    compare("transfers", &run("transfers"));
    compare(
        "support",
        &[world.run(&["support", "t.transfer"]).document()],
    );
    compare("verify", &run("verify t.transfer"));
    compare("audit", &run("audit t.transfer"));
    compare("report", &run("report t.transfer"));
    compare("retry", &run("retry t.transfer --yes --poll 50ms"));
    compare("doctor", &run("doctor"));
    compare("contract", &run("contract t.transfer"));
    let rehearsal = "doctor --rehearse sandbox/demo:README.txt --volume sandbox/output --yes --poll 50ms --json";
    let rehearsed = World::new().run(&rehearsal.split(' ').collect::<Vec<_>>());
    compare("doctor --rehearse", &rehearsed.documents());
    for what in ["9107", "503", "7777", "alias", "windows-path"] {
        compare("explain", &run(&format!("explain {what}")));
    }
    std::fs::write(
        world.home().join("files.csv"),
        "file_id,location\n,a\n567890abc8a5639cc6722063,C:\\a\n",
    )
    .unwrap();
    compare("check", &run("check files.csv"));
    let shown = run("demo");
    let sections = ["plan", "run", "verify", "status"];
    assert_eq!(shown.len(), sections.len());
    for (section, document) in sections.into_iter().zip(&shown) {
        compare(section, std::slice::from_ref(document));
    }
    compare("man", &run("man pages"));
    compare("completions", &run("completions fish"));
    for args in [
        "exprot",
        "status nowhere.transfer",
        "volumes get me/nothing",
        "export 567890abc8a5639cc6722063 sandbox/output a --copy",
    ] {
        compare("a failure", &run(args));
    }

    has(
        &run("files list --project sandbox/demo --recursive"),
        &["path", "id", "name"],
    );
    has(&run("volumes list"), &["id", "access_mode", "service"]);
    has(
        &run("volumes get sandbox/output"),
        &["id", "access_mode", "service"],
    );
    let job = ["id", "state", "source", "destination"];
    let jobs = run("jobs list");
    has(&jobs, &job);
    let id = jobs[0]["id"].as_str().unwrap();
    has(&run(&format!("jobs get {id}")), &job);
    for entry in run("volumes ls sandbox/output t") {
        without_version(&entry);
        assert!(entry["location"].is_string() || entry["prefix"].is_string());
    }
    log_lines(&std::fs::read_to_string(world.home().join("log.jsonl")).unwrap());
}

fn log_lines(log: &str) {
    let section = PAGE.split("\n## --log-json FILE").nth(1).unwrap();
    let words = |row: &str| -> BTreeSet<String> {
        row.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let events: BTreeMap<String, BTreeSet<String>> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| row.split_once("` |"))
        .map(|(event, row)| (event.to_owned(), words(row)))
        .collect();
    let mut seen = BTreeSet::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let mut line = without_version(&line).as_object().unwrap().clone();
        let event = line.remove("event").unwrap();
        let event = event.as_str().unwrap();
        assert!(
            line.remove("at")
                .is_some_and(|at| at.as_str().unwrap().ends_with('Z'))
        );
        let keys: BTreeSet<String> = line.keys().cloned().collect();
        assert_eq!(events.get(event), Some(&keys), "{event}");
        seen.insert(event.to_owned());
    }
    for event in ["run_began", "batch_answered", "file_failed", "tallied"] {
        assert!(seen.contains(event), "no {event} in the log");
    }
}
