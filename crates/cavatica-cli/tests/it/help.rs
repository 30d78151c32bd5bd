//! The first things that somebody sees, and the pages that go with an installation.

use insta::assert_snapshot;

use crate::harness::World;

#[test]
fn nothing_typed_shows_what_to_do_next() {
    let world = World::new();
    assert_snapshot!(world.run(&[]).snapshot(), @"
    exit 2
    --- stdout
    --- stderr
    Move or copy files from CAVATICA to your own S3 bucket, each exactly once

    What to do next:
      cavatica demo                    the whole job; nothing leaves this machine
      cavatica doctor                  is my account ready to export?
      cavatica files list --project P  what would I export? P is owner/short-name
      cavatica plan -h                 many files: plan, look, then run
      cavatica help                    what each command does, and the exit codes
    ");
}

#[test]
fn the_version_names_the_commit_and_the_short_one_doesnt() {
    let world = World::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(world.run(&["-V"]).stdout(), format!("cavatica {version}\n"));
    let long = world.run(&["--version"]).stdout();
    assert!(long.starts_with(&format!("cavatica {version}")), "{long}");
}

#[test]
fn every_command_has_a_manual_page() {
    let world = World::new();
    let run = world.run(&["man", "man1"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let page = |name: &str| std::fs::read_to_string(world.home().join("man1").join(name)).unwrap();
    assert!(page("cavatica.1").contains("cavatica\\-plan(1)"));
    assert!(page("cavatica-plan.1").contains("journal"));
    assert!(page("cavatica-jobs-wait.1").contains("Wait until export jobs have ended"));
}
