//! `cavatica export` when all goes well, and when the job fails.

use cavatica_sandbox::FaultPlan;

use crate::harness::World;

const CALLS: &str = "results/NA12878/calls.vcf";

#[test]
fn a_moved_file_arrives_and_becomes_an_alias() {
    let world = World::new();
    let file = world.file(CALLS);
    let before = std::fs::read(
        world
            .sandbox
            .data()
            .join("projects/sandbox/demo")
            .join(CALLS),
    )
    .unwrap();

    let run = world.run(&[
        "export",
        &file,
        "sandbox/output",
        "run1/calls.vcf",
        "--move",
        "--wait",
        "--json",
    ]);

    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let job = run.document();
    assert_eq!(job["state"], "COMPLETED");
    assert_eq!(job["source"]["file"], file);
    assert_eq!(job["destination"]["location"], "run1/calls.vcf");
    let object = world
        .sandbox
        .data()
        .join("volumes/sandbox/output/run1/calls.vcf");
    assert_eq!(std::fs::read(object).unwrap(), before);
    assert!(
        !world
            .sandbox
            .data()
            .join("projects/sandbox/demo")
            .join(CALLS)
            .exists()
    );
    assert_eq!(world.accepted(), 1);

    let again = world.run(&[
        "export",
        &file,
        "sandbox/output",
        "run1/again.vcf",
        "--move",
    ]);
    assert_eq!(again.exit(), 2);
    assert!(again.snapshot().contains("alias"), "{}", again.snapshot());
    assert_eq!(world.accepted(), 1);
}

#[test]
fn a_copied_file_stays() {
    let world = World::new();
    let file = world.file(CALLS);
    let run = world.run(&[
        "export",
        &file,
        "sandbox/output",
        "copy.vcf",
        "--copy",
        "--wait",
        "--json",
    ]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    assert!(
        world
            .sandbox
            .data()
            .join("projects/sandbox/demo")
            .join(CALLS)
            .exists()
    );
    assert!(
        world
            .sandbox
            .data()
            .join("volumes/sandbox/output/copy.vcf")
            .exists()
    );
}

/// The copy is there: what can't be seen afterwards is no reason to send it again, and isn't remembered as seen.
#[test]
fn a_copy_whose_source_cant_be_read_afterwards_is_told_to_have_completed() {
    let fault: FaultPlan = "refuse=403/90002@file,nth=2".parse().unwrap();
    let world = World::with(|builder| builder.faults(fault));
    let file = world.file(CALLS);
    let copy = [
        "export",
        &file,
        "sandbox/output",
        "copy.vcf",
        "--copy",
        "--wait",
        "--json",
    ];
    let run = world.run(&copy);
    assert_ne!(run.exit(), 0);
    let shown = run.stdout();
    assert!(shown.contains(r#""state":"COMPLETED""#), "{shown}");
    let told = run.stderr();
    assert!(
        told.contains("the copy has completed, so don't send it again"),
        "{told}"
    );
    assert_eq!(world.accepted(), 1);
}

#[test]
fn without_wait_the_queued_job_is_printed() {
    let world = World::new();
    let file = world.file(CALLS);
    let run = world.run(&[
        "export",
        &file,
        "sandbox/output",
        "a.vcf",
        "--move",
        "--json",
    ]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let job = run.document()["id"].as_str().unwrap().to_owned();

    let wait = world.run(&["jobs", "wait", &job, "--json"]);
    assert_eq!(wait.exit(), 0);
    assert_eq!(wait.document()["state"], "COMPLETED");
}

#[test]
fn properties_are_sent_where_the_platform_looks_for_them() {
    let world = World::new();
    let file = world.file(CALLS);
    let run = world.run(&[
        "export",
        &file,
        "sandbox/output",
        "a.vcf",
        "--copy",
        "--json",
        "--sse-algorithm",
        "aws:kms",
        "--kms-key-id",
        "key-1",
        "--canned-acl",
        "none",
    ]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let properties = &run.document()["properties"];
    assert_eq!(properties["sse_algorithm"], "aws:kms");
    assert_eq!(properties["sse_aws_kms_key_id"], "key-1");
    assert!(properties["aws_canned_acl"].is_null());
}

#[test]
fn an_occupied_location_fails_the_job_unless_overwriting_is_named() {
    let world = World::new();
    let file = world.file(CALLS);
    let run = world.run(&[
        "export",
        &file,
        "sandbox/output",
        "earlier/exported.bam",
        "--move",
        "--wait",
    ]);
    assert_eq!(run.exit(), 3, "{}", run.snapshot());
    assert!(run.snapshot().contains("9107"), "{}", run.snapshot());

    let run = world.run(&[
        "export",
        &file,
        "sandbox/output",
        "earlier/exported.bam",
        "--move",
        "--wait",
        "--overwrite",
    ]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    assert!(run.snapshot().contains("warning"), "{}", run.snapshot());
}
