//! What a column of a manifest means, by its name.

use std::fmt;

/// A column that manifests may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Column {
    Id,
    Name,
    Path,
    Project,
    Task,
    Location,
    Overwrite,
    SseAlgorithm,
    KmsKey,
    CannedAcl,
    StorageClass,
    Metadata(String),
}

/// The names of columns that ask something of S3.
const PROPERTIES: [&str; 7] = [
    "sse_algorithm",
    "sse_aws_kms_key_id",
    "kms_key_id",
    "aws_canned_acl",
    "canned_acl",
    "aws_storage_class",
    "storage_class",
];

/// The property that a header which means nothing was perhaps to name.
pub(super) fn nearly_a_property(header: &str) -> Option<&'static str> {
    let words = words(header);
    PROPERTIES
        .into_iter()
        .find(|name| is_within_two_slips(words.as_bytes(), name.as_bytes()))
}

/// In lower case, with underscores between the words.
fn words(header: &str) -> String {
    header.trim().to_ascii_lowercase().replace([' ', '-'], "_")
}

/// Whether at most two letters were added, left out or mistaken, or two neighbours changed places.
fn is_within_two_slips(one: &[u8], other: &[u8]) -> bool {
    if one.len().abs_diff(other.len()) > 2 {
        return false;
    }
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut left = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let changed = above[column] + usize::from(letter != wanted);
            left.push(changed.min(above[column + 1] + 1).min(left[column] + 1));
        }
        above = left;
    }
    above.last().is_some_and(|slips| *slips <= 2)
}

impl Column {
    /// The column that a header means: in any letter case, with spaces, hyphens or underscores between the words.
    pub(super) fn from_header(header: &str) -> Option<Self> {
        let trimmed = header.trim();
        if let Some(field) = trimmed.strip_prefix("metadata.") {
            return (!field.is_empty()).then(|| Column::Metadata(field.to_owned()));
        }
        Some(match words(trimmed).as_str() {
            "file_id" | "fileid" | "id" | "file" => Column::Id,
            "name" | "file_name" | "filename" => Column::Name,
            "path" | "file_path" | "folder" => Column::Path,
            "project" | "project_id" => Column::Project,
            "task" | "task_id" | "origin.task" => Column::Task,
            "location" | "destination" | "key" => Column::Location,
            "overwrite" => Column::Overwrite,
            "sse_algorithm" => Column::SseAlgorithm,
            "sse_aws_kms_key_id" | "kms_key_id" => Column::KmsKey,
            "aws_canned_acl" | "canned_acl" => Column::CannedAcl,
            "aws_storage_class" | "storage_class" => Column::StorageClass,
            _ => return None,
        })
    }

    /// Whether it is one of the properties that an export asks of S3.
    pub(super) fn is_property(&self) -> bool {
        matches!(
            self,
            Column::SseAlgorithm | Column::KmsKey | Column::CannedAcl | Column::StorageClass
        )
    }

    /// What one of its cells should hold.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Column::Id => "a file id such as `567890abc8a5639cc6722063`",
            Column::Name => "a file name without `/`",
            Column::Path => "the folders within the project, such as `run1/bam`",
            Column::Project => "a project id, `owner/short-name`",
            Column::Task => "a task id",
            Column::Location => "a key relative to the volume, such as `run1/output.vcf`",
            Column::Overwrite => "`true` or `false`",
            Column::SseAlgorithm => "`AES256`, `aws:kms` or `none`",
            Column::KmsKey => "the id of a KMS key",
            Column::CannedAcl => "a canned ACL such as `bucket-owner-full-control`, or `none`",
            Column::StorageClass => "`STANDARD` or `GLACIER`",
            Column::Metadata(_) => "a text",
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
            Column::Project => "project",
            Column::Task => "task",
            Column::Location => "location",
            Column::Overwrite => "overwrite",
            Column::SseAlgorithm => "sse_algorithm",
            Column::KmsKey => "sse_aws_kms_key_id",
            Column::CannedAcl => "aws_canned_acl",
            Column::StorageClass => "aws_storage_class",
            Column::Metadata(field) => return write!(f, "metadata.{field}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, nearly_a_property};

    #[test]
    fn a_slip_in_a_property_is_told_from_another_column() {
        for (slip, meant) in [
            ("sse_algoritm", "sse_algorithm"),
            ("SSE Algorythm", "sse_algorithm"),
            ("kms-key-ids", "kms_key_id"),
            ("canned_alc", "canned_acl"),
            ("storage_clas", "storage_class"),
            ("aws_storage_classs", "aws_storage_class"),
        ] {
            let found = nearly_a_property(slip);
            assert_eq!(found, Some(meant), "{slip}");
        }
        for other in [
            "storage",
            "class",
            "sample_id",
            "centre",
            "acl",
            "",
            "algorithm",
        ] {
            assert_eq!(nearly_a_property(other), None, "{other}");
        }
        for name in super::PROPERTIES {
            assert!(Column::from_header(name).is_some_and(|column| column.is_property()));
        }
    }
}
