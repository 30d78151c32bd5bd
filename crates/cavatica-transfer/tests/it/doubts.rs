//! What follows for a file whose sending was lost: what it carries the next time, and what counts as its own success.

use std::time::Duration;

use cavatica_exports::model::{ExportMode, ExportState};
use cavatica_sandbox::{FaultPlan, OtherExport, Quirk, Sandbox, VolumeSeed};
use cavatica_transfer::journal::{
    Change, Draft, Journal, Opening, Overwrite, Pick, PlannedFile, SqliteJournal, Terms,
};
use cavatica_transfer::plan::Existing;
use cavatica_transfer::state::{
    Answer, Doubt, Failure, ItemId, Observation, SeenJob, Step, Verdict, Word,
};
use cavatica_transfer::{OverwriteAgain, Retry, Stop};

use crate::bench::{Bench, PROJECT, VOLUME, many, options, world};
use crate::support::{file, now, terms};

fn failure() -> Failure {
    Failure {
        code: Some(9100),
        status: None,
        message: "it failed".to_owned(),
        request_id: None,
    }
}

/// Whether a file may overwrite that was sent, then took these steps, and is sent again.
fn overwrites_after(steps: &[Step]) -> bool {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    let terms = Terms {
        overwrite: Overwrite::Allowed,
        ..terms(ExportMode::Move)
    };
    let mut draft = Draft::create(&path, terms, "a test", None, now()).expect("a new transfer");
    let planned = PlannedFile {
        file: &file(1),
        location: &"run1/1.bam".parse().expect("a location"),
        size: Some(10),
        path: None,
        project: None,
        task: None,
        overwrite: None,
        properties: None,
        metadata: None,
        folder: None,
    };
    draft.add(&planned).expect("room for a file");
    draft.finish().expect("a finished plan");

    let mut journal = Opening::default()
        .open(&path, now())
        .expect("the transfer opens");
    let item = ItemId(1);
    let send = |pick: Pick<'_>, journal: &mut SqliteJournal| {
        journal.intend(pick, now()).expect("it may be sent");
        let intents = journal.commit().expect("room");
        intents[0].items[0].overwrite == Overwrite::Allowed
    };
    assert!(send(Pick::Fresh(1), &mut journal), "the first time it may");
    for step in steps {
        journal
            .record(vec![Change::new(item, step.clone())])
            .expect("a step that it can take");
    }
    send(Pick::These(&[item]), &mut journal)
}

#[test]
fn a_file_that_was_looked_for_in_vain_never_overwrites_again() {
    let observed = Step::Observation;
    let unclear = || observed(Observation::Unclear(Doubt::ListIncomplete));
    let lost = [
        vec![observed(Observation::Absent)],
        vec![observed(Observation::MovedAway(failure())), Step::Retry],
        vec![unclear(), observed(Observation::Absent)],
        vec![
            unclear(),
            observed(Observation::MovedAway(failure())),
            Step::Retry,
        ],
        vec![unclear(), Step::Release],
        vec![unclear(), Step::Word(Word::NotSent)],
        vec![unclear(), Step::Word(Word::Failed(failure())), Step::Retry],
    ];
    for steps in lost {
        assert!(!overwrites_after(&steps), "{steps:?}");
    }
    let job = |verdict| SeenJob {
        export: "job".parse().expect("an id"),
        verdict,
    };
    let answered = [
        vec![Step::Answer(Answer::NotSent)],
        vec![observed(Observation::NotTaken)],
        vec![Step::Answer(Answer::Refused(failure())), Step::Retry],
        vec![
            Step::Answer(Answer::Accepted(job(Verdict::Unfinished))),
            observed(Observation::Job(job(Verdict::Failed(failure())))),
            Step::Retry,
        ],
    ];
    for steps in answered {
        assert!(overwrites_after(&steps), "{steps:?}");
    }
}

#[tokio::test]
async fn the_second_sending_of_a_lost_call_doesnt_carry_overwrite() {
    let bench = Bench::start(world(many(120))).await;
    let mut options = bench.options();
    options.existing = Existing::Overwrite;
    bench.plan(options).await.expect("a plan");
    let lost: FaultPlan = "drop-before@bulk-start,nth=1"
        .parse()
        .expect("a fault plan");
    bench.sandbox.set_faults(lost);
    bench.run().await.expect("a run");
    assert_eq!(bench.summary().completed, 120);
    let ledger = bench.check_exactly_once(120);
    let again = ledger.jobs.iter().filter(|job| !job.overwrite).count();
    assert!((1..120).contains(&again), "{again} of 120 were sent again");
}

/// A file that lost its right to overwrite gets it back where a person says so, and not by an ordinary retry.
#[tokio::test]
async fn a_person_may_let_a_file_overwrite_again() {
    let taken = "run1/bam/file-0000003.dat";
    let volume = VolumeSeed::s3(VOLUME).keys_only().object(taken, "older");
    let bench = Bench::start(Sandbox::builder().project(many(20)).volume(volume)).await;
    let mut planning = bench.options();
    planning.existing = Existing::Overwrite;
    bench.plan(planning).await.expect("a plan");
    let lost: FaultPlan = "drop-before@bulk-start,nth=1"
        .parse()
        .expect("a fault plan");
    bench.sandbox.set_faults(lost);
    bench.run().await.expect("a run");
    assert_eq!(bench.summary().failed, 1, "its key is taken");
    for (overwrite, completed) in [(OverwriteAgain::No, 19), (OverwriteAgain::Yes, 20)] {
        let mut retry = Retry::of_codes(vec![9107]);
        retry.overwrite = overwrite;
        let mut options = options();
        options.retry = Some(retry);
        let run = bench.run_with(&options, &Stop::new(), &mut |_| {}).await;
        run.expect("a run");
        assert_eq!(bench.summary().completed, completed, "{overwrite:?}");
    }
    let ledger = bench.sandbox.ledger();
    assert_eq!(
        (ledger.objects_overwritten, ledger.files_doubled.len()),
        (1, 0)
    );
    assert_eq!(ledger.destroyed().count(), 0);
}

/// Somebody says that copies were not sent which were: what the second sending is told, at once or by its job, echoes the
/// first.
#[tokio::test]
async fn a_copy_that_is_refused_for_its_own_object_has_completed() {
    for quirk in [None, Some(Quirk::OccupiedAtStart)] {
        let bench = quirk
            .into_iter()
            .fold(world(many(3)), |world, quirk| world.quirk(quirk));
        let bench = Bench::start(bench).await;
        let mut planning = bench.options();
        planning.mode = ExportMode::Copy;
        bench.plan(planning).await.expect("a plan");
        let client = bench.client();
        let mut journal = SqliteJournal::open(&bench.transfer(), &client).expect("the transfer");
        let intended = journal.intend(Pick::Fresh(3), client.now());
        assert_eq!(intended.expect("they may be sent").files, 3);
        let intents = journal.commit().expect("room");
        for item in &intents[0].items {
            let path = item.location.to_string();
            let copy = OtherExport::new(format!("{PROJECT}:{path}"), VOLUME, path).copy();
            bench.sandbox.export_elsewhere(&copy).expect("a job");
        }
        while bench.sandbox.ledger().in_state(ExportState::Completed) < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let unclear = Step::Observation(Observation::Unclear(Doubt::ListIncomplete));
        for step in [unclear, Step::Word(Word::NotSent)] {
            let changes = intents[0].items.iter();
            let changes = changes.map(|item| Change::new(item.id, step.clone()));
            journal
                .record(changes.collect())
                .expect("a step that they can take");
        }
        journal.commit().expect("room");
        drop(journal);

        bench.run().await.expect("a run");
        let summary = bench.summary();
        assert_eq!((summary.completed, summary.failed), (3, 0), "{quirk:?}");
        assert_eq!(bench.sandbox.ledger().objects_overwritten, 0);
    }
}

/// Of a copy whose place was taken when it was planned, the object there says nothing, and neither does a job without a date.
#[tokio::test]
async fn an_earlier_copy_isnt_taken_for_the_one_whose_answer_was_lost() {
    let bench = Bench::start(world(many(1))).await;
    let path = "run1/bam/file-0000001.dat";
    let earlier = OtherExport::new(format!("{PROJECT}:{path}"), VOLUME, path).copy();
    bench.sandbox.export_elsewhere(&earlier).expect("a job");
    while bench.sandbox.ledger().jobs[0].state != "COMPLETED" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut options = bench.options();
    (options.mode, options.existing) = (ExportMode::Copy, Existing::Overwrite);
    bench.plan(options).await.expect("a plan");
    let lies = "drop-before@bulk-start,nth=1; no-times@exports; no-times@export; no-times@bulk-get";
    let lies: FaultPlan = lies.parse().expect("a fault plan");
    bench.sandbox.set_faults(lies);
    bench.run().await.expect("a run");
    assert_eq!(bench.sandbox.ledger().starts, 0, "nothing arrived");
    let summary = bench.summary();
    assert_eq!((summary.completed, summary.unknown), (0, 1));
}
