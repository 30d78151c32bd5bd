//! `cavatica split` and `cavatica take`: parts of a plan, for other accounts and hosts.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use cavatica_sandbox::{ProjectSeed, VolumeSeed};
use serde_json::Value;

use crate::harness::{World, set_mode};
use crate::json::compare;

const FILES: u64 = 40;

/// A platform with two accounts, each with a profile of its own.
fn world() -> World {
    let world = World::with(|builder| {
        builder
            .account("colleague")
            .project(ProjectSeed::new("lab/trio").synthetic("run1", FILES as u32, 1_000))
            .volume(VolumeSeed::s3("lab/output").keys_only())
            .volume(VolumeSeed::s3("lab/mine").keys_only().members(["sandbox"]))
    });
    let file = world.home().join(".sevenbridges/credentials");
    let mut profiles = std::fs::read_to_string(&file).unwrap();
    for (name, token) in world.sandbox.accounts() {
        let endpoint = world.sandbox.endpoint();
        profiles += &format!("[{name}]\napi_endpoint = {endpoint}\nauth_token = {token}\n");
    }
    std::fs::write(&file, profiles).unwrap();
    set_mode(&file, 0o600);
    world
}

fn run(world: &World, line: &str) -> (i32, Value) {
    let words: Vec<&str> = line.split(' ').chain(["--json"]).collect();
    let run = world.run(&words);
    (run.exit(), run.document())
}

fn plan(world: &World, volume: &str) {
    let line = format!("plan --out t.transfer --project lab/trio --volume {volume} --move");
    assert_eq!(run(world, &line).0, 0);
}

/// The parts that are there, and how many files they have in all.
fn parts(world: &World) -> (Vec<PathBuf>, u64) {
    let folder = world.home().join("parts");
    let mut paths: Vec<PathBuf> = match folder.read_dir() {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    };
    paths.sort();
    let files = paths.iter().map(|path| {
        let (exit, summary) = run(world, &format!("status {}", path.display()));
        assert_eq!(exit, 0, "{summary}");
        summary["left"].as_u64().unwrap()
    });
    let files = files.sum();
    (paths, files)
}

#[test]
fn two_accounts_share_a_plan_under_one_approval() {
    let world = world();
    let (_, planned) = run(
        &world,
        "plan --out t.transfer --project lab/trio --volume lab/output --move --parts 2",
    );
    let split = &planned["split"];
    assert_eq!(split["parts"][0]["transfer"], "t.parts/part-1.transfer");
    let files = |part: usize| split["parts"][part]["files"].as_u64().unwrap();
    assert_eq!(files(0) + files(1), FILES);

    let (exit, refused) = run(&world, "run t.transfer --yes");
    assert_eq!(exit, 2);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("was split into 2 parts in `"), "{message}");
    assert_eq!(run(&world, "split t.transfer --parts 2 --out other").0, 2);

    let second = "t.parts/part-2.transfer";
    let (exit, looked) = run(&world, &format!("take {second} --profile colleague"));
    assert_eq!((exit, &looked["taken"]), (0, &false.into()));
    assert_eq!(looked["account"], "colleague");
    let (exit, taken) = run(&world, &format!("take {second} --profile colleague --yes"));
    assert_eq!((exit, &taken["taken"]), (0, &true.into()));
    assert_eq!(taken["looked_at"], taken["files"]);
    compare("take", &[looked, taken]);

    let approved = split["fingerprint"].as_str().unwrap();
    let approve = |part: &str, profile: &str| {
        let line =
            format!("run {part} --approve {approved} --profile {profile} --poll 50ms --share 1/2");
        run(&world, &line)
    };
    assert_eq!(approve(second, "sandbox").0, 2, "it is the colleague's now");
    assert_eq!(approve(second, "colleague").0, 0);
    let (exit, taken) = run(&world, &format!("take {second} --profile sandbox --yes"));
    assert_eq!(exit, 2, "{taken}");
    assert_eq!(approve("t.parts/part-1.transfer", "sandbox").0, 0);

    let ledger = world.sandbox.ledger();
    assert_eq!(ledger.files.len() as u64, FILES);
    assert!(ledger.files.values().all(|told| told.starts == 1));
    let accounts: BTreeSet<String> = ledger
        .jobs
        .iter()
        .map(|job| format!("{:?}", job.by))
        .collect();
    assert_eq!(accounts.len(), 2, "{accounts:?}");
    the_parts_are_told_as_one(&world);
}

/// One account of the whole, and the exit code of the worst.
fn the_parts_are_told_as_one(world: &World) {
    let (exit, status) = run(world, "status t.parts");
    assert_eq!((exit, &status["state"]), (0, &"done".into()));
    assert_eq!(status["completed"], FILES);
    assert_eq!(status["account"], "colleague, sandbox");
    let accounts = |part: usize| status["parts"][part]["account"].as_str();
    assert_eq!(
        (accounts(0), accounts(1)),
        (Some("sandbox"), Some("colleague"))
    );

    let (exit, verified) = run(world, "verify t.parts");
    assert_eq!((exit, &verified["extra"]), (0, &0.into()), "{verified}");
    assert_eq!(verified["same"], FILES);
    world
        .sandbox
        .remove_object("lab/output", "run1/file-0000001.dat")
        .unwrap();
    let (exit, missing) = run(
        world,
        "verify t.parts/part-1.transfer t.parts/part-2.transfer",
    );
    assert_eq!(
        (exit, &missing["parts"][0]["missing"]),
        (3, &1.into()),
        "{missing}"
    );

    // Planned ten minutes earlier: jobs of the first seconds after a plan may be earlier ones.
    let part = rusqlite::Connection::open(world.home().join("t.parts/part-1.transfer")).unwrap();
    part.execute_batch("UPDATE transfer SET created = created - 600000")
        .unwrap();
    drop(part);
    // Only its own account sees a part's jobs.
    let (exit, audited) = run(world, "audit t.parts");
    assert_eq!((exit, &audited["agrees"]), (7, &false.into()), "{audited}");
    let parts = audited["parts"].as_array().unwrap();
    let told: BTreeSet<_> = parts
        .iter()
        .map(|part| (part["account"].as_str(), part["agrees"].as_bool()))
        .collect();
    assert_eq!(
        told,
        BTreeSet::from([(Some("colleague"), None), (Some("sandbox"), Some(true))])
    );
    compare("status", &[status]);
    compare("verify", &[verified]);
    compare("audit", &[audited]);

    let drs = world
        .run(&["report", "t.parts", "--format", "drs"])
        .stdout();
    assert_eq!(drs.lines().count() as u64, 1 + FILES);
    let page = world
        .run(&["report", "t.parts", "--format", "html"])
        .stdout();
    assert!(page.contains("<h2>The parts</h2>"), "{page}");
    assert!(page.contains("t.parts/part-2.transfer"));
    assert_eq!(run(world, "retry t.parts --yes").0, 4);
    the_plan_is_counted_nowhere(world);
}

/// Beside its parts, whatever is asked: nobody counts its files twice, or takes them for files that are left.
fn the_plan_is_counted_nowhere(world: &World) {
    let listed = world.run(&["transfers", ".", "t.parts"]).stdout();
    assert!(listed.contains("part 2 of 2: "), "{listed}");
    assert!(
        listed.contains("its 40 files are those of 2 parts in `"),
        "{listed}"
    );
    assert!(!listed.contains(" 40 left"), "{listed}");
    let listed = world.run(&["transfers", ".", "t.parts", "--json"]);
    let sum = |key: &str| -> u64 {
        let each = listed.documents();
        each.iter().map(|line| line[key].as_u64().unwrap()).sum()
    };
    assert_eq!((sum("files"), sum("left")), (FILES, 0));

    let together = world.run(&["status", ".", "t.parts", "--json"]);
    assert_eq!(together.document()["files"], FILES);
    assert_eq!(together.stderr(), "", "nothing is missing in it");
    let (exit, alone) = run(world, "status t.transfer");
    assert_eq!((exit, &alone["state"]), (0, &"split".into()));
    assert_eq!((&alone["left"], &alone["files"]), (&0.into(), &0.into()));
    assert_eq!(alone["split_into"]["files"], FILES);
    compare("status", &[alone]);
    let said = world.run(&["status", "t.transfer"]).stdout();
    assert!(!said.contains(" left"), "{said}");

    // One of its parts isn't named.
    let some = world.run(&["status", "t.transfer", "t.parts/part-1.transfer"]);
    assert!(
        some.stderr()
            .contains("those that aren't named aren't counted here"),
        "{}",
        some.snapshot()
    );
    for line in [
        "verify t.transfer",
        "report t.transfer",
        "audit t.transfer",
        "retry t.transfer --yes",
    ] {
        let (exit, refused) = run(world, line);
        assert_eq!(exit, 2, "{line}: {refused}");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains("was split into 2 parts in `"), "{message}");
    }
}

#[test]
fn who_may_not_write_or_read_takes_nothing() {
    let world = world();
    plan(&world, "lab/mine");
    let (exit, refused) = run(&world, "take t.transfer --profile colleague --yes");
    assert_eq!(exit, 2, "{refused}");
    let (exit, refused) = run(&world, "take t.transfer --profile sandbox --yes");
    assert_eq!(exit, 4, "{refused}");
    let (exit, _) = run(&world, "run t.transfer --yes --poll 50ms");
    assert_eq!(exit, 0, "nothing was changed");
}

/// The calls at which the disk changes: whoever dies between two of them has died everywhere.
const CALLS: &str = "fsync,fdatasync,rename,renameat2,link,linkat,unlink,unlinkat,mkdir";

#[test]
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn a_split_that_is_killed_anywhere_leaves_the_plan_or_its_parts() {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("skipped: there is no strace here");
        return;
    }
    let split = ["split", "t.transfer", "--parts", "3", "--out", "parts"];
    let (mut before_mark, mut after_mark) = (0, 0);
    for killed_at in 1.. {
        let world = world();
        plan(&world, "lab/output");
        let program = world.command(&split);
        let mut killed = Command::new("strace");
        killed
            .args(["-f", "-o", "/dev/null", "-e"])
            .arg(format!("trace={CALLS}"))
            .args([
                "-e",
                &format!("inject={CALLS}:signal=KILL:when={killed_at}"),
            ])
            .arg(program.get_program())
            .args(program.get_args())
            .env_clear()
            .env("HOME", world.home())
            .current_dir(world.home());
        let ended = world.finish(killed).exit() == 0;
        let (shown, files) = parts(&world);
        let (exit, said) = run(&world, "run t.transfer --yes --limit 1 --poll 50ms");
        match exit {
            // The plan is as it was.
            0 => {
                assert!(shown.is_empty() && !ended, "{killed_at}: {shown:?}");
                before_mark += 1;
                assert_eq!(run(&world, &split.join(" ")).0, 2, "something was sent");
                assert_eq!(run(&world, "run t.transfer --yes --poll 50ms").0, 0);
                assert_eq!(world.accepted(), FILES);
                continue;
            }
            2 => assert_eq!(world.accepted(), 0, "{killed_at}: {said}"),
            _ => panic!("{killed_at}: {said}"),
        }
        match shown.len() {
            0 => {
                after_mark += 1;
                assert_eq!(run(&world, &split.join(" ")).0, 0, "it is finished");
            }
            _ => assert_eq!((shown.len(), files), (3, FILES), "{killed_at}"),
        }
        let (shown, files) = parts(&world);
        assert_eq!((shown.len(), files), (3, FILES), "{killed_at}");
        if ended {
            break;
        }
    }
    assert!(
        before_mark > 5 && after_mark > 5,
        "{before_mark}, {after_mark}"
    );
}
