//! Damaged bytes: every decoder takes them or refuses them, and none panics or goes on without end.
//!
//! The short run is part of the tests; `PROPTEST_CASES=100000 cargo test -p cavatica-model fuzz` makes a long one.

use std::path::PathBuf;
use std::sync::LazyLock;

use cavatica_model::account::{RateLimit, User};
use cavatica_model::bulk::{BulkAnswer, BulkExportRequest};
use cavatica_model::error::classify;
use cavatica_model::manifest::{self, Manifest};
use cavatica_model::volume::{VolumeListing, VolumeObject};
use cavatica_model::wire::{Entry, Page};
use cavatica_model::{ApiError, ExportJob, ExportRequest, File, Layout, Volume};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire;

/// The bytes of all fixtures, those from outside included.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut folders = vec![wire::folder()];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(folder).expect("the fixtures are there");
        for entry in entries {
            let path: PathBuf = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths.iter().map(|path| wire::bytes(path)).collect()
});

const MANIFESTS: &[&[u8]] = &[
    b"\xef\xbb\xbfFile ID,Name,Location,overwrite,sse_algorithm\r\n567890abc8a5639cc6722063,\"a, \"\"b\"\"\",run1/a.vcf,true,aws:kms\r\n,c,../c,,\r\n",
    b"id\tpath\tmetadata.sample id\n567890abc8a5639cc6722063\t/run1/a.bam\tNA12878\n567890abc8a5639cc6722064\trun1\\b.bam\t\"x\ny\"\n",
    b"{\"id\": \"567890abc8a5639cc6722063\", \"location\": \"a\", \"overwrite\": true, \"properties\": {\"sse_algorithm\": null}}\n{\"project\": \"o/p\", \"name\": \"a\"}\n",
];

/// Pieces that mean something to a decoder.
const SCRAPS: &[&[u8]] = &[
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"\"\\ud800\"",
    b",",
    b"\t",
    b"\"",
    b"\n",
    b"\r\n",
    b"\\",
    b"../",
    b"//",
    b"{",
    b"[",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
];

/// One way to damage bytes.
#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, u8),
    Truncate(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>();
    let scrap = prop_oneof![
        vec(any::<u8>(), 1..4),
        prop::sample::select(SCRAPS).prop_map(<[u8]>::to_vec),
    ];
    prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (at.clone(), scrap).prop_map(|(at, scrap)| Damage::Insert(at, scrap)),
        (at.clone(), 1_usize..20).prop_map(|(at, count)| Damage::Remove(at, count)),
        (at.clone(), 1_usize..40, 2_u8..100)
            .prop_map(|(at, count, times)| Damage::Repeat(at, count, times)),
        at.prop_map(Damage::Truncate),
    ]
}

fn damaged(seed: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for damage in damages {
        let place =
            |index: &Index, length: usize| if length == 0 { 0 } else { index.index(length) };
        match damage {
            Damage::Set(at, byte) => {
                let at = place(at, bytes.len());
                if let Some(old) = bytes.get_mut(at) {
                    *old = *byte;
                }
            }
            Damage::Insert(at, scrap) => {
                let at = place(at, bytes.len() + 1);
                bytes.splice(at..at, scrap.iter().copied());
            }
            Damage::Remove(at, count) => {
                let at = place(at, bytes.len());
                bytes.drain(at..bytes.len().min(at + count));
            }
            Damage::Repeat(at, count, times) => {
                let at = place(at, bytes.len());
                let piece = bytes[at..bytes.len().min(at + count)].repeat(usize::from(*times));
                bytes.splice(at..at, piece);
            }
            Damage::Truncate(at) => bytes.truncate(place(at, bytes.len())),
        }
    }
    bytes
}

/// What can be read can be written, and reads the same again.
fn decode<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    bytes: &[u8],
) -> Option<T> {
    let value: T = serde_json::from_slice(bytes).ok()?;
    let text = serde_json::to_vec(&value).expect("what was read can be written");
    let again: T = serde_json::from_slice(&text).expect("what was written can be read");
    assert_eq!(again, value);
    Some(value)
}

/// More cases than usual: each is cheap.
fn many() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases.saturating_mul(8),
        ..usual
    }
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn fuzz_answers(seed in any::<Index>(), damages in vec(damage(), 1..6)) {
        let bytes = damaged(&SEEDS[seed.index(SEEDS.len())], &damages);
        let file = decode::<File>(&bytes);
        let volume = decode::<Volume>(&bytes);
        if let Some(file) = &file {
            file.export_findings();
        }
        if let Some(volume) = &volume {
            volume.export_findings();
        }
        if let Some(request) = decode::<ExportRequest>(&bytes) {
            let file = file.unwrap_or_else(|| File::new(request.source.file.clone()));
            let volume = volume.unwrap_or_else(|| Volume::new(request.destination.volume.clone()));
            request.findings(&file, &volume);
        }
        if let Some(error) = decode::<ApiError>(&bytes) {
            classify(&error);
        }
        decode::<ExportJob>(&bytes);
        decode::<BulkExportRequest>(&bytes);
        let answer = decode::<BulkAnswer<ExportJob>>(&bytes);
        let page = decode::<Page<Entry<File>>>(&bytes);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            prop_assert_eq!(BulkAnswer::read(text).ok(), answer);
            prop_assert_eq!(Page::read(text).ok(), page);
        }
        decode::<BulkAnswer<File>>(&bytes);
        decode::<Page<ExportJob>>(&bytes);
        decode::<VolumeListing>(&bytes);
        decode::<VolumeObject>(&bytes);
        decode::<User>(&bytes);
        decode::<RateLimit>(&bytes);
    }

    #[test]
    fn fuzz_manifests(seed in 0..MANIFESTS.len(), damages in vec(damage(), 0..8)) {
        let bytes = damaged(MANIFESTS[seed], &damages);
        let Ok(manifest) = Manifest::open("files", &bytes[..]) else { return Ok(()) };
        let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
        let (mut rows, mut bad, mut last) = (0, 0, 0);
        for row in manifest {
            let line = match row {
                Ok(row) => row.line,
                Err(error) => {
                    prop_assert!(!error.problems.is_empty());
                    bad += 1;
                    error.line
                }
            };
            prop_assert!(line > last && line <= lines, "line {} of {}", line, lines);
            (rows, last) = (rows + 1, line);
        }
        let mut errors = 0;
        let summary = manifest::check("files", || Ok(&bytes[..]), &Layout::default(), |finding| {
            errors += u64::from(finding.severity == manifest::Severity::Error);
        });
        let summary = summary.expect("it could be opened");
        prop_assert_eq!((summary.rows, summary.errors), (rows, errors));
        prop_assert!(summary.bad_rows >= bad);
    }
}
