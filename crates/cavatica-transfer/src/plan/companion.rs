//! Companions: index files and the like, which belong to a main file and know nothing of the task that made it.

use cavatica_exports::model::File;
use cavatica_exports::model::manifest::Row;

/// The endings of companions, and the ending of the main file where it isn't what stands before: `a.bam.bai` or `a.bai`
/// beside `a.bam`. Source: the manual pages of samtools and tabix, and GATK's for `dict` and `idx`.
const ENDINGS: &[(&str, &[&str])] = &[
    ("bai", &["bam"]),
    ("csi", &["bam"]),
    ("crai", &["cram"]),
    ("tbi", &[]),
    ("idx", &[]),
    ("fai", &[]),
    ("gzi", &[]),
    ("dict", &["fasta", "fa"]),
];

/// The names that the main file of a companion may have; none if it is no companion.
pub(super) fn main_names(name: &str) -> Vec<String> {
    let Some((stem, ending)) = name.rsplit_once('.') else {
        return Vec::new();
    };
    let Some((_, others)) = ENDINGS.iter().find(|(known, _)| *known == ending) else {
        return Vec::new();
    };
    let mut names: Vec<String> = others
        .iter()
        .map(|other| format!("{stem}.{other}"))
        .collect();
    if stem.contains('.') {
        names.insert(0, stem.to_owned());
    }
    names
}

/// A file whose location depends on what only its main file may tell.
pub(super) struct Waiting {
    pub(super) file: File,
    pub(super) folders: Option<String>,
    pub(super) row: Option<Row>,
}

/// Whether a file may be a companion.
pub(super) fn is_companion(file: &File) -> bool {
    let name = file.name.value().map_or("", String::as_str);
    file.parent.value().is_some() && !main_names(name).is_empty()
}

#[cfg(test)]
mod tests {
    use super::main_names;

    #[test]
    fn a_companion_names_its_main_file() {
        for (name, mains) in [
            ("a.bam.bai", &["a.bam", "a.bam.bam"][..]),
            ("a.bai", &["a.bam"]),
            ("a.vcf.gz.tbi", &["a.vcf.gz"]),
            ("ref.dict", &["ref.fasta", "ref.fa"]),
            ("a.bam", &[]),
            ("bai", &[]),
        ] {
            assert_eq!(main_names(name), mains, "{name}");
        }
    }
}
