//! Whether files go to a volume in another region than theirs. No answer tells a volume's region.

use std::fmt::Write as _;

use cavatica_sandbox::{LedgerPlace, ProjectSeed, Quirk, SandboxBuilder};
use cavatica_transfer::journal::TransferFile;
use cavatica_transfer::observe::Habit;

use super::is_harmless;
use crate::bench::{Bench, PROJECT, many, world};
use crate::plan::listed;

const ABROAD: &str = "lab/abroad";

/// Some files lie where the volume is, and others elsewhere. The plan warns of both kinds together, and can't where all lie
/// in one region; the platform takes those elsewhere or refuses them, and what became of each is told.
async fn to_one_volume(quirk: Option<Quirk>, near: u32, far: u32) {
    let abroad = ProjectSeed::new(ABROAD).location("aws:eu-central-1");
    let builder = world(many(near)).project(abroad.synthetic("run2", far, 1_000));
    let builder = quirk.into_iter().fold(builder, SandboxBuilder::quirk);
    let bench = Bench::start(builder).await;
    let id = |project, path: String| bench.sandbox.file_id(project, &path).expect("a file");
    let near_ids = (1..=near).map(|n| id(PROJECT, format!("run1/bam/file-{n:07}.dat")));
    let far_ids: Vec<_> = (1..=far)
        .map(|n| id(ABROAD, format!("run2/file-{n:07}.dat")))
        .collect();
    let mut text = "file_id\n".to_owned();
    for id in near_ids.chain(far_ids.iter().cloned()) {
        writeln!(text, "{id}").expect("room");
    }
    let mut planning = bench.options();
    planning.selection = listed(text);
    let planned = bench.plan(planning).await.expect("a plan");
    let warnings = planned.warnings.iter().map(|warning| warning.name);
    let expected = (near > 0).then_some("other-region");
    assert_eq!(
        warnings.collect::<Vec<_>>(),
        expected.into_iter().collect::<Vec<_>>()
    );

    bench.run().await.expect("a run");
    let refused = quirk.map_or(0, |_| far);
    let summary = bench.summary();
    let told = (summary.completed, summary.failed);
    assert_eq!(told, (u64::from(near + far - refused), u64::from(refused)));
    for failed in &summary.failures {
        let code = failed.failure().and_then(|failure| failure.code);
        assert_eq!(code, Some(9027));
    }
    is_harmless(&bench, &summary, "another region");
    for file in &far_ids {
        let place = bench.sandbox.place_of(file).expect("it is known");
        assert_eq!(place == LedgerPlace::Platform, refused > 0, "{place:?}");
    }
    let file = TransferFile::open(&bench.transfer()).expect("the transfer");
    let seen = file.observations().expect("what was seen");
    assert_eq!(seen.count(Habit::OtherRegionRefused), u64::from(refused));
}

#[tokio::test]
async fn files_of_another_region_are_taken_or_refused() {
    for quirk in [None, Some(Quirk::RegionBound)] {
        tokio::join!(to_one_volume(quirk, 20, 10), to_one_volume(quirk, 0, 10));
    }
}
