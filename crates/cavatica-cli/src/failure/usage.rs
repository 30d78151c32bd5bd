//! What stands against a command line, in the shape of every other failure.

use std::error::Error as StdError;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ColorChoice, Command, ValueEnum};

use super::{Failure, nearest};
use crate::args::Mode;
use crate::help;
use crate::hint;
use crate::value::{self, Unfit};

#[cfg(test)]
mod fuzz;

/// The failure behind a parser's error: what was understood, what was expected, and the next command.
pub(crate) fn failure(error: &clap::Error, args: &[OsString]) -> Failure {
    let command = named_command(args);
    let mut failure = Failure::usage(message(error));
    failure.hints = hints(error, args, &command);
    if failure.hints.is_empty() {
        failure = failure.hint(format!("`{command} --help` shows how it is used"));
    }
    failure
}

/// What was understood, and what wasn't.
fn message(error: &clap::Error) -> String {
    let arg = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("there is no command `{word}`")
        }
        ErrorKind::MissingSubcommand => {
            let command = text(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            let known = texts(error, ContextKind::ValidSubcommand).join(", ");
            format!("`{command}` is followed by one of {known}")
        }
        ErrorKind::UnknownArgument => format!("`{arg}` isn't expected here"),
        ErrorKind::MissingRequiredArgument => {
            let missing = texts(error, ContextKind::InvalidArg).join("`, `");
            format!("something is missing: `{missing}`")
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("`{arg}` needs a value"),
        ErrorKind::InvalidValue => {
            let known = texts(error, ContextKind::ValidValue).join(", ");
            format!("`{value}` is no value for `{arg}`; there are {known}")
        }
        ErrorKind::ValueValidation => match error.source() {
            Some(why) => format!("`{value}` is no value for `{arg}`: {why}"),
            None => format!("`{value}` is no value for `{arg}`"),
        },
        ErrorKind::TooManyValues => format!("`{value}` is too much for `{arg}`"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("`{arg}` needs another number of values")
        }
        ErrorKind::NoEquals => format!("`{arg}` is followed by `=` and its value"),
        ErrorKind::ArgumentConflict => {
            let others = texts(error, ContextKind::PriorArg);
            if others == [arg] {
                format!("`{arg}` is given more than once")
            } else {
                format!("`{arg}` can't stand beside `{}`", others.join("`, `"))
            }
        }
        _ => "the command line can't be understood".to_owned(),
    }
}

/// What to type instead, as far as it can be guessed.
fn hints(error: &clap::Error, args: &[OsString], command: &str) -> Vec<String> {
    if let Some(word) = text(error, ContextKind::InvalidSubcommand) {
        let hint = about_order(word, args).or_else(|| about_spelling(word, command));
        return hint.into_iter().collect();
    }
    if texts(error, ContextKind::InvalidArg).contains(&Mode::USAGE) {
        return vec![
            "--move deletes the platform's copies, which can't be undone; --copy keeps them"
                .to_owned(),
        ];
    }
    let Some(arg) = text(error, ContextKind::InvalidArg) else {
        return Vec::new();
    };
    if let Some(hint) = about_argument(arg, command) {
        return vec![hint];
    }
    let unfit = error.source().and_then(|why| why.downcast_ref::<Unfit>());
    let similar = [ContextKind::SuggestedArg, ContextKind::SuggestedValue]
        .into_iter()
        .find_map(|kind| text(error, kind))
        .map(|similar| format!("did you mean `{similar}`?"));
    let hints = [
        about_places(arg, error, args, command),
        unfit.and_then(|unfit| unfit.hint.clone()),
        similar,
    ];
    hints.into_iter().flatten().collect()
}

/// What the parser says of one thing, if it says one.
fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    texts(error, kind).first().copied()
}

/// What the parser says of one or several things.
fn texts(error: &clap::Error, kind: ContextKind) -> Vec<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text],
        Some(ContextValue::Strings(texts)) => texts.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
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

/// The command that a misspelt word is nearest to.
fn about_spelling(word: &str, below: &str) -> Option<String> {
    if (word, below) == ("ls", "cavatica") {
        return Some("`cavatica files list` lists a project, `cavatica volumes ls` a volume, `cavatica transfers` a folder of this computer".to_owned());
    }
    let mut at = &help::command();
    for name in below.split(' ').skip(1) {
        at = at.find_subcommand(name)?;
    }
    let nearest = nearest(word, at.get_subcommands().map(Command::get_name))?;
    Some(format!("did you mean `{below} {nearest}`?"))
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
    if arg == "--dry-run" {
        return Some("`cavatica plan` sends nothing and shows what would be sent".to_owned());
    }
    if arg == "--token" {
        return Some("a token on a command line can be read by everybody on this machine; put it into a file of its own and name that with `--token-file FILE`".to_owned());
    }
    if command == "cavatica plan" && arg.ends_with(".transfer") {
        let arg = hint::shell_word(arg);
        return Some(format!("the file to write is named by `--out {arg}`"));
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
    let found = text(error, ContextKind::InvalidValue)?;
    let given = || {
        args.iter()
            .skip(1)
            .filter_map(|arg| arg.to_str())
            .filter(|arg| *arg != found)
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
