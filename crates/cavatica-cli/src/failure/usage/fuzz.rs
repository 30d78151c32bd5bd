//! No command line makes the program panic before it knows what is asked of it.

use std::ffi::OsString;

use clap::{CommandFactory, Parser};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{color, failure};
use crate::args::Cli;

/// What stands in command lines by mistake, or on purpose.
const SCRAPS: &[&str] = &[
    "",
    "-",
    "--",
    "---",
    "-v",
    "-vvvv",
    "-h",
    "--no",
    "=",
    "--out=",
    "a=b",
    "0",
    "-1",
    "1e9",
    "18446744073709551616",
    "30m",
    "-30m",
    "9999999999999d",
    "1/0",
    "50%",
    "me/p",
    "me/p:",
    ":x",
    "me/p:a/../b",
    "/",
    "//",
    "..",
    "*",
    "[",
    "{}",
    "{name",
    "\u{202e}",
    "\u{1b}[2J",
    "a\nb",
    "\u{feff}x",
    "é",
    "🧬",
    "t.transfer",
    "AES256",
    "aws:kms",
    "9107",
    "1..3",
    "s3://b/k",
    "http://u:p@h/v2",
];

/// All commands and options, some of each other's.
fn words() -> Vec<String> {
    fn gather(command: &clap::Command, words: &mut Vec<String>) {
        words.push(command.get_name().to_owned());
        for option in command.get_arguments() {
            words.extend(option.get_long().map(|name| format!("--{name}")));
            words.extend(
                option
                    .get_possible_values()
                    .iter()
                    .map(|value| value.get_name().to_owned()),
            );
        }
        command
            .get_subcommands()
            .for_each(|below| gather(below, words));
    }
    let mut words: Vec<String> = SCRAPS.iter().map(|&word| word.to_owned()).collect();
    gather(&Cli::command(), &mut words);
    words
}

fn argument(words: &[String], (at, bytes, how): (Index, Vec<u8>, u8)) -> OsString {
    let word = &words[at.index(words.len())];
    match how % 8 {
        0 => os_string(bytes),
        1 => format!("{word}={}", String::from_utf8_lossy(&bytes)).into(),
        // A letter short, or doubled: a misspelt word is looked for among its neighbours.
        2 => word.chars().skip(1).collect::<String>().into(),
        3 => format!("{word}{}", word.chars().last().unwrap_or('x')).into(),
        _ => word.into(),
    }
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

proptest! {
    #[test]
    fn fuzz_command_lines(
        arguments in vec((any::<Index>(), vec(any::<u8>(), 0..6), any::<u8>()), 0..8)
    ) {
        let words = words();
        let mut args = vec![OsString::from("cavatica")];
        args.extend(arguments.into_iter().map(|one| argument(&words, one)));
        color(&args);
        if let Err(error) = Cli::try_parse_from(&args) {
            failure(&error, &args);
        }
    }
}
