//! What people type by mistake: each gets one short error that says what was understood, what was expected, and what to
//! type next. `snapshots/it__mistakes__mistakes.snap` holds the texts.

use std::fmt::Write;

use crate::harness::{World, set_mode};

const ID: &str = "567890abc8a5639cc6722063";

/// What was done wrong, and how it was typed; `FILE` stands for the id of a file that is there.
const MISTAKES: &[(&str, &str)] = &[
    ("a misspelled command", "exprot"),
    ("swapped letters of a short command", "rnu"),
    ("a misspelled command below another", "volumes lsit"),
    ("a command in the singular", "project list"),
    ("the shell's word for a list", "ls"),
    ("a dry run", "plan --dry-run --out t.transfer"),
    ("a misspelled flag", "export FILE sandbox/output a --cpoy"),
    ("neither move nor copy", "export FILE sandbox/output a"),
    ("a token as an argument", "--token 0123 volumes list"),
    ("a project without its flag", "files list sandbox/demo"),
    (
        "a file's name for its id",
        "export calls.vcf sandbox/output calls.vcf --copy",
    ),
    (
        "the volume before the file",
        "export sandbox/output FILE a --copy",
    ),
    (
        "the location before the volume",
        "export FILE run1/a sandbox/output --copy",
    ),
    (
        "the same where the location is no id",
        "export FILE a.txt sandbox/output --copy",
    ),
    (
        "a page's address for a file",
        "export https://cavatica.sbgenomics.com/u/me/my-project/files/567890abc8a5639cc6722063/ sandbox/output a --copy",
    ),
    (
        "a bucket's name for a volume",
        "export FILE my-bucket a --copy",
    ),
    (
        "a bucket's address for a volume",
        "export FILE s3://my-bucket a --copy",
    ),
    (
        "an object's address for a location",
        "export FILE sandbox/output s3://sandbox-output/run1/a --copy",
    ),
    (
        "a Windows path for a location",
        r"export FILE sandbox/output C:\run1\a.txt --copy",
    ),
    (
        "a Windows path for a folder",
        r"plan --out t.transfer --project sandbox/demo --folder results\NA12878 --volume sandbox/output --copy",
    ),
    (
        "a Windows path for a prefix",
        r"plan --out t.transfer --project sandbox/demo --volume sandbox/output --prefix D:\cohort7\ --copy",
    ),
    (
        "an object's address for a prefix",
        "plan --out t.transfer --project sandbox/demo --volume sandbox/output --prefix s3://my-bucket/cohort7/ --copy",
    ),
    (
        "a volume's id for a bucket",
        "plan --out t.transfer --project sandbox/demo --bucket sandbox/output --copy",
    ),
    (
        "a bucket's address for its name",
        "plan --out t.transfer --project sandbox/demo --bucket s3://my-bucket/cohort7/ --copy",
    ),
    (
        "a misspelled volume",
        "plan --out t.transfer --project sandbox/demo --volume sandbox/outptu --copy",
    ),
    (
        "a page's address for a project",
        "plan --out t.transfer --project https://cavatica.sbgenomics.com/u/me/my-project/files/ --volume sandbox/output --copy",
    ),
    (
        "a page's address for the endpoint",
        "--endpoint https://cavatica.sbgenomics.com/u/me --token-file token.txt volumes list",
    ),
    (
        "a misspelled project",
        "plan --out t.transfer --project sandbox/dmeo --volume sandbox/output --copy",
    ),
    (
        "a misspelled folder",
        "plan --out t.transfer --project sandbox/demo --folder resluts --volume sandbox/output --copy",
    ),
    (
        "a misspelled bucket",
        "plan --out t.transfer --project sandbox/demo --bucket my-bucket --copy",
    ),
    (
        "a file that isn't there",
        "export 567890abc8a5639cc6722063 sandbox/output a --copy",
    ),
    (
        "a volume that can't be written to",
        "export FILE sandbox/readonly a --copy",
    ),
    (
        "a plan for a volume that can't be written to",
        "plan --out t.transfer --project sandbox/demo --volume sandbox/readonly --copy",
    ),
    (
        "an ACL that shows patients' data to everybody",
        "export FILE sandbox/output a --copy --canned-acl public-read",
    ),
    (
        "the same for many files",
        "plan --out t.transfer --project sandbox/demo --volume sandbox/output --copy --canned-acl authenticated-read",
    ),
    (
        "a misspelled ACL",
        "export FILE sandbox/output a --copy --canned-acl privat",
    ),
    (
        "a location for every file",
        "plan --out t.transfer --project sandbox/demo --volume sandbox/output --copy --flatten",
    ),
    ("semicolons in a manifest", "check semicolons.csv"),
    ("blanks in a manifest", "check blanks.csv"),
    ("a manifest without a header", "check headless.csv"),
    ("a Windows path in a manifest", "check windows.csv"),
    ("a manifest that isn't there", "check nowhere.csv"),
    ("a transfer that isn't there", "run nowhere.transfer --yes"),
    ("a manifest for a transfer", "run semicolons.csv --yes"),
    ("an old token", "--token-file token.txt volumes list"),
    (
        "a command's words the other way round",
        "list files --project sandbox/demo",
    ),
    ("a transfer before the command", "t.transfer run --yes"),
    ("the program's name twice", "cavatica doctor"),
    (
        "a plan without the flag for its file",
        "plan t.transfer --project sandbox/demo --volume sandbox/output --move",
    ),
    ("a flag for the transfer", "run --transfer t.transfer --yes"),
    ("a folder for a transfer", "status folder"),
    (
        "a folder that isn't there",
        "plan --out nowhere/t.transfer --project sandbox/demo --volume sandbox/output --copy",
    ),
    (
        "a page's address without its beginning",
        "files list --project cavatica.sbgenomics.com/u/me/my-project/files",
    ),
    (
        "a page's address for a task",
        "plan --out t.transfer --task https://cavatica.sbgenomics.com/u/me/my-project/tasks/6f2a1b3c-0000-4000-8000-000000000001/ --volume sandbox/output --copy",
    ),
    (
        "a slash behind a project",
        "files list --project me/my-project/",
    ),
    (
        "a slash before a location",
        "export FILE sandbox/output /run1/a --copy",
    ),
    ("UTF-16 in a manifest", "check utf16.csv"),
    ("a workbook for a manifest", "check files.xlsx"),
    ("a compressed manifest", "check files.csv.gz"),
    ("a JSON array for a manifest", "check array.json"),
    ("JSON over several lines", "check pretty.json"),
    ("a report for a manifest", "check report.tsv"),
    ("encryption in other words", "check sse.csv"),
    ("a destination in other words", "check target.csv"),
    (
        "a folder that is a project",
        "files list --folder sandbox/demo",
    ),
    (
        "a path that isn't there",
        "export sandbox/demo:results/nobody.vcf sandbox/output a --copy",
    ),
    (
        "a filter that nothing fits",
        "plan --out t.transfer --project sandbox/demo --name *.bma --volume sandbox/output --copy",
    ),
    (
        "a listed file that isn't there",
        "plan --out t.transfer --manifest unknown.csv --volume sandbox/output --copy",
    ),
    (
        "a manifest with a bad row",
        "plan --out t.transfer --manifest ragged.csv --volume sandbox/output --copy",
    ),
    ("a token in quotes", "--token-file quoted.txt volumes list"),
    (
        "a word before the token",
        "--token-file bearer.txt volumes list",
    ),
    (
        "the web pages for the API",
        "--endpoint https://cavatica.sbgenomics.com --token-file token.txt volumes list",
    ),
    (
        "an endpoint without https",
        "--endpoint http://cavatica-api.sbgenomics.com/v2 --token-file token.txt volumes list",
    ),
    ("no code of the platform", "retry t.transfer --code x --yes"),
    ("half a name to explain", "explain volume"),
    ("a name that nothing has", "explain vloume"),
];

#[test]
fn each_gets_one_short_error_and_the_next_command() {
    let world = World::new();
    let write = |name: &str, text: &str| {
        let file = world.home().join(name);
        std::fs::write(&file, text).unwrap();
        set_mode(&file, 0o600);
    };
    write("token.txt", "0123456789abcdef0123456789abcdef\n");
    write("semicolons.csv", &format!("file_id;location\n{ID};a/b\n"));
    write("blanks.csv", &format!("file_id location\n{ID} a/b\n"));
    write("headless.csv", &format!("{ID},a/b\n"));
    write(
        "windows.csv",
        &format!("file_id,location\n{ID},C:\\run1\\a.txt\n"),
    );
    let file = world.file("README.txt");
    write("ragged.csv", &format!("file_id,location\n{ID},a/b,c\n"));
    write("quoted.txt", "\"0123456789abcdef0123456789abcdef\"\n");
    write("bearer.txt", "Bearer 0123456789abcdef0123456789abcdef\n");
    write("utf16.csv", "f\0i\0l\0e\0_\0i\0d\0\n\0");
    write("files.xlsx", "PK\u{3}\u{4}\u{14}\0[Content_Types].xml");
    std::fs::write(world.home().join("files.csv.gz"), b"\x1f\x8b\x08\0").unwrap();
    write("array.json", &format!("[\n {{\"id\": \"{ID}\"}}\n]\n"));
    write("pretty.json", &format!("{{\n \"id\": \"{ID}\"\n}}\n"));
    write(
        "report.tsv",
        "file_id\tname\tkey\texport_id\tstate\tattempts\n",
    );
    write(
        "sse.csv",
        &format!("file_id,location,SSE,KMS Key\n{ID},a/b,aws:kms,my-key\n"),
    );
    write("target.csv", &format!("file_id,target\n{ID},a/b\n"));
    write("unknown.csv", &format!("file_id\n{file}\n{ID}\n"));
    std::fs::create_dir(world.home().join("folder")).unwrap();
    let mut transcript = String::new();
    for (what, typed) in MISTAKES {
        let args: Vec<&str> = typed
            .split(' ')
            .map(|word| if word == "FILE" { &file } else { word })
            .collect();
        let mut command = world.command(&args);
        command.env("SB_API_ENDPOINT", world.sandbox.endpoint());
        let run = world.finish(command);
        let text = run.snapshot().replace(&file, "FILE");
        assert_ne!(run.exit(), 0, "{text}");
        assert!(run.stderr().lines().count() <= 8, "too long: {text}");
        let (head, stderr) = text.split_once("--- stderr\n").unwrap();
        let (exit, stdout) = head.split_once("\n--- stdout\n").unwrap();
        writeln!(
            transcript,
            "# {what}\n$ cavatica {typed}\n{stdout}{stderr}{exit}\n"
        )
        .unwrap();
    }
    assert_eq!(world.accepted(), 0, "something was started");
    assert!(!world.home().join("t.transfer").exists());
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => true}, {
        insta::assert_snapshot!("mistakes", transcript);
    });
}

#[test]
fn a_mistake_is_one_json_document_too() {
    let world = World::new();
    for args in [
        &["exprot", "--json"][..],
        &["export", "calls.vcf", "me/volume", "a", "--copy", "--json"],
        &["run", "nowhere.transfer", "--yes", "--json"],
    ] {
        let run = world.run(args);
        assert_eq!(run.document()["error"]["exit"], run.exit());
        assert_eq!(run.exit(), 2, "{}", run.snapshot());
    }
}

#[test]
fn a_mistake_has_the_colours_that_were_asked_for() {
    let world = World::new();
    let coloured = |args: &[&str]| world.run(args).stderr().contains('\u{1b}');
    assert!(coloured(&["exprot", "--color", "always"]));
    assert!(coloured(&["--color=always", "exprot"]));
    assert!(!coloured(&["exprot", "--color", "never"]));
    assert!(!coloured(&["exprot"]));
}
