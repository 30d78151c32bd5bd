//! The arguments of `audit`.

use std::path::PathBuf;

use clap::Args;

/// Hold your export jobs against a transfer's journal
///
/// Reads the list of all export jobs that your account ever started on the transfer's volume, a hundred a request, and
/// compares it with the journal: one successful job for each completed file since the plan, none for the others. Prints one
/// line per file that disagrees: + has a job too many, - has one too few, * has another one, ! can't be told. The platform
/// shows no jobs of other accounts. Reads only; what it has read is kept beside the transfer until it is done, so the same
/// command goes on where it was stopped. Ends with 3 if anything disagrees, with 7 if it can't be known, with 4 if there is
/// nothing to compare.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cavatica audit cohort7.transfer")]
pub(crate) struct Audit {
    /// The transfer's file; several, or a folder of parts, are told as one
    #[arg(value_name = "T.transfer", required = true)]
    pub(crate) transfers: Vec<PathBuf>,
    /// Read all jobs again, also those that an interrupted audit has read
    #[arg(long)]
    pub(crate) again: bool,
    /// Show no progress
    #[arg(long)]
    pub(crate) no_progress: bool,
}
