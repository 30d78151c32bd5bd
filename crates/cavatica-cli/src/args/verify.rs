//! The arguments of `verify`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Compare the destination with what the transfer sent there
///
/// Prints one line per difference: - is missing, + is there although the transfer doesn't know it as completed, * differs,
/// ! could not be looked at. Compares keys, sizes and, from the second look on, ETags; against the bucket also the storage
/// class and the encryption that were asked for, the latter with one request per file. Reads only, and remembers what it
/// saw for `cavatica report`. Ends with 3 if anything differs, with 4 if nothing has arrived yet.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cavatica verify cohort7.transfer\n  AWS_PROFILE=lab cavatica verify cohort7.transfer --against bucket"
)]
pub(crate) struct Verify {
    /// The transfer's file; several, or a folder of parts, are told as one
    #[arg(value_name = "T.transfer", required = true)]
    pub(crate) transfers: Vec<PathBuf>,
    /// What to look at
    #[arg(long, value_name = "WHAT", default_value = "volume")]
    pub(crate) against: Against,
    /// The S3 service, if it isn't Amazon's
    #[arg(long, value_name = "URL")]
    pub(crate) s3_endpoint: Option<String>,
    /// Print a line, with =, for files that are the same too
    #[arg(long)]
    pub(crate) all: bool,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Against {
    /// The volume, through the platform
    Volume,
    /// The bucket itself, with your own AWS credentials; needs no account on the platform
    Bucket,
}
