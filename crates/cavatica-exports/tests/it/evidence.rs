//! What the platform shows to an inquiry.

use std::time::Duration;

use cavatica_exports::ExportFilter;
use cavatica_exports::evidence::{
    Asked, Clocks, Effort, Evidence, Extent, JobClock, Question, SentBy, Whereabouts, gather,
};
use cavatica_exports::model::{ExportId, ExportMode, ExportState};
use cavatica_sandbox::{FaultPlan, OtherExport, Quirk, Route, Sandbox, SandboxBuilder};

use crate::world::World;

const HOUR: Duration = Duration::from_secs(3600);

/// A file of the sandbox, and where its export was to bring it.
type Sent = (&'static str, &'static str);

const README: Sent = ("README.txt", "docs/README.txt");
const ARCHIVED: Sent = ("already/archived.tar", "elsewhere");

fn slow() -> SandboxBuilder {
    Sandbox::builder().seed(3).job_duration(HOUR..=HOUR)
}

/// With so many jobs of an hour ago.
fn copies(count: u32) -> SandboxBuilder {
    let readme = format!("sandbox/demo:{}", README.0);
    (0..count).fold(slow(), |world, number| {
        let copy = OtherExport::new(&*readme, "sandbox/output", format!("copies/{number}"));
        world.export(copy.copy().ago(HOUR))
    })
}

fn quick() -> SandboxBuilder {
    Sandbox::builder()
        .seed(3)
        .job_duration(Duration::ZERO..=Duration::ZERO)
}

fn asked(world: &World, mode: ExportMode, effort: Effort, sent: &[Sent]) -> Asked {
    let now = "2026-01-01T10:00:00Z".parse().unwrap();
    let question = |(path, location): &Sent| Question {
        file: world.file(path),
        location: location.parse().unwrap(),
        sent: now,
        run: SentBy::ThisRun,
        planned_free: true,
        earlier: Vec::new(),
        others_count: false,
    };
    Asked {
        mode,
        volume: "sandbox/output".parse().unwrap(),
        questions: sent.iter().map(question).collect(),
        effort,
        in_flight: Vec::new(),
        clocks: Clocks {
            this_run: JobClock::default(),
            earlier_runs: JobClock::default(),
            now,
        },
    }
}

async fn cheaply(world: &World, mode: ExportMode, sent: &[Sent]) -> Evidence {
    let asked = asked(world, mode, Effort::Cheap, sent);
    gather(world, &asked).await.unwrap()
}

fn plan(faults: &str) -> FaultPlan {
    faults.parse().unwrap()
}

/// Waits until all jobs but so many have ended.
async fn only_run(world: &World, count: u64) {
    let unfinished = [ExportState::Pending, ExportState::Running];
    let filter = ExportFilter::to("sandbox/output".parse().unwrap()).in_states(unfinished);
    while world.exports.count(&filter).await.unwrap() != Some(count) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn start(world: &World, (path, location): Sent, mode: ExportMode) -> ExportId {
    let export = world.checked(path, location).await;
    world.exports.start(&export, mode).await.unwrap().value.id
}

/// A witness counts where the same list would show the job that is looked for.
#[tokio::test]
async fn a_whole_list_shows_what_is_on_it_and_not_what_another_list_showed() {
    let world = World::with(slow()).await;
    let job = start(&world, README, ExportMode::Copy).await;
    let asked = asked(&world, ExportMode::Copy, Effort::Whole, &[ARCHIVED]);
    // The list of unfinished jobs comes first, and shows it.
    for (late, shown) in [("late-list=3600s@exports,nth=2", false), ("", true)] {
        world.sandbox.set_faults(plan(late));
        let evidence = gather(&world, &asked).await.unwrap();
        assert_eq!(evidence.extent, Extent::Whole);
        assert_eq!(evidence.shows(job.as_str()), shown, "{late}");
    }
}

#[tokio::test]
async fn a_job_under_way_and_a_file_that_has_arrived_answer_for_themselves() {
    let world = World::with(slow()).await;
    start(&world, README, ExportMode::Copy).await;
    let evidence = cheaply(&world, ExportMode::Copy, &[README]).await;
    assert_eq!(
        (evidence.extent, evidence.clean),
        (Extent::Unfinished, true)
    );
    assert!(evidence.whereabouts.is_empty(), "a copy stays where it is");
    // With another that is open all is read, and each job is known once.
    let evidence = cheaply(&world, ExportMode::Copy, &[README, ARCHIVED]).await;
    assert_eq!((evidence.extent, evidence.clean), (Extent::Whole, true));
    assert_eq!(evidence.jobs[&world.file(README.0)].len(), 1);

    let world = World::with(quick()).await;
    let job = start(&world, README, ExportMode::Move).await;
    world.exports.wait(&job, HOUR).await.unwrap();
    let evidence = cheaply(&world, ExportMode::Move, &[README]).await;
    assert_eq!(
        (evidence.extent, evidence.clean),
        (Extent::Unfinished, true)
    );
    let elsewhere = [(README.0, "elsewhere")];
    let evidence = cheaply(&world, ExportMode::Move, &elsewhere).await;
    assert_eq!(evidence.extent, Extent::Whole);
    let place = &evidence.whereabouts[&world.file(README.0)];
    assert!(matches!(place, Whereabouts::Volume { .. }), "{place:?}");
}

/// In a list whose pages overlap fewer jobs are met than it says it has.
#[tokio::test]
async fn a_list_that_never_has_all_its_jobs_is_not_clean() {
    let world = World::with(copies(150)).await;
    for (faults, clean) in [("disorder@exports", false), ("", true)] {
        world.sandbox.set_faults(plan(faults));
        let evidence = cheaply(&world, ExportMode::Copy, &[ARCHIVED]).await;
        assert_eq!((evidence.extent, evidence.clean), (Extent::Whole, clean));
    }
}

/// Where a job's date says nothing, the object does.
#[tokio::test]
async fn the_object_of_a_copy_without_a_date_is_looked_for() {
    let world = World::with(quick()).await;
    let job = start(&world, README, ExportMode::Copy).await;
    world.exports.wait(&job, HOUR).await.unwrap();
    let file = world.file(README.0);
    world.sandbox.set_faults(plan("no-times@exports"));
    let evidence = cheaply(&world, ExportMode::Copy, &[README, ARCHIVED]).await;
    assert_eq!(evidence.objects, [file].into());
    world
        .sandbox
        .set_faults(plan("no-times@exports; refuse=403/9016@volume-object"));
    let asked = asked(&world, ExportMode::Copy, Effort::Cheap, &[README]);
    assert!(gather(&world, &asked).await.is_err(), "nobody knows");
    world.sandbox.set_faults(plan("no-times@exports"));
    world
        .sandbox
        .remove_object("sandbox/output", README.1)
        .unwrap();
    let evidence = gather(&world, &asked).await.unwrap();
    assert!(evidence.objects.is_empty());
}

#[tokio::test]
async fn a_file_that_is_not_there_is_gone() {
    let world = World::with(quick()).await;
    let [gone, there] = [README, ARCHIVED].map(|(path, _)| world.file(path));
    let asked = asked(&world, ExportMode::Move, Effort::Cheap, &[README, ARCHIVED]);
    world.sandbox.remove_file(gone.as_str()).unwrap();
    let evidence = gather(&world, &asked).await.unwrap();
    assert_eq!(evidence.whereabouts[&gone], Whereabouts::Gone);
    assert_eq!(evidence.whereabouts[&there], Whereabouts::Platform);
    // An error names no file, and here fewer items came than files were asked for.
    world.sandbox.set_faults(plan("omit=1@bulk-files"));
    let evidence = gather(&world, &asked).await.unwrap();
    assert_eq!(evidence.whereabouts.get(&gone), None);
}

/// Of a list that is too dear the failed jobs are read, and a move's file says the rest.
#[tokio::test]
async fn a_list_that_is_too_dear_is_not_read() {
    let world = World::with(copies(2_000)).await;
    let evidence = cheaply(&world, ExportMode::Move, &[ARCHIVED]).await;
    assert_eq!(evidence.extent, Extent::Whole);

    let readme = format!("sandbox/demo:{}", README.0);
    let running = (0..150).fold(copies(2_001), |world, number| {
        let copy = OtherExport::new(&*readme, "sandbox/output", format!("running/{number}"));
        world.export(copy.copy().lasting(HOUR))
    });
    let world = World::with(running).await;
    let evidence = cheaply(&world, ExportMode::Copy, &[ARCHIVED]).await;
    assert_eq!(evidence.extent, Extent::Unfinished);
    only_run(&world, 150).await;
    let running = start(&world, README, ExportMode::Copy).await;
    let mut asked = asked(&world, ExportMode::Move, Effort::Cheap, &[ARCHIVED]);
    asked.in_flight = vec![running];
    for (faults, extent, clean) in [
        ("", Extent::States, true),
        // A job that goes on must be on the lists of those that do.
        ("late-list=3600s@exports", Extent::States, false),
        // Lists that lack jobs say nothing of a file that shows nowhere.
        ("disorder@exports", Extent::Unfinished, true),
    ] {
        world.sandbox.set_faults(plan(faults));
        let evidence = gather(&world, &asked).await.unwrap();
        assert_eq!(
            (evidence.extent, evidence.clean),
            (extent, clean),
            "{faults}"
        );
    }
    world.sandbox.set_faults(plan(""));
    asked.effort = Effort::Whole;
    let evidence = gather(&world, &asked).await.unwrap();
    assert_eq!(evidence.extent, Extent::Whole);
}

/// Of unfinished jobs as many may come at the list's end as have gone from a page that was read.
#[tokio::test]
async fn unfinished_jobs_are_listed_twice_where_the_newest_come_last() {
    let readme = format!("sandbox/demo:{}", README.0);
    let busy = || {
        (1..=150).fold(copies(2_001), |world, number| {
            let copy = OtherExport::new(&*readme, "sandbox/output", format!("running/{number}"));
            let begun = Duration::from_secs(10 * (151 - number));
            world.export(copy.copy().ago(begun).lasting(10 * HOUR))
        })
    };
    let mut lists = Vec::new();
    for builder in [busy(), busy().quirk(Quirk::OldestFirst)] {
        let world = World::with(builder).await;
        only_run(&world, 150).await;
        let listed = || world.sandbox.ledger().requests[&Route::Exports];
        let before = listed();
        let evidence = cheaply(&world, ExportMode::Move, &[ARCHIVED]).await;
        assert_eq!(evidence.extent, Extent::States);
        lists.push(listed() - before);
    }
    assert_eq!(lists[1] - lists[0], 2, "two pages: {lists:?}");
}

#[tokio::test]
async fn only_a_refusal_of_the_account_ends_all_questions() {
    let world = World::new().await;
    let asked = asked(&world, ExportMode::Copy, Effort::Cheap, &[README]);
    for (status, ends) in [(401, true), (403, true), (400, false), (404, false)] {
        let faults = format!("refuse={status}/9000@exports");
        world.sandbox.set_faults(plan(&faults));
        let error = gather(&world, &asked).await.unwrap_err();
        assert_eq!(error.refusal().is_ok(), ends, "{status}");
    }
}
