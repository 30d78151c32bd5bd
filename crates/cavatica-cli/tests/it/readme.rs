//! What the README shows of the demo is what the demo prints, so its sums add up.

use std::process::Command;

use jiff::Timestamp;

const README: &str = include_str!("../../../../README.md");

/// A line without what differs from run to run.
fn masked(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let moment = word.trim_end_matches([':', ',']);
        match moment.parse::<Timestamp>() {
            Ok(_) => word.replace(moment, "[TIME]"),
            Err(_) => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cavatica"))
        .arg("demo")
        .env_clear()
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .output()
        .unwrap();
    assert!(!output.stdout.is_empty());
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8(printed).unwrap();
    let (folder, _) = printed.split_once("/demo.transfer").unwrap();
    let folder = folder.rsplit(' ').next().unwrap();
    let printed = printed.replace(&format!("{folder}/"), "");
    let printed: Vec<String> = printed.lines().map(masked).collect();
    let block = README.split("```text\n").nth(1).unwrap();
    let (block, _) = block.split_once("```").unwrap();
    assert!(block.lines().count() > 10);
    for line in block.lines() {
        // It is shortened.
        let (begins, _) = line.split_once('…').unwrap_or((line, ""));
        let begins = masked(begins.trim_end());
        assert!(
            printed.iter().any(|line| line.starts_with(&begins)),
            "the demo doesn't print `{line}`, but\n{}",
            printed.join("\n")
        );
    }
}
