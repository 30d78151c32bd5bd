//! `cavatica report`: a row for every file, whatever became of it.

use cavatica_sandbox::{FileSeed, ProjectSeed, VolumeSeed};

use crate::harness::World;

/// A project with one file of each fate, planned and run.
fn world() -> World {
    let project = ProjectSeed::new("sandbox/fates")
        .file("=cmd.txt", "a name that a spreadsheet would run")
        .file("odd, \"quoted\".txt", "a name that needs quotes")
        .with(FileSeed::bytes("archived.tar", "refused by the platform").archived())
        .with(FileSeed::alias(
            "alias.bam",
            "sandbox/output",
            "earlier.bam",
            9,
        ));
    let volume = VolumeSeed::s3("sandbox/output")
        .prefix("lab/")
        .object("earlier.bam", "alignment");
    let world = World::with(|builder| builder.project(project).volume(volume));
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "sandbox/fates",
        "--volume",
        "sandbox/output",
        "--prefix",
        "p/",
        "--move",
    ];
    assert_eq!(world.run(&plan).exit(), 0);
    assert_eq!(world.run(&["run", "t.transfer", "--yes"]).exit(), 3);
    world
}

#[test]
fn every_fate_has_its_row() {
    let world = world();
    let run = world.run(&["report", "t.transfer", "--format", "jsonl"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let mut rows: Vec<_> = run.documents();
    rows.sort_by_key(|row| row["path"].as_str().unwrap().to_owned());
    let fates: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["path"].as_str().unwrap(),
                row["state"].as_str().unwrap(),
                row["class"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        fates,
        [
            ("=cmd.txt", "completed", ""),
            ("alias.bam", "skipped", "alias"),
            ("archived.tar", "failed", "permanent"),
            ("odd, \"quoted\".txt", "completed", ""),
        ]
    );
    assert_eq!(rows[0]["key"], "lab/p/=cmd.txt");
    assert!(!rows[0]["export_id"].as_str().unwrap().is_empty());
    assert_eq!(rows[2]["code"], 9006);
    assert!(!rows[2]["advice"].as_str().unwrap().is_empty());
}

#[test]
fn a_spreadsheet_runs_nothing_and_loses_nothing() {
    let world = world();
    let run = world.run(&[
        "report",
        "t.transfer",
        "--format",
        "csv",
        "--out",
        "report.csv",
    ]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let text = std::fs::read_to_string(world.home().join("report.csv")).unwrap();
    assert!(
        text.starts_with("file_id,name,path,project,task,app,metadata,"),
        "{text}"
    );
    assert_eq!(text.matches("\r\n").count(), 5, "{text}");
    assert!(text.contains(",'=cmd.txt,'=cmd.txt,"), "{text}");
    assert!(text.contains(",\"odd, \"\"quoted\"\".txt\","), "{text}");

    let again = world.run(&["report", "t.transfer", "--out", "report.csv"]);
    assert_eq!(again.exit(), 2, "a report overwrites nothing");
}
