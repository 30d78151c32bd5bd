//! What several tests need.

use cavatica_model::{ExportMode, FileId, Location, Tri};
use cavatica_transfer::journal::{Draft, Overwrite, PlannedFile, Terms};
use jiff::Timestamp;
use std::path::Path;

pub(crate) const ENDPOINT: &str = "https://example.org/v2";
pub(crate) const ACCOUNT: &str = "rfranklin";

pub(crate) fn now() -> Timestamp {
    "2026-01-01T10:00:00Z".parse().expect("a moment")
}

pub(crate) fn terms(mode: ExportMode) -> Terms {
    Terms {
        endpoint: ENDPOINT.to_owned(),
        account: ACCOUNT.to_owned(),
        mode,
        volume: "lab/results".parse().expect("a volume id"),
        bucket: Some("franklin-lab".to_owned()),
        volume_prefix: String::new(),
        prefix: "run1/".parse().expect("a prefix"),
        overwrite: Overwrite::Forbidden,
        properties: Tri::Absent,
    }
}

pub(crate) fn file(number: u64) -> FileId {
    format!("{number:024x}").parse().expect("a file id")
}

/// A plan of files 1 to `files`, of 10 bytes each.
pub(crate) fn plan(path: &Path, files: u64) {
    let mut draft = Draft::create(path, terms(ExportMode::Move), "a test", None, now())
        .expect("a new transfer");
    for number in 1..=files {
        let location: Location = format!("run1/{number}.bam").parse().expect("a location");
        draft
            .add(&PlannedFile {
                file: &file(number),
                location: &location,
                size: Some(10),
                path: None,
                project: None,
                task: None,
                overwrite: None,
                properties: None,
                metadata: None,
                folder: None,
            })
            .expect("room for a file");
    }
    draft.finish().expect("a finished plan");
}
