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

#[test]
fn a_page_is_there_whole_or_not_at_all() {
    let world = world();
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(world.home()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let before = names();
    let page = |out| world.run(&["report", "t.transfer", "--format", "html", "--out", out]);
    let nowhere = page("nowhere/page.html");
    assert_eq!(nowhere.exit(), 2, "{}", nowhere.snapshot());
    assert_eq!(names(), before, "nothing is left behind");

    let made = page("page.html");
    assert_eq!(made.exit(), 0, "{}", made.snapshot());
    assert_eq!(
        (made.stdout(), made.stderr()),
        (String::new(), "4 files in page.html\n".to_owned())
    );
    let text = std::fs::read_to_string(world.home().join("page.html")).unwrap();
    assert!(text.contains("<strong>Ended, with failures</strong>: 2 of 3 files arrived, 1 failed"));
    assert!(text.ends_with("</html>\n"));

    let again = page("page.html");
    assert_eq!(again.exit(), 2, "{}", again.snapshot());
    assert!(
        again.stderr().contains("overwrites nothing"),
        "{}",
        again.stderr()
    );

    let piped = page("-");
    assert_eq!(piped.exit(), 0);
    assert!(piped.stdout().starts_with("<!DOCTYPE html>"));
}

#[cfg(unix)]
#[test]
fn others_may_read_a_report_as_any_other_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let world = world();
    assert_eq!(
        world
            .run(&["report", "t.transfer", "--out", "r.tsv"])
            .exit(),
        0
    );
    std::fs::write(world.home().join("other"), "").unwrap();
    let mode = |name| {
        std::fs::metadata(world.home().join(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("r.tsv"), mode("other"));
}

#[test]
fn the_manifest_and_the_tags_are_of_completed_files_alone() {
    let world = world();
    let manifest = world.run(&["report", "t.transfer", "--format", "drs"]);
    assert_eq!(manifest.exit(), 0, "{}", manifest.snapshot());
    let text = manifest.stdout();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("Bucket,Key,Size,ETag,"), "{text}");
    // A program reads it: a key that was changed would be another object.
    assert!(
        lines[1].starts_with("sandbox-output,lab/p/=cmd.txt,35,,"),
        "{text}"
    );
    assert!(
        manifest.stderr().contains("`cavatica verify`"),
        "{}",
        manifest.stderr()
    );

    let tags = world.run(&["report", "t.transfer", "--format", "tags"]);
    assert_eq!(tags.exit(), 0, "{}", tags.snapshot());
    let calls = tags.documents();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0]["Bucket"], "sandbox-output");
    assert_eq!(calls[0]["Key"], "lab/p/=cmd.txt");
    let set = calls[0]["Tagging"]["TagSet"].as_array().unwrap();
    assert_eq!(set[0]["Key"], "cavatica:file_id");
    assert_eq!(
        set[0]["Value"],
        world.sandbox.file_id("sandbox/fates", "=cmd.txt").unwrap()
    );
    assert_eq!(set[1]["Value"], "sandbox/fates");
}

#[test]
fn json_is_not_asked_for_together_with_something_else() {
    let world = world();
    let run = world.run(&["--json", "report", "t.transfer", "--format", "html"]);
    assert_eq!(run.exit(), 2, "{}", run.snapshot());
    let lines = world.run(&["--json", "report", "t.transfer"]);
    assert_eq!(lines.documents().len(), 4);
}
