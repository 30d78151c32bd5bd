//! `cavatica audit`: what disagrees is told, with a symbol each and the right exit code.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cavatica_sandbox::{FaultPlan, OtherExport, ProjectSeed, SandboxBuilder, VolumeSeed};
use insta::assert_snapshot;

use crate::harness::{Run, World};

const VOLUME: &str = "lab/output";

fn world(project: ProjectSeed) -> World {
    let build = |builder: SandboxBuilder| {
        let volume = VolumeSeed::s3(VOLUME);
        builder.project(project).volume(volume)
    };
    World::with(build)
}

fn four_files() -> ProjectSeed {
    ["a.vcf", "b \u{202e}é.vcf", "deep/c.bam", "d.txt"]
        .into_iter()
        .fold(ProjectSeed::new("lab/trio"), |project, path| {
            project.file(path, "content")
        })
}

fn plan(world: &World, mode: &str) {
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "lab/trio",
        "--volume",
        VOLUME,
        mode,
    ];
    assert_eq!(world.run(&plan).exit(), 0);
}

fn run(world: &World) {
    let run = [
        "run",
        "t.transfer",
        "--yes",
        "--poll",
        "50ms",
        "--no-progress",
    ];
    let run = world.run(&run);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
}

/// Has the transfer planned ten minutes earlier: jobs of the first seconds after a plan may be earlier ones.
fn edit(world: &World, statement: &str) {
    let path = world.home().join("t.transfer");
    let connection = rusqlite::Connection::open(path).unwrap();
    let earlier = "UPDATE transfer SET created = created - 600000;";
    connection
        .execute_batch(&format!("{earlier}{statement}"))
        .unwrap();
}

fn audit(world: &World, more: &[&str]) -> Run {
    world.run(&[&["audit", "t.transfer"], more].concat())
}

/// What an audit printed, its jobs and files masked, and what turns a line around.
fn masked(run: &Run) -> String {
    let is_id =
        |word: &str| word.len() >= 24 && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let text = run.snapshot().replace('\u{202e}', "[RLO]");
    let mut masked = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let end = rest
            .find(|letter: char| !letter.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        masked += if is_id(word) { "[ID]" } else { word };
        let letter = behind.chars().next();
        masked.extend(letter);
        rest = &behind[letter.map_or(0, char::len_utf8)..];
    }
    masked
}

#[test]
fn a_finished_transfer_agrees_with_the_list() {
    let world = world(four_files());
    plan(&world, "--move");
    let nothing = audit(&world, &[]);
    assert_snapshot!(nothing.snapshot(), @"
    exit 4
    --- stdout
    t.transfer: nothing was sent, and account sandbox has no export job on the volume: there is nothing to audit
    --- stderr
    ");
    run(&world);
    assert_snapshot!(audit(&world, &[]).snapshot(), @"
    exit 0
    --- stdout
    t.transfer: 4 files and 4 jobs of account sandbox agree
    --- stderr
    reading 4 export jobs: 1 request; the limit allows 1000 in 5 minutes
    jobs that other accounts started don't show: they can't be audited from here
    ");
    assert_snapshot!(audit(&world, &["--json"]).snapshot(), @r#"
    exit 0
    --- stdout
    {"version":1,"transfer":"t.transfer","account":"sandbox","files":4,"jobs":4,"requests":3,"complete":true,"agrees":true,"totals":{"doubled":0,"elsewhere":0,"live-job":0,"missing-job":0,"not-in-list":0,"state-differs":0,"unclear":0,"unexpected-job":0,"wrong-job":0},"findings":[]}
    --- stderr
    reading 4 export jobs: 1 request; the limit allows 1000 in 5 minutes
    "#);
    assert!(!world.run(&["transfers"]).stdout().contains("audit"));
}

#[test]
fn each_disagreement_has_its_symbol_and_name() {
    let world = world(four_files());
    plan(&world, "--copy");
    run(&world);
    edit(
        &world,
        "UPDATE attempt SET export = 'nobody' WHERE item = 2;
         UPDATE attempt SET state = 4 WHERE item = 3;",
    );
    let second = OtherExport::new("lab/trio:a.vcf", VOLUME, "a.vcf").copy();
    world.sandbox.export_elsewhere(&second.overwrite()).unwrap();
    let jobs = world.run(&["jobs", "list", "--json"]).documents();
    let id = jobs[0]["id"].as_str().unwrap();
    assert_eq!(world.run(&["jobs", "wait", id]).exit(), 0);
    assert_snapshot!(masked(&audit(&world, &[])), @r"
    exit 3
    --- stdout
    + a.vcf
    - b \u{202e}é.vcf
    * d.txt
    t.transfer: 4 files and 5 jobs of account sandbox disagree: 1 doubled, 1 state-differs, 1 not-in-list
    --- stderr
    reading 5 export jobs: 1 request; the limit allows 1000 in 5 minutes
      doubled: [ID] 2 jobs to its place completed or still run, expected one: [ID], [ID]
      not-in-list: [ID] the journal names job nobody, which isn't listed; job [ID] to its place completed
      state-differs: [ID] the journal says failed, and its job [ID] completed
    doubled: read both jobs with `cavatica jobs get`, and find out what else sends these files: another program, a copy of this transfer, a person. If nothing does, send `cavatica support` to the developers
    state-differs: read the job with `cavatica jobs get`, and look whether the object is there with `cavatica verify`
    not-in-list: read the job with `cavatica jobs get`: where it is still there the list isn't whole, so audit again; else the platform has forgotten it, and `cavatica verify` says whether the object is there
    jobs that other accounts started don't show: they can't be audited from here
    ");
    assert_snapshot!(masked(&audit(&world, &["--json"])), @r#"
    exit 3
    --- stdout
    {"version":1,"transfer":"t.transfer","account":"sandbox","files":4,"jobs":5,"requests":3,"complete":true,"agrees":false,"totals":{"doubled":1,"elsewhere":0,"live-job":0,"missing-job":0,"not-in-list":1,"state-differs":1,"unclear":0,"unexpected-job":0,"wrong-job":0},"findings":[{"name":"doubled","file_id":"[ID]","location":"a.vcf","export_id":"[ID]","message":"2 jobs to its place completed or still run, expected one: [ID], [ID]","advice":"read both jobs with `cavatica jobs get`, and find out what else sends these files: another program, a copy of this transfer, a person. If nothing does, send `cavatica support` to the developers"},{"name":"not-in-list","file_id":"[ID]","location":"b \u202eé.vcf","export_id":"nobody","message":"the journal names job nobody, which isn't listed; job [ID] to its place completed","advice":"read the job with `cavatica jobs get`: where it is still there the list isn't whole, so audit again; else the platform has forgotten it, and `cavatica verify` says whether the object is there"},{"name":"state-differs","file_id":"[ID]","location":"d.txt","export_id":"[ID]","message":"the journal says failed, and its job [ID] completed","advice":"read the job with `cavatica jobs get`, and look whether the object is there with `cavatica verify`"}]}
    --- stderr
    reading 5 export jobs: 1 request; the limit allows 1000 in 5 minutes
    "#);
}

#[test]
fn a_list_that_never_comes_whole_is_no_proof() {
    let world = world(ProjectSeed::new("lab/trio").synthetic("x", 150, 10));
    plan(&world, "--move");
    run(&world);
    let faults: FaultPlan = "omit=30@exports".parse().unwrap();
    world.sandbox.set_faults(faults);
    let run = audit(&world, &["--json"]);
    assert_eq!(run.exit(), 7, "{}", run.snapshot());
    let summary = run.document();
    assert_eq!(
        (&summary["complete"], &summary["agrees"]),
        (&false.into(), &false.into())
    );
    let run = audit(&world, &[]);
    assert!(
        run.stderr().contains("it is read again"),
        "{}",
        run.snapshot()
    );
    assert!(
        run.stdout().contains("the list never came whole"),
        "{}",
        run.snapshot()
    );
}

/// A finished transfer of 350 files, and an audit of it whose third page never comes.
fn hanging() -> (World, Child) {
    let world = world(ProjectSeed::new("lab/trio").synthetic("x", 350, 10));
    plan(&world, "--move");
    run(&world);
    // The count is the first.
    let faults: FaultPlan = "hang-before@exports,nth=4".parse().unwrap();
    world.sandbox.set_faults(faults);
    let mut command = world.command(&["audit", "t.transfer"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let hangs = || world.sandbox.ledger().faults[0].hits > 0;
    while !hangs() {
        std::thread::sleep(Duration::from_millis(5));
    }
    (world, child)
}

#[test]
fn an_audit_that_is_killed_goes_on() {
    let (world, mut child) = hanging();
    child.kill().unwrap();
    child.wait().unwrap();
    world.sandbox.set_faults(FaultPlan::default());
    let run = audit(&world, &[]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let agree = "t.transfer: 350 files and 350 jobs of account sandbox agree\n";
    assert_eq!(run.stdout(), agree);
    let left = world.home().read_dir().unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.contains("audit")));
}

#[test]
fn an_audit_that_is_interrupted_goes_on() {
    let (world, mut child) = hanging();
    let process = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &process]).status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(6));
    let mut told = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut told).unwrap();
    assert_snapshot!(told, @"
    reading 350 export jobs: 4 requests; the limit allows 1000 in 5 minutes
    error: interrupted: 200 of 350 export jobs were read
    hint: what was read is kept; `cavatica audit t.transfer` goes on from here
    ");

    world.sandbox.set_faults(FaultPlan::default());
    let run = audit(&world, &[]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let goes_on = "reading 350 export jobs, of which 200 were read before: 3 requests";
    assert!(run.stderr().starts_with(goes_on), "{}", run.snapshot());
    let again = audit(&world, &["--again", "--json"]);
    assert_eq!(again.document()["requests"], 6, "{}", again.snapshot());
}

#[test]
fn a_wrong_path_and_a_wrong_account_are_refused() {
    let world = world(four_files());
    plan(&world, "--move");
    assert_eq!(world.run(&["audit", "none.transfer"]).exit(), 2);
    edit(
        &world,
        "UPDATE transfer SET terms = json_set(terms, '$.account', 'somebody')",
    );
    let other = audit(&world, &[]);
    assert_eq!(other.exit(), 2, "{}", other.snapshot());
    assert!(
        other.stderr().contains("account `somebody`"),
        "{}",
        other.snapshot()
    );
}
