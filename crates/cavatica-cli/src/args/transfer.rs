//! The arguments of the commands about transfers.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use cavatica_exports::model::destination::{Prefix, Template};
use cavatica_exports::model::{ProjectId, TaskId, VolumeId};
use cavatica_transfer::observe::Belief;
use cavatica_transfer::plan::Policy;
use clap::{Args, ValueEnum};

use super::{Mode, Properties};
use crate::value;

/// Plan a transfer: which files go where, and what stands against it
///
/// Reads which files are meant, checks each, and writes the plan into a new file, which is also the journal of the runs
/// to come. Nothing is sent. Look at the plan, let somebody else look at it, and then run it. What
/// a run has moved can't be brought back.
#[derive(Debug, Args)]
#[command(override_usage = "cavatica plan --out T.transfer \\
           (--project OWNER/NAME | --task ID... | --manifest FILE) \\
           (--volume OWNER/NAME | --bucket NAME) (--move | --copy) [OPTIONS]")]
#[command(after_help = "Examples:
  cavatica plan --out c7.transfer --project kids-first/cohort-7 \\
      --volume rfranklin/output --prefix cohort7/ --move
  cavatica plan --out my.transfer --manifest my.csv --bucket my-bucket --copy")]
pub(crate) struct Plan {
    /// The file to write; it must not exist
    #[arg(long, value_name = "T.transfer")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Only what lies in this folder of the project, a path from its root
    #[arg(
        long,
        hide_short_help = true,
        value_name = "PATH",
        requires = "project"
    )]
    pub(crate) folder: Option<String>,
    /// Only files whose names fit: `*` is any text, `?` one character; can be repeated
    #[arg(
        long = "name",
        hide_short_help = true,
        value_name = "GLOB",
        requires = "project"
    )]
    pub(crate) names: Vec<String>,
    /// Only files with this value in their metadata; can be repeated, then all must be there
    #[arg(long = "where", hide_short_help = true, value_name = "FIELD=VALUE", requires = "project", value_parser = value::equation)]
    pub(crate) wanted: Vec<(String, String)>,
    /// Only files with this tag; can be repeated, then all must be there
    #[arg(
        long = "tag",
        hide_short_help = true,
        value_name = "TAG",
        requires = "project"
    )]
    pub(crate) tags: Vec<String>,
    #[command(flatten)]
    pub(crate) target: VolumeOrBucket,
    /// What every location begins with
    #[arg(
        long,
        value_name = "KEY/",
        default_value = "",
        hide_default_value = true,
        value_parser = value::prefix
    )]
    pub(crate) prefix: Prefix,
    /// How the rest of a location is made, for instance {project}/{path}/{name}; without it the file's path in its
    /// project
    #[arg(long, hide_short_help = true, value_name = "TEMPLATE", conflicts_with = "flatten", value_parser = value::template)]
    pub(crate) dest: Option<Template>,
    /// Put all files into one folder
    #[arg(long, hide_short_help = true)]
    pub(crate) flatten: bool,
    #[command(flatten)]
    pub(crate) mode: Mode,
    /// Existing objects: fail (default), skip, overwrite
    ///
    /// With `fail` the plan fails and names them. With `skip` their files are left out, and listed. With `overwrite` the
    /// platform may delete the objects; nothing brings them back.
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "fail",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) existing: Existing,
    /// What to do about files of this kind: leave them out and list them, or refuse the plan. KIND is alias, public,
    /// folder, too-large, location, missing, unreadable or listed-twice, which are left out if nothing is said;
    /// contradicts, in-flight, and missing where a manifest lists the file, which refuse the plan; or maybe-archived or
    /// maybe-public-copy, which are planned with a warning. Can be repeated
    #[arg(long = "on", hide_short_help = true, value_name = "KIND=skip|fail", value_parser = policy)]
    pub(crate) policies: Vec<(String, Policy)>,
    /// Plan no more than N files; to try a few first, `run --limit` is the better way
    #[arg(long, hide_short_help = true, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Split the plan into K parts, for other accounts or hosts: into the folder T.parts, as `cavatica split` does
    #[arg(long, hide_short_help = true, value_name = "K", value_parser = value::parts)]
    pub(crate) parts: Option<u16>,
    /// A metadata field of the files to keep for the report, for instance sample_id; can be repeated
    #[arg(
        long,
        hide_short_help = true,
        value_name = "FIELD",
        value_delimiter = ','
    )]
    pub(crate) metadata: Vec<String>,
    /// A name for people, shown by `status` and `transfers`
    #[arg(long, hide_short_help = true, value_name = "TEXT")]
    pub(crate) label: Option<String>,
    #[command(flatten)]
    pub(crate) properties: Properties,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Selection {
    /// All files of this project, at any depth
    #[arg(long, value_name = "OWNER/NAME", value_parser = value::project)]
    pub(crate) project: Option<ProjectId>,
    /// The outputs of this task; can be repeated
    ///
    /// Their companions, such as indexes, are among them.
    #[arg(long = "task", value_name = "ID", value_parser = value::task)]
    pub(crate) tasks: Vec<TaskId>,
    /// The files listed in a CSV, TSV or JSON-lines file
    ///
    /// `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct VolumeOrBucket {
    /// The volume's id, owner/name
    #[arg(long, value_name = "OWNER/NAME", value_parser = value::volume)]
    pub(crate) volume: Option<VolumeId>,
    /// The name of the bucket behind the volume
    #[arg(long, value_name = "NAME", value_parser = value::bucket)]
    pub(crate) bucket: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Existing {
    /// The plan fails and names them
    Fail,
    /// Those files are left out, and listed
    Skip,
    /// The platform may delete the objects; nothing brings them back
    Overwrite,
}

/// Run a planned transfer, or go on with one that was interrupted
///
/// Sends every planned file once, whatever happens on the way, and follows it to its end. What was planned with --move
/// is deleted on the platform once it has arrived: this can't be undone, and no export job can be cancelled. The same
/// command takes up what an earlier run left. The first Ctrl-C, or the SIGTERM of a batch system, stops sending and leaves a transfer that can
/// be resumed; the second quits at once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cavatica run cohort7.transfer --limit 10 --yes
  cavatica run cohort7.transfer --yes --max-errors 100 --log-json run.jsonl")]
pub(crate) struct Run {
    /// The transfer's file, as `plan` wrote it
    #[arg(value_name = "T.transfer")]
    pub(crate) transfer: PathBuf,
    #[command(flatten)]
    pub(crate) consent: Consent,
    /// Send no more than N files, to look at a few first
    ///
    /// The same command goes on with the rest.
    #[arg(long, value_name = "N", value_parser = value::at_least_one::<u64>)]
    pub(crate) limit: Option<u64>,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Consent {
    /// Send what the transfer holds
    #[arg(long)]
    pub(crate) yes: bool,
    /// Send it if `plan` printed this fingerprint
    ///
    /// The whole, or its first 32 digits at least.
    #[arg(long, value_name = "FINGERPRINT", value_parser = value::approved)]
    pub(crate) approve: Option<value::Approved>,
}

#[derive(Debug, Args)]
pub(crate) struct Pace {
    /// Stop sending once N files have failed
    #[arg(long, value_name = "N")]
    pub(crate) max_errors: Option<u64>,
    /// Leave this share of the limit on requests to your other programs
    #[arg(long, hide_short_help = true, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=90))]
    pub(crate) reserve: u8,
    /// Keep to a K-th of the limit on requests: for a part whose siblings run with the same account on other hosts
    #[arg(long, hide_short_help = true, value_name = "1/K", default_value = "1/1", hide_default_value = true, value_parser = value::share_of)]
    pub(crate) share: NonZeroU16,
    /// How many files may be under way on the platform at a time
    #[arg(long, hide_short_help = true, value_name = "N", default_value_t = 100_000, value_parser = value::at_least_one::<usize>)]
    pub(crate) max_in_flight: usize,
    /// How long the platform gets to carry a call out; where its answer was lost and no job shows, a file counts as not sent
    /// after up to five times that
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = "60s", value_parser = value::duration)]
    pub(crate) settle: Duration,
    /// The shortest wait between two questions about jobs
    #[arg(long, hide_short_help = true, value_name = "TIME", default_value = "5s", value_parser = value::duration)]
    pub(crate) poll: Duration,
    /// Go on with a move although the platform was seen to contradict this belief: list-in-order, jobs-kept or
    /// alias-is-true; can be repeated
    #[arg(long, hide_short_help = true, value_name = "BELIEF")]
    pub(crate) despite: Vec<Belief>,
    /// Write what happens to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub(crate) log_json: Option<PathBuf>,
    /// Show no progress
    #[arg(long, hide_short_help = true)]
    pub(crate) no_progress: bool,
    /// When it has ended, run this command in the shell, with the summary as JSON on its standard input and
    /// CAVATICA_EXIT_CODE, CAVATICA_STATE and CAVATICA_TRANSFER in its environment
    #[arg(long, hide_short_help = true, value_name = "CMD")]
    pub(crate) on_end: Option<String>,
}

/// Show how a transfer stands, also while it runs
///
/// Names the failed files with the platform's code and what to do about each. Needs no account.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cavatica status cohort7.transfer --watch")]
pub(crate) struct Status {
    /// The transfer's file; several, or a folder of parts, are told as one
    #[arg(value_name = "T.transfer", required = true)]
    pub(crate) transfers: Vec<PathBuf>,
    /// Follow it while it is being run
    #[arg(long)]
    pub(crate) watch: bool,
}

/// List the transfers of a folder and how each stands
///
/// Looks at every file of the folder that a plan wrote, whatever it is called. Needs no account.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cavatica transfers ~/transfers")]
pub(crate) struct Transfers {
    /// The folder; several, and single transfers, are listed together
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) places: Vec<PathBuf>,
}

/// Show all transfers of a folder on a page in the browser
///
/// Serves the page on this computer alone, at an address that nobody else can guess, until it is interrupted. The page
/// renews itself, shows progress, failures and what `verify` found, and changes nothing. Needs no account.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cavatica page ~/transfers")]
pub(crate) struct Page {
    /// The folder; several, and single transfers, are shown together
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) places: Vec<PathBuf>,
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
}

/// Describe a transfer for somebody who helps, without secrets
///
/// Holds the version, counts, runs, and the failures with the platform's messages, as JSON; never a token. Names of
/// files, folders and keys can tell who a patient is: they are hidden without --with-names.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cavatica support cohort7.transfer --out support.json")]
pub(crate) struct Support {
    /// The transfer's file
    #[arg(value_name = "T.transfer")]
    pub(crate) transfer: PathBuf,
    /// The file to write; it must not exist. Without it, standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Keep the names of files, folders and keys
    #[arg(long)]
    pub(crate) with_names: bool,
}

/// Tell what transfers saw of the platform that no page tells
///
/// Runs and looks at the destination keep what answers show: where errors come, in which order lists are, how late, in
/// which unit limits are told. No name, id or key is in it, so the page, or the JSON, can be sent to the project. Ends with
/// 4 if nothing was seen.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cavatica contract *.transfer > observed.md")]
pub(crate) struct Contract {
    /// The transfers' files
    #[arg(required = true, value_name = "T.transfer")]
    pub(crate) transfers: Vec<PathBuf>,
}

/// Send failed files again
///
/// Sends what failed and nothing else: files that were never sent are `run`'s. Without --code, only those whose failures pass
/// by waiting; permanent ones are sent again if their code is named: `cavatica status` shows the codes; change first what they
/// complain about. The old job and the file are read before: a failed job may come back. Moves can't be undone here either.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cavatica retry cohort7.transfer --code 9103 --yes\n  cavatica retry cohort7.transfer --unknown --may-send-twice --yes"
)]
pub(crate) struct Retry {
    /// The transfer's file; several, or a folder of parts, are told as one
    #[arg(value_name = "T.transfer", required = true)]
    pub(crate) transfers: Vec<PathBuf>,
    /// Only files that failed with this code, permanent or not; can be repeated
    #[arg(long = "code", value_name = "N", value_parser = value::code)]
    pub(crate) codes: Vec<i64>,
    /// Files whose outcome isn't known, too, where nothing of theirs is seen
    #[arg(long, hide_short_help = true, requires = "may_send_twice")]
    pub(crate) unknown: bool,
    /// Take the risk of --unknown: such a file may have been sent, and would be exported twice
    #[arg(long, hide_short_help = true, requires = "unknown")]
    pub(crate) may_send_twice: bool,
    /// Files that failed with 9107 because a lost sending took their right to overwrite: let them overwrite, as planned
    #[arg(long, hide_short_help = true)]
    pub(crate) overwrite_again: bool,
    /// Send them
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) pace: Pace,
}

/// Say what became of files whose outcome can't be known from here
///
/// Look first: into the bucket, at the file, at the list of your export jobs. Only files that are *unknown* can be resolved,
/// and reports count them apart for ever. Nothing is sent.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cavatica resolve cohort7.transfer run1/output.vcf --as completed \\\n      --because \"the object is there, with the right checksum\""
)]
pub(crate) struct Resolve {
    /// The transfer's file
    #[arg(value_name = "T.transfer")]
    pub(crate) transfer: PathBuf,
    /// The files, each by its id or its key
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<String>,
    /// What became of them
    #[arg(long = "as", value_name = "OUTCOME")]
    pub(crate) outcome: ResolveAs,
    /// How you know
    #[arg(long, value_name = "TEXT")]
    pub(crate) because: String,
}

/// What somebody says became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ResolveAs {
    /// The object is there
    Completed,
    /// It was refused, or its job failed
    Failed,
    /// Nothing of it was sent: the next run sends it
    NotSent,
}

impl ResolveAs {
    pub(crate) fn words(self) -> &'static str {
        match self {
            ResolveAs::Completed => "completed",
            ResolveAs::Failed => "failed",
            ResolveAs::NotSent => "not sent",
        }
    }
}

fn policy(text: &str) -> Result<(String, Policy), String> {
    let (kind, what) = text
        .split_once('=')
        .ok_or("expected KIND=skip or KIND=fail")?;
    let policy = match what {
        "skip" => Policy::Skip,
        "fail" => Policy::Fail,
        _ => return Err(format!("`{what}` is neither skip nor fail")),
    };
    if !cavatica_transfer::plan::KINDS.contains(&kind) {
        let kinds = cavatica_transfer::plan::KINDS.join(", ");
        return Err(format!(
            "`{kind}` is no kind of objection; there are {kinds}"
        ));
    }
    Ok((kind.to_owned(), policy))
}

/// Write what became of every file, for people and for programs
///
/// Has a row for every planned file and for every one that the plan left out, with the platform's code, message and
/// advice for each failure. Works while the transfer runs, and needs no account.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cavatica report cohort7.transfer --format html --out cohort7.html\n  cavatica report cohort7.transfer --format csv --out cohort7.csv"
)]
pub(crate) struct Report {
    /// The transfer's file; several, or a folder of parts, are told as one
    #[arg(value_name = "T.transfer", required = true)]
    pub(crate) transfers: Vec<PathBuf>,
    /// How to write it; without it tsv, or with --json jsonl
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<ReportFormat>,
    /// The file to write; it must not exist. Without it, or with -, standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// Tab-separated values, a row for every file
    Tsv,
    /// Comma-separated values, safe to open in a spreadsheet
    Csv,
    /// One JSON object per line
    Jsonl,
    /// One page for a browser: totals, charts, failures with advice, the first rows
    Html,
    /// The manifest to register the objects at a DRS server, completed files only
    Drs,
    /// The arguments of `aws s3api put-object-tagging`, one JSON object per completed file
    Tags,
}
