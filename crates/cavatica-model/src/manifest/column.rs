//! The columns of a manifest.

use std::fmt;

/// A column that manifests may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Column {
    Id,
    Name,
    /// The file's path in its project.
    Path,
    /// The folders alone.
    Folder,
    Project,
    Task,
    Location,
    Overwrite,
    SseAlgorithm,
    KmsKey,
    CannedAcl,
    StorageClass,
    Metadata(String),
    /// The volume or bucket that the file lies on already.
    AliasBucket,
    /// Where it lies there.
    AliasLocation,
}

impl Column {
    /// Whether it is one of the properties that an export asks of S3.
    pub(super) fn is_property(&self) -> bool {
        matches!(
            self,
            Column::SseAlgorithm | Column::KmsKey | Column::CannedAcl | Column::StorageClass
        )
    }

    /// Whether both say the same thing of a file, so that a manifest can have only one of them.
    pub(super) fn says_the_same_as(&self, other: &Column) -> bool {
        let folders = |column: &Column| matches!(column, Column::Path | Column::Folder);
        self == other || folders(self) && folders(other)
    }

    /// What one of its cells should hold.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Column::Id => "a file id such as `567890abc8a5639cc6722063`",
            Column::Name => "a file name without `/`",
            Column::Path => "the path within the project, such as `run1/bam/a.bam`",
            Column::Folder => "the folders within the project, such as `run1/bam`",
            Column::Project => "a project id, `owner/short-name`",
            Column::Task => "a task id",
            Column::Location => "a key relative to the volume, such as `run1/output.vcf`",
            Column::Overwrite => "`true` or `false`",
            Column::SseAlgorithm => "`AES256`, `aws:kms` or `none`",
            Column::KmsKey => "the id of a KMS key",
            Column::CannedAcl => "a canned ACL such as `bucket-owner-full-control`, or `none`",
            Column::StorageClass => "`STANDARD` or `GLACIER`",
            Column::Metadata(_) | Column::AliasBucket | Column::AliasLocation => "a text",
        }
    }
}

/// Writes the name that the column has in our own manifests.
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Column::Id => "file_id",
            Column::Name => "name",
            Column::Path => "path",
            Column::Folder => "folder",
            Column::Project => "project",
            Column::Task => "task",
            Column::Location => "location",
            Column::Overwrite => "overwrite",
            Column::SseAlgorithm => "sse_algorithm",
            Column::KmsKey => "sse_aws_kms_key_id",
            Column::CannedAcl => "aws_canned_acl",
            Column::StorageClass => "aws_storage_class",
            Column::Metadata(field) => return write!(f, "metadata.{field}"),
            Column::AliasBucket => "bucket where aliased",
            Column::AliasLocation => "location on bucket",
        })
    }
}
