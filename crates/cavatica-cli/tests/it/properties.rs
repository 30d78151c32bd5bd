//! What is asked of S3 arrives at the platform, under `properties` and by the API's own names.

use cavatica_sandbox::{LedgerJob, ProjectSeed, Quirk, SandboxBuilder, VolumeSeed};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{Run, World};

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

/// Plans what `files.csv` says.
const PLAN: [&str; 8] = [
    "plan",
    "--out",
    "t.transfer",
    "--manifest",
    "files.csv",
    "--volume",
    "lab/output",
    "--copy",
];

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
    let asks = ["--sse-algorithm", "none", "--storage-class", "GLACIER"];
    let planned = world.run(&[&PLAN[..], &asks].concat());
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

/// What planning a manifest of one row comes to.
fn planned(world: &World, columns: &str, cells: &str, more: &[&str]) -> Run {
    let rows = format!(
        "file_id,location,{columns}\n{},a,{cells}\n",
        file(world, "a.vcf")
    );
    std::fs::write(world.home().join("files.csv"), rows).unwrap();
    std::fs::remove_file(world.home().join("t.transfer")).ok();
    world.run(&[&PLAN[..], more].concat())
}

#[test]
fn a_row_keeps_what_is_asked_for_all_where_it_says_nothing_itself() {
    let world = world();
    let for_all = ["--sse-algorithm", "aws:kms", "--kms-key-id", "key-1"];
    let planned = planned(&world, "storage_class", "GLACIER", &for_all);
    assert_eq!(planned.exit(), 0, "{}", planned.snapshot());
    let run = world.run(&["run", "t.transfer", "--yes", "--poll", "50ms"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let all = json!({
        "sse_algorithm": "aws:kms",
        "sse_aws_kms_key_id": "key-1",
        "aws_storage_class": "GLACIER",
    });
    assert_eq!(asked(&world), [("a".to_owned(), all)]);
}

#[test]
fn a_manifest_makes_nothing_public_by_itself() {
    let world = world();
    let refused = planned(&world, "canned_acl", "public-read", &[]);
    assert_snapshot!(refused.snapshot(), @"
    exit 2
    --- stdout
    --- stderr
    error: the plan is refused, nothing was planned
      public-acl: a.vcf (line 2): the canned ACL `public-read` lets people outside your lab read the object; these are patients' data
        choose `private` or `bucket-owner-full-control` in the manifest; if the data are meant for everybody, say --public
    ");
    let confirmed = planned(&world, "canned_acl", "public-read", &["--public"]);
    assert_eq!(confirmed.exit(), 0, "{}", confirmed.snapshot());
    assert!(
        confirmed.stderr().contains("these are patients' data"),
        "{}",
        confirmed.stderr()
    );
}

#[test]
fn what_cannot_be_asked_for_is_refused_before_anything_is_planned() {
    let world = world();
    let refused = planned(&world, "kms_key_id", "key-1", &[]);
    assert_snapshot!(refused.snapshot(), @"
    exit 2
    --- stdout
    --- stderr
    error: the plan is refused, nothing was planned
      kms-key-without-kms: a.vcf (line 2): a KMS key is named, but the server-side encryption is `AES256`, not `aws:kms`
        put what the manifest asks for this file right
    ");
    let refused = planned(&world, "task", "", &["--kms-key-id", "key-1"]);
    assert_snapshot!(refused.snapshot(), @"
    exit 2
    --- stdout
    --- stderr
    error: what is asked of S3 can't be had, nothing was planned
      kms-key-without-kms: a KMS key is named, but the server-side encryption is `AES256`, not `aws:kms`
        ask for `aws:kms` too, or leave the key out
    ");
    // A column that nearly is a property isn't passed over, others are named.
    let refused = planned(&world, "sse_algoritm,centre", "AES256,x", &[]);
    assert_snapshot!(refused.snapshot(), @"
    exit 2
    --- stdout
    --- stderr
    error: the manifest can't be read
      caused by: files.csv line 1: column 3 `sse_algoritm` could ask for encryption
    hint: `sse_algoritm`: name the column `sse_algorithm`; passed over, what it asks for would be left out
    ");
    let planned = planned(&world, "centre,volume", "x,y", &[]);
    assert_eq!(planned.exit(), 0, "{}", planned.snapshot());
    assert!(
        planned
            .stderr()
            .contains("columns that mean nothing here: `centre`, `volume`"),
        "{}",
        planned.stderr()
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

/// A platform that passes over the spelling that is sent encrypts with another key: it is said when the job shows it.
#[test]
fn a_kms_key_that_is_passed_over_is_warned_of() {
    for (quirk, warns) in [(None, false), (Some(Quirk::OtherKmsKey), true)] {
        let world = World::with(|builder| {
            let builder = builder.volume(VolumeSeed::s3("lab/output"));
            quirk.into_iter().fold(builder, SandboxBuilder::quirk)
        });
        let id = world.file("README.txt");
        let export = ["export", &id, "lab/output", "a", "--copy", "--wait"];
        let run = world.run(&[&export[..], &KMS[..4]].concat());
        assert_eq!(run.exit(), 0, "{}", run.snapshot());
        let words = "the job's properties don't name the KMS key that was asked for";
        assert_eq!(run.stderr().contains(words), warns, "{}", run.stderr());
        let named = asked(&world)[0].1.get("sse_aws_kms_key_id").is_some();
        assert_ne!(named, warns, "as the platform took it");
    }
}
