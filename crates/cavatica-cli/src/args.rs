//! The command line: names, values and help, no logic.

use std::path::PathBuf;
use std::time::Duration;

use cavatica_exports::model::account::Platform;
use cavatica_exports::model::destination::{Prefix, Template};
use cavatica_exports::model::file::FileRef;
use cavatica_exports::model::{ExportId, ExportState, Location, ProjectId, VolumeId};
use cavatica_sandbox::{FaultPlan, Quirk};
use clap::{Args, Parser, Subcommand};

mod audit;
mod doctor;
mod parts;
mod transfer;
mod verify;
mod volumes;

pub(crate) use audit::Audit;
pub(crate) use doctor::Doctor;
pub(crate) use parts::{Split, SplitBy, Take};
pub(crate) use transfer::{
    Contract, Existing, Pace, Page, Plan, Report, ReportFormat, Resolve, ResolveAs, Retry, Run,
    Status, Support, Transfers,
};

pub(crate) use verify::{Against, Verify};
pub(crate) use volumes::{
    CreateVolume, MemberAction, Permission, Service, SetVolume, VolumeKeys, Volumes,
};

use crate::value;

/// Move or copy files from CAVATICA to your own S3 bucket, each exactly once
#[derive(Debug, Parser)]
#[command(
    name = "cavatica",
    version,
    long_version = env!("CAVATICA_VERSION"),
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// The same, with the address of the platform that is named.
    pub(crate) fn with_endpoint(mut self) -> Self {
        let named = self
            .global
            .platform
            .map(|platform| platform.api().to_owned());
        self.global.endpoint = self.global.endpoint.or(named);
        self
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The API's address; without it the profile's, or else CAVATICA's
    #[arg(long, global = true, hide_short_help = true, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// The platform, in place of its address: cavatica, sbg-us, sbg-eu, sbg-china, cgc or bdc
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        value_name = "NAME",
        conflicts_with = "endpoint"
    )]
    pub(crate) platform: Option<Platform>,
    /// The profile of ~/.sevenbridges/credentials to use; without it `cavatica`, or else `default`
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// A file with nothing but the token in it
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// A certificate authority to trust besides the system's, in PEM
    #[arg(long, global = true, hide_short_help = true, value_name = "PEM")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// Print JSON: a document, or one per line for lists
    // Behind a command's own options, and among them.
    #[arg(long, global = true, help_heading = None::<&str>, display_order = 998)]
    pub(crate) json: bool,
    /// Stop as at Ctrl-C when standard input ends: for programs that start this one and may die
    #[arg(long, global = true, hide = true)]
    pub(crate) stop_at_eof: bool,
    /// Tell more of what happens; -vv tells each request with its attempts
    #[arg(short, long, global = true, hide_short_help = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colours
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub(crate) color: clap::ColorChoice,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Export(Export),
    Plan(Box<Plan>),
    Run(Run),
    Status(Status),
    Transfers(Transfers),
    Support(Support),
    Contract(Contract),
    Retry(Retry),
    Split(Split),
    Take(Take),
    Resolve(Resolve),
    Verify(Verify),
    Audit(Audit),
    Report(Report),
    Page(Page),
    /// List, read and follow export jobs
    #[command(
        subcommand,
        after_help = "Example:\n  cavatica jobs list --state failed"
    )]
    Jobs(Jobs),
    /// List the files of a project
    #[command(
        subcommand,
        after_help = "Example:\n  cavatica files list --project kids-first/cohort-7 --recursive"
    )]
    Files(Files),
    /// List projects
    #[command(
        subcommand,
        after_help = "Example:\n  cavatica projects list --name cohort"
    )]
    Projects(Projects),
    /// List volumes and what lies on them, make and change them
    #[command(subcommand, after_help = "Example:\n  cavatica volumes list")]
    Volumes(Volumes),
    Check(Check),
    Explain(Explain),
    Sandbox(Sandbox),
    Demo(Demo),
    Doctor(Doctor),
    Completions(Completions),
    #[command(hide = true)]
    Complete(Complete),
    Man(Man),
}

/// Export one file to a volume
///
/// The platform copies the file to the volume. With --move it then deletes its own copy, and the project file becomes an
/// alias of the new object. This can't be undone, and no export job can be cancelled. With --copy it keeps its own copy.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  cavatica export 567890abc8a5639cc6722063 rfranklin/output run1/output.vcf \\
      --copy --wait
  cavatica export me/cohort-7:results/a.bam me/volume a.bam --copy")]
pub(crate) struct Export {
    /// The file: its id, or OWNER/PROJECT:PATH
    #[arg(value_name = "FILE", value_parser = value::file)]
    pub(crate) file: FileRef,
    /// The volume's id, owner/name; it isn't the bucket's name
    #[arg(value_name = "VOLUME", value_parser = value::volume)]
    pub(crate) volume: VolumeId,
    /// The key of the new object, relative to the volume and its prefix
    #[arg(value_name = "LOCATION", value_parser = value::location)]
    pub(crate) location: Location,
    #[command(flatten)]
    pub(crate) mode: Mode,
    /// Let the platform delete what is there; nothing brings it back
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Don't look at the file and the volume first; let the platform decide
    #[arg(long, hide_short_help = true)]
    pub(crate) no_check: bool,
    /// How long the platform gets to carry out a start whose answer was lost and to list its job; that there is none is
    /// known after some five times as long
    #[arg(
        long,
        hide_short_help = true,
        value_name = "TIME",
        default_value = "20s",
        value_parser = value::duration
    )]
    pub(crate) settle: Duration,
    /// Wait, and see whether the platform keeps the file: the way out where it once moved one that was to be copied
    #[arg(long, hide_short_help = true, requires = "copy")]
    pub(crate) canary: bool,
    /// Wait until the job has ended
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long to wait at the most
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = value::duration, requires = "wait")]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) properties: Properties,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Mode {
    /// The platform deletes its copy; it can't be undone
    #[arg(long = "move")]
    pub(crate) move_: bool,
    /// The platform keeps its copy
    #[arg(long)]
    pub(crate) copy: bool,
}

impl Mode {
    /// How the parser writes it where neither was given.
    pub(crate) const USAGE: &str = "<--move|--copy>";
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What to ask of S3, instead of the volume's defaults")]
pub(crate) struct Properties {
    /// Server-side encryption: AES256, aws:kms or none
    #[arg(long, hide_short_help = true, value_name = "ALGORITHM")]
    pub(crate) sse_algorithm: Option<String>,
    /// The KMS key, with aws:kms
    #[arg(long, hide_short_help = true, value_name = "ID")]
    pub(crate) kms_key_id: Option<String>,
    /// Canned ACL, or none
    #[arg(long, hide_short_help = true, value_name = "ACL")]
    pub(crate) canned_acl: Option<String>,
    /// Confirm a canned ACL that lets people outside your lab read the objects
    #[arg(long, hide_short_help = true)]
    pub(crate) public: bool,
    /// Storage class: STANDARD or GLACIER
    #[arg(long, hide_short_help = true, value_name = "CLASS")]
    pub(crate) storage_class: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Jobs {
    /// List your export jobs
    ///
    /// The platform shows only the jobs that you started yourself.
    #[command(
        after_help = "Example:\n  cavatica jobs list --volume rfranklin/output --state failed"
    )]
    List {
        /// Only jobs into this volume
        #[arg(long, value_name = "OWNER/NAME", value_parser = value::volume)]
        volume: Option<VolumeId>,
        /// Only jobs in this state: PENDING, RUNNING, COMPLETED or FAILED; can be repeated
        #[arg(long = "state", value_name = "STATE", value_parser = value::state)]
        states: Vec<ExportState>,
    },
    /// Read export jobs
    #[command(after_help = "Example:\n  cavatica jobs get SXQlt4Mv0LvnHVZVMQdKVcVXmjDQlnQX")]
    Get {
        /// The jobs' ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<ExportId>,
    },
    /// Wait until export jobs have ended
    ///
    /// Exits with 3 if one has failed, with 7 if one has not ended in time; the platform goes on with it all the same.
    #[command(
        after_help = "Example:\n  cavatica jobs wait SXQlt4Mv0LvnHVZVMQdKVcVXmjDQlnQX --timeout 2h"
    )]
    Wait {
        /// The jobs' ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<ExportId>,
        /// How long to wait at the most
        #[arg(long, value_name = "TIME", default_value = "30m", value_parser = value::duration)]
        timeout: Duration,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Files {
    /// List files and folders of a project or a folder
    #[command(
        after_help = "Example:\n  cavatica files list --project kids-first/cohort-7 --recursive\n  cavatica files list --folder kids-first/c7:run1 --name '*.bam'\n  cavatica files list --project kids-first/c7 --recursive --tsv > files.tsv"
    )]
    List {
        #[command(flatten)]
        parent: Parent,
        /// Go into folders too
        #[arg(long)]
        recursive: bool,
        /// Only those whose names fit: `*` is any text, `?` one character; can be repeated
        #[arg(long = "name", value_name = "GLOB")]
        names: Vec<String>,
        /// Print the files as a tab-separated manifest, to be edited and given to `plan --manifest`
        #[arg(long, conflicts_with = "json")]
        tsv: bool,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Parent {
    /// The project, by its owner and short name, as in the address of its page
    #[arg(long, value_name = "OWNER/NAME", value_parser = value::project)]
    pub(crate) project: Option<ProjectId>,
    /// The folder: its id, or OWNER/PROJECT:PATH
    #[arg(long, value_name = "FOLDER", value_parser = value::folder)]
    pub(crate) folder: Option<FileRef>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Projects {
    /// List the projects that you are a member of
    ///
    /// Each with its cloud and region, if the platform tells, and its title.
    #[command(after_help = "Example:\n  cavatica projects list --name cohort")]
    List {
        /// Only projects whose name has this part, in any letter case
        #[arg(long, value_name = "PART")]
        name: Option<String>,
    },
}

/// Check a list of files: bad rows, bad locations, keys used twice
///
/// Needs no account and no network. Reads CSV or TSV with a header such as file_id,location, or JSON lines. A file is
/// named by file_id, by OWNER/PROJECT:PATH in the same column, or by project and path. Each may have a location, task,
/// overwrite, sse_algorithm, kms_key_id, canned_acl, storage_class and metadata.FIELD of its own. Names every bad row with
/// its line and column. Exits with 0 if there is no error, with 2 otherwise; warnings don't count.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cavatica check files.csv --prefix cohort-7/ --dest '{path}/{name}'"
)]
pub(crate) struct Check {
    /// The manifest; - reads standard input
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifest: PathBuf,
    /// What every location begins with
    #[arg(long, value_name = "KEY/", value_parser = value::prefix)]
    pub(crate) prefix: Option<Prefix>,
    /// How locations are made for rows without one; without it {path}/{name}
    #[arg(long, value_name = "TEMPLATE", value_parser = value::template)]
    pub(crate) dest: Option<Template>,
    /// Put all files into one folder, as --dest {name} does
    #[arg(long, conflicts_with = "dest")]
    pub(crate) flatten: bool,
}

/// Say what an error code means and what to do about it
///
/// Takes a code of the platform (9107), an HTTP status (503), or a name that `check`, `plan`, `export`, `verify` or a report
/// printed (alias).
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cavatica explain 9107")]
pub(crate) struct Explain {
    /// The code or the name
    #[arg(value_name = "CODE")]
    pub(crate) what: String,
}

/// Run the platform on your own desk, to try things or test programs
///
/// Serves the documented API on this machine alone and really moves bytes: project files are files in a folder, a
/// volume is a folder. Runs until interrupted. The same --data brings the same world back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cavatica sandbox --data ./sandbox --project-from ./my-results
  cavatica sandbox --s3-volume real=my-bucket/rehearsal/ \\
      --s3-endpoint https://s3.example.org")]
pub(crate) struct Sandbox {
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Where to keep the world; a temporary folder if nothing is said
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Fill the project with copies of the files in this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) project_from: Option<PathBuf>,
    /// A world, its pace and its faults in a JSON file; options beside it count more
    #[arg(long, hide_short_help = true, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
    /// Add a volume that is a real bucket: exports really write there
    ///
    /// NAME is the volume's name or its whole id. The bucket's keys come from where the AWS tools find them:
    /// AWS_ACCESS_KEY_ID and its companions, or the profile that AWS_PROFILE names. What is put before every location
    /// is PREFIX, with its final `/` if it is a folder.
    #[arg(
        long = "s3-volume",
        hide_short_help = true,
        value_name = "NAME=BUCKET[/PREFIX]",
        value_parser = value::s3_volume
    )]
    pub(crate) s3_volumes: Vec<value::S3Volume>,
    /// Where the buckets of --s3-volume are, if not on AWS
    #[arg(
        long,
        hide_short_help = true,
        value_name = "URL",
        requires = "s3_volumes"
    )]
    pub(crate) s3_endpoint: Option<String>,
    /// How long jobs take, bytes apart: a time, or the shortest and the longest [default: 30ms-150ms]
    #[arg(long, hide_short_help = true, value_name = "TIME[-TIME]", value_parser = value::durations)]
    pub(crate) job_duration: Option<(Duration, Duration)>,
    /// Which share of the jobs fails, from 0 to 1 [default: 0]
    #[arg(long, hide_short_help = true, value_name = "SHARE", value_parser = value::share)]
    pub(crate) fail_share: Option<f64>,
    /// How many requests are allowed in how many seconds [default: 1000/300]
    #[arg(long, hide_short_help = true, value_name = "N/SECONDS", value_parser = value::rate_limit)]
    pub(crate) rate_limit: Option<(u64, Duration)>,
    /// What goes wrong, for instance `drop-after@bulk-start,nth=2; throttle,every=50`
    #[arg(long, hide_short_help = true, value_name = "SPEC")]
    pub(crate) faults: Option<FaultPlan>,
    /// Do something the other way, where no page tells which way is the platform's
    #[arg(long = "quirk", hide_short_help = true, value_name = "QUIRK")]
    pub(crate) quirks: Vec<Quirk>,
    /// Serve https, with a certificate authority written to the data folder
    #[arg(long, hide_short_help = true)]
    pub(crate) tls: bool,
    /// The same seed makes the same world [default: 1]
    #[arg(long, hide_short_help = true)]
    pub(crate) seed: Option<u64>,
    /// Serve one more account, with its own token, limit and list of exports
    #[arg(long = "account", value_name = "USERNAME")]
    pub(crate) accounts: Vec<String>,
    /// Take this token instead of a random one: whoever knows it can use the sandbox, and the keys of its real buckets
    #[arg(long, hide_short_help = true, value_name = "TOKEN")]
    pub(crate) fixed_token: Option<String>,
}

/// See the whole job on a sandbox: nothing leaves this machine
///
/// Starts a sandbox with a small project and shows the program at work on it: plan, run, verify, status and report, each
/// with its command line. Takes a few seconds; the exported files stay in a temporary folder, to be looked at.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cavatica demo --from ./my-results")]
pub(crate) struct Demo {
    /// Use copies of the files in this folder instead of made-up ones
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Option<PathBuf>,
}

/// Print a script that completes commands and flags in a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cavatica completions bash \\
      > ~/.local/share/bash-completion/completions/cavatica
  cavatica completions zsh > ~/.zfunc/_cavatica  # a folder of fpath
  cavatica completions fish \\
      > ~/.config/fish/completions/cavatica.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Name what may stand at a place of a command line; the scripts of `completions` ask
#[derive(Debug, Args)]
pub(crate) struct Complete {
    /// Which word the cursor is on; the program's name is word 0
    #[arg(value_name = "INDEX")]
    pub(crate) index: usize,
    /// The words as they are typed so far
    #[arg(
        value_name = "WORD",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) words: Vec<String>,
}

/// Write the manual pages
///
/// One page for the program and one for every command, from the same definitions as the help.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cavatica man ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// The folder to write them to; it is made if it isn't there
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
