//! Commands that need no account and no network.

use std::io::Write;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::harness::World;

const MANIFEST: &str = "\u{feff}file_id,name,location\r\n\
    567890abc8a5639cc6722063,a.vcf,run1/a.vcf\r\n\
    567890abc8a5639cc6722064,\"b.vcf,run1/b.vcf\r\n\
    567890abc8a5639cc6722065,c.vcf,../c.vcf\r\n\
    ,d.vcf,run1/d.vcf\r\n\
    567890abc8a5639cc6722066,e.vcf,run1/a.vcf\r\n\
    567890abc8a5639cc6722067,f.vcf,RUN1/a.vcf\r\n";

fn world_with(manifest: &str) -> World {
    let world = World::new();
    std::fs::write(world.home().join("files.csv"), manifest).unwrap();
    world
}

#[test]
fn every_bad_row_is_named() {
    let world = world_with(MANIFEST);
    assert_snapshot!(world.run(&["check", "files.csv"]).snapshot(), @r"
    exit 2
    --- stdout
    files.csv line 3: error: column 2 `name` opens a quote that is never closed [unclosed-quote]
        expected a quoted cell to end with a quote, and quotes in it to be doubled
    files.csv line 4: error: column 3 `location` is `../c.vcf`: it has a part `.` or `..` [location]
        expected a key relative to the volume, such as `run1/output.vcf`
    files.csv line 5: error: column 1 `file_id` is empty [empty]
        expected a file id such as `567890abc8a5639cc6722063`
    files.csv line 2: error: location `run1/a.vcf` stands on lines 2 and 6 [same-location]
        give each file a location of its own
    files.csv line 2: warning: locations `run1/a.vcf`, `RUN1/a.vcf` on lines 2 and 7 differ only in letter case, Unicode form or what nobody sees [twin-locations]
        rename one of them unless the bucket is never copied to such a disk
    --- stderr
    files.csv: 6 rows, 3 of them bad; 4 errors, 1 warning
    ");
}

#[test]
fn findings_are_listed_as_json() {
    let world = world_with(MANIFEST);
    let run = world.run(&["check", "files.csv", "--json"]);
    assert_eq!(run.exit(), 2);
    let found: Vec<_> = run
        .documents()
        .iter()
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().unwrap().to_owned();
            (
                text("severity"),
                text("name"),
                finding["line"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("error", "unclosed-quote", 3),
        ("error", "location", 4),
        ("error", "empty", 5),
        ("error", "same-location", 2),
        ("warning", "twin-locations", 2),
    ];
    let expected =
        expected.map(|(severity, name, line)| (severity.to_owned(), name.to_owned(), line));
    assert_eq!(found, expected);
}

#[test]
fn a_good_manifest_is_good() {
    let world = world_with(
        "id,path,name\n567890abc8a5639cc6722063,run1,a.vcf\n567890abc8a5639cc6722064,run2,a.vcf\n",
    );
    assert_snapshot!(world.run(&["check", "files.csv", "--prefix", "cohort-7"]).snapshot(), @r"
    exit 0
    --- stdout
    --- stderr
    files.csv: 2 rows, 0 of them bad; 0 errors, 0 warnings
    ");
    // In one folder they meet.
    let flat = world.run(&["check", "files.csv", "--flatten"]);
    assert_eq!(flat.exit(), 2);
    assert_eq!(
        world
            .run(&["check", "files.csv", "--dest", "{name}"])
            .stdout(),
        flat.stdout()
    );
    assert_eq!(
        world
            .run(&["check", "files.csv", "--dest", "{id}/{name}"])
            .exit(),
        0
    );
    assert_eq!(
        world
            .run(&["check", "files.csv", "--dest", "{nmae}"])
            .exit(),
        2
    );
}

#[test]
fn many_findings_are_counted_and_all_in_json() {
    let mut manifest = "id,location\n".to_owned();
    for number in 0..50 {
        manifest.push_str(&format!(",{number}.vcf\n"));
    }
    let world = world_with(&manifest);
    let run = world.run(&["check", "files.csv"]);
    assert_eq!(
        run.stdout()
            .lines()
            .filter(|line| line.contains("error:"))
            .count(),
        20
    );
    assert!(
        run.snapshot().contains("... and more: 30 empty"),
        "{}",
        run.snapshot()
    );
    assert!(
        run.snapshot()
            .contains("50 rows, 50 of them bad; 50 errors, 0 warnings"),
        "{}",
        run.snapshot()
    );
    assert_eq!(
        world
            .run(&["check", "files.csv", "--json"])
            .documents()
            .len(),
        50
    );
}

#[test]
fn a_manifest_can_come_through_a_pipe() {
    let world = world_with(MANIFEST);
    let from_file = world.run(&["check", "files.csv", "--json"]);
    let mut command = world.command(&["check", "-", "--json"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(MANIFEST.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        from_file.stdout()
    );
}

#[test]
fn a_manifest_that_cannot_be_understood() {
    let world = world_with("id;location\n");
    assert_snapshot!(world.run(&["check", "files.csv"]).snapshot(), @r"
    exit 2
    --- stdout
    --- stderr
    error: the manifest can't be checked
      caused by: files.csv line 1: columns seem to be separated by semicolons; expected commas or tabs
    hint: a manifest begins with a header such as `file_id,location`, its columns parted by commas or tabs; `cavatica check --help` says more
    ");
    assert_eq!(world.run(&["check", "missing.csv"]).exit(), 2);
}

#[test]
fn codes_and_names_are_explained() {
    let world = World::new();
    assert_snapshot!(world.run(&["explain", "9107"]).snapshot(), @r"
    exit 0
    --- stdout
    9107  an object lies at the location already
      class   permanent: it fails again until somebody changes something
      HTTP    409, usually
      cause   another file or an earlier export has this key, and `overwrite` was not asked for
      advice  look first whether it is your own earlier export; else choose another location, or skip the file. Ask for `overwrite` only if the object there can go: it is deleted before the new one is written
      source  https://docs.cavatica.org/docs/api-status-codes
    --- stderr
    ");
    assert_snapshot!(world.run(&["explain", "alias"]).snapshot(), @r"
    exit 0
    --- stdout
    alias  objection: the export is not sent
      meaning  the file is an alias: its bytes lie on a volume already. It was exported before, or imported from a bucket, and the platform exports a file once
      advice   leave the file out; copy it from the bucket where it lies if you need it elsewhere
    --- stderr
    ");
    assert_snapshot!(world.run(&["explain", "503"]).snapshot(), @r"
    exit 0
    --- stdout
    HTTP 503, without a code of the platform
      class   transient: trouble that passes; the same request may succeed a little later
      advice  try again in a few minutes
      source  https://docs.cavatica.org/docs/api-status-codes
    --- stderr
    ");
    assert_snapshot!(world.run(&["explain", "8123"]).snapshot(), @r"
    exit 0
    --- stdout
    8123  an unlisted code about uploads
      advice  look at the HTTP status and the message that came with it; 5xx and 429 may pass by waiting, others don't
      source  https://docs.cavatica.org/docs/api-status-codes
    --- stderr
    ");
    assert_eq!(
        world.run(&["explain", "9006", "--json"]).document()["class"],
        "permanent"
    );
    assert_eq!(world.run(&["explain", "nonsense"]).exit(), 2);
}
