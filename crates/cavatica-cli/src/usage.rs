//! What stands against a command line, in the shape of every other failure.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue};

use crate::exit::Failure;
use crate::help;

/// The failure behind a parser's error: what was understood, what was expected, and the next command.
pub(crate) fn failure(error: &clap::Error, args: &[OsString]) -> Failure {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n");
    let first = paragraphs.next().unwrap_or_default();
    let (hints, message): (Vec<&str>, Vec<&str>) = first
        .trim_start_matches("error: ")
        .lines()
        .map(str::trim)
        .partition(|line| line.starts_with("hint: "));
    let mut failure = Failure::usage(message.join(" "));
    for hint in hints {
        failure = failure.hint(hint.trim_start_matches("hint: "));
    }
    for paragraph in paragraphs {
        if let Some(tip) = paragraph.trim().strip_prefix("tip: ") {
            failure = failure.hint(tip);
        }
    }
    let command = named_command(args);
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(arg)) => {
            if let Some(hint) = about_argument(arg, &command) {
                failure.hints = vec![hint];
            }
        }
        Some(ContextValue::Strings(missing))
            if missing.iter().any(|arg| arg.contains("--move|--copy")) =>
        {
            failure = failure.hint(
                "--move deletes the platform's copies, which can't be undone; --copy keeps them",
            );
        }
        _ => {}
    }
    if failure.hints.iter().any(|hint| hint.contains("`cavatica ")) {
        return failure;
    }
    failure.hint(format!("`{command} --help` shows how it is used"))
}

/// What is known about an argument that isn't one.
fn about_argument(arg: &str, command: &str) -> Option<String> {
    if arg == "--token" {
        return Some("a token on a command line can be read by everybody on this machine; put it into a file of its own and name that with `--token-file FILE`".to_owned());
    }
    (command == "cavatica files list" && arg.contains('/'))
        .then(|| format!("a project is named by `--project`: `{command} --project {arg}`"))
}

/// The command that was meant, as far as its words can be followed.
fn named_command(args: &[OsString]) -> String {
    let top = help::command();
    let (mut at, mut words): (&Command, _) = (&top, vec![top.get_name()]);
    for arg in args.iter().skip(1) {
        if let Some(command) = at.find_subcommand(arg) {
            words.push(command.get_name());
            at = command;
        }
    }
    words.join(" ")
}
