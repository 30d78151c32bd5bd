//! The arguments of `volumes`.

use std::path::PathBuf;

use cavatica_exports::model::VolumeId;
use cavatica_exports::model::mount::VolumeName;
use cavatica_exports::model::volume::AccessMode;
use clap::{Args, Subcommand, ValueEnum};

use super::Properties;
use crate::value;

#[derive(Debug, Subcommand)]
pub(crate) enum Volumes {
    /// List the volumes that you can see
    #[command(after_help = "Example:\n  cavatica volumes list")]
    List,
    /// Read one volume, and say whether it takes exports
    #[command(after_help = "Example:\n  cavatica volumes get rfranklin/output")]
    Get {
        /// The volume's id, owner/name
        #[arg(value_parser = value::volume)]
        volume: VolumeId,
    },
    /// List what lies on a volume, one level at a time
    #[command(after_help = "Example:\n  cavatica volumes ls rfranklin/output cohort7/")]
    Ls {
        /// The volume's id, owner/name
        #[arg(value_parser = value::volume)]
        volume: VolumeId,
        /// The folder to list; without it the top level
        #[arg(default_value = "", hide_default_value = true)]
        prefix: String,
    },
    Create(Box<CreateVolume>),
    Set(Box<SetVolume>),
    /// Switch a volume off
    ///
    /// It can then neither be browsed nor exported to. Files that lie on it can't be read until it is reactivated. Refused while your export jobs are under way to it; with
    /// --force the platform ends them, which --yes has to confirm.
    #[command(after_help = "Example:\n  cavatica volumes deactivate rfranklin/output")]
    Deactivate {
        /// The volume's id, owner/name
        #[arg(value_parser = value::volume)]
        volume: VolumeId,
        /// Let the platform end jobs that are under way
        #[arg(long)]
        force: bool,
        /// Confirm that jobs may be ended
        #[arg(long)]
        yes: bool,
    },
    /// Switch a volume on again
    #[command(after_help = "Example:\n  cavatica volumes reactivate rfranklin/output")]
    Reactivate {
        /// The volume's id, owner/name
        #[arg(value_parser = value::volume)]
        volume: VolumeId,
    },
    /// Take a deactivated volume away; its bucket stays as it is
    ///
    /// Files that were moved to it, or imported from it, are aliases that can't be read any more. What is known of them
    /// here is told first; --yes confirms.
    #[command(after_help = "Example:\n  cavatica volumes delete rfranklin/output --yes")]
    Delete {
        /// The volume's id, owner/name
        #[arg(value_parser = value::volume)]
        volume: VolumeId,
        /// Confirm
        #[arg(long)]
        yes: bool,
    },
    /// List a volume's members, add, change or remove one
    ///
    /// A member who may write can export to the volume. What --may doesn't name, the member may not.
    #[command(
        after_help = "Examples:\n  cavatica volumes members lab/output\n  cavatica volumes members lab/output add grace --may read,write"
    )]
    Members {
        /// The volume's id, owner/name
        #[arg(value_parser = value::volume)]
        volume: VolumeId,
        /// What to do with a member
        #[arg(requires = "user")]
        action: Option<MemberAction>,
        /// The member's user name
        user: Option<String>,
        /// What the member may do
        #[arg(long, value_name = "WHAT", value_delimiter = ',', requires = "user")]
        may: Vec<Permission>,
    },
}

/// What is to become of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MemberAction {
    /// Make somebody a member
    Add,
    /// Replace what a member may do
    Set,
    /// Take a member away
    Remove,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Permission {
    /// Browse
    Read,
    /// Import
    Copy,
    /// Export
    Write,
    /// Change the volume and its members
    Admin,
}

/// Mount a bucket as a volume
///
/// The bucket's keys come from where the AWS tools find them (AWS_ACCESS_KEY_ID and its companions, else the profile that
/// AWS_PROFILE names), from a profile, from a file, or the platform assumes a role. No flag takes a secret. Best leave the
/// prefix out and put folders into the locations of exports.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cavatica volumes create lab --bucket my-bucket --access-mode RW --policy
  cavatica volumes create lab --bucket my-bucket --access-mode RW --role-arn ARN")]
pub(crate) struct CreateVolume {
    /// The volume's name: 3 to 32 letters, digits and single underscores
    ///
    /// It begins and ends with a letter or digit.
    #[arg(value_name = "NAME", value_parser = value::volume_name)]
    pub(crate) name: VolumeName,
    /// The bucket's name; on Azure the container's
    #[arg(long, value_name = "BUCKET", value_parser = value::bucket)]
    pub(crate) bucket: String,
    /// RW to export to it, RO to read only
    #[arg(long, value_name = "RO|RW", value_parser = value::access_mode)]
    pub(crate) access_mode: AccessMode,
    /// What stands before every location
    #[arg(
        long,
        hide_short_help = true,
        value_name = "PREFIX",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) prefix: String,
    /// A word about it
    #[arg(long, hide_short_help = true, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// The cloud that the bucket is on
    #[arg(
        long,
        hide_short_help = true,
        value_name = "CLOUD",
        default_value = "s3"
    )]
    pub(crate) service: Service,
    /// The storage service's address, where it isn't the cloud's usual one
    #[arg(long, hide_short_help = true, value_name = "URL")]
    pub(crate) service_endpoint: Option<String>,
    /// Azure's storage account
    #[arg(
        long,
        hide_short_help = true,
        value_name = "NAME",
        required_if_eq("service", "azure")
    )]
    pub(crate) storage_account: Option<String>,
    /// Azure's resource id
    #[arg(long, hide_short_help = true, value_name = "ID")]
    pub(crate) resource_id: Option<String>,
    /// Print the IAM policy it needs, and send nothing
    ///
    /// For the bucket's IAM user or role.
    #[arg(long)]
    pub(crate) policy: bool,
    #[command(flatten)]
    pub(crate) keys: VolumeKeys,
    #[command(flatten)]
    pub(crate) properties: Properties,
}

/// The cloud that a bucket is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    /// Amazon S3, or with --service-endpoint a service that speaks its language
    S3,
    /// Google Cloud Storage
    Gcs,
    /// Azure Blob Storage
    Azure,
    /// Alibaba Cloud OSS
    Oss,
}

/// Change a volume's access mode, description, keys or defaults
///
/// Only what differs is sent. Bucket, prefix and name stay: exported files are named relative to them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cavatica volumes set rfranklin/output --access-mode RW
  AWS_PROFILE=lab cavatica volumes set rfranklin/output --aws-keys")]
pub(crate) struct SetVolume {
    /// The volume's id, owner/name
    #[arg(value_parser = value::volume)]
    pub(crate) volume: VolumeId,
    /// RW to export to it, RO to read only
    #[arg(long, value_name = "RO|RW", value_parser = value::access_mode)]
    pub(crate) access_mode: Option<AccessMode>,
    /// A word about it
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    #[command(flatten)]
    pub(crate) keys: VolumeKeys,
    #[command(flatten)]
    pub(crate) properties: Properties,
}

/// Where the credentials for a bucket come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "How the platform gets at the bucket")]
pub(crate) struct VolumeKeys {
    /// An IAM role for the platform to assume
    ///
    /// For instance arn:aws:iam::123456789012:role/cavatica.
    #[arg(long, value_name = "ARN", conflicts_with_all = ["aws_profile", "aws_keys", "key_file"])]
    pub(crate) role_arn: Option<String>,
    /// What the role's trust policy asks for besides
    #[arg(long, value_name = "ID", requires = "role_arn")]
    pub(crate) external_id: Option<String>,
    /// The keys of a profile of the AWS tools
    #[arg(long, value_name = "NAME", conflicts_with_all = ["aws_keys", "key_file"])]
    pub(crate) aws_profile: Option<String>,
    /// The keys that the AWS tools would use
    ///
    /// `create` takes them where nothing else is said.
    #[arg(long, conflicts_with = "key_file")]
    pub(crate) aws_keys: bool,
    /// A JSON file with the keys
    ///
    /// Google's for a service account or a federation, or the `tenant_id`, `client_id` and `client_secret` of Azure, or an
    /// `access_key_id` and `secret_access_key`.
    #[arg(long, hide_short_help = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}
