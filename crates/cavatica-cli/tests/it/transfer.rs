//! `plan`, `run`, `status` and `retry`, seen from outside.

use std::time::Duration;

use cavatica_sandbox::{FileSeed, ProjectSeed, SandboxBuilder, VolumeSeed};

use crate::harness::{Run, World};

const FAST: [&str; 4] = ["--settle", "300ms", "--poll", "50ms"];

fn many(files: u32) -> impl FnOnce(SandboxBuilder) -> SandboxBuilder {
    move |builder| {
        builder
            .project(ProjectSeed::new("lab/trio").synthetic("run1", files, 1_000))
            .volume(VolumeSeed::s3("lab/output").keys_only())
    }
}

fn plan(world: &World, more: &[&str]) -> Run {
    let args = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "lab/trio",
        "--volume",
        "lab/output",
        "--prefix",
        "cohort7/",
    ];
    world.run(&[&args, more].concat())
}

fn run(world: &World, more: &[&str]) -> Run {
    world.run(&[&["run", "t.transfer"], &FAST[..], more].concat())
}

#[test]
fn a_transfer_is_planned_approved_and_run_once() {
    let world = World::with(many(250));
    let planned = plan(&world, &["--move", "--label", "cohort 7", "--json"]);
    assert_eq!(planned.exit(), 0, "{}", planned.snapshot());
    let planned = planned.document();
    assert_eq!(
        (&planned["files"], &planned["bytes"]),
        (&250.into(), &250_000.into())
    );
    assert_eq!(planned["skipped"], serde_json::json!({}));
    assert!(
        planned["sample"][0]["key"]
            .as_str()
            .unwrap()
            .starts_with("cohort7/run1/")
    );
    assert_eq!(world.accepted(), 0);

    // Without consent, or with consent to something else, nothing is sent.
    let other = "0".repeat(64);
    for consent in [&[][..], &["--approve", &other]] {
        let refused = run(&world, consent);
        assert_eq!(refused.exit(), 2, "{}", refused.snapshot());
        assert_eq!(world.accepted(), 0);
    }

    let fingerprint = planned["fingerprint"].as_str().unwrap().to_owned();
    let done = run(
        &world,
        &[
            "--approve",
            &fingerprint,
            "--json",
            "--log-json",
            "log.jsonl",
        ],
    );
    assert_eq!(done.exit(), 0, "{}", done.snapshot());
    let summary = done.document();
    assert_eq!(
        (&summary["completed"], &summary["left"]),
        (&250.into(), &0.into())
    );
    assert_eq!(summary["failures"], serde_json::json!([]));
    assert_eq!(world.accepted(), 250);
    let log = std::fs::read_to_string(world.home().join("log.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(last["tally"]["completed"]["files"], 250);

    let again = run(&world, &["--yes"]);
    assert_eq!(again.exit(), 4, "{}", again.snapshot());
    assert_eq!(world.accepted(), 250);
    let status = world.run(&["status", "t.transfer"]);
    assert_eq!(status.exit(), 0);
    assert!(
        status
            .stdout()
            .contains("250 completed, 0 failed, 0 unknown, 0 left"),
        "{}",
        status.stdout()
    );
    assert!(status.stdout().starts_with("cohort 7\n"));
}

#[test]
fn a_transfer_runs_nowhere_else() {
    let world = World::with(many(3));
    assert_eq!(plan(&world, &["--copy"]).exit(), 0);
    let other = World::new();
    let before = other.sandbox.ledger().requests;
    let mut command = world.command(&["run", "t.transfer", "--yes"]);
    command
        .env("SB_API_ENDPOINT", other.sandbox.endpoint())
        .env("SB_AUTH_TOKEN", other.sandbox.token());
    let refused = world.finish(command);
    assert_eq!(refused.exit(), 2, "{}", refused.snapshot());
    assert!(
        refused.stderr().contains("was planned for endpoint"),
        "{}",
        refused.stderr()
    );
    // It isn't even asked whose token it is.
    assert_eq!(other.sandbox.ledger().requests, before);
}

#[test]
fn whoever_approves_sees_what_is_approved() {
    let world = World::with(many(3));
    let planned = plan(&world, &["--move", "--json"]).document();
    let fingerprint = planned["fingerprint"].as_str().unwrap();
    let status = world.run(&["status", "t.transfer"]);
    let stdout = status.stdout();
    let lines: Vec<&str> = stdout
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("planned "))
        .collect();
    assert!(stdout.contains("; `cavatica run` starts it\n"), "{stdout}");
    assert_eq!(
        lines.concat(),
        format!(
            "t.transfer: 0 completed, 0 failed, 0 unknown, 3 left (0 of them in flight), 0 skipped\n\
             move of project lab/trio, 2.93 KiB, to volume lab/output: bucket lab-output, keys begin with `cohort7/`\n\
             fingerprint {fingerprint}\n"
        )
    );
}

#[test]
fn a_plan_that_was_changed_afterwards_is_run_by_nobody_who_says_yes() {
    let world = World::with(many(20));
    assert_eq!(plan(&world, &["--copy"]).exit(), 0);
    let path = world.home().join("t.transfer");
    let mut bytes = std::fs::read(&path).unwrap();
    // Somebody changes where one file goes.
    let name = b"run1/";
    let at = bytes.windows(name.len()).position(|found| found == name);
    bytes[at.expect("a location")] = b'x';
    std::fs::write(&path, bytes).unwrap();

    for consent in [
        &["run", "t.transfer", "--yes"],
        &["retry", "t.transfer", "--yes"],
    ] {
        let refused = world.run(consent);
        assert_eq!(refused.exit(), 2, "{}", refused.snapshot());
        assert!(
            refused
                .stderr()
                .contains("the plan was changed after it was written"),
            "{}",
            refused.stderr()
        );
    }
    assert_eq!(world.accepted(), 0);

    // Who has seen the change can approve of it, with the line that was printed.
    let stderr = world.run(&["run", "t.transfer", "--yes"]).stderr();
    let (_, found) = stderr.split_once(" and is ").unwrap();
    let approved = run(&world, &["--approve", &found[..64]]);
    assert_eq!(approved.exit(), 0, "{}", approved.snapshot());
    assert_eq!(world.accepted(), 20);
    let moved = world.sandbox.ledger().jobs;
    assert!(
        moved
            .iter()
            .any(|job| job.location.starts_with("cohort7/xun1/"))
    );
}

#[test]
fn the_mode_must_be_named_and_an_occupied_key_refuses_the_plan() {
    let world = World::new();
    let args = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "sandbox/demo",
        "--volume",
        "sandbox/output",
    ];
    assert_eq!(world.run(&args).exit(), 2);
    let flat = world.run(&[&args[..], &["--flatten", "--copy"]].concat());
    assert_eq!(flat.exit(), 2);
    assert!(
        flat.stderr().contains("2 files would go to `calls.vcf`"),
        "{}",
        flat.stderr()
    );
    assert!(!world.home().join("t.transfer").exists());
}

#[test]
fn failures_are_named_at_the_end_and_retried_when_their_code_is() {
    let world = World::with(many(40));
    world.sandbox.set_faults(
        "fail-jobs=9103,every=10"
            .parse::<cavatica_sandbox::FaultPlan>()
            .unwrap(),
    );
    assert_eq!(plan(&world, &["--move"]).exit(), 0);
    let done = run(&world, &["--yes"]);
    assert_eq!(done.exit(), 3, "{}", done.snapshot());
    let stdout = done.stdout();
    let groups: Vec<&str> = stdout
        .lines()
        .filter(|line| line.starts_with("failed 9103, 4 files: let the volume's key or role"))
        .collect();
    assert_eq!(groups.len(), 1, "the advice is said once: {stdout}");
    let (_, named) = stdout.split_once(groups[0]).unwrap();
    // Three of them, how many more there are, and where those are named.
    assert_eq!(named.trim().lines().count(), 5, "{stdout}");
    assert!(named.contains("  ... and 1 more\n"), "{stdout}");

    world.sandbox.set_faults(Vec::new());
    let retry = |more: &[&str]| world.run(&[&["retry", "t.transfer"], &FAST[..], more].concat());
    assert_eq!(retry(&[]).exit(), 2);
    assert_eq!(retry(&["--yes"]).exit(), 3);
    assert_eq!(
        world.accepted(),
        40,
        "a permanent failure isn't repeated unasked"
    );
    let again = retry(&["--yes", "--code", "9103", "--json"]);
    assert_eq!(again.exit(), 0, "{}", again.snapshot());
    assert_eq!(again.document()["completed"], 40);
    assert_eq!(world.accepted(), 44);
}

#[test]
fn a_few_files_are_sent_first_and_then_the_rest() {
    let world = World::with(many(40));
    assert_eq!(plan(&world, &["--move"]).exit(), 0);
    let few = run(&world, &["--limit", "10", "--yes", "--json"]);
    assert_eq!(few.exit(), 0, "{}", few.snapshot());
    assert_eq!(
        (&few.document()["completed"], &few.document()["left"]),
        (&10.into(), &30.into())
    );
    assert_eq!(world.accepted(), 10);
    assert_eq!(run(&world, &["--yes"]).exit(), 0);
    assert_eq!(world.accepted(), 40);
    assert_eq!(run(&world, &["--limit", "0", "--yes"]).exit(), 2);
}

#[cfg(unix)]
#[test]
fn a_batch_system_that_ends_a_run_leaves_a_transfer_that_can_be_resumed() {
    stopped_by("-TERM");
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_a_transfer_that_can_be_resumed_and_a_second_run_is_told_who_runs() {
    stopped_by("-INT");
}

#[cfg(unix)]
fn stopped_by(signal: &str) {
    let world = World::with(|builder| {
        many(300)(builder).job_duration(Duration::from_secs(20)..=Duration::from_secs(20))
    });
    assert_eq!(plan(&world, &["--move"]).exit(), 0);
    let mut command = world.command(&[&["run", "t.transfer", "--yes"], &FAST[..]].concat());
    let running = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while world.accepted() < 300 {
        assert!(std::time::Instant::now() < deadline, "it never sends");
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = run(&world, &["--yes"]);
    assert_eq!(second.exit(), 2, "{}", second.snapshot());
    assert!(
        second
            .stderr()
            .contains(&format!("process {}", running.id())),
        "{}",
        second.stderr()
    );

    let pid = running.id().to_string();
    let sent = std::process::Command::new("kill")
        .args([signal, &pid])
        .status();
    assert!(sent.unwrap().success());
    let ended = running.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(6));
    let said = String::from_utf8_lossy(&ended.stderr);
    let next = "interrupted; `cavatica run t.transfer --yes` goes on from here\n";
    assert!(said.ends_with(next), "{said}");
    let status = world.run(&["status", "t.transfer", "--json"]).document();
    assert_eq!(
        (&status["in_flight"], &status["left"]),
        (&300.into(), &300.into())
    );
}

/// A project as a whole, its folders one by one, lists of its files by id and by name, and the task that made them: the same
/// plan.
#[test]
fn the_same_files_reached_in_five_ways_are_the_same_plan() {
    const TASK: &str = "6f2a1b3c-0000-4000-8000-000000000001";
    let names = ["a, \"b\".bam", "c.bam", "d.bam.bai"];
    let world = World::with(|builder| {
        let project = names
            .iter()
            .fold(ProjectSeed::new("lab/trio"), |project, name| {
                let path = format!("run 1/bam/{name}");
                project.with(
                    FileSeed::bytes(path, "x")
                        .tag("final")
                        .metadata("case", "7")
                        .task(TASK),
                )
            });
        builder
            .project(project)
            .volume(VolumeSeed::s3("lab/output").keys_only())
    });
    let list = [
        "files",
        "list",
        "--project",
        "lab/trio",
        "--recursive",
        "--tsv",
    ];
    let list = world.run(&list);
    assert_eq!(list.stdout().lines().count(), 4, "{}", list.stdout());
    std::fs::write(world.home().join("ids.tsv"), list.stdout()).unwrap();
    let by_name = names.iter().fold(
        "\u{feff}Project,Folder,Name\r\n".to_owned(),
        |text, name| {
            format!(
                "{text}lab/trio,run 1/bam,\"{}\"\r\n",
                name.replace('"', "\"\"")
            )
        },
    );
    std::fs::write(world.home().join("names.csv"), by_name).unwrap();
    let project = ["--project", "lab/trio"];
    let ways: [&[&str]; 6] = [
        &project,
        &[project[0], project[1], "--folder", "run 1/bam"],
        &[
            project[0], project[1], "--where", "case=7", "--tag", "final",
        ],
        &["--manifest", "ids.tsv"],
        &["--manifest", "names.csv"],
        &["--task", TASK],
    ];
    let fingerprints: std::collections::BTreeSet<String> = ways
        .iter()
        .enumerate()
        .map(|(number, way)| {
            let out = format!("{number}.transfer");
            let rest = ["--volume", "lab/output", "--move", "--json"];
            let planned = world.run(&[&["plan", "--out", &out], *way, &rest].concat());
            assert_eq!(planned.document()["files"], 3, "{way:?}");
            planned.document()["fingerprint"].to_string()
        })
        .collect();
    assert_eq!(fingerprints.len(), 1);
    let none = [
        "plan",
        "--out",
        "none.transfer",
        "--project",
        "lab/trio",
        "--where",
        "case=8",
    ];
    let none = world.run(&[&none[..], &["--volume", "lab/output", "--move"]].concat());
    assert_eq!(none.exit(), 4, "{}", none.stderr());
    assert!(!world.home().join("none.transfer").exists());
}

#[test]
#[cfg(unix)]
fn whoever_is_named_is_told_how_it_ended() {
    let world = World::with(many(40));
    world.sandbox.set_faults(
        "fail-jobs=9103,every=10"
            .parse::<cavatica_sandbox::FaultPlan>()
            .unwrap(),
    );
    assert_eq!(plan(&world, &["--move"]).exit(), 0);
    let script = "cat > told.json; echo \"$CAVATICA_EXIT_CODE $CAVATICA_STATE $CAVATICA_TRANSFER\" > codes; echo heard; exit 5";
    let done = run(&world, &["--yes", "--json", "--on-end", script]);
    // What it prints mixes with no data, and its failure is told and changes nothing.
    assert_eq!(done.exit(), 3, "{}", done.snapshot());
    assert!(done.stderr().contains("heard\n"), "{}", done.stderr());
    assert!(
        done.stderr().contains("the command of --on-end failed"),
        "{}",
        done.stderr()
    );
    let read = |name: &str| std::fs::read_to_string(world.home().join(name)).unwrap();
    assert_eq!(read("codes"), "3 failed t.transfer\n");
    let told: serde_json::Value = serde_json::from_str(&read("told.json")).unwrap();
    assert_eq!(told, done.document());

    // So it is when nothing could be done at all.
    let elsewhere = "http://127.0.0.1:9/v2";
    let refused = run(
        &world,
        &["--yes", "--endpoint", elsewhere, "--on-end", script],
    );
    assert_eq!(refused.exit(), 2, "{}", refused.snapshot());
    assert_eq!(read("codes"), "2 error t.transfer\n");
    let told: serde_json::Value = serde_json::from_str(&read("told.json")).unwrap();
    assert_eq!(told["error"]["exit"], 2);
}

#[test]
fn the_first_half_of_a_fingerprint_approves_and_less_does_not() {
    let world = World::with(many(3));
    let planned = plan(&world, &["--move", "--json"]).document();
    let fingerprint = planned["fingerprint"].as_str().unwrap();
    let few = run(&world, &["--approve", &fingerprint[..31]]);
    assert_eq!(few.exit(), 2);
    assert!(
        few.stderr().contains("at least 32 of the 64"),
        "{}",
        few.stderr()
    );
    let mut other = fingerprint[..32].to_owned();
    let digit = if other.ends_with('0') { "1" } else { "0" };
    other.replace_range(31.., digit);
    let refused = run(&world, &["--approve", &other]);
    assert_eq!(refused.exit(), 2, "{}", refused.snapshot());
    assert_eq!(world.accepted(), 0);
    assert_eq!(run(&world, &["--approve", &fingerprint[..32]]).exit(), 0);
    assert_eq!(world.accepted(), 3);
}

#[test]
fn the_first_copy_is_the_smallest_goes_alone_and_says_so() {
    let world = World::with(|builder| {
        let project = ProjectSeed::new("lab/trio")
            .file("a.bam", "many bytes")
            .file("b.txt", "few")
            .file("c.bam", "many more bytes");
        builder
            .project(project)
            .volume(VolumeSeed::s3("lab/output").keys_only())
    });
    assert_eq!(plan(&world, &["--copy"]).exit(), 0);
    let done = world.run(&[
        "run",
        "t.transfer",
        "--yes",
        "--poll",
        "50ms",
        "--log-json",
        "log.jsonl",
    ]);
    assert_eq!(done.exit(), 0, "{}", done.snapshot());
    assert!(
        done.stderr().contains("the first copy goes alone"),
        "{}",
        done.stderr()
    );
    let ledger = world.sandbox.ledger();
    assert_eq!(ledger.starts, 3);
    assert_eq!(ledger.jobs[0].location, "cohort7/b.txt");
    let log = std::fs::read_to_string(world.home().join("log.jsonl")).unwrap();
    let at = |event: &str| log.find(&format!("\"event\":\"{event}\"")).expect(event);
    assert!(
        at("copy_goes_alone") < at("batch_answered") && at("batch_answered") < at("copy_proven")
    );
}
