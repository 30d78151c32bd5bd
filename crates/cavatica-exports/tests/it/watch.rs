//! Following jobs: nothing is lost, whatever becomes of the futures.

use std::time::Duration;

use cavatica_exports::model::{ExportBatch, ExportId, ExportJob, ExportMode, ExportRequest, Fate};
use cavatica_exports::{Parent, WaitError, Watch};
use cavatica_sandbox::{FaultPlan, ProjectSeed, Sandbox, VolumeSeed};
use tokio::time::timeout;

use crate::world::World;

/// More than one request can ask for.
const JOBS: usize = 150;

/// Time enough for any machine; a fault that made a watch deaf would last for ever.
const LONG: Duration = Duration::from_secs(60);

async fn many_jobs(faults: &str) -> (World, Vec<ExportId>) {
    let count = u32::try_from(JOBS).unwrap();
    let world = World::with(
        Sandbox::builder()
            .project(ProjectSeed::new("lab/many").synthetic("", count, 10))
            .volume(VolumeSeed::s3("lab/output")),
    )
    .await;
    let project = Parent::Project("lab/many".parse().unwrap());
    let files = world.files.list(&project).collect().await.unwrap();
    let requests = files.into_iter().map(|file| {
        let location = file.name.into_value().unwrap().parse().unwrap();
        ExportRequest::new(file.id, "lab/output".parse().unwrap(), location).skip_checks()
    });
    let mut ids = Vec::new();
    for batch in ExportBatch::chunks(requests.collect()).unwrap() {
        let answer = world.exports.start_each(&batch, ExportMode::Copy).await;
        for fate in answer.unwrap().by_request(&batch) {
            let Fate::Accepted(job) = fate else {
                panic!("{fate:?}")
            };
            ids.push(job.id);
        }
    }
    assert_eq!(ids.len(), JOBS);
    world
        .sandbox
        .set_faults(faults.parse::<FaultPlan>().unwrap());
    (world, ids)
}

/// Follows with futures of [`Watch::next`] that live no longer than this, and counts the ends that are told.
async fn ends(mut watch: Watch, life: Duration) -> usize {
    let mut ended = 0;
    loop {
        match timeout(life, watch.next()).await {
            Err(_) => {}
            Ok(Ok(None)) => return ended,
            Ok(Ok(Some(jobs))) => {
                ended += jobs.into_iter().filter(ExportJob::is_final).count();
            }
            Ok(Err(error)) => assert!(matches!(error, WaitError::Call(_)), "{error}"),
        }
    }
}

#[tokio::test]
async fn every_end_is_told_though_the_futures_are_dropped_in_the_midst_of_a_request() {
    let (world, ids) = many_jobs("").await;
    let ends = ends(world.exports.watch(ids), Duration::from_millis(1));
    assert_eq!(timeout(LONG, ends).await, Ok(JOBS));
}

#[tokio::test]
async fn every_end_is_told_though_a_read_fails_between_two_others() {
    let (world, ids) = many_jobs("refuse=400/1001@bulk-get,nth=2").await;
    let ends = ends(world.exports.watch(ids), LONG);
    assert_eq!(timeout(LONG, ends).await, Ok(JOBS));
}

#[tokio::test]
async fn a_tick_beside_a_watch_does_not_stop_it() {
    let lasting = Duration::from_millis(600);
    let world = World::with(Sandbox::builder().job_duration(lasting..=lasting)).await;
    let export = world.checked("README.txt", "a").await;
    let job = world.exports.start(&export, ExportMode::Copy).await;
    let watch = world.exports.watch([job.unwrap().value.id]);
    // Shorter than any wait between two looks.
    let ends = ends(watch, Duration::from_millis(200));
    assert_eq!(timeout(LONG, ends).await, Ok(1));
}

#[tokio::test]
async fn a_select_with_a_tick_follows_all_jobs_to_their_ends() {
    let (world, ids) = many_jobs("").await;
    let mut watch = world.exports.watch(ids);
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let following = async {
        let (mut ended, mut ticks) = (0, 0);
        loop {
            tokio::select! {
                jobs = watch.next() => match jobs.unwrap() {
                    Some(jobs) => ended += jobs.iter().filter(|job| job.is_final()).count(),
                    None => return (ended, ticks),
                },
                _ = tick.tick() => ticks += 1,
            }
        }
    };
    let (ended, ticks) = timeout(LONG, following).await.unwrap();
    assert_eq!(ended, JOBS);
    assert!(ticks > 0, "the tick had its turn too");
}

#[tokio::test]
async fn the_limit_ends_a_request_that_nobody_answers() {
    let world = World::new().await;
    let export = world.checked("README.txt", "a").await;
    let job = world.exports.start(&export, ExportMode::Copy).await;
    let job = job.unwrap().value;
    world
        .sandbox
        .set_faults("hang-before@export".parse::<FaultPlan>().unwrap());
    // The client itself would wait for two minutes, and try again.
    let waiting = world.exports.wait(&job.id, Duration::from_millis(100));
    let error = timeout(LONG, waiting).await.unwrap().unwrap_err();
    let WaitError::TimedOut { jobs, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((&jobs[0].id, &jobs[0].state), (&job.id, &None));
}
