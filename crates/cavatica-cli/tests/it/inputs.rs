//! What people hand in: lists through pipes and links, files by their paths; and the words that the program answers with.

use std::process::Stdio;

use cavatica_exports::model::error::Class;
use cavatica_exports::model::finding::Reason;
use cavatica_report::{Standing, TroubleKind};
use cavatica_sandbox::{FileSeed, ProjectSeed, VolumeSeed};
use cavatica_transfer::plan::KINDS;
use cavatica_transfer::state::Doubt;
use cavatica_transfer::{Disagreement, Finding, Hindrance, StopReason};
use serde_json::json;

use crate::harness::{Run, World};

const PLAN: [&str; 6] = [
    "plan",
    "--out",
    "t.transfer",
    "--volume",
    "lab/output",
    "--copy",
];

fn world() -> World {
    World::with(|builder| {
        builder
            .project(
                ProjectSeed::new("lab/trio")
                    .file("top.txt", "in the root")
                    .file("run1/a.bam", "reads")
                    .file("run1/b.vcf", "calls")
                    .file("run1/deep/c.bam", "reads"),
            )
            .volume(VolumeSeed::s3("lab/output"))
    })
}

fn id(world: &World, path: &str) -> String {
    world.sandbox.file_id("lab/trio", path).unwrap()
}

fn write(world: &World, name: &str, text: &str) {
    std::fs::write(world.home().join(name), text).unwrap();
}

fn planned(world: &World, more: &[&str]) -> Run {
    std::fs::remove_file(world.home().join("t.transfer")).ok();
    world.run(&[&PLAN[..], more].concat())
}

/// A named pipe, a link and a pipe in the place of a file are read as the file is, once.
#[cfg(unix)]
#[test]
fn a_manifest_may_come_through_pipes_and_links() {
    let world = world();
    let text = format!(
        "file_id,location\n{},m/x\n,m/y\n{0},m/x\n",
        id(&world, "run1/a.bam")
    );
    write(&world, "files.csv", &text);
    let expected = world.run(&["check", "files.csv", "--json"]).stdout();
    assert_eq!(expected.lines().count(), 2, "{expected}");
    std::os::unix::fs::symlink("files.csv", world.home().join("link.csv")).unwrap();
    assert_eq!(
        world.run(&["check", "link.csv", "--json"]).stdout(),
        expected
    );

    let fifo = world.home().join("fifo.csv");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let feed = |text: String| {
        let fifo = fifo.clone();
        std::thread::spawn(move || std::fs::write(fifo, text).unwrap())
    };
    let fed = feed(text.clone());
    assert_eq!(
        world.run(&["check", "fifo.csv", "--json"]).stdout(),
        expected
    );
    fed.join().unwrap();
    let good = text.replace(",m/y\n", "");
    let fed = feed(good);
    let plan = planned(&world, &["--manifest", "fifo.csv"]);
    fed.join().unwrap();
    assert_eq!(plan.exit(), 0, "{}", plan.snapshot());

    let mut command = world.command(&["check", "/dev/stdin", "--json"]);
    let file = std::fs::File::open(world.home().join("files.csv")).unwrap();
    let output = command.stdin(Stdio::from(file)).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

/// A row that `check` takes is planned, and one that it refuses isn't, with the same words.
#[test]
fn check_and_plan_judge_alike() {
    let world = world();
    let (top, a) = (id(&world, "top.txt"), id(&world, "run1/a.bam"));
    for (text, exit, words) in [
        (format!("file_id\n{top}\n"), 0, &[][..]),
        (format!("file_id,name,path\n{top},top.txt,\n"), 0, &[]),
        ("project,path\nlab/trio,top.txt\n".to_owned(), 0, &[]),
        (
            format!("file_id,location\n{top},m/x\n{top},m/x\n"),
            0,
            &["listed-twice"],
        ),
        (
            format!("file_id,location\n{top},m/x\n{a},m/x\n"),
            2,
            &["same-location"],
        ),
        (format!("file_id,location,,\n{top},,,m/x\n"), 2, &["m/x"]),
        ("file_id\n5.67891E+23\n".to_owned(), 2, &["Excel"]),
        (
            format!("file_id,SSE,KMS Key\n{top},aws:kms,k\n"),
            2,
            &["sse_algorithm", "sse_aws_kms_key_id"],
        ),
        (
            format!("file_id,location\n{top},m/\u{200b}x\n"),
            0,
            &["\\u{200b}"],
        ),
        (
            format!("file_id,location\n{top},m/x\n{a},m/x/y\n"),
            0,
            &["folder of"],
        ),
        (
            format!("{{\"file_id\":\"{top}\",\"location\":\"m/x\",\"location\":\"m/y\"}}\n"),
            2,
            &["twice"],
        ),
    ] {
        write(&world, "files.csv", &text);
        for run in [
            world.run(&["check", "files.csv"]),
            planned(&world, &["--manifest", "files.csv"]),
        ] {
            assert_eq!(run.exit(), exit, "{text}{}", run.snapshot());
            for word in words {
                assert!(
                    run.snapshot().contains(word),
                    "{word}: {text}{}",
                    run.snapshot()
                );
            }
        }
    }
    assert_eq!(world.accepted(), 0);
}

/// What `files list --tsv` writes is a manifest of the files that it lists, whatever was listed.
#[test]
fn a_list_of_files_is_a_manifest_of_them() {
    let world = world();
    let folder = id_of_folder(&world);
    for (list, expected) in [
        (
            &["--project", "lab/trio", "--recursive"][..],
            &["run1/a.bam", "run1/b.vcf", "run1/deep/c.bam", "top.txt"][..],
        ),
        (
            &["--folder", "lab/trio:run1", "--recursive"],
            &["run1/a.bam", "run1/b.vcf", "run1/deep/c.bam"],
        ),
        (&["--folder", &folder], &["run1/a.bam", "run1/b.vcf"]),
        (
            &["--project", "lab/trio", "--recursive", "--name", "*.bam"],
            &["run1/a.bam", "run1/deep/c.bam"],
        ),
    ] {
        let listed = world.run(&[&["files", "list", "--tsv"], list].concat());
        assert_eq!(listed.exit(), 0, "{}", listed.snapshot());
        write(&world, "files.tsv", &listed.stdout());
        assert_eq!(world.run(&["check", "files.tsv"]).exit(), 0);
        let plan = planned(&world, &["--manifest", "files.tsv", "--json"]);
        assert_eq!(plan.exit(), 0, "{}", plan.snapshot());
        let plan = plan.document();
        assert_eq!(plan["warnings"], serde_json::json!([]));
        let mut keys: Vec<&str> = plan["sample"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["key"].as_str().unwrap())
            .collect();
        keys.sort_unstable();
        assert_eq!(keys, expected);
    }
}

fn id_of_folder(world: &World) -> String {
    let listed = world.run(&[
        "files",
        "list",
        "--project",
        "lab/trio",
        "--name",
        "run1",
        "--json",
    ]);
    listed.document()["id"].as_str().unwrap().to_owned()
}

#[test]
fn one_file_is_exported_by_its_path() {
    let world = world();
    let run = world.run(&[
        "export",
        "lab/trio:run1/a.bam",
        "lab/output",
        "key.bam",
        "--copy",
        "--wait",
    ]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let jobs = world.sandbox.ledger().jobs;
    assert_eq!((jobs.len(), jobs[0].location.as_str()), (1, "key.bam"));
    assert_eq!(jobs[0].file, id(&world, "run1/a.bam"));
    // A project that isn't there, a path that isn't, and a folder.
    for (file, word) in [
        ("lab/nobody:a.bam", "project `lab/nobody`"),
        ("lab/trio:run2/a.bam", "has no `run2`"),
        ("lab/trio:run1", "folder"),
    ] {
        let run = world.run(&["export", file, "lab/output", "other.bam", "--copy"]);
        assert_eq!(run.exit(), 2, "{}", run.snapshot());
        assert!(run.stderr().contains(word), "{}", run.snapshot());
    }
    assert_eq!(world.accepted(), 1);
}

#[test]
fn the_first_files_that_are_left_out_are_named_with_their_reasons() {
    let world = World::with(|builder| {
        let aliases = (1..=5).map(|number| {
            FileSeed::alias(
                format!("run1/{number}.bam"),
                "lab/output",
                format!("old/{number}.bam"),
                9,
            )
        });
        let project = ProjectSeed::new("lab/trio").file("a.bam", "reads");
        builder
            .project(aliases.fold(project, ProjectSeed::with))
            .volume(VolumeSeed::s3("lab/output").keys_only())
    });
    let plan = planned(&world, &["--project", "lab/trio"]);
    let stdout = plan.stdout();
    let (_, left_out) = stdout.split_once("left out: 5 files, alias\n").unwrap();
    let named: Vec<&str> = left_out.lines().take(4).collect();
    assert!(named[0].starts_with("  run1/1.bam: "), "{stdout}");
    assert_eq!(named[3], "  ...", "{stdout}");
}

/// Every word that the program prints as a name can be explained.
#[test]
fn every_name_is_explained() {
    let world = World::new();
    let findings = [
        Finding::Same,
        Finding::Missing,
        Finding::Extra,
        Finding::Differs,
        Finding::Unread,
    ];
    let standings = [
        Standing::Running,
        Standing::Planned,
        Standing::Unfinished,
        Standing::Differs,
        Standing::Unknown,
        Standing::Failed,
        Standing::Done,
    ];
    let doubts = [
        Doubt::ListIncomplete,
        Doubt::FileChanged,
        Doubt::JobUnclear,
        Doubt::NotMoved,
        Doubt::WhoseJob,
        Doubt::JobGone,
    ];
    let serialized = [
        json!([
            Class::Transient,
            Class::Permanent,
            Class::CallersMistake,
            Class::Throttled,
            Class::Maintenance,
        ]),
        json!([
            Hindrance::Unreachable,
            Hindrance::NoAnswer,
            Hindrance::AnswerIncomplete,
            Hindrance::Throttled,
            Hindrance::Maintenance,
            Hindrance::Refused,
        ]),
        json!([
            StopReason::Asked,
            StopReason::TooManyErrors,
            StopReason::Trouble
        ]),
        json!([
            TroubleKind::Missing,
            TroubleKind::Differs,
            TroubleKind::Unknown,
            TroubleKind::Failed,
        ]),
    ];
    let serialized = serialized
        .iter()
        .flat_map(|names| names.as_array().unwrap())
        .map(|name| name.as_str().unwrap());
    let others = [
        "intended",
        "accepted",
        "completed",
        "skipped",
        "compared",
        "not-listed",
        "not-planned",
        "exists",
        "listed-twice",
        "same-location",
        "twin-locations",
        "nested-locations",
        "held",
        "error",
    ];
    let names = Reason::all()
        .iter()
        .map(|reason| reason.name)
        .chain(KINDS.iter().copied())
        .chain(findings.map(Finding::name))
        .chain(standings.map(Standing::name))
        .chain(doubts.map(Doubt::name))
        .chain(Disagreement::ALL.map(Disagreement::name))
        .chain(serialized)
        .chain(others);
    for name in names {
        let run = world.run(&["explain", name]);
        assert_eq!(run.exit(), 0, "{}", run.snapshot());
        assert!(run.stdout().contains("advice"), "{}", run.stdout());
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let world = world();
    assert_eq!(planned(&world, &["--project", "lab/trio"]).exit(), 0);
    write(&world, "victim", "a key");
    for name in ["log.jsonl", "report.html", "support.json", "next.transfer"] {
        std::os::unix::fs::symlink("victim", world.home().join(name)).unwrap();
    }
    for args in [
        "run t.transfer --yes --log-json log.jsonl",
        "report t.transfer --out report.html",
        "support t.transfer --out support.json",
        "plan --out next.transfer --project lab/trio --volume lab/output --copy",
    ] {
        let refused = world.run(&args.split(' ').collect::<Vec<_>>());
        assert_eq!(refused.exit(), 2, "{args}: {}", refused.snapshot());
    }
    let victim = std::fs::read_to_string(world.home().join("victim"));
    assert_eq!(victim.unwrap(), "a key");
    assert_eq!(world.sandbox.ledger().starts, 0, "something was sent");
}
