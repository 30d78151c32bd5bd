//! What tasks put out, planned from the sandbox's answers.

use std::collections::BTreeMap;

use cavatica_exports::transport::Outcome;
use cavatica_sandbox::{FaultPlan, FileSeed, ProjectSeed, Route, TaskSeed};
use cavatica_transfer::journal::TransferFile;
use cavatica_transfer::plan::{PlanError, PlanOptions, Selection};
use serde_json::{Value, json};

use crate::bench::{Bench, PROJECT, world};

const TASK: &str = "6f2a1b3c-0000-4000-8000-000000000001";
const OTHER: &str = "6f2a1b3c-0000-4000-8000-000000000002";

fn file(path: &str) -> Value {
    json!({"class": "File", "path": path})
}

fn folder(path: &str) -> Value {
    json!({"class": "Directory", "path": path})
}

fn project() -> ProjectSeed {
    ProjectSeed::new(PROJECT)
        .file("run1/bam/a.bam", "reads")
        .file("run1/bam/a.bam.bai", "index")
        .file("run1/b.vcf", "calls")
        .file("run1/c.vcf", "calls")
        .file("run1/reports/index.html", "report")
        .file("run1/reports/plots/depth.png", "plot")
        .file("run1/left behind.txt", "not put out")
        .file("top.txt", "in the root")
}

fn options(bench: &Bench, tasks: &[&str]) -> PlanOptions {
    let tasks = tasks.iter().map(|id| id.parse().expect("a task id"));
    let mut options = bench.options();
    options.selection = Selection::Tasks(tasks.collect());
    options
}

/// How often each location is planned.
fn locations(bench: &Bench) -> BTreeMap<String, u64> {
    let file = TransferFile::open(&bench.transfer()).expect("the transfer");
    let mut found = BTreeMap::new();
    for row in file.items(None).expect("readable") {
        *found.entry(row.location).or_default() += 1;
    }
    found
}

fn once<const N: usize>(names: [&str; N]) -> BTreeMap<String, u64> {
    names.map(|name| (name.to_owned(), 1)).into()
}

#[tokio::test]
async fn outputs_at_any_depth_are_planned_once_with_their_folders_and_moved() {
    let bam = json!({
        "class": "File", "path": "run1/bam/a.bam",
        "secondaryFiles": [file("run1/bam/a.bam.bai")]
    });
    let calls = json!([
        [file("run1/b.vcf"), null],
        [[file("run1/c.vcf"), file("top.txt")]]
    ]);
    let task = TaskSeed::new(TASK)
        .output("bam", bam)
        .output("index", file("run1/bam/a.bam.bai"))
        .output("calls", calls)
        .output("reports", folder("run1/reports"))
        .output("report", file("run1/reports/index.html"))
        .output("plots", json!([folder("run1/reports/plots")]))
        .output("nothing", json!(null))
        .output("reads", 1042)
        .output("label", "run1/left behind.txt");
    // What another task puts out again isn't planned again.
    let other = TaskSeed::new(OTHER).output("bam", file("run1/bam/a.bam"));
    let bench = Bench::start(world(project().task(task).task(other))).await;
    let planned = bench.plan(options(&bench, &[TASK, OTHER])).await;
    let planned = planned.expect("a plan");
    assert_eq!((planned.files, planned.skipped), (7, BTreeMap::new()));
    assert_eq!(
        locations(&bench),
        once([
            "run1/bam/a.bam",
            "run1/bam/a.bam.bai",
            "run1/b.vcf",
            "run1/c.vcf",
            "run1/reports/index.html",
            "run1/reports/plots/depth.png",
            "top.txt",
        ])
    );
    bench.run().await.expect("a run");
    bench.check_exactly_once(7);
}

#[tokio::test]
async fn a_batch_task_gives_the_outputs_of_its_parts_and_their_app_is_remembered() {
    let part = |id: &str, path: &str| {
        let task = TaskSeed::new(id).part_of(TASK).app("lab/trio/align/1");
        task.output("calls", file(path))
    };
    let project = project()
        .with(FileSeed::bytes("run1/d.vcf", "calls").task("second"))
        .task(part("first", "run1/b.vcf"))
        .task(part("second", "run1/d.vcf"));
    let bench = Bench::start(world(project)).await;
    bench.plan(options(&bench, &[TASK])).await.expect("a plan");
    assert_eq!(locations(&bench), once(["run1/b.vcf", "run1/d.vcf"]));
    let rows = TransferFile::open(&bench.transfer()).and_then(|file| file.items(None));
    let told = rows.expect("rows").pop().expect("a file");
    assert_eq!(told.task.as_deref(), Some("second"));
    assert_eq!(told.app.as_deref(), Some("lab/trio/align/1"));
}

#[tokio::test]
async fn a_limit_holds_across_the_folders_of_a_task() {
    let task = TaskSeed::new(TASK)
        .output("a", folder("run1/bam"))
        .output("b", folder("run1/reports"));
    let bench = Bench::start(world(project().task(task))).await;
    let mut options = options(&bench, &[TASK]);
    options.limit = Some(1);
    assert_eq!(bench.plan(options).await.expect("a plan").files, 1);
    assert_eq!(locations(&bench), once(["run1/bam/a.bam"]));
    let requests = bench.sandbox.ledger().requests;
    let scrolls: u64 = requests
        .iter()
        .filter(|(call, _)| [Route::Scroll, Route::FolderScroll].contains(call))
        .map(|(_, count)| count)
        .sum();
    assert_eq!(scrolls, 1, "{requests:?}");
}

#[tokio::test]
async fn a_folder_that_the_platform_does_not_show_is_named_as_missing() {
    let task = TaskSeed::new(TASK).output("reports", folder("run1/reports"));
    // The first bulk read is the one for the folder itself; its only item gets lost.
    let faults: FaultPlan = "omit=1@bulk-files,nth=1".parse().expect("a fault plan");
    let bench = Bench::start(world(project().task(task)).faults(faults)).await;
    let planned = bench.plan(options(&bench, &[TASK])).await.expect("a plan");
    assert_eq!((planned.files, planned.skipped), (0, once(["missing"])));
    let file = TransferFile::open(&bench.transfer()).expect("the transfer");
    let skipped = file.skipped(0).expect("readable");
    let id = skipped[0].file.as_ref().map(|id| id.as_str().to_owned());
    assert_eq!(id, bench.sandbox.file_id(PROJECT, "run1/reports"));
}

#[tokio::test]
async fn a_task_that_is_not_there_gives_no_plan() {
    let bench = Bench::start(world(project())).await;
    let error = match bench.plan(options(&bench, &[TASK])).await {
        Err(PlanError::Call(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(error.outcome(), Outcome::Refused), "{error:?}");
    assert_eq!(error.status(), Some(404));
}
