//! The arguments of the commands about parts of a plan.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::value;

/// Split a plan into parts, for other accounts or hosts
///
/// Each part is a transfer of its own, with its own journal and fingerprint; together they are the plan, which itself runs
/// no more. One fingerprint over all of them can be approved for each: `run --approve`. A plan of which something was sent
/// can't be split. One account gains nothing by parts: its limit on requests is used up by one computer.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cavatica split cohort7.transfer --parts 4 --out cohort7.parts\n  cavatica run cohort7.parts/part-1.transfer --yes"
)]
pub(crate) struct Split {
    /// The transfer's file, as `plan` wrote it
    #[arg(value_name = "T.transfer")]
    pub(crate) transfer: PathBuf,
    /// How many parts
    #[arg(long, value_name = "K", value_parser = value::parts)]
    pub(crate) parts: u16,
    /// What the parts have as much of as each other
    #[arg(long, value_name = "WHAT", default_value = "files")]
    pub(crate) by: SplitBy,
    /// The folder to put them into, as part-1.transfer and so on; it must not exist, or be empty
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// What parts have as much of as each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitBy {
    /// Files, which is what the limit on requests is spent on
    Files,
    /// Bytes, for few large files
    Bytes,
    /// Files, and no folder is in two parts
    Folder,
}

/// Take a transfer that another account planned
///
/// Looks whether this account may read the files and write to the volume: a hundred files of each project are read, spread
/// over all of them. With --yes the transfer is this account's from then on, for ever, because export jobs are listed per
/// account. A transfer of which something was sent can't be taken.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cavatica take cohort7.parts/part-2.transfer --profile colleague --yes"
)]
pub(crate) struct Take {
    /// The transfer's file
    #[arg(value_name = "T.transfer")]
    pub(crate) transfer: PathBuf,
    /// Take it, if nothing stands against it
    #[arg(long)]
    pub(crate) yes: bool,
}
