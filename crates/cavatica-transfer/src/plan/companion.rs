//! Companions: index files and the like, which belong to a main file and know nothing of the task that made it.

use std::collections::{BTreeMap, BTreeSet};

use cavatica_exports::model::manifest::Row;
use cavatica_exports::model::{File, FileId};
use cavatica_exports::{Cavatica, Parent};

use super::error::PlanError;
use super::paths;
use super::sieve::{Candidate, Sieve};

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
fn main_names(name: &str) -> Vec<String> {
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

/// Lets companions go where their main files go: those of one folder are asked for together.
pub(super) async fn settle(platform: &Cavatica, sieve: &mut Sieve<'_>) -> Result<(), PlanError> {
    let waiting = std::mem::take(&mut sieve.waiting);
    if waiting.is_empty() {
        return Ok(());
    }
    let mut wanted: BTreeMap<FileId, BTreeSet<String>> = BTreeMap::new();
    for Waiting { file, .. } in &waiting {
        if let (Some(folder), Some(name)) = (file.parent.value(), file.name.value()) {
            wanted
                .entry(folder.clone())
                .or_default()
                .extend(main_names(name));
        }
    }
    let mut found: BTreeMap<(FileId, String), File> = BTreeMap::new();
    for (folder, names) in wanted {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // Where the folder isn't shown, there is no main file.
        let entries = paths::find(platform, &Parent::Folder(folder.clone()), &names).await?;
        for entry in entries
            .into_iter()
            .flatten()
            .filter(|entry| !entry.is_folder())
        {
            if let Some(name) = entry.name.value().cloned() {
                found.insert((folder.clone(), name), entry);
            }
        }
    }
    for Waiting { file, folders, row } in waiting {
        let names = file
            .name
            .value()
            .map(|name| main_names(name))
            .unwrap_or_default();
        let main = file.parent.value().and_then(|folder| {
            let mut places = names.into_iter().map(|name| (folder.clone(), name));
            places.find_map(|place| found.get(&place))
        });
        sieve.take_companion(Candidate {
            file: &file,
            folders: folders.as_deref(),
            row: row.as_ref(),
            main,
        })?;
    }
    Ok(())
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
