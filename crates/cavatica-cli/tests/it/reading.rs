//! Commands that only read.

use insta::assert_snapshot;

use crate::harness::World;

#[test]
fn volumes() {
    let world = World::new();
    assert_snapshot!(world.run(&["volumes", "list"]).snapshot(), @r"
    exit 0
    --- stdout
    sandbox/output    RW  s3     sandbox-output/
    sandbox/prefixed  RW  s3     sandbox-prefixed/lab/cohort7/
    sandbox/readonly  RO  s3     sandbox-readonly/
    sandbox/inactive  RW  s3     sandbox-inactive/  deactivated
    sandbox/google    RW  gcs    sandbox-google/
    --- stderr
    ");
    assert_snapshot!(world.run(&["volumes", "get", "sandbox/readonly"]).snapshot(), @r"
    exit 0
    --- stdout
    sandbox/readonly  RO  s3     sandbox-readonly/
    takes no exports: the volume is not read-write (its access mode is `RO`); set the volume's access mode to RW (`cavatica volumes set OWNER/NAME --access-mode RW`), or choose another volume
    --- stderr
    ");
    assert_snapshot!(world.run(&["volumes", "ls", "sandbox/output", "earlier"]).snapshot(), @r"
    exit 0
    --- stdout
    earlier/exported.bam
    --- stderr
    ");
}

#[test]
fn files_of_a_project_and_of_a_folder() {
    let world = World::new();
    let run = world.run(&[
        "files",
        "list",
        "--project",
        "sandbox/demo",
        "--recursive",
        "--json",
    ]);
    let mut paths: Vec<_> = run
        .documents()
        .iter()
        .map(|entry| entry["path"].as_str().unwrap().to_owned())
        .collect();
    paths.sort();
    assert!(
        paths.contains(&"results/NA12878/calls.vcf".to_owned()),
        "{paths:?}"
    );

    let folder = world.file("results/NA12878");
    let run = world.run(&["files", "list", "--folder", &folder, "--json"]);
    let mut names: Vec<_> = run
        .documents()
        .iter()
        .map(|entry| entry["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["calls.vcf", "metrics.tsv"]);
}

#[test]
fn jobs_by_volume_and_state() {
    let world = World::new();
    let file = world.file("README.txt");
    assert_eq!(
        world
            .run(&["export", &file, "sandbox/output", "a", "--move", "--wait"])
            .exit(),
        0
    );
    let count = |args: &[&str]| world.run(args).documents().len();
    assert_eq!(count(&["jobs", "list", "--json"]), 1);
    assert_eq!(
        count(&[
            "jobs",
            "list",
            "--volume",
            "sandbox/output",
            "--state",
            "completed",
            "--json"
        ]),
        1
    );
    assert_eq!(count(&["jobs", "list", "--state", "FAILED", "--json"]), 0);
    assert_eq!(
        count(&["jobs", "list", "--volume", "sandbox/prefixed", "--json"]),
        0
    );
}
