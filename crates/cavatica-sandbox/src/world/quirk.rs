//! Where the platform isn't documented, the sandbox does what its clients expect. Each quirk does it the other way.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Declares the quirks with their names.
macro_rules! quirks {
    ($($(#[$doc:meta])* $Quirk:ident = $name:literal,)+) => {
        /// Something that the platform may do differently from what the sandbox does by default, because no page tells.
        ///
        /// A program that exports has to get along with all of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum Quirk { $($(#[$doc])* $Quirk,)+ }

        impl Quirk {
            /// Every quirk.
            pub const ALL: &'static [Quirk] = &[$(Quirk::$Quirk,)+];

            /// The name for command lines.
            pub fn name(self) -> &'static str {
                match self { $(Quirk::$Quirk => $name,)+ }
            }
        }
    };
}

quirks! {
    /// Starting answers 201, not 200. No page tells the status.
    Created = "created",
    /// `copy_only` is ignored, and every export moves. CAVATICA's own page doesn't name the parameter.
    IgnoreCopyOnly = "ignore-copy-only",
    /// `copy_only` is refused without the header of features in advance access, as some pages have it.
    CopyNeedsHeader = "copy-needs-header",
    /// A failed job is read under the status of its own error, 404 or 409 for instance, as one page has it.
    FailedAsError = "failed-as-error",
    /// The list of exports begins with the oldest. No page tells the order.
    OldestFirst = "oldest-first",
    /// No `/` is put between a volume's prefix and the location.
    PlainJoin = "plain-join",
    /// Of two jobs for one key both complete, the later one over the earlier, whatever `overwrite` says.
    LastWins = "last-wins",
    /// A file that can't be exported is accepted, and its job fails with 9006.
    RefuseInJob = "refuse-in-job",
    /// An occupied key is refused with 9107 at once, not in the job.
    OccupiedAtStart = "occupied-at-start",
    /// An object that may be overwritten is deleted only when the new one has arrived.
    DeleteLast = "delete-last",
    /// A start that may overwrite deletes the object before it looks at the file, and fails with 9006 only then if the file
    /// is an alias: neither the object nor the platform's copy is left.
    DeleteBeforeCheck = "delete-before-check",
    /// The limit's reset is told in milliseconds, as on CAVATICA's own page.
    ResetInMilliseconds = "reset-in-milliseconds",
    /// `FILE` and `FOLDER` are written in capitals.
    Capitals = "capitals",
    /// Volumes' services are written small, `s3` and `gcs`.
    SmallServices = "small-services",
    /// The folders of a volume's listing end with `/`.
    SlashedPrefixes = "slashed-prefixes",
    /// The listing of a volume's folder has that folder itself among its folders.
    FolderInItself = "folder-in-itself",
    /// Live files don't tell where they are hosted, as in older answers.
    NoHosts = "no-hosts",
    /// A volume's listing tells keys alone. No page tells what its `metadata` hold.
    BareListing = "bare-listing",
    /// Asking for one object tells its key alone, too.
    BareObject = "bare-object",
    /// Answers don't tell when the limit's window ends.
    NoReset = "no-reset",
    /// A refusal for the limit tells `Retry-After`, in seconds, and nothing of the window.
    RetryAfter = "retry-after",
    /// A move whose job fails takes the platform's copy away all the same.
    FailureLosesFile = "failure-loses-file",
    /// An export that names `aws_storage_class` is refused. One client alone knows it.
    NoStorageClass = "no-storage-class",
    /// The KMS key counts under `sse_aws_kms_key_Id` alone, as in the pages' tables; the other spelling is passed over.
    OtherKmsKey = "other-kms-key",
    /// Volumes say `export_enabled: false`, and take exports all the same.
    NotEnabled = "not-enabled",
    /// An account has at most 120 unfinished jobs; what goes beyond is refused with 429, each export by itself.
    FewJobs = "few-jobs",
    /// A file without a byte can't be exported.
    NoEmptyFiles = "no-empty-files",
    /// Each token has a limit of its own, also those of one account. No page tells whose the limit is.
    LimitPerToken = "limit-per-token",
    /// A file can't be exported to a volume in another region than its project's, as with other environments.
    RegionBound = "region-bound",
    /// Whoever changes a part of a volume's service replaces all of its defaults.
    ServiceReplaced = "service-replaced",
}

/// A name that no quirk has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no quirk of the sandbox; there are {known}", known = known())]
pub struct QuirkError(String);

fn known() -> String {
    let names: Vec<_> = Quirk::ALL.iter().map(|quirk| quirk.name()).collect();
    names.join(", ")
}

impl FromStr for Quirk {
    type Err = QuirkError;

    fn from_str(text: &str) -> Result<Self, QuirkError> {
        let known = Quirk::ALL.iter().find(|quirk| quirk.name() == text);
        known.copied().ok_or_else(|| QuirkError(text.to_owned()))
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The quirks of one world.
pub(crate) type Quirks = BTreeSet<Quirk>;
