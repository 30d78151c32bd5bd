//! What a run keeps of the platform, with every open question answered one way and the other; the sandbox's ledger says that
//! nothing is doubled or destroyed by it.

use std::time::Duration;

use cavatica_exports::model::ExportMode;
use cavatica_sandbox::{FaultPlan, Quirk, Route, SandboxBuilder};
use cavatica_transfer::journal::TransferFile;
use cavatica_transfer::observe::{Belief, Habit, Measure, OpenQuestion};
use cavatica_transfer::plan::Existing;
use cavatica_transfer::{Event, Habits, RunError, Stop, StopReason};

use crate::bench::{Bench, many, options, world};

const FILES: u32 = 250;

fn observed(bench: &Bench) -> Habits {
    let file = TransferFile::open(&bench.transfer()).expect("the transfer");
    file.observations().expect("what was seen")
}

fn faults(plan: &str) -> FaultPlan {
    plan.parse().expect("a fault plan")
}

/// Plans and runs a transfer of some files, looks at the volume, and answers what was seen.
async fn seen(
    mode: ExportMode,
    plan: &str,
    change: impl FnOnce(SandboxBuilder) -> SandboxBuilder,
) -> (Bench, Habits) {
    let bench = Bench::start(change(world(many(FILES)))).await;
    let mut planning = bench.options();
    planning.mode = mode;
    bench.plan(planning).await.expect("a plan");
    bench.sandbox.set_faults(faults(plan));
    bench.run().await.ok();
    bench.verify().await.expect("a look");
    let ledger = bench.sandbox.ledger();
    assert!(ledger.files_doubled.is_empty() && ledger.dangling.is_empty());
    assert_eq!(ledger.destroyed().count(), 0);
    let seen = observed(&bench);
    (bench, seen)
}

/// Asserts that a question was answered so, and in no other way.
fn only(seen: &Habits, question: OpenQuestion, answer: Habit) {
    let answers: Vec<_> = seen.habits(question).map(|(answer, _)| answer).collect();
    assert_eq!(answers, [answer], "{question}: {seen:?}");
}

#[tokio::test]
async fn a_run_tells_what_is_as_it_was_inferred() {
    let (_, seen) = seen(ExportMode::Move, "", |world| world).await;
    for (question, answer) in [
        (OpenQuestion::StartStatus, Habit::Status200),
        (OpenQuestion::BulkOrder, Habit::AsAsked),
        (OpenQuestion::JobNames, Habit::JobsNamed),
        (OpenQuestion::JobTimes, Habit::ZonedTimes),
        (OpenQuestion::ResetUnit, Habit::ResetSeconds),
        (OpenQuestion::AliasLocation, Habit::AliasAsPlanned),
        (OpenQuestion::AliasDelay, Habit::AliasAtOnce),
    ] {
        only(&seen, question, answer);
    }
    assert_eq!(seen.count(Habit::AliasAsPlanned), u64::from(FILES));
    let keys: Vec<_> = seen
        .habits(OpenQuestion::ObjectMetadata)
        .map(|(key, _)| key)
        .collect();
    assert_eq!(
        keys,
        [Habit::ContentLength, Habit::EtagKey, Habit::LastModified]
    );
    assert_eq!(seen.contradicted(&[]), None);
    let ahead = seen.range(Measure::DateAhead).expect("a date");
    assert!(ahead.least.abs() <= 5, "{ahead:?}");
}

/// Each open question that a run can answer, the other way.
#[tokio::test]
async fn a_run_tells_what_is_otherwise() {
    let quirks = [
        Quirk::Created,
        Quirk::ResetInMilliseconds,
        Quirk::BareListing,
        Quirk::RefuseInJob,
    ];
    let (bench, seen) = seen(ExportMode::Move, "shuffle@bulk-start; zoneless=2; respell=percent@file; respell=percent@bulk-files; respell=percent@scroll; cap-scroll=50", |world| {
        quirks.into_iter().fold(world, SandboxBuilder::quirk)
    })
    .await;
    assert_eq!(bench.summary().completed, u64::from(FILES));
    bench.check_exactly_once(FILES as usize);
    for (question, answer) in [
        (OpenQuestion::StartStatus, Habit::Status201),
        (OpenQuestion::BulkOrder, Habit::InAnotherOrder),
        (OpenQuestion::JobTimes, Habit::ZonelessTimes),
        (OpenQuestion::ResetUnit, Habit::ResetMilliseconds),
        (OpenQuestion::ObjectMetadata, Habit::NoMetadata),
    ] {
        only(&seen, question, answer);
    }
    let clock = seen.range(Measure::JobClockAhead).expect("jobs are dated");
    assert!((7_100..7_300).contains(&clock.greatest), "{clock:?}");
    assert_eq!(
        seen.contradicted(&[]),
        None,
        "it is different, and harms nothing"
    );
}

#[tokio::test]
async fn odd_and_nameless_jobs_are_told() {
    let (_, seen) = seen(
        ExportMode::Copy,
        "nameless; no-times; odd-state=ABORTED@bulk-get,nth=2; throttle@bulk-get,nth=3",
        |world| world.quirk(Quirk::NoReset),
    )
    .await;
    only(&seen, OpenQuestion::JobNames, Habit::JobsNameless);
    only(&seen, OpenQuestion::JobTimes, Habit::NoTimes);
    only(&seen, OpenQuestion::ResetUnit, Habit::ResetUntold);
    only(&seen, OpenQuestion::CopyOnly, Habit::SourceKept);
    only(&seen, OpenQuestion::Throttling, Habit::ThrottledBare);
    assert!(seen.count(Habit::UnknownState) > 0, "{seen:?}");
}

#[tokio::test]
async fn a_platform_that_moves_what_is_to_be_copied_is_told() {
    let (bench, seen) = seen(ExportMode::Copy, "", |world| {
        world.quirk(Quirk::IgnoreCopyOnly)
    })
    .await;
    only(&seen, OpenQuestion::CopyOnly, Habit::SourceMoved);
    assert_eq!(bench.sandbox.ledger().starts, 1);
}

/// Where 9107 comes, and what the refused file is afterwards.
#[tokio::test]
async fn where_an_occupied_key_is_refused_is_told() {
    for (quirk, answer) in [
        (None, Habit::OccupiedInJob),
        (Some(Quirk::OccupiedAtStart), Habit::OccupiedAtOnce),
    ] {
        let builder = world(many(3));
        let builder = match quirk {
            Some(quirk) => builder.quirk(quirk),
            None => builder,
        };
        let bench = Bench::start(builder).await;
        let mut planning = bench.options();
        planning.existing = Existing::Skip;
        bench.plan(planning).await.expect("a plan");
        let taken = "run1/bam/file-0000002.dat";
        bench
            .sandbox
            .put_object(crate::bench::VOLUME, taken, b"older")
            .expect("an object");
        bench.run().await.expect("a run");
        only(&observed(&bench), OpenQuestion::Occupied, answer);
    }
}

#[tokio::test]
async fn what_a_run_saw_is_added_to_what_the_runs_before_it_saw() {
    let bench = Bench::start(world(many(200))).await;
    bench.plan(bench.options()).await.expect("a plan");
    for limit in [Some(100), None] {
        let mut options = options();
        options.limit = limit;
        bench
            .run_with(&options, &Stop::new(), &mut |_| {})
            .await
            .expect("a run");
        let starts = bench.sandbox.ledger().requests[&Route::BulkStart];
        assert_eq!(observed(&bench).count(Habit::Status200), starts);
    }
}

/// Lists that lag longer than the settling time: it is lengthened, told, and kept for the next run; and it never shrinks.
#[tokio::test]
async fn a_list_that_is_late_lengthens_the_settling_time() {
    let bench = Bench::start(world(many(FILES)).job_duration(short(20)..=short(20))).await;
    let mut planning = bench.options();
    // A copy shows in the list alone.
    planning.mode = ExportMode::Copy;
    bench.plan(planning).await.expect("a plan");
    bench.sandbox.set_faults(faults(
        "late-list=2500ms@exports; drop-after@bulk-start,nth=2",
    ));
    let settle = Duration::from_millis(1_000);
    let mut options = options();
    options.timing.settle = settle;
    options.limit = Some(200);
    let mut lengthened = None;
    let stop = Stop::new();
    let mut tell = |event| match event {
        Event::SettlingLengthened { settle } => lengthened = Some(settle),
        Event::Reconciled { found: 1.., .. } => stop.ask(),
        _ => {}
    };
    bench
        .run_with(&options, &stop, &mut tell)
        .await
        .expect("a run that was stopped");
    let longer = lengthened.expect("it was lengthened");
    assert!(longer > settle && longer <= 4 * settle, "{longer:?}");
    let seen = observed(&bench);
    assert!(seen.count(Habit::ListedLate) > 0, "{seen:?}");

    let mut again = None;
    let stop = Stop::new();
    stop.ask();
    let mut tell = |event| {
        if let Event::SettlingLengthened { settle } = event {
            again = Some(settle);
        }
    };
    bench
        .run_with(&options, &stop, &mut tell)
        .await
        .expect("a run");
    assert_eq!(
        again.map(|again| again.as_millis()),
        Some(longer.as_millis())
    );
    let mut shrunk = None;
    options.timing.settle = longer * 2;
    let mut tell = |event| {
        if let Event::SettlingLengthened { settle } = event {
            shrunk = Some(settle);
        }
    };
    bench
        .run_with(&options, &stop, &mut tell)
        .await
        .expect("a run");
    assert_eq!(shrunk, None, "nothing seen makes it shorter");
    assert!(bench.sandbox.ledger().files_doubled.is_empty());
}

fn short(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A moved file that becomes an alias far later than it may: what was sent is followed, and nothing more is sent, in this run
/// and the next, until somebody says that the belief may go.
#[tokio::test]
async fn a_move_stops_where_the_platform_contradicts_what_it_rests_on() {
    let bench = Bench::start(world(many(1_000)).job_duration(short(20)..=short(20))).await;
    bench.plan(bench.options()).await.expect("a plan");
    bench.sandbox.set_faults(faults("late-alias=3s"));
    let mut options = options();
    // The first call alone: the rest would be sent before anything shows.
    options.max_in_flight = 100;
    options.timing.settle = short(300);
    options.timing.unclear_job = Duration::from_secs(20);
    let mut reasons = Vec::new();
    for turn in 0..2 {
        let mut tell = |event| {
            if let Event::SendingStopped { reason } = event {
                reasons.push(reason);
            }
        };
        let error = bench.run_with(&options, &Stop::new(), &mut tell).await;
        let error = error.expect_err("it is refused");
        assert!(
            matches!(
                &error,
                RunError::Contradicted {
                    belief: Belief::AliasIsTrue,
                    left: 900
                }
            ),
            "{turn}: {error:?}"
        );
        let ledger = bench.check_exactly_once(100);
        assert_eq!(ledger.starts, 100, "no more than the first call");
        assert_eq!(
            bench.summary().completed,
            100,
            "what was sent was followed to its end"
        );
    }
    assert_eq!(reasons, [StopReason::Contradicted; 2]);

    bench.sandbox.set_faults(FaultPlan::default());
    options.despite = vec![Belief::AliasIsTrue];
    options.max_in_flight = 100_000;
    bench
        .run_with(&options, &Stop::new(), &mut |_| {})
        .await
        .expect("it goes on");
    bench.check_exactly_once(1_000);
    assert_eq!(bench.summary().completed, 1_000);
}

/// Jobs that can't be found any more: what was sent ends as unknown, and nothing more is sent.
#[tokio::test]
async fn a_move_stops_where_jobs_are_forgotten() {
    let lasting = Duration::from_secs(6);
    let bench = Bench::start(world(many(1_000)).job_duration(lasting..=lasting)).await;
    bench.plan(bench.options()).await.expect("a plan");
    bench.sandbox.set_faults(faults("forget=1s"));
    let mut options = options();
    options.max_in_flight = 100;
    let error = bench.run_with(&options, &Stop::new(), &mut |_| {}).await;
    let error = error.expect_err("it is refused");
    assert!(
        matches!(
            &error,
            RunError::Contradicted {
                belief: Belief::JobsKept,
                left: 900
            }
        ),
        "{error:?}"
    );
    assert_eq!(bench.sandbox.ledger().starts, 100);
    let summary = bench.summary();
    assert_eq!((summary.failed, summary.left), (0, 900));
}

#[tokio::test]
async fn requests_do_not_grow() {
    let bench = Bench::start(world(many(1_000))).await;
    bench.plan(bench.options()).await.expect("a plan");
    let report = bench.run().await.expect("a run");
    assert!(report.requests <= 40, "{} requests", report.requests);
    let written = serde_json::to_string(&observed(&bench)).expect("plain data");
    assert!(written.len() < 2_000, "{written}");
}
