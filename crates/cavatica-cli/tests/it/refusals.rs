//! What is refused: each says why, exits non-zero and starts nothing.

use insta::assert_snapshot;

use crate::harness::{Run, World};

fn export(world: &World, path: &str, volume: &str, more: &[&str]) -> Run {
    let file = world.file(path);
    let mut args = vec!["export", &file, volume, "somewhere/file"];
    args.extend(more);
    world.run(&args)
}

#[track_caller]
fn refused(world: &World, run: &Run, exit: i32, word: &str) {
    assert_eq!(run.exit(), exit, "{}", run.snapshot());
    assert!(run.snapshot().contains(word), "{}", run.snapshot());
    assert_eq!(world.accepted(), 0, "a job was started");
    assert_eq!(
        world
            .sandbox
            .ledger()
            .requests_to(cavatica_sandbox::Route::Start),
        0,
        "a start was sent"
    );
}

#[test]
fn an_alias() {
    let world = World::new();
    refused(
        &world,
        &export(
            &world,
            "already/exported.bam",
            "sandbox/output",
            &["--move"],
        ),
        2,
        "alias",
    );
}

#[test]
fn a_folder() {
    let world = World::new();
    refused(
        &world,
        &export(&world, "results", "sandbox/output", &["--move"]),
        2,
        "folder",
    );
}

#[test]
fn a_public_file() {
    let world = World::new();
    let run = world.run(&[
        "files",
        "list",
        "--project",
        "admin/sbg-public-data",
        "--json",
    ]);
    let id = run.documents()[0]["id"].as_str().unwrap().to_owned();
    refused(
        &world,
        &world.run(&["export", &id, "sandbox/output", "a", "--copy"]),
        2,
        "public",
    );
}

#[test]
fn volumes_that_take_no_exports() {
    let world = World::new();
    for (volume, word) in [
        ("sandbox/readonly", "not read-write"),
        ("sandbox/google", "gcs"),
        ("sandbox/inactive", "deactivated"),
    ] {
        refused(
            &world,
            &export(&world, "README.txt", volume, &["--move"]),
            2,
            word,
        );
    }
}

#[test]
fn all_objections_are_told_at_once() {
    let world = World::new();
    let run = export(
        &world,
        "already/exported.bam",
        "sandbox/readonly",
        &["--copy", "--kms-key-id", "k", "--json"],
    );
    refused(&world, &run, 2, "alias");
    let details = run.document()["error"]["details"].clone();
    let names: Vec<_> = details
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| detail["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["alias", "volume-read-only", "kms-key-without-kms"]);
}

#[test]
fn locations_that_are_none() {
    let world = World::new();
    let file = world.file("README.txt");
    for location in ["/a", "a/", "a//b", "../a", ""] {
        refused(
            &world,
            &world.run(&["export", &file, "sandbox/output", location, "--move"]),
            2,
            "expected a key relative to the volume",
        );
    }
}

#[test]
fn neither_move_nor_copy_nor_both() {
    let world = World::new();
    let file = world.file("README.txt");
    refused(
        &world,
        &world.run(&["export", &file, "sandbox/output", "a"]),
        2,
        "--move",
    );
    refused(
        &world,
        &world.run(&["export", &file, "sandbox/output", "a", "--move", "--copy"]),
        2,
        "--copy",
    );
}

#[test]
fn the_platform_decides_where_nothing_was_checked() {
    let world = World::new();
    let file = world.file("already/exported.bam");
    let run = world.run(&[
        "export",
        &file,
        "sandbox/output",
        "a",
        "--move",
        "--no-check",
    ]);
    assert_ne!(run.exit(), 0);
    assert!(run.snapshot().contains("9006"), "{}", run.snapshot());
    assert_eq!(world.accepted(), 0);
}

#[test]
fn a_wrong_token() {
    let world = World::new();
    world.write_credentials("default", "0123456789abcdef0123456789abcdef");
    assert_snapshot!(world.run(&["volumes", "list"]).snapshot(), @r"
    exit 5
    --- stdout
    --- stderr
    error: the platform doesn't accept the token
      caused by: GET /storage/volumes: it was refused: the answer has the status 401: The token isn't accepted. (code 90001) (request [REQUEST])
    hint: this one may have expired: get a new token from the platform's Developer page, and put it where `cavatica doctor` found this one
    ");
}

#[test]
fn no_token_at_all() {
    let world = World::new();
    std::fs::remove_dir_all(world.home().join(".sevenbridges")).unwrap();
    assert_snapshot!(world.run(&["volumes", "list"]).snapshot(), @r"
    exit 5
    --- stdout
    --- stderr
    error: no token found: SB_AUTH_TOKEN is not set, and there is no [HOME]/.sevenbridges/credentials
    hint: get a token from the platform's Developer page and put it into a file, then `--token-file FILE`
    hint: to try things without an account: `cavatica demo`
    ");
}

#[test]
fn a_volume_that_others_may_write_to() {
    let world = World::new();
    world.sandbox.set_faults(
        "refuse=403/9020@start"
            .parse::<cavatica_sandbox::FaultPlan>()
            .unwrap(),
    );
    let run = export(&world, "README.txt", "sandbox/output", &["--copy"]);
    assert_eq!(world.accepted(), 0);
    assert_snapshot!(run.snapshot(), @"
    exit 5
    --- stdout
    --- stderr
    error: the platform doesn't allow this
      caused by: POST /storage/exports: it was refused: the answer has the status 403: No right to the volume. (code 9020) (request [REQUEST])
    hint: ask the volume's administrator for the permission: write to export, copy to import, read to browse, admin to change it
    hint: `cavatica volumes list` shows the others that you can see; then give the same command again
    ");
}

#[test]
fn a_token_on_the_command_line() {
    let world = World::new();
    let run = world.run(&["volumes", "list", "--token", "0123456789abcdef"]);
    assert_eq!(run.exit(), 2);
}

#[test]
fn plain_http_to_elsewhere() {
    let world = World::new();
    let mut command = world.command(&["volumes", "list", "--endpoint", "http://example.org/v2"]);
    command.env("SB_AUTH_TOKEN", "0123456789abcdef0123456789abcdef");
    let run = world.finish(command);
    assert_eq!(run.exit(), 2);
    assert!(run.snapshot().contains("https"), "{}", run.snapshot());
}

#[test]
fn a_profile_for_another_platform() {
    let world = World::new();
    let run = world.run(&[
        "volumes",
        "list",
        "--endpoint",
        "https://cavatica-api.sbgenomics.com/v2",
    ]);
    assert_eq!(run.exit(), 2);
    assert!(
        run.snapshot().contains("own platform"),
        "{}",
        run.snapshot()
    );
}
