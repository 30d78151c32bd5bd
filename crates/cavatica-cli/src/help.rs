//! The first screen of help: the commands in groups, and what to do next.
//!
//! `-h` fits a terminal of 24 lines and 80 columns for every command: what is needed rarely has `hide_short_help` where it is
//! defined, and `--help` has it all.

use std::fmt::Write;

use clap::builder::styling::Style;
use clap::{Command, CommandFactory};

use crate::args::Cli;
use crate::ui::wrapped;

/// Every command stands in one group.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Try it without an account",
        &["demo", "sandbox", "check", "explain"],
    ),
    (
        "Look around",
        &["doctor", "projects", "files", "volumes", "jobs"],
    ),
    ("One file", &["export"]),
    (
        "Many files",
        &[
            "plan",
            "split",
            "take",
            "run",
            "status",
            "retry",
            "resolve",
            "verify",
            "audit",
            "report",
            "page",
            "transfers",
            "contract",
            "support",
        ],
    ),
    ("Set up a shell", &["completions", "man"]),
];

/// The commands that never call the platform, ...
const OFFLINE: &[&str] = &[
    "demo",
    "sandbox",
    "check",
    "explain",
    "status",
    "split",
    "resolve",
    "report",
    "page",
    "transfers",
    "completions",
    "man",
];

/// ... and so say nothing of these options. They are taken all the same, wherever they stand.
const OF_THE_PLATFORM: &[&str] = &["endpoint", "platform", "profile", "token_file", "ca_cert"];

/// What to type when nothing was typed.
const NEXT: &str = "What to do next:
  cavatica demo                    the whole job; nothing leaves this machine
  cavatica doctor                  is my account ready to export?
  cavatica files list --project P  what would I export? P is owner/short-name
  cavatica plan -h                 many files: plan, look, then run
  cavatica help                    what each command does, and the exit codes
";

/// What holds for every command.
const NOTES: &str = "Credentials:
  --token-file, or else the variable SB_AUTH_TOKEN (for the platform
  that SB_API_ENDPOINT names), or else a profile. No flag takes a token.

Exit codes, the worst one wins:
  0  everything was done
  1  anything that has no code of its own
  2  bad usage, something that isn't there, or refused before anything was sent
  3  some items failed, or `verify` or `audit` found differences
  4  nothing to do
  5  credentials or permission
  6  interrupted; the same command goes on
  7  the outcome of some items isn't known

`cavatica help COMMAND` says more about one.";

/// The column of the commands' names in `-h`.
const NAMES_AT: usize = 29;

const TEMPLATE: &str = "{about}\n\n{usage-heading} {usage}\n\n{before-help}";

/// The command line as it is parsed, completed and explained.
pub(crate) fn command() -> Command {
    let command = without_platform(Cli::command());
    let (names, groups) = (names(&command), groups(&command));
    let heading = command.get_styles().get_header();
    let template =
        format!("{TEMPLATE}{heading}Global options:{heading:#}\n{{options}}{{after-help}}\n");
    command
        .help_template(template)
        .before_help(names)
        .before_long_help(groups)
        .after_help(NEXT)
        .after_long_help(NOTES)
}

/// The commands, of which those that never call the platform don't show its options.
fn without_platform(command: Command) -> Command {
    let hidden: Vec<_> = command
        .get_arguments()
        .filter(|arg| OF_THE_PLATFORM.contains(&arg.get_id().as_str()))
        .map(|arg| arg.clone().hide(true))
        .collect();
    OFFLINE.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |offline| offline.args(hidden.clone()))
    })
}

/// The words for somebody who typed nothing but the program's name.
pub(crate) fn next() -> String {
    let about = Cli::command().get_about().map(ToString::to_string);
    format!("{}\n\n{NEXT}", about.unwrap_or_default())
}

/// The groups, each with the names of its commands.
fn names(command: &Command) -> String {
    let heading: &Style = command.get_styles().get_header();
    let mut text = format!("{heading}Commands:{heading:#}");
    for (group, names) in GROUPS {
        let names = wrapped(&names.join(", "), 80, NAMES_AT, NAMES_AT);
        write!(text, "\n  {group:<0$}{names}", NAMES_AT - 2).ok();
    }
    text
}

/// The groups, with what each command is for.
fn groups(command: &Command) -> String {
    let styles = command.get_styles();
    let (heading, name_style): (&Style, &Style) = (styles.get_header(), styles.get_literal());
    let mut text = String::new();
    for (group, names) in GROUPS {
        writeln!(text, "{heading}{group}:{heading:#}").ok();
        for name in *names {
            let about = command
                .find_subcommand(name)
                .and_then(Command::get_about)
                .map(ToString::to_string)
                .unwrap_or_default();
            writeln!(text, "  {name_style}{name:<11}{name_style:#}  {about}").ok();
        }
        writeln!(text).ok();
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests;
