//! Lists of files that aren't quite right, and what a plan says of them.

use std::collections::BTreeMap;

use cavatica_exports::model::finding::{Kind, Reason};
use cavatica_sandbox::{FileSeed, ProjectSeed, Sandbox, TaskSeed, VolumeSeed};
use cavatica_transfer::journal::TransferFile;
use cavatica_transfer::plan::{
    Existing, Filter, Glob, KINDS, PlanError, PlanOptions, Policy, Refusal, Selection,
};

use crate::bench::{Bench, PROJECT, VOLUME, many, world};
use crate::plan::listed;

const TASK: &str = "6f2a1b3c-0000-4000-8000-000000000001";

async fn two_files() -> (Bench, [String; 2]) {
    let project = ProjectSeed::new(PROJECT)
        .file("run1/a.bam", "one")
        .file("run2/b.bam", "two");
    let bench = Bench::start(world(project)).await;
    let ids = ["run1/a.bam", "run2/b.bam"]
        .map(|path| bench.sandbox.file_id(PROJECT, path).expect("a file"));
    (bench, ids)
}

fn from(bench: &Bench, text: String) -> PlanOptions {
    let mut options = bench.options();
    options.selection = listed(text);
    options
}

async fn refusal(bench: &Bench, options: PlanOptions) -> Refusal {
    match bench.plan(options).await.expect_err("a refusal") {
        PlanError::Refused(refusal) => {
            assert!(!bench.transfer().exists());
            *refusal
        }
        error => panic!("{error:?}"),
    }
}

/// The lines and kinds of what a plan was refused for.
fn told(refusal: &Refusal) -> Vec<(Option<u64>, &str)> {
    let files = refusal.refused.iter();
    files.map(|file| (file.line, file.kind.as_str())).collect()
}

#[tokio::test]
async fn a_listed_file_that_is_not_there_refuses_the_plan_with_its_line() {
    let (bench, [a, _]) = two_files().await;
    let text = || format!("file_id\n{a}\n567890abc8a5639cc6722063\n{}x\n", &a[1..]);
    let refused = refusal(&bench, from(&bench, text())).await;
    assert_eq!(told(&refused), [(Some(3), "missing"), (Some(4), "missing")]);
    assert!(refused.to_string().contains("(line 3)"), "{refused}");

    let mut options = from(&bench, text());
    options.policies = BTreeMap::from([("missing".to_owned(), Policy::Skip)]);
    let planned = bench.plan(options).await.expect("a plan");
    assert_eq!((planned.files, planned.skipped["missing"]), (1, 2));
    let lines: Vec<_> = planned.left_out.iter().map(|file| file.line).collect();
    assert_eq!(lines, [Some(3), Some(4)]);
}

#[tokio::test]
async fn an_id_with_the_name_or_project_of_another_file_refuses_the_plan() {
    let (bench, [a, b]) = two_files().await;
    // A sheet of which one column was sorted.
    for text in [
        format!("file_id,name\n{a},b.bam\n{b},a.bam\n"),
        format!("file_id,path\n{a},run2/b.bam\n{b},run1/a.bam\n"),
        format!("file_id,project\n{a},lab/other\n{b},lab/other\n"),
    ] {
        let refused = refusal(&bench, from(&bench, text.clone())).await;
        assert_eq!(
            told(&refused),
            [(Some(2), "contradicts"), (Some(3), "contradicts")],
            "{text}"
        );
    }
    let text = format!("file_id,name,project\n{a},b.bam,{PROJECT}\n{b},b.bam,{PROJECT}\n");
    let mut options = from(&bench, text);
    options.policies = BTreeMap::from([("contradicts".to_owned(), Policy::Skip)]);
    let planned = bench.plan(options).await.expect("a plan");
    assert_eq!((planned.files, planned.skipped["contradicts"]), (1, 1));
    assert_eq!(
        planned.left_out[0].reason,
        "the manifest calls it `b.bam`, the platform `a.bam`"
    );
}

#[tokio::test]
async fn names_are_the_same_in_every_unicode_form_and_other_folders_only_warn() {
    let project = ProjectSeed::new(PROJECT).file("run1/caf\u{e9}.bam", "one");
    let bench = Bench::start(world(project)).await;
    let id = bench
        .sandbox
        .file_id(PROJECT, "run1/caf\u{e9}.bam")
        .expect("a file");
    let text = format!("file_id,name,path\n{id},cafe\u{301}.bam,run0\n");
    let planned = bench.plan(from(&bench, text)).await.expect("a plan");
    let names: Vec<_> = planned
        .warnings
        .iter()
        .map(|warning| warning.name)
        .collect();
    assert_eq!(names, ["other-path"]);
    assert_eq!(planned.sample[0].key, "run1/caf\u{e9}.bam");
}

#[tokio::test]
async fn files_may_be_listed_by_project_and_path_in_one_cell() {
    let (bench, [a, b]) = two_files().await;
    let by_id = bench
        .plan(from(&bench, format!("file_id\n{a}\n{b}\n")))
        .await
        .expect("a plan");
    for text in [
        format!("file\n{PROJECT}:run1/a.bam\n{PROJECT}:/run2/b.bam\n"),
        format!("file\n{PROJECT}:run1/a.bam\n{b}\n"),
        format!("project,path\n{PROJECT},run1/a.bam\n{PROJECT},run2/b.bam\n"),
    ] {
        std::fs::remove_file(bench.transfer()).expect("it is there");
        let planned = bench
            .plan(from(&bench, text.clone()))
            .await
            .expect("a plan");
        assert_eq!(planned.fingerprint, by_id.fingerprint, "{text}");
    }
}

#[tokio::test]
async fn a_file_that_is_listed_twice_is_sent_once_and_named() {
    let (bench, [a, _]) = two_files().await;
    let text = format!("file_id\n{a}\n{PROJECT}:run1/a.bam\n{a}\n");
    let planned = bench.plan(from(&bench, text)).await.expect("a plan");
    assert_eq!((planned.files, planned.skipped["listed-twice"]), (1, 2));
    assert_eq!(planned.left_out[0].line, Some(3));
}

/// What a manifest says of task and metadata counts for the destination, as `check` takes it.
#[tokio::test]
async fn what_a_row_says_goes_into_the_destination() {
    let (bench, [a, b]) = two_files().await;
    let text = format!("file_id,task,metadata.sample\n{a},t-1,S1\n{b},t-2,S2\n");
    let mut options = from(&bench, text);
    options.layout.template = "{task}/{metadata.sample}/{name}"
        .parse()
        .expect("a template");
    let planned = bench.plan(options).await.expect("a plan");
    let keys: Vec<_> = planned
        .sample
        .iter()
        .map(|file| file.key.as_str())
        .collect();
    assert_eq!(keys, ["t-1/S1/a.bam", "t-2/S2/b.bam"]);
}

#[tokio::test]
async fn keys_that_no_disk_can_hold_together_are_warned_of() {
    let (bench, [a, b]) = two_files().await;
    let text = format!("file_id,location\n{a},m/x\n{b},m/x/y.txt\n");
    let planned = bench.plan(from(&bench, text)).await.expect("a plan");
    let [nested] = &planned.collisions[..] else {
        panic!("{:?}", planned.collisions);
    };
    assert_eq!(
        (nested.kind, &nested.locations[..]),
        ("nested", &["m/x".to_owned(), "m/x/y.txt".to_owned()][..])
    );
}

#[tokio::test]
async fn a_key_with_characters_that_nobody_sees_is_warned_of() {
    let project = ProjectSeed::new(PROJECT)
        .file("run1/a\u{200b}.bam", "one")
        .file("run1/a.bam", "two");
    let bench = Bench::start(world(project)).await;
    let planned = bench.plan(bench.options()).await.expect("a plan");
    let [warning] = &planned.warnings[..] else {
        panic!("{:?}", planned.warnings);
    };
    assert_eq!((warning.name, warning.files), ("invisible-character", 1));
    assert!(
        warning.message.contains(r"a\u{200b}.bam"),
        "{}",
        warning.message
    );
    assert_eq!(planned.collisions[0].kind, "twins");
}

#[tokio::test]
async fn the_preview_shows_what_would_be_sent() {
    let bench = Bench::start(
        Sandbox::builder()
            .project(
                ProjectSeed::new(PROJECT)
                    .file("a.bam", "one")
                    .file("b.bam", "two"),
            )
            .volume(VolumeSeed::s3(VOLUME).prefix("p/").object("a.bam", "older")),
    )
    .await;
    let mut options = bench.options();
    options.existing = Existing::Skip;
    options.layout.prefix = "".parse().expect("a prefix");
    let planned = bench.plan(options).await.expect("a plan");
    let keys: Vec<_> = planned
        .sample
        .iter()
        .map(|file| file.key.as_str())
        .collect();
    assert_eq!(keys, ["p/b.bam"]);
    let paths: Vec<_> = planned
        .left_out
        .iter()
        .map(|file| (file.kind.as_str(), file.path.as_deref()))
        .collect();
    assert_eq!(paths, [("exists", Some("a.bam"))]);
}

#[tokio::test]
async fn a_selection_that_matches_nothing_says_why_and_leaves_no_file() {
    let project = many(3).with(FileSeed::bytes("x.cram", "x").tag("final"));
    let bench = Bench::start(world(project)).await;
    let filtered = |names: &[&str], tags: &[&str]| {
        let mut filter = Filter::default();
        filter.names = names.iter().map(|name| Glob::new(name)).collect();
        filter.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let mut options = bench.options();
        options.selection = Selection::Project {
            project: PROJECT.parse().expect("a project"),
            folder: None,
            filter,
        };
        options
    };
    for (options, expected) in [
        (
            filtered(&["*.bma", "*.bmi"], &[]),
            "none of its 4 files has name *.bma or *.bmi",
        ),
        (
            filtered(&["*.cram"], &["draft"]),
            "none of the 1 file that fit what else is asked has tag draft",
        ),
        (
            from(&bench, "file_id\n".to_owned()),
            "manifest m.csv: it lists no file",
        ),
    ] {
        let error = bench.plan(options).await.expect_err("nothing");
        assert!(matches!(error, PlanError::Nothing { .. }), "{error:?}");
        assert!(error.to_string().ends_with(expected), "{error}");
        assert!(!bench.transfer().exists());
    }
    // The corrected command finds its way free.
    let planned = bench
        .plan(filtered(&["*.cram"], &["final"]))
        .await
        .expect("a plan");
    assert_eq!(planned.files, 1);
}

#[tokio::test]
async fn a_companion_without_a_task_goes_with_its_main_file() {
    let project = ProjectSeed::new(PROJECT)
        .with(FileSeed::bytes("run1/a.bam", "reads").task(TASK))
        .file("run1/a.bam.bai", "index")
        .file("run1/a.csi", "index")
        .file("run1/nobody's.bai", "index")
        .file("notes.txt", "no companion")
        .task(TaskSeed::new(TASK));
    let bench = Bench::start(world(project)).await;
    let mut options = bench.options();
    options.layout.template = "{task}/{name}".parse().expect("a template");
    let planned = bench.plan(options).await.expect("a plan");
    let rows = TransferFile::open(&bench.transfer())
        .and_then(|file| file.items(None))
        .expect("rows");
    let mut locations: Vec<_> = rows.into_iter().map(|row| row.location).collect();
    locations.sort_unstable();
    assert_eq!(
        locations,
        [
            format!("{TASK}/a.bam"),
            format!("{TASK}/a.bam.bai"),
            format!("{TASK}/a.csi")
        ]
    );
    assert_eq!(
        planned.skipped,
        BTreeMap::from([("location".to_owned(), 2)])
    );
    let mut named: Vec<_> = planned
        .left_out
        .iter()
        .filter_map(|file| file.path.as_deref())
        .collect();
    named.sort_unstable();
    assert_eq!(named, ["notes.txt", "run1/nobody's.bai"]);
    assert!(
        planned.left_out[0].reason.contains("{task}"),
        "{:?}",
        planned.left_out
    );
}

/// What a task put out is that task's, even where the file itself doesn't say so.
#[tokio::test]
async fn a_tasks_outputs_go_where_its_files_go() {
    let file = |path: &str| serde_json::json!({"class": "File", "path": path});
    let mut bam = file("run1/a.bam");
    bam["secondaryFiles"] = serde_json::json!([file("run1/a.bam.bai")]);
    let project = ProjectSeed::new(PROJECT)
        .with(FileSeed::bytes("run1/a.bam", "reads").task(TASK))
        .file("run1/a.bam.bai", "index")
        .task(TaskSeed::new(TASK).output("bam", bam));
    let bench = Bench::start(world(project)).await;
    let mut options = bench.options();
    options.selection = Selection::Tasks(vec![TASK.parse().expect("a task")]);
    options.layout.template = "{task}/{name}".parse().expect("a template");
    let planned = bench.plan(options).await.expect("a plan");
    let keys: Vec<_> = planned.sample.iter().map(|file| file.key.clone()).collect();
    assert_eq!(keys, [format!("{TASK}/a.bam"), format!("{TASK}/a.bam.bai")]);
}

/// What speaks against the volume or the request, whatever the file.
const NOT_OF_A_FILE: &[&str] = &[
    "volume-read-only",
    "volume-inactive",
    "service-without-exports",
    "kms-key-without-kms",
    "kms-key-twice",
    "unknown-property",
    "unknown-key",
    "copy-only-in-body",
    "other-file",
    "other-volume",
];

#[test]
fn a_plan_can_be_told_about_each_objection_to_a_file() {
    let all = Reason::all().iter();
    let objections = all.filter(|reason| reason.kind == Kind::Objection);
    for reason in objections.filter(|reason| !NOT_OF_A_FILE.contains(&reason.name)) {
        assert!(KINDS.contains(&reason.name), "{}", reason.name);
    }
}

#[test]
fn every_kind_of_reason_is_explained() {
    for kind in KINDS {
        assert!(Reason::lookup(kind).is_some(), "{kind}");
    }
}
