//! Transfers that version 0.1.0 planned and ran, as it left them: they are taken up under the rules of now.

use std::time::Duration;

use cavatica_exports::model::ExportMode;
use cavatica_sandbox::OtherExport;
use cavatica_transfer::Ending;
use cavatica_transfer::journal::TransferFile;

use crate::bench::{Bench, PROJECT, VOLUME, many, world};

const FILES: u32 = 30;

/// A platform on which the old program had moved so many of the files, and the transfer that it left behind.
async fn left_behind(name: &str, moved: u32) -> Bench {
    let minute = Duration::from_secs(60);
    let exported = (1..=moved).map(|number| format!("run1/bam/file-{number:07}.dat"));
    let builder = exported.fold(world(many(FILES)), |builder, path| {
        let source = format!("{PROJECT}:{path}");
        builder.export(OtherExport::new(source, VOLUME, path).ago(minute))
    });
    let bench = Bench::start(builder).await;
    let fixture = format!(
        "{}/tests/fixtures/{name}.transfer",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::copy(fixture, bench.transfer()).expect("a fixture");
    // It was planned against another port.
    let file = rusqlite::Connection::open(bench.transfer()).expect("a file");
    let endpoint = bench.sandbox.endpoint();
    file.execute(
        "UPDATE transfer SET terms = json_set(terms, '$.endpoint', ?)",
        [endpoint],
    )
    .expect("terms");
    bench
}

#[tokio::test]
async fn a_plan_a_half_done_run_and_lost_answers_of_an_older_version_are_taken_up() {
    for (name, moved, sent) in [
        ("planned", 0, 30),
        ("half-run", 10, 20),
        // Of the ten files whose answers were lost, five had been accepted.
        ("lost-answers", 15, 15),
    ] {
        let bench = left_behind(name, moved).await;
        let report = bench.run().await.expect("a run");
        assert_eq!(report.ending, Ending::Finished, "{name}");
        let summary = bench.summary();
        assert_eq!((summary.completed, summary.left), (30, 0), "{name}");
        let ledger = bench.sandbox.ledger();
        assert_eq!(ledger.starts, sent, "{name}");
        let twice: Vec<_> = ledger.files_doubled.iter().collect();
        assert!(twice.is_empty(), "{name}: {twice:?}");
        let file = TransferFile::open(&bench.transfer()).expect("a transfer");
        assert_eq!(file.terms().mode, ExportMode::Move);
    }
}
