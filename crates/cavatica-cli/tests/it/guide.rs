//! Every command of the guide and of its neighbours is run, and its output compared.

use std::process::Command;

use cavatica_sandbox::FaultPlan;

use crate::harness::World;

/// A command of a page, and what it is said to print.
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut in_block = false;
    for (number, text) in page.lines().enumerate() {
        match (text, text.strip_prefix("$ ")) {
            ("```console", _) => in_block = true,
            (text, _) if text.starts_with("```") => in_block = false,
            (_, Some(command)) if in_block => {
                steps.push(Step {
                    line: number + 1,
                    command: command.to_owned(),
                    expected: Vec::new(),
                });
            }
            (text, None) if in_block => steps.last_mut().unwrap().expected.push(text.to_owned()),
            _ => {}
        }
    }
    steps
}

/// `…` within a line is any text, on a line of its own any number of lines.
fn fits(expected: &[String], printed: &[&str]) -> bool {
    match (expected.split_first(), printed.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((line, rest)), _) if line == "…" => {
            fits(rest, printed)
                || printed
                    .split_first()
                    .is_some_and(|(_, printed)| fits(expected, printed))
        }
        (Some(_), None) => false,
        (Some((line, rest)), Some((first, printed))) => {
            line_fits(line, first) && fits(rest, printed)
        }
    }
}

fn line_fits(expected: &str, printed: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = parts.next().and_then(|start| printed.strip_prefix(start)) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let found = if parts.peek().is_none() {
            rest.strip_suffix(part).map(|_| "")
        } else {
            rest.split_once(part).map(|(_, rest)| rest)
        };
        let Some(found) = found else { return false };
        rest = found;
    }
    rest.is_empty()
}

#[test]
fn every_command_prints_what_the_guide_says() {
    follow("guide.md", include_str!("../../../../docs/guide.md"));
}

#[test]
fn the_first_transfer_takes_nine_commands_from_nothing() {
    let guide = include_str!("../../../../docs/guide.md");
    let (first, _) = guide.split_once("\n## Look around\n").unwrap();
    assert!(first.contains("\n$ cavatica verify ") && first.contains("Nine commands"));
    let shell: Vec<&str> = first.split("```sh\n").skip(1).collect();
    let shell = shell.iter().filter_map(|block| block.split("```").next());
    let commands = shell.map(|block| block.lines().count()).sum::<usize>() + steps(first).len();
    assert_eq!(commands, 9);
}

#[test]
fn every_command_prints_what_the_recipes_say() {
    follow("recipes.md", include_str!("../../../../docs/recipes.md"));
}

#[test]
fn every_command_prints_what_the_page_on_manifests_says() {
    follow(
        "manifests.md",
        include_str!("../../../../docs/manifests.md"),
    );
}

/// The page's first transfer meets a key that doesn't fit any more.
#[test]
fn every_command_prints_what_the_runbooks_say() {
    let rotated: FaultPlan = "fail-jobs=9103,nth=2".parse().unwrap();
    let world = World::with(|sandbox| sandbox.faults(rotated));
    let page = include_str!("../../../../docs/runbooks.md");
    follow_in(&world, "runbooks.md", page);
}

#[track_caller]
fn follow(name: &str, page: &str) {
    follow_in(&World::new(), name, page);
}

#[track_caller]
fn follow_in(world: &World, name: &str, page: &str) {
    let folder = tempfile::tempdir().unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_cavatica"))
        .parent()
        .unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    // A shell keeps its variables, so all commands go through one, with a mark after each.
    let steps = steps(page);
    assert!(steps.len() > 4, "{name} has no commands");
    let script: String = steps
        .iter()
        .map(|step| format!("{}\necho '=== mark ==='\n", step.command))
        .collect();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{script}")])
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder.path())
        .env("SB_API_ENDPOINT", world.sandbox.endpoint())
        .env("SB_AUTH_TOKEN", world.sandbox.token())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut wrong = String::new();
    for (step, printed) in steps.iter().zip(printed.split("=== mark ===\n")) {
        let lines: Vec<&str> = printed.lines().collect();
        if !fits(&step.expected, &lines) {
            wrong += &format!(
                "docs/{name} line {}: `{}` printed\n{printed}\n",
                step.line, step.command
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
