//! What the journal costs for one bulk call: the intent before it, the answers after it, the ends of its jobs. All is on
//! disk when the next begins, so the disk's share is in it.

use cavatica_exports::model::{ExportMode, Tri};
use cavatica_transfer::journal::{
    Change, Draft, Journal, Opening, Overwrite, Pick, PlannedFile, Terms,
};
use cavatica_transfer::state::{Answer, Observation, SeenJob, Step, Verdict};
use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::Timestamp;

const FILES: usize = 100_000;

/// The most files of a bulk call.
const BATCH: usize = 100;

fn main() {
    divan::main();
}

fn terms() -> Terms {
    Terms {
        endpoint: "https://example.org/v2".to_owned(),
        account: "rfranklin".to_owned(),
        mode: ExportMode::Move,
        volume: "rfranklin/output".parse().expect("an id"),
        bucket: None,
        volume_prefix: String::new(),
        prefix: "run1/".parse().expect("a prefix"),
        overwrite: Overwrite::Forbidden,
        properties: Tri::Absent,
    }
}

#[divan::bench(sample_count = 100, sample_size = 1)]
fn a_bulk_call(bencher: Bencher) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    let now = Timestamp::now();
    let mut draft = Draft::create(&path, terms(), "all", None, now).expect("a new transfer");
    for number in 0..FILES {
        draft
            .add(&PlannedFile {
                file: &format!("{number:024x}").parse().expect("an id"),
                location: &format!("run1/cohort/{number}.bam")
                    .parse()
                    .expect("a location"),
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
    let mut journal = Opening::default()
        .open(&path, now)
        .expect("the transfer opens");
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        journal.intend(Pick::Fresh(BATCH), now).expect("a journal");
        let items = journal.commit().expect("a journal").remove(0).items;
        let job = |number: i64, verdict| SeenJob {
            export: format!("{number:032}").parse().expect("an id"),
            verdict,
        };
        let accepted: Vec<Change> = items
            .iter()
            .map(|item| {
                let job = job(item.id.0, Verdict::Unfinished);
                Change::new(item.id, Step::Answer(Answer::Accepted(job)))
            })
            .collect();
        journal.record(accepted).expect("a journal");
        let completed: Vec<Change> = items
            .iter()
            .map(|item| {
                let job = job(item.id.0, Verdict::Completed);
                Change::new(item.id, Step::Observation(Observation::Job(job)))
            })
            .collect();
        journal.record(completed).expect("a journal");
        journal.commit().expect("a journal")
    });
}
