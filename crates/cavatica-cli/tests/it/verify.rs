//! `cavatica verify`: what was tampered with is told, with a symbol each and the right exit code.

use cavatica_sandbox::{FaultPlan, ProjectSeed, Quirk, SandboxBuilder, VolumeSeed};
use cavatica_test_s3::TestS3;
use serde_json::json;

use crate::harness::World;

const VOLUME: &str = "lab/output";
const FILES: [(&str, &str); 4] = [
    ("results/a.vcf", "first"),
    ("results/b's é.vcf", "second"),
    ("results/deep/c.bam", "third"),
    ("top.txt", "fourth"),
];

fn project() -> ProjectSeed {
    FILES
        .iter()
        .fold(ProjectSeed::new("lab/trio"), |project, (path, content)| {
            project.file(*path, *content)
        })
}

/// A plan of the four files.
fn world(prefix: &str, asked: &[&str]) -> World {
    let volume = VolumeSeed::s3(VOLUME).prefix("store/");
    let world = World::with(|builder| builder.project(project()).volume(volume));
    planned(world, prefix, asked)
}

fn planned(world: World, prefix: &str, asked: &[&str]) -> World {
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "lab/trio",
        "--volume",
        VOLUME,
        "--prefix",
        prefix,
        "--move",
    ];
    let plan = [&plan, asked].concat();
    assert_eq!(world.run(&plan).exit(), 0);
    world
}

/// A finished transfer of the four files.
fn finished(prefix: &str, asked: &[&str]) -> World {
    finish(world(prefix, asked))
}

fn finish(world: World) -> World {
    let run = [
        "run",
        "t.transfer",
        "--yes",
        "--poll",
        "50ms",
        "--no-progress",
    ];
    assert_eq!(world.run(&run).exit(), 0);
    world
}

fn tamper(world: &World) {
    let sandbox = &world.sandbox;
    let put = |key: &str, content: &str| sandbox.put_object(VOLUME, key, content.as_bytes());
    sandbox.remove_object(VOLUME, "p/results/a.vcf").unwrap();
    put("p/results/b's é.vcf", "sec").unwrap();
    put("p/results/new.txt", "new").unwrap();
    put("p/top.txt", "FOURTH").unwrap();
    // Outside the prefix it is nobody's business here.
    put("q/other.txt", "other").unwrap();
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn each_kind_of_tampering_has_its_symbol() {
    let world = finished("p/", &[]);
    let first = world.run(&["verify", "t.transfer", "--all"]);
    assert_eq!(first.exit(), 0, "{}", first.snapshot());
    assert_eq!(
        sorted(&first.stdout()),
        [
            "= p/results/a.vcf",
            "= p/results/b's é.vcf",
            "= p/results/deep/c.bam",
            "= p/top.txt",
            "t.transfer against volume lab/output: 4 same, 0 missing, 0 differ, 0 extra under `p/`, 0 could not be looked at",
        ]
    );

    tamper(&world);
    let second = world.run(&["verify", "t.transfer"]);
    assert_eq!(second.exit(), 3, "{}", second.snapshot());
    assert_eq!(
        sorted(&second.stdout()),
        [
            "* p/results/b's é.vcf",
            "* p/top.txt",
            "+ p/results/new.txt",
            "- p/results/a.vcf",
            "t.transfer against volume lab/output: 1 same, 1 missing, 2 differ, 1 extra under `p/`, 0 could not be looked at",
        ]
    );
    let why = second.stderr();
    assert!(why.contains("  has 3 bytes, was planned with 6\n"), "{why}");
    assert!(
        why.contains("written again since it was first verified"),
        "{why}"
    );

    let third = world.run(&["verify", "t.transfer", "--json"]);
    assert_eq!(third.exit(), 3, "{}", third.snapshot());
    assert_eq!(
        third.document(),
        json!({"version": 1, "transfer": "t.transfer", "against": "volume", "same": 1, "same_without_size": 0, "missing": 1, "extra": 1, "differ": 2, "errors": 0})
    );
    let status = world.run(&["status", "t.transfer"]);
    assert!(
        status.stdout().contains("4 completed"),
        "an outcome stays what it is"
    );
}

#[test]
fn a_listing_without_sizes_is_said_to_be_one() {
    let volume = VolumeSeed::s3(VOLUME);
    let builder = |builder: SandboxBuilder| {
        let builder = builder.project(project()).volume(volume);
        builder.quirk(Quirk::BareListing)
    };
    let world = finish(planned(World::with(builder), "p/", &[]));
    let put = world.sandbox.put_object(VOLUME, "p/top.txt", b"other");
    put.unwrap();
    let run = world.run(&["verify", "t.transfer"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let warning = "warning: 4 files compared without a size: the listing tells none, so that the key is there is all that is known; `cavatica verify t.transfer --against bucket` compares sizes too\n";
    assert_eq!(run.stderr(), warning);
    let json = world.run(&["verify", "t.transfer", "--json"]);
    assert_eq!(
        json.document(),
        json!({"version": 1, "transfer": "t.transfer", "against": "volume", "same": 4, "same_without_size": 4, "missing": 0, "extra": 0, "differ": 0, "errors": 0})
    );
    assert_eq!(json.stderr(), warning);
    // The report, which others read later, says so too.
    let report = world.run(&["report", "t.transfer", "--json"]);
    for row in report.documents() {
        assert_eq!(row["verified"], "same");
        assert_eq!(row["verified_size"], "not-listed");
    }
}

#[test]
fn a_single_file_is_told_as_one() {
    let world = world("p/", &[]);
    let run = [
        "run",
        "t.transfer",
        "--yes",
        "--poll",
        "50ms",
        "--limit",
        "3",
    ];
    assert_eq!(world.run(&run).exit(), 0);
    let run = world.run(&["verify", "t.transfer"]);
    assert!(
        run.stdout().ends_with(
            "\n1 file of the transfer isn't completed; it is told only where an object lies in its place\n"
        ),
        "{}",
        run.snapshot()
    );
}

#[test]
fn an_empty_volume_has_lost_everything() {
    let world = finished("", &[]);
    for (path, _) in FILES {
        world.sandbox.remove_object(VOLUME, path).unwrap();
    }
    let run = world.run(&["verify", "t.transfer", "--json"]);
    assert_eq!(run.exit(), 3, "{}", run.snapshot());
    assert_eq!(run.document()["missing"], 4);
    assert_eq!(run.document()["same"], 0);
}

#[test]
fn without_a_prefix_other_peoples_folders_are_left_alone() {
    let world = finished("", &[]);
    for key in ["theirs/x.txt", "results/deep/new.txt", "beside.txt"] {
        world.sandbox.put_object(VOLUME, key, b"x").unwrap();
    }
    let run = world.run(&["verify", "t.transfer"]);
    assert_eq!(run.exit(), 3, "{}", run.snapshot());
    assert_eq!(
        sorted(&run.stdout()),
        [
            "+ beside.txt",
            "+ results/deep/new.txt",
            "t.transfer against volume lab/output: 4 same, 0 missing, 0 differ, 2 extra at the top level and in the folders there that it writes to, 0 could not be looked at",
        ]
    );
}

#[test]
fn there_is_nothing_to_verify_before_the_run() {
    let world = world("p/", &[]);
    let run = world.run(&["verify", "t.transfer"]);
    assert_eq!(run.exit(), 4, "{}", run.snapshot());
    let json = world.run(&["verify", "t.transfer", "--json"]);
    assert_eq!((json.exit(), &json.document()["same"]), (4, &json!(0)));
    let wrong = world.run(&[
        "verify",
        "t.transfer",
        "--s3-endpoint",
        "http://127.0.0.1:1",
    ]);
    assert_eq!(wrong.exit(), 2, "{}", wrong.snapshot());
    let none = world.run(&["verify", "none.transfer"]);
    assert_eq!(none.exit(), 2, "{}", none.snapshot());
}

#[test]
fn a_listing_that_breaks_off_is_never_all_the_same() {
    let world = finished("p/", &[]);
    let faults = |spec: &str| world.sandbox.set_faults(spec.parse::<FaultPlan>().unwrap());
    faults("refuse=400/1001@volume-list,nth=2");
    let run = world.run(&["verify", "t.transfer"]);
    assert_eq!(run.exit(), 3, "{}", run.snapshot());
    assert_eq!(
        sorted(&run.stdout()),
        [
            "! p/results/a.vcf",
            "! p/results/b's é.vcf",
            "! p/results/deep/c.bam",
            "t.transfer against volume lab/output: 1 same, 0 missing, 0 differ, 0 extra under `p/`, 3 could not be looked at",
        ]
    );
    assert!(
        run.stderr().contains("the listing broke off"),
        "{}",
        run.snapshot()
    );

    // Nothing read at all is a failure like any other.
    faults("refuse=403/9003@volume-list");
    let run = world.run(&["verify", "t.transfer", "--json"]);
    assert_eq!(run.exit(), 5, "{}", run.snapshot());
    assert_eq!(run.document()["error"]["exit"], 5);
}

fn keys() -> cavatica_s3::AwsConfig {
    let credentials = cavatica_s3::Credentials::new(TestS3::KEY_ID, TestS3::SECRET, None);
    cavatica_s3::AwsConfig::of(credentials)
}

/// An S3 server with the bucket behind the volume.
struct S3 {
    runtime: tokio::runtime::Runtime,
    server: TestS3,
    bucket: cavatica_s3::Bucket,
}

impl S3 {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(TestS3::start());
        server.create_bucket("lab-output");
        let bucket = cavatica_s3::Bucket::builder("lab-output", keys())
            .endpoint(server.endpoint())
            .build()
            .unwrap();
        S3 {
            runtime,
            server,
            bucket,
        }
    }

    fn put(&self, key: &str, content: &'static str) {
        self.put_with(key, content, |upload| upload);
    }

    fn put_with(
        &self,
        key: &str,
        content: &'static str,
        change: impl FnOnce(cavatica_s3::Upload) -> cavatica_s3::Upload,
    ) {
        let upload = change(cavatica_s3::Upload::new(
            content.len() as u64,
            content.as_bytes(),
        ));
        let put = self.bucket.put(key, upload);
        self.runtime.block_on(put).unwrap();
    }

    fn verify(&self, world: &World, more: &[&str]) -> crate::harness::Run {
        let endpoint = self.server.endpoint();
        let args = [
            "verify",
            "t.transfer",
            "--against",
            "bucket",
            "--s3-endpoint",
            endpoint,
        ];
        let mut command = world.command(&[&args, more].concat());
        command
            .env("AWS_ACCESS_KEY_ID", TestS3::KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", TestS3::SECRET);
        let run = world.finish(command);
        assert!(
            !run.snapshot().contains(TestS3::SECRET),
            "{}",
            run.snapshot()
        );
        run
    }
}

#[test]
fn a_bucket_is_looked_at_without_the_platform() {
    let world = finished("p/", &[]);
    // Nothing of the platform is needed from here on.
    std::fs::remove_dir_all(world.home().join(".sevenbridges")).unwrap();
    let s3 = S3::start();
    let none = world.run(&["verify", "t.transfer", "--against", "bucket"]);
    assert_eq!(none.exit(), 5, "{}", none.snapshot());
    let empty = s3.verify(&world, &["--json"]);
    assert_eq!((empty.exit(), &empty.document()["missing"]), (3, &json!(4)));

    for (path, content) in FILES {
        s3.put(&format!("store/p/{path}"), content);
    }
    s3.put("store/q/other.txt", "other");
    let same = s3.verify(&world, &["--json"]);
    assert_eq!(same.exit(), 0, "{}", same.snapshot());
    assert_eq!(
        same.document(),
        json!({"version": 1, "transfer": "t.transfer", "against": "bucket", "same": 4, "same_without_size": 0, "missing": 0, "extra": 0, "differ": 0, "errors": 0})
    );

    let delete = s3.bucket.delete("store/p/results/a.vcf");
    s3.runtime.block_on(delete).unwrap();
    s3.put("store/p/results/b's é.vcf", "sec");
    s3.put("store/p/results/new.txt", "new");
    s3.put("store/p/top.txt", "FOURTH");
    let tampered = s3.verify(&world, &[]);
    assert_eq!(tampered.exit(), 3, "{}", tampered.snapshot());
    assert_eq!(
        sorted(&tampered.stdout()),
        [
            "* store/p/results/b's é.vcf",
            "* store/p/top.txt",
            "+ store/p/results/new.txt",
            "- store/p/results/a.vcf",
            "t.transfer against bucket lab-output: 1 same, 1 missing, 2 differ, 1 extra under `store/p/`, 0 could not be looked at",
        ]
    );
}

/// No page says how prefix and location are joined, so a look into the bucket tries both ways.
#[test]
fn a_bucket_is_searched_with_and_without_a_slash_behind_the_prefix() {
    for (quirk, key, habit) in [
        (None, "store/p/top.txt", "one-slash"),
        (Some(Quirk::PlainJoin), "storep/top.txt", "otherwise"),
    ] {
        let s3 = S3::start();
        let volume = VolumeSeed::s3(VOLUME)
            .bucket("lab-output")
            .prefix("store")
            .real_s3(Some(s3.server.endpoint()));
        let builder = |builder: SandboxBuilder| {
            let builder = builder.aws(keys()).project(project()).volume(volume);
            quirk.into_iter().fold(builder, SandboxBuilder::quirk)
        };
        let world = finish(planned(World::with(builder), "p/", &[]));
        let run = s3.verify(&world, &["--all"]);
        assert_eq!(run.exit(), 0, "{}", run.snapshot());
        assert!(
            run.stdout().contains(&format!("= {key}")),
            "{}",
            run.snapshot()
        );
        let observed = world.run(&["support", "t.transfer"]).document();
        let joined = &observed["observed"]["habits"]["prefix-join"];
        assert_eq!(joined, &serde_json::json!({habit: 1}), "{observed}");
    }
}

/// The whole way over a real S3 server: what the platform wrote there is seen through the volume and in the bucket itself, and
/// so is what became of it since.
#[test]
fn a_volume_that_is_a_real_bucket_is_verified_both_ways() {
    let s3 = S3::start();
    let volume = VolumeSeed::s3(VOLUME)
        .bucket("lab-output")
        .prefix("store/")
        .real_s3(Some(s3.server.endpoint()));
    let builder = |builder: SandboxBuilder| builder.aws(keys()).project(project()).volume(volume);
    let world = finish(planned(World::with(builder), "p/", &[]));
    let both = |expected: [&str; 4], exit: i32| {
        let volume = world.run(&["verify", "t.transfer", "--all"]);
        let bucket = s3.verify(&world, &["--all"]);
        for (run, prefix) in [(volume, "p/"), (bucket, "store/p/")] {
            assert_eq!(run.exit(), exit, "{}", run.snapshot());
            let stdout = run.stdout();
            let lines: Vec<&str> = sorted(&stdout)
                .into_iter()
                .filter(|line| !line.starts_with("t."))
                .collect();
            let expected = expected.map(|line| line.replacen("p/", prefix, 1));
            assert!(
                expected.iter().all(|line| lines.contains(&line.as_str())),
                "{lines:?}"
            );
        }
    };
    both(
        [
            "= p/results/a.vcf",
            "= p/results/b's é.vcf",
            "= p/results/deep/c.bam",
            "= p/top.txt",
        ],
        0,
    );

    s3.runtime
        .block_on(s3.bucket.delete("store/p/results/a.vcf"))
        .unwrap();
    s3.put("store/p/results/b's é.vcf", "sec");
    s3.put("store/p/results/new.txt", "new");
    s3.put("store/p/top.txt", "FOURTH");
    both(
        [
            "- p/results/a.vcf",
            "* p/results/b's é.vcf",
            "+ p/results/new.txt",
            "* p/top.txt",
        ],
        3,
    );
}

#[test]
fn a_bucket_also_tells_storage_class_and_encryption_where_they_were_asked_for() {
    let asked = [
        "--sse-algorithm",
        "aws:kms",
        "--kms-key-id",
        "key-1",
        "--storage-class",
        "GLACIER",
    ];
    let world = finished("p/", &asked);
    let s3 = S3::start();
    for (path, content) in FILES {
        s3.put_with(&format!("store/p/{path}"), content, |upload| {
            let upload = upload.sse("aws:kms").kms_key_id("key-1");
            upload.storage_class("GLACIER")
        });
    }
    let same = s3.verify(&world, &[]);
    assert_eq!(same.exit(), 0, "{}", same.snapshot());
    assert_eq!(
        s3.server.requests() - 4,
        2 + 4,
        "what keys begin with, one listing, and one question per file"
    );

    s3.put_with("store/p/top.txt", "fourth", |upload| {
        upload
            .sse("aws:kms")
            .kms_key_id("key-2")
            .storage_class("GLACIER")
    });
    s3.put_with("store/p/results/a.vcf", "first", |upload| {
        upload.sse("AES256")
    });
    let other = s3.verify(&world, &[]);
    assert_eq!(other.exit(), 3, "{}", other.snapshot());
    assert_eq!(
        sorted(&other.stdout())[..2],
        ["* store/p/results/a.vcf", "* store/p/top.txt"]
    );
    assert_eq!(
        sorted(&other.stderr()),
        [
            "  has encryption AES256, aws:kms with key key-1 was asked for",
            "  has encryption aws:kms with key key-2, aws:kms with key key-1 was asked for",
            "  is in storage class STANDARD, GLACIER was asked for",
        ]
    );
    // The platform can't tell, and says nothing.
    assert_eq!(world.run(&["verify", "t.transfer"]).exit(), 0);
}
