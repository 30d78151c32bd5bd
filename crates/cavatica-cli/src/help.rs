//! The first screen of help: the commands in groups, and what to do next.

use std::fmt::Write;

use clap::builder::styling::Style;
use clap::{Command, CommandFactory};

use crate::args::Cli;

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

/// What `-h` leaves to `--help`, so that it fits a screen of 24 lines.
const IN_LONG_HELP: &[(&str, &[&str])] = &[
    (
        "plan",
        &[
            "wanted",
            "tags",
            "flatten",
            "policies",
            "limit",
            "parts",
            "metadata",
            "label",
            "sse_algorithm",
            "kms_key_id",
            "canned_acl",
            "public",
            "storage_class",
            "dest",
            "folder",
            "names",
        ],
    ),
    (
        "run",
        &[
            "max_in_flight",
            "despite",
            "settle",
            "poll",
            "reserve",
            "share",
            "on_end",
            "no_progress",
        ],
    ),
    (
        "retry",
        &[
            "max_in_flight",
            "despite",
            "settle",
            "poll",
            "reserve",
            "share",
            "on_end",
            "no_progress",
            "log_json",
            "max_errors",
            "overwrite_again",
            "may_send_twice",
            "unknown",
        ],
    ),
    (
        "export",
        &[
            "no_check",
            "timeout",
            "settle",
            "canary",
            "sse_algorithm",
            "kms_key_id",
            "canned_acl",
            "public",
            "storage_class",
        ],
    ),
    (
        "sandbox",
        &[
            "s3_volumes",
            "s3_endpoint",
            "job_duration",
            "fail_share",
            "rate_limit",
            "quirks",
            "tls",
            "fixed_token",
            "scenario",
            "seed",
            "faults",
        ],
    ),
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
  cavatica plan --help             many files: plan, look, then run
  cavatica help                    all commands
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

const TEMPLATE: &str = "{about}\n\n{usage-heading} {usage}\n";

/// The command line as it is parsed, completed and explained.
pub(crate) fn command() -> Command {
    let command = without_platform(shortened(Cli::command()));
    let groups = groups(&command);
    let heading = command.get_styles().get_header();
    let template = format!(
        "{TEMPLATE}{groups}\n{heading}Global options:{heading:#}\n{{options}}{{after-help}}\n"
    );
    command.help_template(template).after_help(NOTES)
}

/// The commands with what is needed most in `-h`, and all of it in `--help`.
fn shortened(command: Command) -> Command {
    IN_LONG_HELP.iter().fold(command, |command, (name, ids)| {
        command.mut_subcommand(name, |long| {
            ids.iter().fold(long, |long, id| {
                long.mut_arg(id, |arg| arg.hide_short_help(true))
            })
        })
    })
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

fn groups(command: &Command) -> String {
    let styles = command.get_styles();
    let (heading, name_style): (&Style, &Style) = (styles.get_header(), styles.get_literal());
    let mut text = String::new();
    for (group, names) in GROUPS {
        writeln!(text, "\n{heading}{group}:{heading:#}").ok();
        for name in *names {
            let about = command
                .find_subcommand(name)
                .and_then(Command::get_about)
                .map(ToString::to_string)
                .unwrap_or_default();
            writeln!(text, "  {name_style}{name:<11}{name_style:#}  {about}").ok();
        }
    }
    text
}

#[cfg(test)]
mod tests;
