//! What becomes of a selection, against the sandbox.

use std::collections::BTreeMap;
use std::time::Duration;

use cavatica_exports::model::destination::Template;
use cavatica_exports::model::manifest::Manifest;
use cavatica_sandbox::{FileSeed, OtherExport, ProjectSeed, Route, Sandbox, VolumeSeed};
use cavatica_transfer::journal::TransferFile;
use cavatica_transfer::plan::{Existing, Filter, PlanError, PlanTarget, Policy, Selection};

use crate::bench::{Bench, PROJECT, VOLUME, many, world};

#[tokio::test]
async fn two_files_to_one_key_refuse_the_plan_and_both_are_named() {
    let project = ProjectSeed::new(PROJECT)
        .file("run1/a.bam", "one")
        .file("run2/a.bam", "two")
        .file("run2/A.bam", "three");
    let bench = Bench::start(world(project)).await;
    let mut options = bench.options();
    options.layout.template = Template::flat();
    let error = bench.plan(options).await.expect_err("a refusal");
    let PlanError::Refused(refusal) = &error else {
        panic!("{error:?}");
    };
    let id = |path| bench.sandbox.file_id(PROJECT, path).expect("a file");
    let [collision] = &refusal.collisions[..] else {
        panic!("{refusal:?}");
    };
    let mut ids = collision.file_ids.clone();
    ids.sort_unstable();
    let mut expected = [id("run1/a.bam"), id("run2/a.bam")];
    expected.sort_unstable();
    assert_eq!(
        (ids.as_slice(), &collision.locations[..]),
        (&expected[..], &["a.bam".to_owned()][..])
    );
    assert!(!bench.transfer().exists());

    // Twins alone are a warning.
    let planned = bench.plan(bench.options()).await.expect("a plan");
    let twins: Vec<_> = planned
        .collisions
        .iter()
        .map(|twins| twins.locations.clone())
        .collect();
    assert_eq!(twins, [["run2/a.bam", "run2/A.bam"]]);
}

#[tokio::test]
async fn what_cannot_be_exported_is_left_out_with_a_reason_or_refuses_the_plan() {
    let project = || {
        ProjectSeed::new(PROJECT)
            .file("a.bam", "one")
            .with(FileSeed::alias("b.bam", VOLUME, "b.bam", 9))
            .with(FileSeed::bytes("c.bam", "three").archived())
    };
    let bench = Bench::start(world(project())).await;
    let planned = bench.plan(bench.options()).await.expect("a plan");
    assert_eq!(planned.files, 2);
    assert_eq!(planned.skipped, BTreeMap::from([("alias".to_owned(), 1)]));
    let warnings: Vec<_> = planned
        .warnings
        .iter()
        .map(|warning| warning.name)
        .collect();
    assert_eq!(warnings, ["maybe-archived"]);

    let bench = Bench::start(world(project())).await;
    let mut options = bench.options();
    options.policies = BTreeMap::from([
        ("alias".to_owned(), Policy::Fail),
        ("maybe-archived".to_owned(), Policy::Skip),
    ]);
    let error = bench.plan(options).await.expect_err("a refusal");
    let PlanError::Refused(refusal) = &error else {
        panic!("{error:?}");
    };
    let kinds: Vec<_> = refusal
        .refused
        .iter()
        .map(|file| file.kind.as_str())
        .collect();
    assert_eq!(kinds, ["alias"]);
}

#[tokio::test]
async fn objects_that_are_there_already_refuse_the_plan_or_are_left_alone() {
    let start = || {
        Bench::start(
            Sandbox::builder()
                .project(many(3).file("run2/x.bam", "x"))
                .volume(
                    VolumeSeed::s3(VOLUME)
                        .object("run2/x.bam", "older")
                        .object("run3/y.bam", "somebody else's"),
                ),
        )
    };
    let bench = start().await;
    let error = bench.plan(bench.options()).await.expect_err("a refusal");
    let PlanError::Refused(refusal) = &error else {
        panic!("{error:?}");
    };
    let paths: Vec<_> = refusal
        .refused
        .iter()
        .map(|file| file.path.as_deref())
        .collect();
    assert_eq!(paths, [Some("run2/x.bam")]);

    let mut options = bench.options();
    options.existing = Existing::Skip;
    let planned = bench.plan(options).await.expect("a plan");
    assert_eq!(
        (planned.files, planned.skipped),
        (3, BTreeMap::from([("exists".to_owned(), 1)]))
    );
    let shown: Vec<_> = planned.sample.iter().map(|file| &*file.key).collect();
    assert!(
        shown.len() == 3 && !shown.contains(&"run2/x.bam"),
        "{shown:?}"
    );
    bench.run().await.expect("a run");
    bench.check_exactly_once(3);
}

#[tokio::test]
async fn an_edited_plan_has_another_fingerprint() {
    let bench = Bench::start(world(many(3))).await;
    let planned = bench.plan(bench.options()).await.expect("a plan");
    let fingerprint =
        || TransferFile::open(&bench.transfer()).and_then(|file| file.compute_fingerprint());
    assert_eq!(
        fingerprint().expect("readable").to_string(),
        planned.fingerprint
    );
    rusqlite::Connection::open(bench.transfer())
        .and_then(|connection| {
            connection.execute("UPDATE item SET location = 'elsewhere' WHERE id = 2", [])
        })
        .expect("an edit");
    assert_ne!(
        fingerprint().expect("readable").to_string(),
        planned.fingerprint
    );
}

#[tokio::test]
async fn the_bucket_names_the_volume_and_a_read_only_one_is_refused() {
    let bench = Bench::start(
        Sandbox::builder()
            .project(many(1))
            .volume(VolumeSeed::s3(VOLUME).bucket("franklin-lab"))
            .volume(VolumeSeed::s3("lab/fixed").bucket("fixed").read_only()),
    )
    .await;
    let mut options = bench.options();
    options.target = PlanTarget::Bucket("fixed".to_owned());
    let error = bench.plan(options).await.expect_err("a refusal");
    assert!(matches!(error, PlanError::Volume { .. }), "{error:?}");
    let mut options = bench.options();
    options.target = PlanTarget::Bucket("franklin-lab".to_owned());
    assert_eq!(bench.plan(options).await.expect("a plan").volume, VOLUME);
}

#[tokio::test]
async fn a_member_who_may_not_write_is_told_before_anything_is_sent() {
    let volume = VolumeSeed::s3("lab/theirs").bucket("theirs").browse_only();
    let bench = Bench::start(Sandbox::builder().project(many(1)).volume(volume)).await;
    let mut options = bench.options();
    options.target = PlanTarget::Bucket("theirs".to_owned());
    let planned = bench.plan(options).await.expect("a plan");
    let names: Vec<_> = planned
        .warnings
        .iter()
        .map(|warning| warning.name)
        .collect();
    assert_eq!(names, ["no-write-permission"]);
}

/// What another transfer of the account carries is no plan's to carry; what other accounts do isn't shown.
#[tokio::test]
async fn a_file_that_is_being_exported_already_refuses_the_plan_or_is_left_out() {
    for (account, policy, planned) in [
        (None, None, None),
        (None, Some(Policy::Skip), Some(2)),
        (Some("colleague"), None, Some(3)),
    ] {
        let bench = Bench::start(world(many(3))).await;
        let file = format!("{PROJECT}:run1/bam/file-0000002.dat");
        let mut other =
            OtherExport::new(file, VOLUME, "theirs/2").lasting(Duration::from_secs(3600));
        if let Some(account) = account {
            other = other.account(account);
        }
        bench.sandbox.export_elsewhere(&other).expect("a job");
        let mut options = bench.options();
        options.policies = policy
            .map(|policy| ("in-flight".to_owned(), policy))
            .into_iter()
            .collect();
        match (bench.plan(options).await, planned) {
            (Ok(report), Some(files)) => {
                assert_eq!(report.files, files);
                assert_eq!(
                    report.skipped.get("in-flight").copied().unwrap_or(0),
                    3 - files
                );
            }
            (Err(PlanError::Refused(refusal)), None) => {
                let refused: Vec<_> = refusal.refused.iter().collect();
                let [file] = &refused[..] else {
                    panic!("{refused:?}");
                };
                assert_eq!(file.kind, "in-flight");
                assert!(file.reason.contains("theirs/2"), "{file:?}");
            }
            (other, _) => panic!("{account:?}, {policy:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn where_large_pages_are_refused_the_documented_ones_are_read() {
    let refuse: cavatica_sandbox::FaultPlan = "refuse=403/90002@scroll".parse().expect("a plan");
    let bench = Bench::start(world(many(250)).faults(refuse)).await;
    assert_eq!(
        bench.plan(bench.options()).await.expect("a plan").files,
        250
    );
    let requests = bench.sandbox.ledger().requests;
    assert_eq!((requests[&Route::Scroll], requests[&Route::Files]), (1, 5));
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_named_and_spoils_no_other() {
    let odd: cavatica_sandbox::FaultPlan = "odd-items@scroll,nth=3".parse().expect("a plan");
    let bench = Bench::start(world(many(250)).faults(odd)).await;
    let planned = bench.plan(bench.options()).await.expect("a plan");
    assert_eq!(planned.files, 249);
    let file = TransferFile::open(&bench.transfer()).expect("the transfer");
    let skipped = file.skipped(0).expect("readable").pop().expect("an entry");
    assert_eq!(skipped.kind, "unreadable");
    assert!(
        skipped.reason.contains("invalid type"),
        "{}",
        skipped.reason
    );
    assert!(
        skipped.file.is_some()
            && skipped
                .path
                .is_some_and(|path| path.starts_with("run1/bam/"))
    );
}

/// The same files, reached as a project, a folder and a manifest, are the same plan.
#[tokio::test]
async fn a_manifest_and_a_folder_find_the_same_files() {
    let bench = Bench::start(world(many(120))).await;
    let whole = bench.plan(bench.options()).await.expect("a plan");
    let rows = TransferFile::open(&bench.transfer())
        .and_then(|file| file.items(None))
        .expect("rows");
    let mut text = "file_id\n".to_owned();
    for row in rows.iter().rev() {
        text += &format!("{}\n", row.file);
    }
    let mut selections = vec![Selection::Project {
        project: PROJECT.parse().expect("a project"),
        folder: Some("run1/bam".to_owned()),
        filter: Filter::default(),
    }];
    selections.push(listed(text));
    for selection in selections {
        std::fs::remove_file(bench.transfer()).expect("it is there");
        let mut options = bench.options();
        options.selection = selection;
        let planned = bench.plan(options).await.expect("a plan");
        assert_eq!(planned.fingerprint, whole.fingerprint);
    }
}

/// Rows without ids are looked up by project, folders and name: some of one folder with one request.
#[tokio::test]
async fn a_manifest_may_name_files_by_project_and_name() {
    let bench = Bench::start(world(many(120))).await;
    let whole = bench.plan(bench.options()).await.expect("a plan");
    let rows = TransferFile::open(&bench.transfer())
        .and_then(|file| file.items(None))
        .expect("rows");
    let mut text = "project,path,name\n".to_owned();
    for row in &rows {
        let path = row.path.as_deref().expect("a path");
        let (folders, name) = path.rsplit_once('/').expect("folders");
        text += &format!("{PROJECT},{folders},{name}\n");
    }
    text += &format!("{PROJECT},run1/bam,nobody.bam\n{PROJECT},nowhere,a.bam\n");
    let asked = |bench: &Bench| {
        bench
            .sandbox
            .ledger()
            .requests
            .get(&Route::Files)
            .copied()
            .unwrap_or(0)
    };
    let before = asked(&bench);
    std::fs::remove_file(bench.transfer()).expect("it is there");
    let mut options = bench.options();
    options.selection = listed(text);
    options.policies = skipping("missing");
    let planned = bench.plan(options).await.expect("a plan");
    assert_eq!(planned.fingerprint, whole.fingerprint);
    assert_eq!(planned.skipped.get("missing"), Some(&2));
    // One for run1 and the folder that isn't there, one for bam, two for 121 names.
    assert_eq!(asked(&bench) - before, 1 + 1 + 2);
}

fn skipping(kind: &str) -> BTreeMap<String, Policy> {
    BTreeMap::from([(kind.to_owned(), Policy::Skip)])
}

pub(crate) fn listed(text: String) -> Selection {
    let manifest = Manifest::open("m.csv", std::io::Cursor::new(text));
    Selection::Manifest {
        name: "m.csv".to_owned(),
        rows: Box::new(manifest.expect("a header")),
    }
}

/// Folders that lie in one folder are asked for together, and each once.
#[tokio::test]
async fn folders_on_the_way_to_named_files_are_asked_for_once() {
    let paths: Vec<String> = (0..50).map(|number| format!("a/b/{number}")).collect();
    let project = paths
        .iter()
        .fold(ProjectSeed::new(PROJECT), |project, path| {
            project.file(format!("{path}/x.bam"), "x")
        });
    let bench = Bench::start(world(project)).await;
    let text = paths
        .iter()
        .fold("project,path,name\n".to_owned(), |text, path| {
            text + PROJECT + "," + path + ",x.bam\n"
        });
    let mut options = bench.options();
    options.selection = listed(text);
    assert_eq!(bench.plan(options).await.expect("a plan").files, 50);
    // One for `a`, one for `b`, one for the fifty in it, and one for each file.
    assert_eq!(bench.sandbox.ledger().requests[&Route::Files], 53);
}

#[tokio::test]
async fn rows_of_an_unknown_project_are_missing_and_the_others_planned() {
    let bench = Bench::start(world(many(2))).await;
    let text = format!(
        "project,path,name\nlab/nobody,,a.bam\nlab/nobody,run1,a.bam\n{PROJECT},run1/bam,000000.bin\n"
    );
    let whole = bench.plan(bench.options()).await.expect("a plan");
    let name = whole.sample[0]
        .path
        .as_deref()
        .and_then(|path| path.rsplit_once('/'));
    let text = text.replace("000000.bin", name.expect("folders").1);
    std::fs::remove_file(bench.transfer()).expect("it is there");
    let mut options = bench.options();
    options.selection = listed(text);
    options.policies = skipping("missing");
    let planned = bench.plan(options).await.expect("a plan");
    assert_eq!(
        (planned.files, planned.skipped.get("missing")),
        (1, Some(&2))
    );
}

/// With a limit it is the first rows that count, however they name their files.
#[tokio::test]
async fn a_limit_takes_the_first_rows_of_a_manifest() {
    let project = ProjectSeed::new(PROJECT)
        .file("z/1.bam", "1")
        .file("y/2.bam", "2")
        .file("a/3.bam", "3");
    let bench = Bench::start(world(project)).await;
    let text =
        format!("project,path,name\n{PROJECT},z,1.bam\n{PROJECT},y,2.bam\n{PROJECT},a,3.bam\n");
    let mut options = bench.options();
    options.selection = listed(text);
    options.limit = Some(2);
    let planned = bench.plan(options).await.expect("a plan");
    let paths: Vec<_> = planned
        .sample
        .iter()
        .filter_map(|file| file.path.as_deref())
        .collect();
    assert_eq!(paths, ["z/1.bam", "y/2.bam"]);
}

#[tokio::test]
async fn chosen_metadata_is_kept_for_the_report() {
    let project = ProjectSeed::new(PROJECT)
        .with(
            FileSeed::bytes("a.bam", "a")
                .metadata("sample_id", "NA12878")
                .metadata("age", "7"),
        )
        .file("b.bam", "b");
    let bench = Bench::start(world(project)).await;
    let mut options = bench.options();
    options.metadata = vec!["sample_id".to_owned(), "case_id".to_owned()];
    bench.plan(options).await.expect("a plan");
    let rows = TransferFile::open(&bench.transfer()).and_then(|file| file.items(None));
    let kept: Vec<_> = rows
        .expect("rows")
        .into_iter()
        .map(|row| row.metadata)
        .collect();
    assert_eq!(kept, [Some(r#"{"sample_id":"NA12878"}"#.to_owned()), None]);
}
