//! Volumes made, changed and taken away, and projects found.

use cavatica_sandbox::{FaultPlan, ProjectSeed, Route, Sandbox, VolumeSeed};
use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{Run, World};

const SECRET: &str = "EXAMPLE+SECRET/never-to-be-seen";

/// The program with an AWS key in its environment; the secret is nowhere in what it prints.
fn with_keys(world: &World, args: &[&str]) -> Run {
    let mut command = world.command(args);
    command
        .env("AWS_ACCESS_KEY_ID", "EXAMPLEID")
        .env("AWS_SECRET_ACCESS_KEY", SECRET);
    let run = world.finish(command);
    assert!(!run.snapshot().contains(SECRET), "{}", run.snapshot());
    run
}

const CREATE: [&str; 7] = [
    "volumes",
    "create",
    "lab_out",
    "--bucket",
    "lab-bucket",
    "--access-mode",
    "RW",
];

#[test]
fn from_nothing_to_a_volume_that_takes_exports_with_three_commands() {
    let world = World::new();
    let policy = world.run(&[&CREATE[..], &["--policy"]].concat());
    assert_eq!(policy.exit(), 0, "{}", policy.snapshot());
    let policy = policy.document();
    let actions: Vec<String> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .map(|statement| format!("{} {}", statement["Resource"], statement["Action"]))
        .collect();
    assert_eq!(
        actions,
        [
            r#""arn:aws:s3:::lab-bucket" ["s3:ListBucket","s3:GetBucketLocation"]"#,
            r#""arn:aws:s3:::lab-bucket/*" ["s3:GetObject"]"#,
            r#""arn:aws:s3:::lab-bucket/*" ["s3:PutObject","s3:PutObjectAcl","s3:GetObjectAcl","s3:AbortMultipartUpload","s3:ListMultipartUploadParts"]"#,
            r#"["arn:aws:s3:::sbg-main/*","arn:aws:s3:::sbg-main-us-west-2/*"] ["s3:GetObject"]"#,
        ]
    );
    assert_snapshot!(with_keys(&world, &CREATE).snapshot(), @r"
    exit 0
    --- stdout
    sandbox/lab_out  RW  s3     lab-bucket/
    --- stderr
    ");
    let file = world.file("README.txt");
    let export = [
        "export",
        &file,
        "sandbox/lab_out",
        "run1/a.txt",
        "--copy",
        "--wait",
    ];
    assert_eq!(world.run(&export).exit(), 0);

    assert_snapshot!(with_keys(&world, &CREATE).snapshot(), @r"
    exit 2
    --- stdout
    --- stderr
    error: the platform refused this
      caused by: POST /storage/volumes: it was refused: the answer has the status 409: The volume's name is taken. (code 9010) (request [REQUEST])
    hint: use the existing volume, or choose another name
    hint: it is there: sandbox/lab_out  RW  s3     lab-bucket/
    ");
}

#[test]
fn a_role_a_profile_and_a_file_stand_for_keys() {
    let world = World::new();
    let role = "arn:aws:iam::000000000000:role/lab";
    let made = world.run(
        &[
            &CREATE[..],
            &["--role-arn", role, "--external-id", "x1", "--json"],
        ]
        .concat(),
    );
    assert_eq!(
        made.document()["service"]["credentials"],
        json!({"role_arn": role, "external_id": "x1"})
    );

    let aws = world.home().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    let text = format!("[lab]\naws_access_key_id = OTHERID\naws_secret_access_key = {SECRET}\n");
    std::fs::write(aws.join("credentials"), text).unwrap();
    let set = with_keys(
        &world,
        &[
            "volumes",
            "set",
            "sandbox/lab_out",
            "--aws-profile",
            "lab",
            "--json",
        ],
    );
    assert_eq!(
        set.document()["service"]["credentials"],
        json!({"access_key_id": "OTHERID"})
    );

    let file = world.home().join("google.json");
    let key =
        json!({"type": "service_account", "client_email": "a@example.test", "private_key": SECRET});
    std::fs::write(&file, key.to_string()).unwrap();
    let google = with_keys(
        &world,
        &[
            "volumes",
            "create",
            "lab_goog",
            "--bucket",
            "b",
            "--service",
            "gcs",
            "--access-mode",
            "RO",
            "--key-file",
            "google.json",
            "--json",
        ],
    );
    assert_eq!(
        google.document()["service"]["credentials"],
        json!({"client_email": "a@example.test"})
    );

    std::fs::write(&file, format!("{{\"private_key\": \"{SECRET}\"}}")).unwrap();
    let half = with_keys(
        &world,
        &[
            "volumes",
            "set",
            "sandbox/lab_goog",
            "--key-file",
            "google.json",
        ],
    );
    assert_eq!(half.exit(), 2, "{}", half.snapshot());

    let mut command = world.command(&CREATE);
    command
        .env("AWS_ACCESS_KEY_ID", "EXAMPLEID")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", "hours");
    let temporary = world.finish(command);
    assert_eq!(temporary.exit(), 2, "{}", temporary.snapshot());
}

#[test]
fn only_what_differs_is_changed() {
    let world = World::new();
    let set = |more: &[&str]| world.run(&[&["volumes", "set", "sandbox/readonly"], more].concat());
    assert_snapshot!(set(&["--access-mode", "RW"]).snapshot(), @r"
    exit 0
    --- stdout
    sandbox/readonly  RW  s3     sandbox-readonly/
    --- stderr
    ");
    let again = set(&["--access-mode", "RW", "--sse-algorithm", "AES256"]);
    assert_eq!(again.exit(), 4, "{}", again.snapshot());
    let patches = &world.sandbox.ledger().requests[&Route::ChangeVolume];
    assert_eq!(*patches, 1);
    let described = set(&[
        "--description",
        "results",
        "--canned-acl",
        "private",
        "--json",
    ]);
    assert_eq!(described.document()["description"], "results");
    assert_eq!(
        described.document()["service"]["properties"]["aws_canned_acl"],
        "private"
    );
}

/// Nobody documents whether a part of a volume's service replaces all of it.
#[test]
fn defaults_that_get_lost_beside_a_change_are_told() {
    for replaces in [false, true] {
        let world = World::with(|builder| match replaces {
            true => builder.quirk(cavatica_sandbox::Quirk::ServiceReplaced),
            false => builder,
        });
        let set =
            |more: &[&str]| world.run(&[&["volumes", "set", "sandbox/output"], more].concat());
        let first = set(&["--sse-algorithm", "AES256"]);
        assert!(!first.snapshot().contains("lost"), "{}", first.snapshot());
        let second = set(&["--canned-acl", "private"]);
        assert_eq!(second.exit(), 0);
        let told = second.snapshot().contains("again with --sse-algorithm");
        assert_eq!(told, replaces, "{}", second.snapshot());
        let both = set(&["--canned-acl", "private", "--sse-algorithm", "AES256"]);
        assert!(!both.snapshot().contains("lost"), "{}", both.snapshot());
    }
}

#[test]
fn a_volume_isnt_made_twice_for_a_lost_answer() {
    let world = World::with(|builder| {
        builder.faults(
            "drop-after@create-volume,nth=1"
                .parse::<FaultPlan>()
                .unwrap(),
        )
    });
    let run = with_keys(&world, &CREATE);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    assert!(
        run.stderr().contains("not made twice"),
        "{}",
        run.snapshot()
    );
    assert_eq!(world.sandbox.ledger().requests[&Route::CreateVolume], 1);

    let world = World::with(|builder| {
        builder.faults("drop-before@create-volume".parse::<FaultPlan>().unwrap())
    });
    let run = with_keys(&world, &CREATE);
    assert_eq!(run.exit(), 7, "{}", run.snapshot());
    assert_eq!(world.sandbox.ledger().requests[&Route::CreateVolume], 1);
}

#[test]
fn what_depends_on_a_volume_is_told_before_it_goes() {
    let slow = std::time::Duration::from_secs(3600);
    let world = World::with(|builder| {
        builder
            .job_duration(slow..=slow)
            .volume(VolumeSeed::s3("sandbox/output"))
    });
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "sandbox/demo",
        "--volume",
        "sandbox/output",
        "--move",
        "--limit",
        "1",
    ];
    assert_eq!(world.run(&plan).exit(), 0);
    let file = world.file("README.txt");
    assert_eq!(
        world
            .run(&["export", &file, "sandbox/output", "x", "--move"])
            .exit(),
        0
    );
    let deactivate =
        |more: &[&str]| world.run(&[&["volumes", "deactivate", "sandbox/output"], more].concat());
    assert_snapshot!(deactivate(&[]).snapshot(), @r"
    exit 2
    --- stdout
    --- stderr
    error: sandbox/output was not deactivated
      jobs-under-way: under way to it: 1 export job of yours
        wait for them: `cavatica jobs list --state pending --state running` shows them
      transfer: t.transfer: 0 files completed to it by move, 1 left
        `cavatica status t.transfer` says more
    hint: with `--force --yes` the platform ends them, in a state that no page tells
    ");
    assert_eq!(deactivate(&["--force"]).exit(), 2);
    let forced = deactivate(&["--force", "--yes"]);
    assert_eq!(forced.exit(), 0, "{}", forced.snapshot());
    assert!(
        forced.stdout().contains("deactivated"),
        "{}",
        forced.snapshot()
    );
    assert_eq!(deactivate(&[]).exit(), 4);
}

#[test]
fn a_deleted_volume_is_switched_off_first_and_confirmed() {
    let world = World::with(|builder| {
        builder
            .project(ProjectSeed::new("sandbox/demo").file("README.txt", "x"))
            .volume(VolumeSeed::s3("sandbox/output"))
    });
    let file = world.file("README.txt");
    assert_eq!(
        world
            .run(&["export", &file, "sandbox/output", "x", "--copy", "--wait"])
            .exit(),
        0
    );
    let delete =
        |more: &[&str]| world.run(&[&["volumes", "delete", "sandbox/output"], more].concat());
    assert_snapshot!(delete(&["--yes"]).snapshot(), @r"
    exit 2
    --- stdout
    --- stderr
    error: sandbox/output was not deleted
      exported-files: completed to it: 1 export job of yours; files that they moved are aliases, which can't be read without it
        a new volume of the same name on the same bucket may make them readable again
    hint: what others moved to the volume or imported from it can't be seen with your account
    hint: first `cavatica volumes deactivate sandbox/output`: the platform deletes only what is switched off
    ");
    assert_eq!(
        world
            .run(&["volumes", "deactivate", "sandbox/output"])
            .exit(),
        0
    );
    assert_eq!(
        world
            .run(&["volumes", "reactivate", "sandbox/output"])
            .exit(),
        0
    );
    assert_eq!(
        world
            .run(&["volumes", "deactivate", "sandbox/output"])
            .exit(),
        0
    );
    assert_eq!(delete(&[]).exit(), 2);
    let deleted = delete(&["--yes", "--json"]);
    assert_eq!(
        deleted.document(),
        json!({"version": 1, "deleted": "sandbox/output"})
    );
    assert_eq!(world.run(&["volumes", "get", "sandbox/output"]).exit(), 2);
}

#[test]
fn members_are_shown_added_changed_and_removed() {
    let world = World::new();
    let members =
        |more: &[&str]| world.run(&[&["volumes", "members", "sandbox/output"], more].concat());
    assert_eq!(
        members(&["add", "grace", "--may", "read,write"]).stdout(),
        "grace  may read, write\n"
    );
    assert_eq!(members(&["add", "grace"]).exit(), 1);
    assert_eq!(
        members(&["set", "grace", "--may", "read"]).stdout(),
        "grace  may read\n"
    );
    assert_eq!(
        members(&[]).stdout(),
        "grace  may read\nsandbox  may read, copy, write, admin\n"
    );
    assert_eq!(members(&["remove", "grace"]).exit(), 0);
    assert_eq!(
        members(&[]).stdout(),
        "sandbox  may read, copy, write, admin\n"
    );
}

#[test]
fn projects_are_listed_and_a_misspelled_one_is_recognised() {
    let world = World::with(|builder| {
        builder
            .project(ProjectSeed::new("lab/cohort-7"))
            .project(ProjectSeed::new("lab/Trial"))
    });
    assert_snapshot!(world.run(&["projects", "list", "--name", "TRI"]).snapshot(), @r"
    exit 0
    --- stdout
    lab/Trial  aws:us-east-1   Trial
    --- stderr
    ");
    let wrong = world.run(&["files", "list", "--project", "lab/chort-7"]);
    assert!(
        wrong.stderr().contains("did you mean `lab/cohort-7`?"),
        "{}",
        wrong.snapshot()
    );
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "lab/trail",
        "--volume",
        "sandbox/output",
        "--copy",
    ];
    let wrong = world.run(&plan);
    assert!(
        wrong.stderr().contains("did you mean `lab/Trial`?"),
        "{}",
        wrong.snapshot()
    );
    let far = world.run(&["files", "list", "--project", "other/project"]);
    assert!(
        far.stderr().contains("`cavatica projects list`"),
        "{}",
        far.snapshot()
    );
    let page = world.run(&[
        "files",
        "list",
        "--project",
        "https://cgc.sbgenomics.com/u/lab/cohort-7/files",
    ]);
    assert!(
        page.stderr().contains(
            "say `lab/cohort-7`, which is on the Cancer Genomics Cloud: `--platform cgc`"
        ),
        "{}",
        page.snapshot()
    );
}

#[test]
fn a_platform_is_named_in_place_of_its_address() {
    let world = World::new();
    // The profile's token stays with the profile's own platform.
    let run = world.run(&["volumes", "list", "--platform", "CGC"]);
    assert_eq!(run.exit(), 2);
    assert!(
        run.stderr()
            .contains("not for https://cgc-api.sbgenomics.com/v2"),
        "{}",
        run.snapshot()
    );
    let unknown = world.run(&["volumes", "list", "--platform", "terra"]);
    assert!(
        unknown
            .stderr()
            .contains("cavatica, sbg-us, sbg-eu, sbg-china, cgc, bdc"),
        "{}",
        unknown.snapshot()
    );
}

#[test]
fn an_endpoint_without_v2_is_named_as_such() {
    let world = World::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sandbox = runtime.block_on(Sandbox::builder().start()).unwrap();
    let mut command = world.command(&["volumes", "list"]);
    command.env("SB_AUTH_TOKEN", sandbox.token()).env(
        "SB_API_ENDPOINT",
        sandbox.endpoint().trim_end_matches("/v2"),
    );
    let run = world.finish(command);
    let stderr = run.stderr();
    assert!(
        stderr.contains("nothing answers at this address"),
        "{stderr}"
    );
    assert!(stderr.contains("it ends in `/v2`"), "{stderr}");
}

#[test]
fn a_failed_job_may_come_under_the_status_of_its_error() {
    let world = World::with(|builder| builder.quirk(cavatica_sandbox::Quirk::FailedAsError));
    let file = world.file("README.txt");
    let run = world.run(&[
        "export",
        &file,
        "sandbox/output",
        "earlier/exported.bam",
        "--copy",
        "--wait",
    ]);
    assert_eq!(run.exit(), 3, "{}", run.snapshot());
    assert!(run.snapshot().contains("9107"), "{}", run.snapshot());
}
