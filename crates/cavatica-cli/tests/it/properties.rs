//! What is asked of S3 arrives at the platform, under `properties` and by the API's own names.

use cavatica_sandbox::{LedgerJob, ProjectSeed, VolumeSeed};
use serde_json::{Value, json};

use crate::harness::World;

const KMS: [&str; 8] = [
    "--sse-algorithm",
    "aws:kms",
    "--kms-key-id",
    "key-1",
    "--canned-acl",
    "bucket-owner-full-control",
    "--storage-class",
    "GLACIER",
];

fn world() -> World {
    World::with(|builder| {
        builder
            .project(
                ProjectSeed::new("lab/trio")
                    .file("a.vcf", "a")
                    .file("b.vcf", "b"),
            )
            .volume(VolumeSeed::s3("lab/output"))
    })
}

fn file(world: &World, path: &str) -> String {
    world.sandbox.file_id("lab/trio", path).unwrap()
}

/// The properties of the export of each file as the sandbox took them, by location; null where none were sent.
fn asked(world: &World) -> Vec<(String, Value)> {
    let jobs = world.sandbox.ledger().jobs;
    let pair = |job: &LedgerJob| {
        let job = serde_json::to_value(job).unwrap();
        let location = job["location"].as_str().unwrap().to_owned();
        (location, job["properties"].clone())
    };
    let mut jobs: Vec<_> = jobs.iter().map(pair).collect();
    jobs.sort_by(|one, other| one.0.cmp(&other.0));
    jobs
}

#[test]
fn of_one_file() {
    let world = world();
    let id = file(&world, "a.vcf");
    let export = [
        "export",
        &id,
        "lab/output",
        "a",
        "--copy",
        "--wait",
        "--json",
    ];
    let run = world.run(&[&export[..], &KMS].concat());
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let all = json!({
        "sse_algorithm": "aws:kms",
        "sse_aws_kms_key_id": "key-1",
        "aws_canned_acl": "bucket-owner-full-control",
        "aws_storage_class": "GLACIER",
    });
    assert_eq!(asked(&world), [("a".to_owned(), all.clone())]);
    // The job that the platform shows has them too.
    let job = world.run(&[
        "jobs",
        "get",
        run.document()["id"].as_str().unwrap(),
        "--json",
    ]);
    for (name, value) in all.as_object().unwrap() {
        assert_eq!(job.document()["properties"][name], *value, "{name}");
    }
}

#[test]
fn of_a_transfer_and_of_single_rows() {
    let world = world();
    let (a, b) = (file(&world, "a.vcf"), file(&world, "b.vcf"));
    let rows =
        format!("file_id,location,sse_algorithm,storage_class\n{a},a,,\n{b},b,AES256,STANDARD\n");
    std::fs::write(world.home().join("files.csv"), rows).unwrap();
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--manifest",
        "files.csv",
        "--volume",
        "lab/output",
        "--copy",
    ];
    let asks = ["--sse-algorithm", "none", "--storage-class", "GLACIER"];
    let planned = world.run(&[&plan[..], &asks].concat());
    assert_eq!(planned.exit(), 0, "{}", planned.snapshot());
    let run = world.run(&["run", "t.transfer", "--yes", "--poll", "50ms"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    assert_eq!(
        asked(&world),
        [
            (
                "a".to_owned(),
                json!({"sse_algorithm": null, "aws_storage_class": "GLACIER"})
            ),
            (
                "b".to_owned(),
                json!({"sse_algorithm": "AES256", "aws_storage_class": "STANDARD"})
            ),
        ]
    );
}

#[test]
fn nothing_is_asked_where_nothing_was_said() {
    let world = world();
    let id = file(&world, "a.vcf");
    let run = world.run(&["export", &id, "lab/output", "a", "--copy", "--wait"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    assert_eq!(asked(&world), [("a".to_owned(), Value::Null)]);
}
