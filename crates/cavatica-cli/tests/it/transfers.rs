//! `cavatica transfers`.

use std::time::Duration;

use serde_json::Value;

use crate::harness::World;

fn plan(world: &World, out: &str, label: &str) {
    let run = world.run(&[
        "plan",
        "--out",
        out,
        "--project",
        "sandbox/demo",
        "--folder",
        "results",
        "--volume",
        "sandbox/output",
        "--prefix",
        &format!("{label}/"),
        "--label",
        label,
        "--copy",
    ]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
}

fn list(world: &World) -> Vec<Value> {
    let run = world.run(&["transfers", "--json"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    run.documents()
}

fn run<'a>(transfer: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", transfer, "--yes", "--poll", "50ms"], more].concat()
}

#[test]
fn each_stands_with_its_label_and_its_counts() {
    let world = World::new();
    std::fs::write(world.home().join("notes.transfer"), "not one").unwrap();
    assert_eq!(list(&world), Vec::<Value>::new());
    for name in ["a.transfer", "b.sqlite", "c.transfer"] {
        plan(&world, name, &name[..1]);
    }
    assert_eq!(world.run(&run("b.sqlite", &["--limit", "1"])).exit(), 0);
    assert_eq!(world.run(&run("c.transfer", &[])).exit(), 0);
    let found = list(&world);
    let states: Vec<_> = found
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap().to_owned();
            (text("label"), text("state"), line["left"].as_u64().unwrap())
        })
        .collect();
    let expected = [
        ("a", "planned", 4),
        ("b", "unfinished", 3),
        ("c", "done", 0),
    ];
    let expected = expected.map(|(label, state, left)| (label.into(), state.into(), left));
    assert_eq!(states, expected);
    assert_eq!(
        found[0]["selection"],
        "project sandbox/demo, folder results"
    );
    assert_eq!(found[0]["last_run"], Value::Null);
    let text = world.run(&["transfers"]).stdout();
    assert!(
        text.contains("unfinished  b.sqlite  b\n            copy of project sandbox/demo, folder results to sandbox/output\n            1 of 4 files, 0 failed, 0 unknown, 3 left\n"),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn the_one_that_runs_says_who_runs_it() {
    let world = World::with(|builder| {
        builder.job_duration(Duration::from_secs(60)..=Duration::from_secs(60))
    });
    plan(&world, "t.transfer", "t");
    let mut command = world.command(&run("t.transfer", &[]));
    let mut running = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while world.accepted() == 0 {
        assert!(std::time::Instant::now() < deadline, "it never sends");
        std::thread::sleep(Duration::from_millis(20));
    }
    let line = list(&world).remove(0);
    assert_eq!(line["state"], "running");
    assert_eq!(line["owner"]["process"], running.id());
    let page = world
        .run(&["report", "t.transfer", "--format", "html"])
        .stdout();
    assert!(page.contains("<strong>Running since "), "{page}");
    assert!(
        page.contains(&format!(" by process {} on ", running.id())),
        "{page}"
    );
    running.kill().unwrap();
    running.wait().unwrap();
    let line = list(&world).remove(0);
    assert_eq!(
        (&line["state"], &line["owner"]),
        (&"unfinished".into(), &Value::Null)
    );
}
