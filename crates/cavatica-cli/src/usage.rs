//! What stands against a command line, in the shape of every other failure.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{ColorChoice, Command, ValueEnum};

use crate::exit::Failure;
use crate::help;
use crate::hint;
use crate::value;

#[cfg(test)]
mod fuzz;

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
        // How a flag could be passed as a value is nothing that anybody here wanted to know.
        if let Some(tip) = paragraph.trim().strip_prefix("tip: ")
            && !tip.starts_with("to pass ")
        {
            failure = failure.hint(tip);
        }
    }
    let command = named_command(args);
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) {
        if let Some(hint) = about_order(word, args) {
            failure.hints = vec![hint];
        } else if failure.hints.is_empty() {
            failure.hints.extend(about_spelling(word, &command));
        }
    }
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(arg)) => {
            if let Some(hint) = about_argument(arg, &command) {
                failure.hints = vec![hint];
            }
            if let Some(hint) = about_places(arg, error, args, &command) {
                failure.hints.insert(0, hint);
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

/// The colours that were asked for, on a command line that can't be understood as a whole.
pub(crate) fn color(args: &[OsString]) -> ColorChoice {
    let mut words = args.iter().filter_map(|arg| arg.to_str());
    let mut chosen = None;
    while let Some(word) = words.next() {
        match word.strip_prefix("--color") {
            Some("") => chosen = words.next(),
            Some(value) => chosen = value.strip_prefix('='),
            None => {}
        }
    }
    chosen
        .and_then(|value| ColorChoice::from_str(value, true).ok())
        .unwrap_or(ColorChoice::Auto)
}

/// What was probably meant by a first word that is no command, where a command stands behind it.
fn about_order(word: &str, args: &[OsString]) -> Option<String> {
    let top = help::command();
    let mut behind = args.iter().skip_while(|arg| **arg != *word).skip(1);
    let command = behind.find_map(|arg| top.find_subcommand(arg))?;
    Some(if word == top.get_name() {
        format!("once is enough: `{word} {}`", command.get_name())
    } else {
        format!(
            "the command comes first: `{} {} {}`",
            top.get_name(),
            command.get_name(),
            hint::shell_word(word)
        )
    })
}

/// The command that a misspelt word is nearest to, where the parser saw no likeness: it takes swapped letters of short words
/// for wrong ones.
fn about_spelling(word: &str, below: &str) -> Option<String> {
    let mut at = &help::command();
    for name in below.split(' ').skip(1) {
        at = at.find_subcommand(name)?;
    }
    let known = at.get_subcommands().map(Command::get_name);
    let distance = |name: &&str| strsim::damerau_levenshtein(word, name);
    let nearest = known.min_by_key(distance)?;
    (distance(&nearest) == 1).then(|| format!("a similar command exists: `{below} {nearest}`"))
}

/// What is known about an argument that isn't one.
fn about_argument(arg: &str, command: &str) -> Option<String> {
    if arg == "--transfer" {
        return Some(format!(
            "the transfer's file is named without a flag: `{command} NAME.transfer`"
        ));
    }
    if arg == "-o" {
        return Some("the file to write is named by `--out FILE`".to_owned());
    }
    if arg == "--token" {
        return Some("a token on a command line can be read by everybody on this machine; put it into a file of its own and name that with `--token-file FILE`".to_owned());
    }
    let is_project = arg.contains('/') && !arg.starts_with('-');
    (command == "cavatica files list" && is_project).then(|| {
        let arg = hint::shell_word(arg);
        format!("a project is named by `--project`: `{command} --project {arg}`")
    })
}

/// The arguments of `export` in their order, where they were probably given in another.
fn about_places(
    arg: &str,
    error: &clap::Error,
    args: &[OsString],
    command: &str,
) -> Option<String> {
    let Some(ContextValue::String(found)) = error.get(ContextKind::InvalidValue) else {
        return None;
    };
    let given = || {
        args.iter()
            .skip(1)
            .filter_map(|arg| arg.to_str())
            .filter(|arg| arg != found)
    };
    let swapped = match arg {
        "<FILE>" => value::volume(found).is_ok() && given().any(value::is_file_id),
        // A bucket's name, in its right place, is no such mistake.
        "<VOLUME>" => found.contains(['.', '/']) && given().any(|arg| value::volume(arg).is_ok()),
        _ => false,
    };
    (command == "cavatica export" && swapped).then(|| hint::PLACES.to_owned())
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
