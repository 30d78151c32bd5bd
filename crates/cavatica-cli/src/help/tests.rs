//! What the help and the documents tell people to type is something that the program takes.

use std::path::Path;

use clap::Command;

use super::*;

#[test]
fn every_command_stands_in_one_group() {
    let mut grouped: Vec<&str> = GROUPS
        .iter()
        .flat_map(|(_, names)| *names)
        .copied()
        .collect();
    grouped.sort_unstable();
    let command = Cli::command();
    let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
    let mut all: Vec<&str> = shown.map(Command::get_name).collect();
    all.sort_unstable();
    assert_eq!(grouped, all);
}

#[test]
fn every_command_says_what_it_is_for_and_shows_an_example_that_works() {
    let mut open = vec![command()];
    while let Some(command) = open.pop() {
        let name = command.get_name().to_owned();
        let about = command.get_about().map(ToString::to_string);
        // The list of commands fits a terminal of 80 columns.
        let fits = |about: String| name == "cavatica" || (10..66).contains(&about.len());
        assert!(about.is_some_and(fits), "{name}");
        let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
        open.extend(shown.cloned());
        if name == "cavatica" {
            continue;
        }
        let help = command.get_after_help().map(ToString::to_string);
        let help = help.unwrap_or_else(|| panic!("{name} shows no example"));
        let examples = command_lines(&help);
        assert!(!examples.is_empty(), "{name} shows no example");
        for example in examples {
            assert_parses(&example, &name);
        }
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "too long: {line}");
        }
    }
}

#[test]
fn every_command_of_the_documents_is_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let documents = std::fs::read_dir(root.join("docs")).unwrap();
    let documents = documents.map(|entry| entry.unwrap().path());
    let documents = documents.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let mut lines = 0;
    for path in documents.chain([root.join("README.md")]) {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        let blocks = text.split("```").skip(1).step_by(2);
        let shell = blocks.filter(|block| !block.starts_with("r\n"));
        for line in shell.flat_map(command_lines) {
            assert_parses(&line, &place);
            lines += 1;
        }
    }
    assert!(lines > 20, "only {lines} command lines were found");
}

/// The commands of a text that call the program, each on one line.
fn command_lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let starts = |line: &&str| line.starts_with("cavatica ");
    joined
        .lines()
        .map(|line| line.trim().trim_start_matches("$ "))
        .filter(starts)
        .map(str::to_owned)
        .collect()
}

fn assert_parses(line: &str, place: &str) {
    if line.contains('…') {
        return;
    }
    let words = words(line);
    if let Err(error) = command().try_get_matches_from(&words) {
        let fine = [
            clap::error::ErrorKind::DisplayHelp,
            clap::error::ErrorKind::DisplayVersion,
        ];
        assert!(fine.contains(&error.kind()), "{place}: `{line}`: {error}");
    }
}

/// The words of a command line as a shell would part them, up to the first `|`, `>`, `&` or `#`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for character in line.chars().chain([' ']) {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => word.push(character),
            (None, '\'' | '"') => quote = Some(character),
            (None, ' ' | ';') if !word.is_empty() => words.push(std::mem::take(&mut word)),
            (None, ' ' | ';') => {}
            (None, '|' | '>' | '&' | '#') => break,
            (None, _) => word.push(character),
        }
    }
    words
}

#[test]
fn the_short_help_of_every_command_fits_a_screen() {
    for columns in [80, 100] {
        let mut top = command().term_width(columns);
        top.build();
        let mut too_long = Vec::new();
        let mut open = vec![top];
        while let Some(mut one) = open.pop() {
            let short = one.render_help().to_string();
            let rows = |line: &str| line.chars().count().div_ceil(columns).max(1);
            let lines: usize = short.lines().map(rows).sum();
            if lines > 24 {
                too_long.push(format!("{lines} lines:\n{short}"));
            }
            assert!(short.contains("see more with '--help'"), "{short}");
            let shown = one.get_subcommands().filter(|one| !one.is_hide_set());
            open.extend(shown.filter(|one| one.get_name() != "help").cloned());
        }
        assert!(
            too_long.is_empty(),
            "at {columns} columns: {}",
            too_long.concat()
        );
    }
}

#[test]
fn the_platforms_options_are_shown_where_they_count_and_taken_everywhere() {
    let mut top = command();
    top.build();
    let shown = top.get_subcommands().filter(|one| !one.is_hide_set());
    for one in shown.filter(|one| one.get_name() != "help") {
        let name = one.get_name();
        let short = one.clone().render_help().to_string();
        assert!(!short.contains("--token-file"), "{name}");
        let long = one.clone().render_long_help().to_string();
        let is_offline = OFFLINE.contains(&name);
        assert_eq!(long.contains("--token-file"), !is_offline, "{name}");
        // A script may put them before or behind any command.
        for line in [
            format!("cavatica {name} --profile x"),
            format!("cavatica --profile x {name}"),
        ] {
            let refused = command().try_get_matches_from(words(&line)).err();
            let context =
                refused.and_then(|error| error.get(clap::error::ContextKind::InvalidArg).cloned());
            let is_profile =
                |arg: &clap::error::ContextValue| arg.to_string().contains("--profile");
            assert!(!context.as_ref().is_some_and(is_profile), "{line}");
        }
    }
}
