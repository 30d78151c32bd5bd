//! What people type by mistake: one short error with what was meant and what to type next.

use insta::assert_snapshot;

use crate::harness::World;

/// The first line of the error.
fn error(args: &[&str]) -> String {
    let world = World::new();
    let run = world.run(args);
    assert_eq!(run.exit(), 2, "{}", run.snapshot());
    assert_eq!(
        world.sandbox.ledger().requests.values().sum::<u64>(),
        0,
        "something was sent"
    );
    run.stderr().lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_pages_address_for_a_project() {
    let run = error(&[
        "files",
        "list",
        "--project",
        "https://cavatica.sbgenomics.com/u/me/my-project/files/",
    ]);
    assert_snapshot!(run, @"error: invalid value 'https://cavatica.sbgenomics.com/u/me/my-project/files/' for '--project <PROJECT>': that is a page's address; the project's id is `me/my-project`");
}

#[test]
fn a_files_name_for_its_id() {
    let run = error(&["export", "calls.vcf", "me/volume", "calls.vcf", "--copy"]);
    assert_snapshot!(run, @"error: invalid value 'calls.vcf' for '<FILE_ID>': that looks like a name or a path; `cavatica files list --project OWNER/NAME --recursive` shows the ids");
}

#[test]
fn a_buckets_name_for_a_volume() {
    let run = error(&[
        "export",
        "567890abc8a5639cc6722063",
        "my-bucket",
        "calls.vcf",
        "--copy",
    ]);
    assert_snapshot!(run, @"error: invalid value 'my-bucket' for '<VOLUME>': expected owner/name; that may be a bucket's name; `cavatica volumes list` shows each volume with its bucket");
}

#[test]
fn arguments_in_the_wrong_order() {
    let run = error(&["volumes", "get", "567890abc8a5639cc6722063"]);
    assert_snapshot!(run, @"error: invalid value '567890abc8a5639cc6722063' for '<VOLUME>': expected owner/name; that looks like a file's id, which comes first; `cavatica volumes list` shows each volume with its bucket");
}

#[test]
fn a_misspelled_command() {
    assert_snapshot!(error(&["exprot"]), @"error: unrecognized subcommand 'exprot'");
}
