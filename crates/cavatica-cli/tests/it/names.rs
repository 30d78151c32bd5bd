//! A transfer that was moved, copied or linked while a program was writing it.

use std::fs;

use crate::harness::{Run, World};

/// A planned transfer, left as by a program that died within a commit.
fn half_written() -> World {
    let world = World::with(|sandbox| {
        sandbox
            .project(cavatica_sandbox::ProjectSeed::new("lab/trio").synthetic("run1", 300, 1_000))
            .volume(cavatica_sandbox::VolumeSeed::s3("lab/output").keys_only())
    });
    let plan = "plan --out t.transfer --project lab/trio --volume lab/output --move";
    assert_eq!(said(&world, plan).exit(), 0);
    let [path, journal] = ["t.transfer", "t.transfer-journal"].map(|name| world.home().join(name));
    let writer = rusqlite::Connection::open(&path).unwrap();
    writer
        .execute_batch(
            "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE item SET location = location || hex(zeroblob(500));",
        )
        .unwrap();
    let left = [&path, &journal].map(|file| fs::read(file).unwrap());
    drop(writer);
    for (file, bytes) in [path, journal].iter().zip(left) {
        fs::write(file, bytes).unwrap();
    }
    world
}

fn said(world: &World, line: &str) -> Run {
    world.run(&line.split(' ').collect::<Vec<_>>())
}

/// That what it was told to do makes it whole: it runs to its end.
fn runs(world: &World, transfer: &str) {
    let run = said(world, &format!("run {transfer} --yes --poll 50ms"));
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    assert_eq!(world.accepted(), 300);
}

#[test]
fn a_moved_transfer_is_made_whole_by_what_its_refusal_says() {
    let world = half_written();
    let at = |name: &str| world.home().join(name);
    fs::rename(at("t.transfer"), at("moved.transfer")).unwrap();
    let status = said(&world, "status moved.transfer");
    assert_eq!(status.exit(), 2, "{}", status.snapshot());
    let refused = said(&world, "run moved.transfer --yes");
    assert_eq!(refused.exit(), 2, "{}", refused.snapshot());
    let stderr = refused.stderr();
    let told = stderr.split('`').find(|word| word.starts_with("mv -n "));
    let told = told.unwrap_or_else(|| panic!("no way out: {stderr}"));
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", told]).current_dir(world.home());
    assert!(shell.status().unwrap().success(), "{told}");
    runs(&world, "moved.transfer");
}

#[test]
fn a_copy_of_half_a_transfer_is_refused_and_the_first_one_named() {
    let world = half_written();
    let at = |name: &str| world.home().join(name);
    fs::copy(at("t.transfer"), at("copy.transfer")).unwrap();
    let refused = said(&world, "run copy.transfer --yes");
    assert_eq!(refused.exit(), 2, "{}", refused.snapshot());
    let stderr = refused.stderr();
    assert!(stderr.contains("t.transfer` makes it whole"), "{stderr}");
    runs(&world, "t.transfer");
}

#[test]
fn a_renamed_transfer_of_two_names_is_refused_until_it_has_one() {
    let world = half_written();
    let at = |name: &str| world.home().join(name);
    assert_eq!(said(&world, "status t.transfer").exit(), 0);
    fs::rename(at("t.transfer"), at("renamed.transfer")).unwrap();
    fs::hard_link(at("renamed.transfer"), at("other.transfer")).unwrap();
    let refused = said(&world, "run renamed.transfer --yes");
    assert_eq!(refused.exit(), 2, "{}", refused.snapshot());
    let stderr = refused.stderr();
    assert!(
        stderr.contains("remove all names (hard links) but one"),
        "{stderr}"
    );
    assert_eq!(world.accepted(), 0);
    fs::remove_file(at("other.transfer")).unwrap();
    runs(&world, "renamed.transfer");
}
