//! Starting and reading export jobs.

use std::time::Duration;

use cavatica_exports::model::bulk::{Batch, BulkItem, ExportBatchError};
use cavatica_exports::model::job::JobStanding;
use cavatica_exports::model::{
    ExportBatch, ExportJob, ExportMode, ExportRequest, ExportState, Fate,
};
use cavatica_exports::{ExportFilter, WaitError};
use cavatica_sandbox::{Quirk, Route, Sandbox, VolumeSeed};

use crate::world::World;

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_started_job_is_read_listed_counted_and_followed_to_its_end() {
    let world = World::new().await;
    let export = world.checked("README.txt", "docs/README.txt").await;

    let started = world
        .exports
        .start(&export, ExportMode::Move)
        .await
        .unwrap();
    assert!(started.request_id.is_some());
    let job = started.value;
    assert_eq!(job.answers(export.request()), Some(true));

    let ended = world.exports.wait(&job.id, LIMIT).await.unwrap();
    assert_eq!(ended.state, ExportState::Completed);
    assert_eq!(
        ended.result.value().map(|file| &file.id),
        Some(&export.request().source.file)
    );
    assert_eq!(world.exports.get(&job.id).await.unwrap().value, ended);

    let ours = ExportFilter::to("sandbox/output".parse().unwrap());
    let ours = ours.in_states([ExportState::Completed]);
    assert_eq!(world.exports.count(&ours).await.unwrap(), Some(1));
    assert_eq!(world.exports.list(&ours).collect().await.unwrap(), [ended]);
    let failed = ExportFilter::default().in_states([ExportState::Failed]);
    assert_eq!(world.exports.count(&failed).await.unwrap(), Some(0));
}

#[tokio::test]
async fn a_copy_leaves_the_file_and_a_move_makes_it_an_alias() {
    let world = World::new().await;
    for (mode, path, is_alias) in [
        (ExportMode::Copy, "README.txt", false),
        (ExportMode::Move, "results/NA12878/calls.vcf", true),
    ] {
        let export = world.checked(path, path).await;
        let job = world.exports.start(&export, mode).await.unwrap().value;
        world.exports.wait(&job.id, LIMIT).await.unwrap();
        let file = world.files.get(&world.file(path)).await.unwrap().value;
        assert_eq!(file.is_alias(), is_alias, "{mode:?}");
    }
}

#[tokio::test]
async fn one_bad_item_of_a_bulk_start_harms_no_other() {
    let world = World::new().await;
    let good = world.checked("README.txt", "a").await;
    let bad = ExportRequest::new(
        world.file("already/exported.bam"),
        "sandbox/output".parse().unwrap(),
        "b".parse().unwrap(),
    );
    let batch = ExportBatch::new(vec![good.clone(), bad.skip_checks()]).unwrap();

    let answer = world.exports.start_each(&batch, ExportMode::Copy).await;
    let fates = answer.unwrap().by_request(&batch);

    let [Fate::Accepted(job), Fate::Refused(error)] = &fates[..] else {
        panic!("{fates:?}")
    };
    let source = job.source.value().map(|source| &source.file);
    assert_eq!(source, Some(&good.request().source.file));
    assert_eq!(error.code(), Some(9006));
    assert_eq!(world.sandbox.ledger().starts, 1);

    let ids = Batch::new(vec![job.id.clone(), "nosuchjob".parse().unwrap()]).unwrap();
    let items = world
        .exports
        .get_bulk::<ExportJob>(&ids)
        .await
        .unwrap()
        .value
        .items;
    assert_eq!(items[0].resource().map(|job| &job.id), Some(&job.id));
    assert!(matches!(&items[1], BulkItem::Error(..)), "{items:?}");

    let standings = world
        .exports
        .get_bulk::<JobStanding>(&ids)
        .await
        .unwrap()
        .value
        .items;
    assert_eq!(standings[0].resource().map(|job| &job.id), Some(&job.id));
    assert!(
        matches!(&standings[1], BulkItem::Error(..)),
        "{standings:?}"
    );
}

#[tokio::test]
async fn several_jobs_are_followed_together() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for path in [
        "README.txt",
        "results/NA12878/calls.vcf",
        "results/NA12891/calls.vcf",
    ] {
        let export = world.checked(path, path).await;
        ids.push(
            world
                .exports
                .start(&export, ExportMode::Move)
                .await
                .unwrap()
                .value
                .id,
        );
    }
    let mut watch = world.exports.watch(ids.clone());
    let mut ended = Vec::new();
    while let Some(jobs) = watch.next().await.unwrap() {
        ended.extend(
            jobs.into_iter()
                .filter(|job| job.is_final())
                .map(|job| job.id),
        );
    }
    ended.sort();
    ids.sort();
    assert_eq!(ended, ids);
    assert_eq!(world.sandbox.ledger().requests_to(Route::Export), 0);
}

#[tokio::test]
async fn waiting_ends_when_the_time_is_up() {
    let hour = Duration::from_secs(3600);
    let world = World::with(Sandbox::builder().job_duration(hour..=hour)).await;
    let export = world.checked("README.txt", "a").await;
    let job = world
        .exports
        .start(&export, ExportMode::Move)
        .await
        .unwrap()
        .value;
    let error = world
        .exports
        .wait(&job.id, Duration::from_millis(50))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, WaitError::TimedOut { jobs, .. } if jobs[0].id == job.id),
        "{error}"
    );
}

#[tokio::test]
async fn a_job_that_nobody_knows_is_refused() {
    let world = World::new().await;
    let error = world
        .exports
        .get(&"nosuchjob".parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.api_error().and_then(|error| error.code()), Some(9008));
}

#[tokio::test]
async fn a_failed_job_is_read_under_whatever_status_it_comes() {
    for quirk in [None, Some(Quirk::FailedAsError)] {
        let mut builder = Sandbox::builder()
            .volume(VolumeSeed::s3("sandbox/output").object("taken.txt", "already here"));
        if let Some(quirk) = quirk {
            builder = builder.quirk(quirk);
        }
        let world = World::with(builder).await;
        let export = world.checked("README.txt", "taken.txt").await;
        let started = world
            .exports
            .start(&export, ExportMode::Copy)
            .await
            .unwrap();
        let job = world.exports.wait(&started.value.id, LIMIT).await.unwrap();
        assert!(job.state.is(ExportState::Failed));
        let code = job.error.value().and_then(|error| error.code());
        assert_eq!(code, Some(9107));
        let read = world.exports.get(&job.id).await.unwrap();
        assert_eq!(read.status, if quirk.is_some() { 409 } else { 200 });

        let missing = "0000000000000000000000000000dead".parse().unwrap();
        let error = world.exports.get(&missing).await.unwrap_err();
        assert_eq!(error.api_error().and_then(|error| error.code()), Some(9008));
    }
}

#[tokio::test]
async fn a_copy_asks_for_advance_access() {
    let world = World::with(Sandbox::builder().quirk(Quirk::CopyNeedsHeader)).await;
    let export = world.checked("README.txt", "a.txt").await;
    let started = world
        .exports
        .start(&export, ExportMode::Copy)
        .await
        .unwrap();
    let job = world.exports.wait(&started.value.id, LIMIT).await.unwrap();
    assert!(job.state.is(ExportState::Completed));
    let batch = ExportBatch::new(vec![world.checked("README.txt", "b.txt").await]).unwrap();
    assert!(
        world
            .exports
            .start_each(&batch, ExportMode::Copy)
            .await
            .is_ok()
    );
}

/// Two moves to one place with leave to overwrite would destroy the first file.
#[tokio::test]
async fn requests_that_meet_are_not_sent_together_in_whatever_batches() {
    let world = World::new().await;
    let checked = world.checked("README.txt", "a").await;
    let overwriting = checked.request().clone().overwriting().skip_checks();
    let error = ExportBatch::new(vec![overwriting.clone(), overwriting.clone()]).unwrap_err();
    assert!(matches!(error, ExportBatchError::Meet(_)), "{error}");

    let mut many: Vec<_> = (0..150)
        .map(|number| {
            let mut request = checked.request().clone();
            request.destination.location = format!("run/{number}").parse().unwrap();
            request.skip_checks()
        })
        .collect();
    let sizes = ExportBatch::chunks(many.clone()).unwrap();
    assert_eq!(
        sizes.iter().map(ExportBatch::len).collect::<Vec<_>>(),
        [100, 50]
    );
    many.push(many[0].clone());
    let error = ExportBatch::chunks(many).unwrap_err();
    assert_eq!((error.first, error.second), (0, 150));
}
