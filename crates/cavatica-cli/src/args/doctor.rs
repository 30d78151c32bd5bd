//! The arguments of `doctor`.

use std::time::Duration;

use cavatica_exports::model::VolumeId;
use cavatica_exports::model::destination::Prefix;
use cavatica_exports::model::file::FileRef;
use clap::Args;

use crate::value;

/// Find out what stands between this machine and an export
///
/// Checks the folder, the network, the credentials, the account, the clock, the requests left and the volumes, each
/// with what to do about it. Exits with 5 if the platform doesn't take the token. With --rehearse it settles open
/// questions about the platform with one file that you can spare: it is copied, the copy is tried again where an object
/// lies already, and with --move the file is moved and its alias sent once more. That takes 30 requests at most.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cavatica doctor --profile cavatica
  cavatica doctor --rehearse 567890abc8a5639cc6722063 \\
      --volume rfranklin/output --yes")]
pub(crate) struct Doctor {
    /// A file that you can spare: its id, or OWNER/PROJECT:PATH
    #[arg(long, value_name = "FILE", requires = "volume", value_parser = value::file)]
    pub(crate) rehearse: Option<FileRef>,
    /// The volume to rehearse on
    #[arg(long, value_name = "OWNER/NAME", requires = "rehearse", value_parser = value::volume)]
    pub(crate) volume: Option<VolumeId>,
    /// The folder to put the objects into; without it a new one
    #[arg(long, value_name = "KEY/", requires = "rehearse", value_parser = value::prefix)]
    pub(crate) prefix: Option<Prefix>,
    /// Move the file in the end, which can't be undone
    #[arg(long = "move", requires = "rehearse")]
    pub(crate) moves: bool,
    /// Do it; without this, say what would be done
    #[arg(long, requires = "rehearse")]
    pub(crate) yes: bool,
    /// The first wait for a job; each is three times as long as the one before
    #[arg(long, value_name = "TIME", default_value = "2s", hide_short_help = true, requires = "rehearse", value_parser = value::duration)]
    pub(crate) poll: Duration,
}
